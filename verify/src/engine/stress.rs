//! The model on the hardware, over and over: what this processor does, with the shipped types.
//!
//! It proves nothing about other processors, or about schedules that did not come up. It is here
//! because the checkers' worlds are models: this is the one engine that runs `membarrier`, the
//! futexes and the instructions themselves.

use std::time::Instant;

use super::{Collector, End, Exploration, Watch};
use crate::claim::Outcome;

/// Runs `execution` `count` times.
///
/// # Panics
///
/// When an execution panics.
pub fn explore(execution: impl Fn() -> Outcome, count: usize, watch: &Watch) -> Exploration {
    let collector = Collector::new(&watch.progress);
    for _ in 0..count {
        if Instant::now() >= watch.deadline {
            return collector.into_exploration(End::OutOfTime);
        }
        collector.record(execution());
    }
    collector.into_exploration(End::Finished)
}
