//! The engines: each runs one model through many executions and collects what became visible.
//!
//! | engine | runs | sees |
//! |---|---|---|
//! | [`mod@explore`] | every execution that RC11 allows | everything but load buffering |
//! | [`mod@loom`] | the interleavings and C11 reorderings that loom finds, up to a bound | orderings |
//! | [`mod@shuttle`] | random and PCT schedules, sequentially consistent | many threads, long runs |
//! | [`stress`] | the model on the hardware, over and over | what this processor does |
//! | [`sequential`] | a property on random inputs, in one thread | results, not concurrency |
//! | [`specification`](crate::specification) | all states of the protocol's model | the protocol, not the code |
//!
//! The first three take a closure that performs one execution and return an [`Exploration`]: how
//! many executions there were, and which outcomes they had. [`judge`](mod@judge) makes a
//! [`Verdict`] of explorations, and [`check`](mod@check) puts both together: a [`Check`] is one
//! case of one claim under one engine.
//!
//! An assertion that fails panics through the engine: call the engines where a panic may end the
//! test, or in a process of its own, as the binary does (loom aborts on some failures).

pub mod check;
#[cfg(feature = "explore")]
pub mod explore;
pub mod judge;
#[cfg(feature = "loom")]
pub mod loom;
#[doc(hidden)]
pub mod selftest;
pub mod sequential;
#[cfg(feature = "shuttle")]
pub mod shuttle;
pub mod stress;

use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use gosched::memory::Hardware;

pub use self::check::{Check, Effort, Engine, checks};
pub use self::judge::{Findings, Verdict};
use crate::claim::{Model, Outcome};

/// A model whose type is erased: one execution in each world.
///
/// Every [`Model`] is one. The engines are functions over closures that call it, so that they are
/// compiled once and not once for each model.
pub trait AnyModel: Send + Sync {
    /// One execution on the hardware.
    fn on_hardware(&self) -> Outcome;

    /// One execution under the explorer; it panics outside of it.
    #[cfg(feature = "explore")]
    fn on_explored(&self) -> Outcome;

    /// As [`on_explored`](AnyModel::on_explored), under the process's audit plan.
    #[cfg(feature = "explore")]
    fn on_audited_explored(&self) -> Outcome;

    /// One execution under loom; it panics outside `loom::model`.
    #[cfg(feature = "loom")]
    fn on_loom(&self) -> Outcome;

    /// As [`on_loom`](AnyModel::on_loom), under the process's audit plan.
    #[cfg(feature = "loom")]
    fn on_audited_loom(&self) -> Outcome;

    /// One execution under shuttle; it panics outside a shuttle check.
    #[cfg(feature = "shuttle")]
    fn on_shuttle(&self) -> Outcome;

    /// What the executions, taken together, must show.
    fn must_show(&self) -> Vec<crate::claim::Witness>;
}

/// A search through the states of the specification.
pub trait AnySearch: Send + Sync {
    /// How far it goes, in words.
    fn bounds(&self, effort: Effort) -> String;

    /// Runs it; the executions that it finds are states.
    fn run(&self, effort: Effort, watch: &Watch) -> Findings;
}

impl<M: Model> AnyModel for M {
    fn on_hardware(&self) -> Outcome {
        self.run::<Hardware>()
    }

    #[cfg(feature = "explore")]
    fn on_explored(&self) -> Outcome {
        self.run::<crate::explore::Explored>()
    }

    #[cfg(feature = "explore")]
    fn on_audited_explored(&self) -> Outcome {
        self.run::<crate::instrument::Audited<crate::explore::Explored>>()
    }

    #[cfg(feature = "loom")]
    fn on_loom(&self) -> Outcome {
        self.run::<gosched::memory::Loom>()
    }

    #[cfg(feature = "loom")]
    fn on_audited_loom(&self) -> Outcome {
        self.run::<crate::instrument::Audited<gosched::memory::Loom>>()
    }

    #[cfg(feature = "shuttle")]
    fn on_shuttle(&self) -> Outcome {
        self.run::<gosched::memory::Shuttle>()
    }

    fn must_show(&self) -> Vec<crate::claim::Witness> {
        self.witnesses()
    }
}

/// What an engine saw.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Executions that ran to their end.
    pub executions: u64,
    /// The outcomes, each once.
    pub outcomes: BTreeSet<Outcome>,
    /// Why it ended.
    pub end: End,
}

/// Why an engine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It did all that its bounds asked for.
    Finished,
    /// The deadline came first.
    OutOfTime,
}

/// The executions so far, for whoever watches. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Executions so far, of all phases of the check.
    #[must_use]
    pub fn executions(&self) -> u64 {
        // ORDER: Relaxed: a number to show; nothing else is read because of it.
        self.0.load(Ordering::Relaxed)
    }

    /// Counts executions that an engine has counted itself.
    pub(crate) fn add(&self, executions: u64) {
        // ORDER: Relaxed: a number to show.
        self.0.fetch_add(executions, Ordering::Relaxed);
    }
}

/// Counts executions and collects their outcomes. Clones share both.
#[derive(Clone, Debug)]
struct Collector {
    progress: Progress,
    found: Arc<Mutex<(u64, BTreeSet<Outcome>)>>,
}

impl Collector {
    fn new(progress: &Progress) -> Self {
        Self { progress: progress.clone(), found: Arc::default() }
    }

    fn record(&self, outcome: Outcome) {
        // ORDER: Relaxed: a number to show.
        self.progress.0.fetch_add(1, Ordering::Relaxed);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.0 += 1;
        if !found.1.contains(&outcome) {
            found.1.insert(outcome);
        }
    }

    fn into_exploration(self, end: End) -> Exploration {
        let (executions, outcomes) =
            core::mem::take(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner));
        Exploration { executions, outcomes, end }
    }
}

/// How long an engine may run, and who watches.
#[derive(Clone, Debug)]
pub struct Watch {
    /// When the engine must stop.
    pub deadline: Instant,
    /// Where it counts.
    pub progress: Progress,
}

impl Watch {
    /// From now on for `limit`.
    #[must_use]
    pub fn start(limit: Duration, progress: &Progress) -> Self {
        Self { deadline: Instant::now() + limit, progress: progress.clone() }
    }
}
