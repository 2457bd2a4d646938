//! The table that is printed, and the JSON that is kept.
//!
//! ```text
//! { "machine": { ... }, "load": 0.3, "command": "...", "rows": [
//! {"name":"owner/burst-1", ... one line a row, so that two records can be compared by diff },
//! ] }
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use gosched_benches::machine::Machine;
use gosched_benches::statistics::Spread;
use serde::Serialize;

use crate::rounds::Rounds;
use crate::rows::Row;

/// A measured row.
#[derive(Debug, Serialize)]
pub(crate) struct Reported {
    name: String,
    what: String,
    rounds: usize,
    /// Samples during which a thread lost its processor to another program.
    disturbed: usize,
    metrics: Vec<ReportedMetric>,
}

/// One of the things a row tells.
#[derive(Debug, Serialize)]
struct ReportedMetric {
    name: &'static str,
    unit: &'static str,
    contenders: Vec<ReportedContender>,
}

/// What is told of one contender. A spread is missing where a value was 0.
#[derive(Debug, Serialize)]
struct ReportedContender {
    name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'static str,
    value: Option<Spread>,
    to_baseline: Option<Spread>,
    ours_to_it: Option<Spread>,
    samples: Vec<f64>,
}

impl Reported {
    pub(crate) fn new(row: &Row, rounds: &Rounds) -> Self {
        let metrics = row.metrics.iter().enumerate().map(|(metric, described)| {
            let series = |contender: usize| rounds.values[contender][metric].as_slice();
            let ours = row.contenders.iter().position(|contender| contender.ours);
            let contenders = row.contenders.iter().enumerate();
            let reported = contenders.map(|(index, contender)| ReportedContender {
                name: contender.name,
                note: contender.note,
                value: Spread::of(series(index).iter().copied()).map(Spread::short),
                to_baseline: Spread::of_ratios(series(index), series(0)).map(Spread::short),
                ours_to_it: ours
                    .and_then(|ours| Spread::of_ratios(series(ours), series(index)))
                    .map(Spread::short),
                samples: series(index).iter().copied().map(short).collect(),
            });
            let contenders = reported.collect();
            ReportedMetric { name: described.name, unit: described.unit, contenders }
        });
        let metrics = metrics.collect();
        Self {
            name: row.name.clone(),
            what: row.what.clone(),
            rounds: rounds.count,
            disturbed: rounds.disturbed,
            metrics,
        }
    }

    /// A table a metric.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{}: {}; {} rounds", self.name, self.what, self.rounds);
        if self.disturbed > 0 {
            let samples = self.rounds * self.metrics[0].contenders.len();
            text += &format!(", {} of {samples} samples disturbed", self.disturbed);
        }
        text += "\n";
        for metric in &self.metrics {
            let (baseline, unit) = (metric.contenders[0].name, metric.unit);
            let title = match self.metrics.len() {
                1 => String::new(),
                _ => metric.name.to_owned(),
            };
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "  {title:<19} {:>9} {:>23} {:>9}",
                unit,
                format!("x {baseline}"),
                "ours/it"
            );
            for contender in &metric.contenders {
                let _ = writeln!(text, "{}", contender.line());
            }
        }
        text
    }
}

impl ReportedContender {
    fn line(&self) -> String {
        let middle = |spread: Option<Spread>| spread.map_or("-".to_owned(), |s| figure(s.median));
        let ratio = self.to_baseline.map_or("-".to_owned(), |spread| {
            let quartiles = format!("[{:.2}..{:.2}]", spread.q1, spread.q3);
            format!("{:.2} {quartiles:<14}", spread.median)
        });
        let (value, ours) = (middle(self.value), middle(self.ours_to_it));
        let line = format!("  {:<19} {value:>9} {ratio:>23} {ours:>9}   {}", self.name, self.note);
        line.trim_end().to_owned()
    }
}

/// Three digits that say something.
fn figure(value: f64) -> String {
    match value {
        large if large >= 100.0 => format!("{large:.0}"),
        middle if middle >= 10.0 => format!("{middle:.1}"),
        small => format!("{small:.2}"),
    }
}

/// Four digits are more than any of these numbers is worth.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

trait Short {
    fn short(self) -> Self;
}

impl Short for Spread {
    fn short(self) -> Self {
        Self {
            min: short(self.min),
            q1: short(self.q1),
            median: short(self.median),
            q3: short(self.q3),
            max: short(self.max),
        }
    }
}

/// The results so far, in memory and in a file.
#[derive(Debug)]
pub(crate) struct Record {
    machine: Machine,
    load: Option<f64>,
    rows: Vec<Reported>,
    path: Option<PathBuf>,
}

impl Record {
    /// An empty record. Tries the file at once: not to be told after minutes that it cannot be
    /// written.
    pub(crate) fn new(machine: Machine, path: Option<PathBuf>) -> Result<Self, String> {
        let record = Self { machine, load: Machine::load(), rows: Vec::new(), path };
        if let Some(path) = &record.path {
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        Ok(record)
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The lines above all tables.
    pub(crate) fn header(&self) -> String {
        let Machine { cpu, processors, threads_per_core, system, rustc, commit, peers, date } =
            &self.machine;
        let load = self.load.map_or(String::new(), |load| format!(", load {load}"));
        format!(
            "{cpu}, {processors} processors, {threads_per_core} to a core, {system}{load}\n\
             {rustc}, commit {commit}, {peers}, {date}\n"
        )
    }

    /// Adds a row, and writes the file anew: an interrupted run leaves what it has.
    pub(crate) fn add(&mut self, row: Reported) -> Result<(), String> {
        self.rows.push(row);
        let Some(path) = &self.path else { return Ok(()) };
        fs::write(path, self.json()?)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    fn json(&self) -> Result<String, String> {
        let show = |error: serde_json::Error| format!("cannot make JSON: {error}");
        let machine = serde_json::to_string_pretty(&self.machine).map_err(show)?;
        let command: Vec<_> = std::env::args().skip(1).collect();
        let command = serde_json::to_string(&command.join(" ")).map_err(show)?;
        let load = serde_json::to_string(&self.load).map_err(show)?;
        let lines: Result<Vec<_>, _> = self.rows.iter().map(serde_json::to_string).collect();
        let lines = lines.map_err(show)?.join(",\n");
        Ok(format!(
            "{{\"machine\": {machine},\n\"load\": {load},\n\"arguments\": {command},\n\
             \"rows\": [\n{lines}\n]}}\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::rows;

    fn measured() -> Reported {
        let mut row = rows::all(0).remove(0);
        row.sample = Duration::from_micros(5);
        let rounds = crate::rounds::measure(&mut row, Duration::ZERO);
        Reported::new(&row, &rounds)
    }

    #[test]
    fn the_baseline_is_once_itself_in_the_table() {
        let table = measured().table();
        let line = table.lines().find(|line| line.starts_with("  plain port")).expect("a line");
        assert!(line.contains("1.00 [1.00..1.00]"), "{table}");
        assert!(table.contains("gosched"), "{table}");
    }

    #[test]
    fn a_record_is_json_with_a_line_a_row_also_when_the_run_is_cut_short() {
        let file = std::env::temp_dir().join(format!("gosched-record-{}", std::process::id()));
        let mut record = Record::new(Machine::here(), Some(file.clone())).expect("writable");
        record.add(measured()).expect("written");
        record.add(measured()).expect("written");
        let text = fs::read_to_string(&file).expect("the file");
        drop(fs::remove_file(&file));
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(json["rows"].as_array().map(Vec::len), Some(2));
        assert_eq!(text.lines().filter(|line| line.starts_with("{\"name\"")).count(), 2);
        assert_eq!(json["rows"][0]["metrics"][0]["contenders"][0]["to_baseline"]["median"], 1.0);
    }

    #[test]
    fn an_unwritable_path_is_told_before_anything_is_measured() {
        let path = PathBuf::from("/nowhere/at/all.json");
        let error = Record::new(Machine::here(), Some(path)).expect_err("no such folder");
        assert!(error.contains("/nowhere/at/all.json"), "{error}");
    }
}
