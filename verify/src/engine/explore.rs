//! The engine on our own [explorer](crate::explore): every execution that RC11 allows, each once.
//!
//! The only engine whose pass is called exhaustive. That word rests on the explorer, so it is
//! checked like everything else: shuttle's sequentially consistent outcomes must all be among the
//! explorer's, and one that is missing is a failure of the explorer, not a remark.

use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{AnyModel, End, Exploration, Watch};
use crate::explore::{Builder, Failure};

/// What the explorer saw, and how many executions it had to stop because a thread waited for what
/// happens in another one.
#[derive(Debug)]
pub struct Explored {
    /// The complete executions.
    pub seen: Exploration,
    /// The blocked ones.
    pub blocked: u64,
}

/// Explores every execution of the model of check `id` with so many threads, as far as the time
/// goes.
///
/// # Panics
///
/// When an execution fails: with its diagram, the files in which it was drawn, and its schedule.
pub fn explore(id: &str, model: &Arc<dyn AnyModel>, jobs: NonZeroUsize, watch: &Watch) -> Explored {
    let model = Arc::clone(model);
    let builder = Builder {
        time_max: watch.deadline.saturating_duration_since(Instant::now()),
        jobs,
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
        fail(id, failure);
    }
    let seen = Exploration {
        executions: report.complete,
        outcomes: report.outcomes.into_keys().collect(),
        end: if report.exhaustive { End::Finished } else { End::OutOfTime },
    };
    Explored { seen, blocked: report.blocked }
}

/// Runs the one execution of a model that a schedule describes.
///
/// # Errors
///
/// If the schedule does not fit the model, or the execution does not fail.
///
/// # Panics
///
/// When the failure shows again, as [`explore`].
pub fn replay(id: &str, model: &Arc<dyn AnyModel>, schedule: &str) -> Result<Infallible, String> {
    let model = Arc::clone(model);
    let failure = Builder::default().replay(move || model.on_explored(), schedule)?;
    fail(id, &failure)
}

/// Draws the failing execution below `target/verify`, tells its schedule, and panics.
fn fail(id: &str, failure: &Failure) -> ! {
    let folder: String =
        id.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let folder = Path::new("target/verify").join(folder);
    let drawn = match failure.trace.write_to(&folder) {
        Ok([text, picture]) => format!("drawn in {} and {}", text.display(), picture.display()),
        Err(error) => format!("cannot be drawn in {}: {error}", folder.display()),
    };
    // As shuttle prints it, so that whoever reads the one reads the other.
    eprintln!("failing schedule:\n\"\n{}\n\"", failure.trace.schedule());
    panic!("{failure}\n\n{drawn}");
}
