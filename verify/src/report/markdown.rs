//! The report as a Markdown table, a row for each claim: what stands in the README and the book.

use core::fmt::Write;

use super::{Report, Row, counted, thousands};

/// The engines' columns.
const ENGINES: [&str; 6] = ["explore", "loom", "shuttle", "stress", "sequential", "specification"];

/// The table, one row a claim, and below it what was not checked.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::from("| claim | says |");
    for engine in ENGINES {
        let _ = write!(text, " {engine} |");
    }
    text += "\n|---|---|";
    text += &"---|".repeat(ENGINES.len());
    text.push('\n');
    let mut rest = &report.rows[..];
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|row| row.claim == first.claim).count();
        let (claim, others) = rest.split_at(same);
        let _ = write!(text, "| `{}` | {} |", first.claim, escape(&first.sentence));
        for engine in ENGINES {
            let _ = write!(text, " {} |", cell(claim, engine));
        }
        text.push('\n');
        rest = others;
    }
    let _ = writeln!(text, "\n{}.\n\nNot checked:\n", report.summary());
    for line in &report.not_checked {
        let _ = writeln!(text, "- {}", escape(line));
    }
    text
}

/// What one engine did for a claim: cases, executions, and every verdict that is not *passed*.
fn cell(claim: &[Row], engine: &str) -> String {
    let rows: Vec<_> = claim.iter().filter(|row| row.engine == engine).collect();
    if rows.is_empty() {
        return "-".into();
    }
    let executions = rows.iter().map(|row| row.executions).sum();
    let mut text = format!("{}, {}", counted(rows.len(), "case"), thousands(executions));
    if rows.iter().all(|row| row.verdict == crate::engine::Verdict::Exhaustive) {
        text += ", exhaustive";
    }
    if rows.iter().all(|row| row.verdict == crate::engine::Verdict::CompleteForModel) {
        text += " states, complete";
    }
    let mut others: Vec<(String, usize)> = Vec::new();
    for row in rows.iter().filter(|row| row.verdict.is_failure() || row.verdict.is_incomplete()) {
        let verdict = row.verdict.to_string();
        match others.iter_mut().find(|(known, _)| *known == verdict) {
            Some((_, count)) => *count += 1,
            None => others.push((verdict, 1)),
        }
    }
    for (verdict, count) in others {
        let _ = write!(text, "; {count} {verdict}");
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
}
