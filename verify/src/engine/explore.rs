//! The engine on our own [explorer](crate::explore): every execution that RC11 allows, each once.
//!
//! The only engine whose pass is called exhaustive. That word rests on the explorer, so it is
//! checked like everything else: shuttle's sequentially consistent outcomes must all be among the
//! explorer's, and one that is missing is a failure of the explorer, not a remark.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{AnyModel, End, Exploration, Watch};
use crate::explore::Builder;

/// What the explorer saw, and how many executions it had to stop because a thread waited for what
/// happens in another one.
#[derive(Debug)]
pub struct Explored {
    /// The complete executions.
    pub seen: Exploration,
    /// The blocked ones.
    pub blocked: u64,
}

/// Explores every execution of a model, as far as the time goes.
///
/// # Panics
///
/// When an execution fails.
pub fn explore(model: &Arc<dyn AnyModel>, watch: &Watch) -> Explored {
    let model = Arc::clone(model);
    let builder = Builder {
        time_max: watch.deadline.saturating_duration_since(Instant::now()),
        jobs: NonZeroUsize::MIN,
        ..Builder::default()
    };
    let told = AtomicU64::new(0);
    let report = builder.explore_watched(
        move || model.on_explored(),
        |executions| {
            // ORDER: Relaxed: a number to show.
            let before = told.swap(executions, Ordering::Relaxed);
            watch.progress.add(executions.saturating_sub(before));
        },
    );
    if let Some(failure) = &report.failure {
        panic!("{failure}");
    }
    let seen = Exploration {
        executions: report.complete,
        outcomes: report.outcomes.into_keys().collect(),
        end: if report.exhaustive { End::Finished } else { End::OutOfTime },
    };
    Explored { seen, blocked: report.blocked }
}
