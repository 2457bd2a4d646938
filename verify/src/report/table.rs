//! The report as text: the table, the failures with their replay commands, what was not checked.

use core::fmt::Write;

use super::{Report, Row, thousands};

const HEADER: [&str; 7] = ["claim", "case", "engine", "bounds", "executions", "time", "verdict"];

/// Columns of numbers, which stand to the right.
const NUMBERS: [usize; 2] = [4, 5];

/// The whole report, ready to print.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    rows(&mut text, report);
    let _ = writeln!(text, "\n{}", report.summary());
    let failures = report.rows.iter().filter(|row| row.verdict.is_failure());
    failures.for_each(|row| failure(&mut text, row));
    let notes: Vec<_> = report.rows.iter().filter(|row| !row.notes.is_empty()).collect();
    if report.rows.iter().any(|row| row.blocked > 0) {
        text += "\nExecutions n +m: in m more a thread waits for a value that it gets in another one.\n";
    }
    if report.rows.iter().any(|row| row.engine == "specification") {
        text += "\nThe specification's executions are states.\n";
    }
    if !notes.is_empty() {
        text += "\nNotes:\n";
        for row in notes {
            let _ = writeln!(text, "  {}: {}", row.id, row.notes.join("; "));
        }
    }
    not_checked(&mut text, report);
    text
}

fn rows(text: &mut String, report: &Report) {
    let mut lines = vec![HEADER.map(str::to_owned)];
    let mut last_claim = "";
    for row in &report.rows {
        let claim = if row.claim == last_claim { "" } else { &row.claim };
        last_claim = &row.claim;
        lines.push([
            claim.to_owned(),
            row.case.clone(),
            row.engine.clone(),
            row.bounds.clone(),
            match row.blocked {
                0 => thousands(row.executions),
                blocked => format!("{} +{}", thousands(row.executions), thousands(blocked)),
            },
            format!("{:.1} s", row.seconds),
            row.verdict.to_string(),
        ]);
    }
    let widths: [usize; HEADER.len()] = core::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    for line in &lines {
        let mut out = String::new();
        for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
            let _ = if NUMBERS.contains(&column) {
                write!(out, "{cell:>width$}  ")
            } else {
                write!(out, "{cell:<width$}  ")
            };
        }
        let _ = writeln!(text, "{}", out.trim_end());
    }
}

fn failure(text: &mut String, row: &Row) {
    let _ = writeln!(text, "\n{} {}", row.verdict, row.id);
    let _ = writeln!(text, "  claim: {}", row.sentence);
    for line in row.verdict.detail().lines() {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(replay) = &row.replay {
        let _ = writeln!(text, "  replay: {replay}");
    }
}

fn not_checked(text: &mut String, report: &Report) {
    text.push_str("\nNot checked:\n");
    for row in report.rows.iter().filter(|row| row.verdict.is_incomplete()) {
        let detail = row.verdict.detail();
        let colon = if detail.is_empty() { "" } else { ": " };
        let _ = writeln!(text, "  - {}: {}{colon}{detail}", row.id, row.verdict);
    }
    for line in &report.not_checked {
        let _ = writeln!(text, "  - {line}");
    }
}
