//! The engine on [shuttle](https://docs.rs/shuttle): random schedules, sequentially consistent.
//!
//! It knows nothing of orderings, but it runs many threads, and long executions, at a hundred
//! thousand executions a second. Two schedulers: a uniform choice at each step, and PCT, which
//! finds a bug that needs `d` ordered steps with a probability that is known beforehand. Seeds are
//! fixed: the same build runs the same schedules.
//!
//! It is also the witness for loom. All that it sees is possible, so an outcome that it reaches and
//! loom does not is one that loom missed.

use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use super::{Collector, End, Exploration, Watch};
use crate::claim::Outcome;

/// The seed of every run: the digits of pi.
const SEED: u64 = 0x2436_a888_5a30_8d31;

/// The depth of PCT: it looks for bugs that need up to three ordered steps.
pub const PCT_DEPTH: usize = 3;

/// A thread's stack. Models format their outcomes, in unoptimised builds too.
const STACK_BYTES: usize = 0x2_0000;

/// Steps of one execution before shuttle calls it a livelock.
const STEPS_MAX: usize = 1_000_000;

/// How the next thread is chosen.
#[derive(Clone, Copy, Debug)]
pub enum Schedules {
    /// Each runnable thread with the same chance, at each step.
    Random,
    /// By priorities that change at few points of the execution.
    Pct,
}

/// Runs `execution` under `count` schedules.
///
/// # Panics
///
/// When an execution panics, deadlocks or does not end. shuttle prints the schedule, which
/// [`replay`] takes, to standard error.
pub fn explore(
    execution: impl Fn() -> Outcome + Send + Sync + 'static,
    schedules: Schedules,
    count: usize,
    watch: &Watch,
) -> Exploration {
    match schedules {
        Schedules::Random => {
            run(execution, RandomScheduler::new_from_seed(SEED, count), watch, count)
        }
        Schedules::Pct => {
            run(execution, PctScheduler::new_from_seed(SEED, PCT_DEPTH, count), watch, count)
        }
    }
}

/// Runs `execution` once, under a schedule that shuttle printed.
///
/// # Errors
///
/// If `schedule` is no schedule.
///
/// # Panics
///
/// As [`explore`]: when the failure shows again; and when the schedule is not one of this model.
pub fn replay(
    execution: impl Fn() -> Outcome + Send + Sync + 'static,
    schedule: &str,
    watch: &Watch,
) -> Result<Exploration, String> {
    Ok(run(execution, decode(schedule)?, watch, 1))
}

/// shuttle panics on what is no schedule, and gives no other way to find out.
fn decode(schedule: &str) -> Result<ReplayScheduler, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let decoded = std::panic::catch_unwind(|| ReplayScheduler::new_from_encoded(schedule));
    std::panic::set_hook(hook);
    decoded.map_err(|_| format!("`{schedule}` is not a schedule that shuttle printed"))
}

fn run(
    execution: impl Fn() -> Outcome + Send + Sync + 'static,
    scheduler: impl Scheduler + 'static,
    watch: &Watch,
    count: usize,
) -> Exploration {
    let collector = Collector::new(&watch.progress);
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.failure_persistence = FailurePersistence::Print;
    config.max_steps = MaxSteps::FailAfter(STEPS_MAX);
    config.max_time = Some(watch.deadline.saturating_duration_since(Instant::now()));
    // It warns that it takes every ordering for SeqCst. That is known, and said in each table.
    config.silence_warnings = true;
    let ran = Runner::new(scheduler, config).run({
        let collector = collector.clone();
        move || collector.record(execution())
    });
    collector.into_exploration(if ran < count { End::OutOfTime } else { End::Finished })
}
