//! The models of the comparison, and the engines that compete on each.

use core::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::claim::{Bounds, Case, registry};
use crate::claims::plain_queue;
use crate::engine::AnyModel;

/// Random schedules that shuttle draws.
pub const SCHEDULES: usize = 10_000;

/// An engine with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contestant {
    /// Every execution, each once.
    Explorer,
    /// loom with at most so many preemptions in an execution; `None` is no bound.
    Loom(Option<usize>),
    /// Random schedules.
    Shuttle,
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Explorer => "explorer".into(),
            Self::Loom(None) => "loom, no bound".into(),
            Self::Loom(Some(1)) => "loom, 1 preemption".into(),
            Self::Loom(Some(bound)) => format!("loom, {bound} preemptions"),
            Self::Shuttle => "shuttle, random".into(),
        };
        f.pad(&text)
    }
}

/// A model of the comparison.
#[derive(Clone)]
pub struct Subject {
    /// `claim/case`.
    pub name: String,
    /// What it is, in numbers: "3 threads, capacity 4".
    pub shape: &'static str,
    /// Whether it is compared unless other models are asked for.
    pub is_default: bool,
    bounds: Bounds,
    pub(super) model: Arc<dyn AnyModel>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subject({})", self.name)
    }
}

impl Subject {
    /// `None` if the case is no program.
    fn new(claim: &str, case: &Case) -> Option<Self> {
        let model = Arc::clone(case.model()?);
        let name = format!("{claim}/{}", case.name);
        let three_threads = case.shape.starts_with("3 threads");
        Some(Self {
            is_default: three_threads || name == LOOM_MISSES,
            name,
            shape: case.shape,
            bounds: case.bounds,
            model,
        })
    }

    /// Who competes: loom without a bound, and with those that the claims use.
    #[must_use]
    pub fn contestants(&self) -> Vec<Contestant> {
        let mut loom = vec![None];
        for bound in [self.bounds.loom_fast, self.bounds.loom_thorough] {
            if !loom.contains(&bound) {
                loom.push(bound);
            }
        }
        let loom = loom.into_iter().map(Contestant::Loom);
        [Contestant::Explorer].into_iter().chain(loom).chain([Contestant::Shuttle]).collect()
    }
}

/// Two threads, and the smallest model of a queue in which loom misses an outcome.
const LOOM_MISSES: &str = "plain_queue::no_task_is_lost/next_get_put";

/// Every model that the explorer and loom can both run, those of the claims first.
#[must_use]
pub fn subjects() -> Vec<Subject> {
    let claims = registry();
    let cases = claims.iter().flat_map(|claim| claim.cases.iter().map(|case| (claim.name, case)));
    let mut subjects: Vec<Subject> = cases
        .filter(|(_, case)| case.bounds.explore && case.bounds.loom)
        .filter_map(|(claim, case)| Subject::new(claim, case))
        .collect();
    subjects.extend(Subject::new("plain_queue", &plain_queue::yardstick()));
    subjects
}
