//! Time: sleeps, timeouts, tickers.
//!
//! Whoever waits for a time keeps an alarm (`alarm.rs`): a timer of the runtime that wakes the
//! goroutine, or whatever else the waker is of. All of them are poll functions over it; a call that
//! waits parks the goroutine between the polls.
//!
//! | to wait | blocks | as a future |
//! |---|---|---|
//! | for a while, until a time | [`sleep`], [`sleep_until`] | [`after`], [`at`] |
//! | for a future, but not for long | [`timeout`] | [`Timeout`] |
//! | again and again | [`Ticker::next`] | [`Ticker::tick`] |
//!
//! Nothing of this wakes early: `Instant::now()` has reached the time when it returns. How much
//! later that is depends on the operating system, if the runtime is idle, and on the others, if it
//! is not: where all processors are busy it waits, as every goroutine that becomes runnable, for a
//! scheduling point.
//!
//! A duration so long that the time has no `Instant` ([`Duration::MAX`]) is for ever.
//!
//= go1.27:src/runtime/time.go#timeSleep

mod alarm;
mod sleep;
mod ticker;
mod timeout;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use self::alarm::Alarm;
pub use self::sleep::{Sleep, after, at};
pub use self::ticker::{Ticker, ZeroPeriod};
pub use self::timeout::{Elapsed, Timeout, timeout};
use crate::goroutine::WaitReason;
use crate::park::{wait_for, yield_now};
use crate::runtime::Shared;
use crate::spawn::NoRuntime;
use crate::worker::Worker;

/// Stops the goroutine for at least `duration`; the others go on. [`Duration::MAX`] is for ever.
///
/// With no duration it is [`yield_now`]. On a thread that runs no goroutine it is
/// [`std::thread::sleep`]. It costs one allocation, and O(log n) for n timers on the processor.
//= go1.27:src/runtime/time.go#timeSleep
pub fn sleep(duration: Duration) {
    wait_until(later(duration));
}

/// Stops the goroutine until `time`. A time that has passed costs a [`yield_now`].
pub fn sleep_until(time: Instant) {
    wait_until(Some(time));
}

/// The time after a duration; `None` is never.
fn later(duration: Duration) -> Option<Instant> {
    Instant::now().checked_add(duration)
}

fn wait_until(time: Option<Instant>) {
    if time.is_some_and(|time| time <= Instant::now()) {
        return yield_now();
    }
    let Some((_, goroutine)) = Worker::running() else { return wait_on_thread(time) };
    // SAFETY: we run on the goroutine.
    let shared = unsafe { goroutine.runtime() };
    let mut alarm = Alarm::new(shared, time);
    wait_for(WaitReason::Sleep, |context| alarm.poll(context));
}

fn wait_on_thread(time: Option<Instant>) {
    loop {
        let left =
            time.map_or(Duration::MAX, |time| time.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return;
        }
        thread::sleep(left);
    }
}

/// The runtime of the goroutine that runs here.
#[track_caller]
fn this_runtime() -> Arc<Shared> {
    match Worker::running() {
        Some((worker, _)) => Arc::clone(&worker.shared),
        None => panic!("{NoRuntime}"),
    }
}
