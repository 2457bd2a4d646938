//! The engine on [loom](https://docs.rs/loom): interleavings and C11 reorderings of a small model.
//!
//! loom re-runs the closure until it has tried every schedule and every stale value that its
//! partial-order reduction does not call redundant, within a bound on preemptions. That reduction
//! forgets too much (tokio-rs/loom#392; `tests/loom_incomplete.rs` shows it), so a pass here is
//! compared with what shuttle saw, and is never called exhaustive.

use std::time::Instant;

use super::{Collector, End, Exploration, Watch};
use crate::claim::Outcome;

/// Branches that one execution may take before loom calls it endless. loom's own default of a
/// thousand is too small for a queue that overflows into another.
const BRANCHES_MAX: usize = 50_000;

/// loom looks at the clock when this many executions went by.
const EXECUTIONS_PER_GLANCE: usize = 64;

/// How far loom goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bound {
    /// Involuntary switches in one execution; `None` is no bound.
    pub preemptions: Option<usize>,
    /// Whether loom's reports name source lines. It costs time: for replays.
    pub locations: bool,
}

/// Explores `execution` under loom.
///
/// # Panics
///
/// When an execution panics, deadlocks, races or leaks. Some failures abort the process.
pub fn explore(
    execution: impl Fn() -> Outcome + Send + Sync + 'static,
    bound: Bound,
    watch: &Watch,
) -> Exploration {
    let collector = Collector::new(&watch.progress);
    let mut builder = loom::model::Builder::new();
    // Every field, so that loom's environment variables do not change what a claim means.
    builder.max_branches = BRANCHES_MAX;
    builder.max_permutations = None;
    builder.max_duration = Some(watch.deadline.saturating_duration_since(Instant::now()));
    builder.preemption_bound = bound.preemptions;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = EXECUTIONS_PER_GLANCE;
    builder.expect_explicit_explore = false;
    builder.location = bound.locations;
    builder.check({
        let collector = collector.clone();
        move || collector.record(execution())
    });
    // loom does not say why it returned. Out of time, it returns only before an execution whose
    // number is a multiple of the interval; a search that ended just there counts as cut short.
    let late = Instant::now() >= watch.deadline;
    let mut seen = collector.into_exploration(End::Finished);
    if late && (seen.executions + 1).is_multiple_of(EXECUTIONS_PER_GLANCE as u64) {
        seen.end = End::OutOfTime;
    }
    seen
}
