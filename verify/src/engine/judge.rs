//! From what engines saw to a verdict.
//!
//! No assertion failed, or there would be nothing to judge. What is left to ask: did the engine do
//! all that its bounds asked for; did everything happen that the model must show; and did loom
//! reach every outcome that a sequentially consistent schedule reaches.

use core::fmt;
use std::collections::BTreeSet;

use super::{End, Exploration};
use crate::claim::{Outcome, Witness};

/// How many missed outcomes are named.
const EXAMPLES_MAX: usize = 3;

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Verdict {
    /// The claim held in every execution, and everything that must be seen was seen.
    Passed,
    /// The claim held in every execution that RC11 allows, and everything that must be seen was
    /// seen.
    Exhaustive,
    /// The claim held in every state of a model of the protocol, and every control failed.
    CompleteForModel,
    /// As `Passed`, but shuttle reached outcomes that loom did not: loom's search has a hole here.
    LoomIncomplete {
        /// How many outcomes loom missed.
        missed: usize,
        /// Some of them.
        examples: Vec<Outcome>,
    },
    /// The claim held as far as the engine came before its time was over.
    Incomplete {
        /// How far it came.
        reached: String,
    },
    /// An assertion failed, or the model never showed what it must.
    Failed {
        /// What the engine said.
        message: String,
    },
    /// The process died before it had a verdict.
    Crashed {
        /// How it died, and what it said last.
        message: String,
    },
    /// The process did not end, and was killed.
    Hung {
        /// How long it ran, and when the last execution ended.
        message: String,
    },
    /// Ctrl-C came while it ran.
    Interrupted,
    /// Ctrl-C came before it ran.
    NotRun,
}

impl Verdict {
    /// Whether the claim was found wrong, or the check died.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Crashed { .. } | Self::Hung { .. })
    }

    /// Whether the check did not do all it should, without a failure.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let complete = matches!(self, Self::Passed | Self::Exhaustive | Self::CompleteForModel);
        !self.is_failure() && !complete
    }

    /// What a reader wants to know beyond the verdict; empty when there is nothing.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Passed
            | Self::Exhaustive
            | Self::CompleteForModel
            | Self::Interrupted
            | Self::NotRun => String::new(),
            Self::LoomIncomplete { missed, examples } => {
                let more = if *missed > examples.len() { ", …" } else { "" };
                let named: Vec<_> = examples.iter().map(|outcome| format!("`{outcome}`")).collect();
                format!("shuttle saw, loom did not: {}{more}", named.join(", "))
            }
            Self::Incomplete { reached: detail }
            | Self::Failed { message: detail }
            | Self::Crashed { message: detail }
            | Self::Hung { message: detail } => detail.clone(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Exhaustive => f.write_str("passed, exhaustive"),
            Self::CompleteForModel => f.write_str("passed, complete for this model"),
            Self::LoomIncomplete { missed, .. } => {
                write!(f, "passed, loom incomplete ({missed} outcomes missed)")
            }
            Self::Incomplete { .. } => f.write_str("incomplete"),
            Self::Failed { .. } => f.write_str("FAILED"),
            Self::Crashed { .. } => f.write_str("CRASHED"),
            Self::Hung { .. } => f.write_str("HUNG"),
            Self::Interrupted => f.write_str("interrupted"),
            Self::NotRun => f.write_str("not run"),
        }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub struct Findings {
    /// Executions of the engine itself (not those of loom's witness).
    pub executions: u64,
    /// Of the explorer: further executions that end with a thread waiting for a value that it gets
    /// in another one.
    #[cfg_attr(feature = "cli", serde(default))]
    pub blocked: u64,
    /// Different outcomes.
    pub outcomes: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// Remarks that change no verdict.
    pub notes: Vec<String>,
}

impl Findings {
    /// A failure after so many executions.
    #[must_use]
    pub fn failed(executions: u64, message: String) -> Self {
        let verdict = Verdict::Failed { message };
        Self { executions, blocked: 0, outcomes: 0, verdict, notes: Vec::new() }
    }
}

/// Judges an engine that should show all that the model must show.
///
/// `witness` is what sequentially consistent schedules of the same model showed: whatever is in it
/// is possible, so the engine should have seen it too.
#[must_use]
pub fn judge(seen: &Exploration, witness: Option<&Exploration>, must_show: &[Witness]) -> Findings {
    let no_outcomes = BTreeSet::new();
    let witnessed = witness.map_or(&no_outcomes, |witness| &witness.outcomes);
    let missed: Vec<_> = witnessed.difference(&seen.outcomes).collect();
    let unseen: Vec<_> = must_show
        .iter()
        .filter(|must| {
            !seen.outcomes.iter().chain(witnessed).any(|outcome| (must.seen_in)(outcome))
        })
        .map(|must| format!("\"{}\"", must.name))
        .collect();
    let in_time =
        seen.end == End::Finished && witness.is_none_or(|witness| witness.end == End::Finished);
    let verdict = if !in_time {
        Verdict::Incomplete { reached: reached(seen, witness, &unseen) }
    } else if !unseen.is_empty() {
        Verdict::Failed {
            message: format!(
                "vacuous: never saw {}; the {} outcomes seen: {}",
                unseen.join(", "),
                seen.outcomes.len(),
                list(seen.outcomes.iter())
            ),
        }
    } else if !missed.is_empty() {
        Verdict::LoomIncomplete {
            missed: missed.len(),
            examples: missed.iter().take(EXAMPLES_MAX).copied().cloned().collect(),
        }
    } else {
        Verdict::Passed
    };
    Findings {
        executions: seen.executions,
        blocked: 0,
        outcomes: seen.outcomes.len(),
        verdict,
        notes: Vec::new(),
    }
}

/// Judges the explorer. What sequentially consistent schedules show, it must have seen; if it has
/// not, it is wrong.
#[must_use]
pub fn judge_exhaustive(
    seen: &Exploration,
    witness: Option<&Exploration>,
    must_show: &[Witness],
) -> Findings {
    let mut findings = judge(seen, witness, must_show);
    findings.verdict = match findings.verdict {
        Verdict::Passed => Verdict::Exhaustive,
        Verdict::LoomIncomplete { missed, examples } => Verdict::Failed {
            message: format!(
                "the explorer is wrong: shuttle reached {missed} outcomes that it did not: {}",
                list(examples.iter())
            ),
        },
        other => other,
    };
    findings
}

/// Judges an engine that shows what happens to happen: what it did not see is only noted.
#[must_use]
pub fn judge_samples(seen: &Exploration, must_show: &[Witness]) -> Findings {
    let mut findings = judge(seen, None, &[]);
    let unseen = must_show
        .iter()
        .filter(|must| !seen.outcomes.iter().any(|outcome| (must.seen_in)(outcome)));
    findings.notes = unseen.map(|must| format!("never saw \"{}\"", must.name)).collect();
    findings
}

/// How far an engine came that ran out of time.
fn reached(seen: &Exploration, witness: Option<&Exploration>, unseen: &[String]) -> String {
    let mut reached = format!(
        "out of time after {} executions with {} outcomes",
        seen.executions,
        seen.outcomes.len()
    );
    if seen.end == End::Finished
        && let Some(witness) = witness
    {
        reached = format!(
            "loom finished, but its witness was out of time after {} schedules",
            witness.executions
        );
    }
    if !unseen.is_empty() {
        reached += &format!("; not yet seen: {}", unseen.join(", "));
    }
    reached
}

fn list<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    const SHOWN: usize = 8;
    let mut outcomes: Vec<_> = outcomes.take(SHOWN + 1).map(|line| format!("`{line}`")).collect();
    if outcomes.len() > SHOWN {
        outcomes[SHOWN] = "…".into();
    }
    outcomes.join(", ")
}
