//! What a run found: a row for each check, and the report that holds them.
//!
//! The report is what `--json` writes and what `table` reads back. Its field names are a promise to
//! scripts; [`FORMAT`] changes when one of them does.

mod markdown;
mod table;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::markdown::markdown;
pub use self::table::table;
use crate::engine::{Check, Effort, Findings, Verdict};

/// The version of the JSON format.
pub const FORMAT: u32 = 1;

/// One check and how it ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// `claim/case@engine`.
    pub id: String,
    /// The claim's name.
    pub claim: String,
    /// The claim's sentence.
    pub sentence: String,
    /// The case or the property.
    pub case: String,
    /// What the case is, in numbers or words.
    pub shape: String,
    /// What ran it.
    pub engine: String,
    /// How far it should go.
    pub bounds: String,
    /// Executions that ran to their end.
    pub executions: u64,
    /// Of the explorer: executions that end with a thread waiting for a value that it gets in
    /// another one.
    #[serde(default)]
    pub blocked: u64,
    /// Different outcomes.
    pub outcomes: usize,
    /// Wall-clock seconds, the process's start included.
    pub seconds: f64,
    /// How it ended.
    pub verdict: Verdict,
    /// Remarks that change no verdict.
    pub notes: Vec<String>,
    /// The command that shows a failure again.
    pub replay: Option<String>,
}

impl Row {
    /// The row of a check that found `findings` in so many seconds.
    #[must_use]
    pub fn new(check: &Check, effort: Effort, seconds: f64, findings: Findings) -> Self {
        Self {
            id: check.id(),
            claim: check.claim.into(),
            sentence: check.sentence.into(),
            case: check.case.into(),
            shape: check.shape.into(),
            engine: check.engine.name().into(),
            bounds: check.bounds(effort),
            executions: findings.executions,
            blocked: findings.blocked,
            outcomes: findings.outcomes,
            seconds,
            verdict: findings.verdict,
            notes: findings.notes,
            replay: None,
        }
    }

    /// The row of a check that never ran.
    #[must_use]
    pub fn not_run(check: &Check, effort: Effort) -> Self {
        let verdict = Verdict::NotRun;
        Self::new(
            check,
            effort,
            0.0,
            Findings { executions: 0, blocked: 0, outcomes: 0, verdict, notes: Vec::new() },
        )
    }
}

/// A whole run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`] of the version that wrote it.
    pub format: u32,
    /// How far the engines went.
    pub effort: Effort,
    /// Checks at a time.
    pub jobs: usize,
    /// Wall-clock seconds of the whole run.
    pub seconds: f64,
    /// Whether Ctrl-C ended it.
    pub interrupted: bool,
    /// The checks, in the order of the registry.
    pub rows: Vec<Row>,
    /// What this run did not check although its rows might make one think so.
    pub not_checked: Vec<String>,
}

/// How a run ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that ran passed.
    Passed = 0,
    /// A claim failed, or a check crashed or hung.
    Failed = 1,
    /// The command line, or a file it names, is wrong.
    Usage = 2,
    /// Nothing failed, but not everything is complete, and `--require-complete` asks for that.
    Incomplete = 3,
    /// Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Report {
    /// The exit code of this run.
    #[must_use]
    pub fn exit(&self, require_complete: bool) -> Exit {
        if self.interrupted {
            Exit::Interrupted
        } else if self.rows.iter().any(|row| row.verdict.is_failure()) {
            Exit::Failed
        } else if require_complete && self.rows.iter().any(|row| row.verdict.is_incomplete()) {
            Exit::Incomplete
        } else {
            Exit::Passed
        }
    }

    /// One line: how many checks ended how.
    #[must_use]
    pub fn summary(&self) -> String {
        /// Whether a verdict is of some kind.
        type Is = fn(&Verdict) -> bool;
        let count = |is: Is| self.rows.iter().filter(|row| is(&row.verdict)).count();
        let kinds: [(&str, Is); 10] = [
            ("passed exhaustively", |v| *v == Verdict::Exhaustive),
            ("passed, complete for their model", |v| *v == Verdict::CompleteForModel),
            ("passed", |v| *v == Verdict::Passed),
            ("passed where loom is incomplete", |v| matches!(v, Verdict::LoomIncomplete { .. })),
            ("incomplete", |v| matches!(v, Verdict::Incomplete { .. })),
            ("FAILED", |v| matches!(v, Verdict::Failed { .. })),
            ("CRASHED", |v| matches!(v, Verdict::Crashed { .. })),
            ("HUNG", |v| matches!(v, Verdict::Hung { .. })),
            ("interrupted", |v| *v == Verdict::Interrupted),
            ("not run", |v| *v == Verdict::NotRun),
        ];
        let ends: Vec<_> = kinds
            .map(|(name, is)| (count(is), name))
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        let claims: BTreeSet<_> = self.rows.iter().map(|row| &row.claim).collect();
        format!(
            "{}, {} in {:.0} s ({} at a time): {}",
            counted(claims.len(), "claim"),
            counted(self.rows.len(), "check"),
            self.seconds,
            self.jobs,
            ends.join(", ")
        )
    }
}

/// So many of something: `1 case`, `2 cases`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// A count with its thousands marked: `1,234,567`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut marked = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            marked.push(',');
        }
        marked.push(digit);
    }
    marked
}
