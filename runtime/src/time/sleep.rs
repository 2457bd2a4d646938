//! Sleeps as futures: to be awaited, and to be one of those that a select waits for.
//!
//= go1.27:src/time/sleep.go#After

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Alarm, later, this_runtime};
use crate::Runtime;
use crate::runtime::Shared;

/// A future that is ready after `duration` from now, not from its first poll. See [`Sleep`].
///
/// # Panics
///
/// On a thread that runs no goroutine: no runtime's timers would wake it. [`Runtime::after`] needs
/// none.
//= go1.27:src/time/sleep.go#After
#[track_caller]
pub fn after(duration: Duration) -> Sleep {
    Sleep { alarm: Alarm::new(this_runtime(), later(duration)) }
}

/// A future that is ready at `time`; at once, if it has passed. See [`Sleep`].
///
/// # Panics
///
/// As [`after`].
#[track_caller]
pub fn at(time: Instant) -> Sleep {
    Sleep { alarm: Alarm::new(this_runtime(), Some(time)) }
}

impl Runtime {
    /// As [`after`](crate::time::after), on this runtime's timers, from any thread.
    pub fn after(&self, duration: Duration) -> Sleep {
        Sleep { alarm: Alarm::new(Arc::clone(self.shared()), later(duration)) }
    }

    /// As [`at`](crate::time::at), on this runtime's timers, from any thread.
    pub fn at(&self, time: Instant) -> Sleep {
        Sleep { alarm: Alarm::new(Arc::clone(self.shared()), Some(time)) }
    }
}

/// A future that is ready when its time has come: [`after`], [`at`].
///
/// It may be polled anywhere; the timer belongs to the runtime that it was made in, and if that is
/// shut down before the time, the future stays pending. A poll that finds it pending costs O(log n)
/// for n timers of a processor, and so does dropping it then. Once ready it stays ready.
#[must_use = "a future does nothing unless it is polled"]
pub struct Sleep {
    alarm: Alarm<Arc<Shared>>,
}

impl Sleep {
    /// When it is ready. `None` is never: the duration was too long for an `Instant`.
    #[must_use]
    pub fn time(&self) -> Option<Instant> {
        self.alarm.time()
    }

    /// Whether its time has come.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.alarm.is_due()
    }

    /// Begins again: it is ready after `duration` from now. To be polled again by whoever waits.
    pub fn reset(&mut self, duration: Duration) {
        self.alarm.reset(later(duration));
    }

    /// As [`reset`](Sleep::reset), to a time.
    pub fn reset_to(&mut self, time: Instant) {
        self.alarm.reset(Some(time));
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.alarm.poll(context)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("time", &self.time()).finish()
    }
}
