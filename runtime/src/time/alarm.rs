//! A time that somebody waits for, with the timer that wakes.

use std::fmt;
use std::ops::Deref;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::runtime::Shared;
use crate::timers::{NEVER, Timer};
use crate::worker::Worker;

/// A time that somebody waits for. `S` keeps the runtime, by a count or by a borrow.
///
/// The timer is made when it is first waited for: a timeout of something that is there at once
/// costs a look at the clock.
pub(crate) struct Alarm<S: Deref<Target = Shared>> {
    shared: S,
    /// `None` is never.
    time: Option<Instant>,
    timer: Option<Timer>,
}

impl<S: Deref<Target = Shared>> Alarm<S> {
    pub(crate) fn new(shared: S, time: Option<Instant>) -> Self {
        Self { shared, time, timer: None }
    }

    /// The time; `None` is never.
    pub(crate) fn time(&self) -> Option<Instant> {
        self.time
    }

    /// Whether the time has come.
    pub(crate) fn is_due(&self) -> bool {
        self.time.is_some_and(|time| time <= Instant::now())
    }

    /// Waits for another time. The waker is told of the new one by the next poll.
    pub(crate) fn reset(&mut self, time: Option<Instant>) {
        self.time = time;
        if let Some(timer) = &self.timer {
            self.shared.engine().timers.remove(timer);
        }
    }

    /// Whether the time has come; else the waker is woken when it has, and no waker of an earlier
    /// poll.
    pub(crate) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.is_due() {
            return Poll::Ready(());
        }
        let shared = &*self.shared;
        let Some(when) = self.time.and_then(|time| shared.engine().nanoseconds(time)) else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(Timer::new);
        if shared.engine().timers.set(timer, when, context.waker(), processor(shared)) {
            shared.scheduler().timer_added(when);
        }
        Poll::Pending
    }
}

impl<S: Deref<Target = Shared>> Drop for Alarm<S> {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.as_ref().filter(|timer| timer.is_pending()) {
            self.shared.engine().timers.remove(timer);
        }
    }
}

impl<S: Deref<Target = Shared>> fmt::Debug for Alarm<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("time", &self.time).finish_non_exhaustive()
    }
}

/// The processor that this thread holds, if it is one of this runtime's; or the first. Whoever runs
/// no goroutine may stand in the middle of a machine's operation, and cannot ask it.
fn processor(shared: &Shared) -> usize {
    let here = Worker::running().filter(|(worker, _)| std::ptr::eq(&*worker.shared, shared));
    // SAFETY: the running goroutine, and one look at a field.
    here.and_then(|(worker, _)| unsafe { worker.machine() }.processor()).unwrap_or(0)
}

impl crate::engine::Engine {
    /// A time on the runtime's clock. `None` if it lies beyond it, centuries ahead.
    fn nanoseconds(&self, time: Instant) -> Option<u64> {
        let since = time.saturating_duration_since(self.start).as_nanos();
        u64::try_from(since).ok().filter(|&when| when != NEVER)
    }
}
