//! What a comparison found: rows, the table for a terminal, the table for the book.

use core::fmt::Write;

use serde::{Deserialize, Serialize};

use super::subject::Contestant;
use crate::report::{Exit, thousands};

/// The version of the JSON format.
pub const FORMAT: u32 = 1;

/// How many times faster than loom the explorer should be.
const GOAL: f64 = 10.0;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// It did all that it should.
    Through,
    /// Its budget was spent first.
    Budget,
    /// Ctrl-C came first.
    Interrupted,
    /// The process died, or had to be ended.
    Died {
        /// How.
        message: String,
    },
}

/// An engine on a model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The model: `claim/case`.
    pub model: String,
    /// What it is, in numbers.
    pub shape: String,
    /// The engine, with its bound.
    pub contestant: Contestant,
    /// Executions that ran to their end.
    pub executions: u64,
    /// Of the explorer: executions that end with a thread waiting for a value that it gets in
    /// another one.
    pub blocked: u64,
    /// Different outcomes.
    pub outcomes: usize,
    /// Outcomes of the explorer that this engine did not reach, if the explorer was through.
    pub missed: Option<usize>,
    /// Outcomes that the explorer, which was through, does not have.
    pub beyond: Option<usize>,
    /// Seconds of the exploration, the least of all rounds.
    pub seconds: f64,
    /// The same divided by the explorer's, if it was through.
    pub ratio: Option<f64>,
    /// How it ended.
    pub end: End,
}

/// A whole comparison.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// [`FORMAT`] of the version that wrote it.
    pub format: u32,
    /// Seconds for each run.
    pub budget: u64,
    /// Runs of each engine on each model.
    pub rounds: u16,
    /// Seconds of it all.
    pub seconds: f64,
    /// Whether Ctrl-C ended it.
    pub interrupted: bool,
    /// Model by model, the explorer first.
    pub rows: Vec<Row>,
}

impl Comparison {
    /// The exit code. shuttle's schedules are all possible: an outcome of theirs that the explorer
    /// does not have is a mistake of the explorer.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let is_wrong = |row: &Row| {
            matches!(row.end, End::Died { .. })
                || row.contestant == Contestant::Shuttle && row.beyond.is_some_and(|n| n > 0)
        };
        if self.interrupted {
            Exit::Interrupted
        } else if self.rows.iter().any(is_wrong) {
            Exit::Failed
        } else {
            Exit::Passed
        }
    }

    /// One line: on how many models each of the others takes so many times as long.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut others: Vec<(Contestant, usize, usize)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.contestant != Contestant::Explorer) {
            let Some(ratio) = row.ratio else { continue };
            let reached = usize::from(ratio >= GOAL);
            match others.iter_mut().find(|(contestant, ..)| *contestant == row.contestant) {
                Some((_, reached_by_it, models)) => {
                    *reached_by_it += reached;
                    *models += 1;
                }
                None => others.push((row.contestant, reached, 1)),
            }
        }
        let others: Vec<String> = others
            .into_iter()
            .map(|(contestant, reached, models)| format!("{contestant}: {reached} of {models}"))
            .collect();
        format!(
            "models on which the explorer is at least {GOAL} times as fast as {}; {} s for each run, \
             the least of {} rounds, {:.0} s in all",
            others.join("; "),
            self.budget,
            self.rounds,
            self.seconds,
        )
    }
}

impl Row {
    /// The cells after the model's name.
    fn cells(&self) -> [String; 6] {
        if let End::Interrupted | End::Died { .. } = self.end {
            let dash = || "-".to_owned();
            return [self.contestant.to_string(), dash(), dash(), dash(), dash(), self.remark()];
        }
        let ratio = self.ratio.filter(|_| self.contestant != Contestant::Explorer);
        [
            self.contestant.to_string(),
            thousands(self.executions),
            thousands(self.outcomes as u64),
            time(self.seconds),
            ratio.map_or("-".into(), |ratio| self.at_least() + &times(ratio)),
            self.remark(),
        ]
    }

    fn at_least(&self) -> String {
        if self.end == End::Budget { "≥ ".into() } else { String::new() }
    }

    fn remark(&self) -> String {
        let mut remarks = Vec::new();
        match &self.end {
            End::Through => {}
            End::Budget => remarks.push("stopped at budget".into()),
            End::Interrupted => remarks.push("interrupted".into()),
            End::Died { message } => remarks.push(format!("DIED: {message}")),
        }
        if self.blocked > 0 {
            remarks.push(format!("{} blocked", thousands(self.blocked)));
        }
        match self.missed {
            None | Some(0) => {}
            Some(missed) => remarks.push(format!("misses {missed}")),
        }
        match self.beyond {
            None | Some(0) => {}
            Some(beyond) => remarks.push(format!("{beyond} beyond the explorer's")),
        }
        remarks.join("; ")
    }
}

fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.01 => format!("{:.2} ms", s * 1e3),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s => format!("{s:.1} s"),
    }
}

fn times(ratio: f64) -> String {
    match ratio {
        r if r < 10.0 => format!("{r:.1}"),
        r => thousands(r.round() as u64),
    }
}

const HEADER: [&str; 6] = ["engine", "executions", "outcomes", "time", "ratio", "remarks"];

/// The table for a terminal.
#[must_use]
pub fn text(comparison: &Comparison) -> String {
    let mut text = String::new();
    let mut line = |[engine, executions, outcomes, time, ratio, remarks]: [&str; 6]| {
        let line = format!(
            "  {engine:<20} {executions:>12} {outcomes:>9} {time:>9} {ratio:>8}  {remarks}"
        );
        text += line.trim_end();
        text.push('\n');
    };
    line(HEADER);
    for rows in by_model(comparison) {
        line([&format!("\x00{}", rows[0].model), "", "", "", "", ""]);
        rows.iter().for_each(|row| line(row.cells().each_ref().map(String::as_str)));
    }
    text = text.replace("  \x00", "");
    let _ = writeln!(text, "\nThe {}.", comparison.summary());
    text
}

/// The table for the book.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let mut text =
        String::from("| model | engine | executions | outcomes | time | ratio | remarks |\n");
    text += "|---|---|---:|---:|---:|---:|---|\n";
    for rows in by_model(comparison) {
        for (index, row) in rows.iter().enumerate() {
            let model = if index == 0 { format!("`{}`", row.model) } else { String::new() };
            let _ = writeln!(text, "| {model} | {} |", row.cells().join(" | "));
        }
    }
    let _ = writeln!(text, "\nThe {}.", comparison.summary());
    text
}

fn by_model(comparison: &Comparison) -> impl Iterator<Item = &[Row]> {
    comparison.rows.chunk_by(|a, b| a.model == b.model)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(contestant: Contestant, seconds: f64, [missed, beyond]: [usize; 2], end: End) -> Row {
        Row {
            model: "queue::claim/case".into(),
            shape: "3 threads".into(),
            contestant,
            executions: 1234,
            blocked: 0,
            outcomes: 5,
            missed: Some(missed),
            beyond: Some(beyond),
            seconds,
            ratio: Some(seconds / 0.5),
            end,
        }
    }

    fn comparison(rows: Vec<Row>) -> Comparison {
        let (budget, rounds, seconds) = (15, 3, 9.0);
        Comparison { format: FORMAT, budget, rounds, seconds, interrupted: false, rows }
    }

    #[test]
    fn a_row_says_what_was_missed_and_that_a_stopped_run_s_ratio_is_a_bound() {
        let rows = vec![
            row(Contestant::Explorer, 0.5, [0, 0], End::Through),
            row(Contestant::Loom(None), 15.0, [2, 0], End::Budget),
            row(Contestant::Loom(Some(2)), 1.0, [0, 1], End::Through),
        ];
        let text = markdown(&comparison(rows));
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines[0], "| `queue::claim/case` | explorer | 1,234 | 5 | 500 ms | - |  |");
        let loom =
            "|  | loom, no bound | 1,234 | 5 | 15.0 s | ≥ 30 | stopped at budget; misses 2 |";
        assert_eq!(lines[1], loom);
        let bounded =
            "|  | loom, 2 preemptions | 1,234 | 5 | 1.0 s | 2.0 | 1 beyond the explorer's |";
        assert_eq!(lines[2], bounded);
        assert!(text.contains("loom, no bound: 1 of 1; loom, 2 preemptions: 0 of 1;"), "{text}");
    }

    #[test]
    fn an_outcome_that_shuttle_reached_and_the_explorer_did_not_is_a_failure() {
        let loom = row(Contestant::Loom(None), 1.0, [0, 1], End::Through);
        assert_eq!(comparison(vec![loom]).exit(), Exit::Passed, "loom may be too lax");
        let shuttle = row(Contestant::Shuttle, 1.0, [0, 1], End::Through);
        assert_eq!(comparison(vec![shuttle]).exit(), Exit::Failed);
        let died = End::Died { message: "it crashed".into() };
        assert_eq!(
            comparison(vec![row(Contestant::Shuttle, 0.0, [0, 0], died)]).exit(),
            Exit::Failed
        );
    }
}
