//! What came out: a row for each weakening, and the judgement of the whole.

use std::fmt;
use std::time::Instant;

use serde::Serialize;

use super::child::Engine;
use super::source::{Sources, Unreached};
use super::survivors::Survivor;
use crate::instrument::{Order, Part, Weakening};

/// What became of a weakening.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A case noticed.
    Killed {
        /// `claim/case`.
        case: String,
        /// What explored it.
        engine: Engine,
        /// Executions until then, if the child could still say.
        executions: Option<u64>,
        /// What it complained of.
        message: String,
    },
    /// No case noticed.
    Survived {
        /// How many cases reach the site.
        cases: usize,
        /// How many of them did not end in time.
        cut_off: usize,
    },
    /// It was not tried: a still weaker one survived.
    Implied {
        /// That one.
        weaker: String,
    },
    /// The source asks for an ordering here, and no case comes here.
    Unreached,
}

/// One weakening, or one operation that was not reached.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The function.
    pub function: String,
    /// The operation.
    pub operation: String,
    /// What was weakened to what.
    pub weakened: String,
    /// What became of it.
    pub verdict: Verdict,
    /// How long that took.
    pub seconds: f64,
    /// Why it may survive, from the list of known survivors.
    pub reason: Option<&'static str>,
}

impl Row {
    pub(super) fn weakened(
        sources: &Sources,
        weakening: &Weakening,
        verdict: Verdict,
        seconds: f64,
    ) -> Self {
        let site = &weakening.site;
        Self {
            file: site.file.replace('\\', "/"),
            line: site.line,
            function: sources.function(site),
            operation: sources.operation(site),
            weakened: describe(weakening),
            verdict,
            seconds,
            reason: None,
        }
    }

    pub(super) fn unreached(found: Unreached) -> Self {
        Self {
            file: found.file,
            line: found.line,
            function: found.function,
            operation: found.operation,
            weakened: "not reached".into(),
            verdict: Verdict::Unreached,
            seconds: 0.0,
            reason: None,
        }
    }

    /// Whether a claim noticed.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        matches!(self.verdict, Verdict::Killed { .. })
    }

    /// Whether the survivor is this row, or the weaker one that this row follows from.
    fn is_named_by(&self, survivor: &Survivor) -> bool {
        let weakened = match &self.verdict {
            Verdict::Implied { weaker } => weaker,
            _ => &self.weakened,
        };
        self.file == survivor.file
            && self.function == survivor.function
            && self.operation == survivor.operation
            && weakened == survivor.weakened
    }
}

/// `Acquire -> Relaxed`; for the ordering of failure `failure: Acquire -> Relaxed`.
pub(super) fn describe(weakening: &Weakening) -> String {
    use crate::instrument::Kind::{Fence, HeavyFence, LightFence};
    let to = match (weakening.site.kind, weakening.to) {
        (Fence | LightFence | HeavyFence, Order::Relaxed) => "none".to_owned(),
        (_, to) => to.to_string(),
    };
    let from = match weakening.site.kind {
        LightFence => "light".to_owned(),
        HeavyFence => "heavy".to_owned(),
        _ => weakening.original().to_string(),
    };
    let part = if weakening.part == Part::Failure { "failure: " } else { "" };
    format!("{part}{from} -> {to}")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, function, operation, weakened, verdict, .. } = self;
        write!(f, "{file}:{line} {function}: {operation}, {weakened}: {verdict}")
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Killed { case, engine, executions: Some(executions), .. } => {
                write!(f, "killed by {case} under {engine} after {}", counted(*executions))
            }
            Self::Killed { case, engine, executions: None, .. } => {
                write!(f, "killed by {case} under {engine}")
            }
            Self::Survived { cases, cut_off: 0 } => write!(f, "SURVIVED {cases} cases"),
            Self::Survived { cases, cut_off } => {
                write!(f, "SURVIVED {cases} cases, {cut_off} of them not finished")
            }
            Self::Implied { weaker } => write!(f, "SURVIVED, since {weaker} did"),
            Self::Unreached => f.write_str("NOT REACHED by any case"),
        }
    }
}

/// `1 execution`, `2 executions`.
pub(super) fn counted(executions: u64) -> String {
    format!("{executions} execution{}", if executions == 1 { "" } else { "s" })
}

/// A whole audit.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// Every weakening, by file and line.
    pub rows: Vec<Row>,
    /// How many cases passed with nothing weakened, and took part.
    pub cases: usize,
    /// Cases that did not end in time with nothing weakened, and took no part.
    pub cut_off: Vec<String>,
    /// Known survivors that are not needed any more.
    pub stale: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Audit {
    pub(super) fn new(
        mut rows: Vec<Row>,
        survivors: &'static [Survivor],
        whole: bool,
        cases: usize,
        cut_off: Vec<String>,
        begun: Instant,
    ) -> Self {
        let mut stale = Vec::new();
        for survivor in survivors {
            let mut named: Vec<_> =
                rows.iter_mut().filter(|row| row.is_named_by(survivor)).collect();
            let killed = !named.is_empty() && named.iter().all(|row| row.is_killed());
            if killed || (whole && named.is_empty()) {
                let why = if killed { "is killed now" } else { "is not in the source" };
                let Survivor { file, function, operation, weakened, .. } = survivor;
                stale.push(format!("{file} {function}: {operation}, {weakened}: {why}"));
            }
            for row in named.iter_mut().filter(|row| !row.is_killed()) {
                row.reason = Some(survivor.reason);
            }
        }
        Self { rows, cases, cut_off, stale, seconds: begun.elapsed().as_secs_f64() }
    }

    /// Rows that no claim noticed and no reason explains.
    pub fn unexplained(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_killed() && row.reason.is_none())
    }

    /// Whether every ordering is either noticed or explained, and no explanation is stale.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.unexplained().next().is_none() && self.stale.is_empty()
    }
}
