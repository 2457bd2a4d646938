//! Tickers: a time that comes again and again.
//!
//! Nothing runs between the ticks: when somebody asks for the next one, it is computed which that
//! is. So a ticker that nobody asks costs nothing, and one that is forgotten leaves nothing behind.
//!
//! ```text
//!    due       1    2    3    4    5    6    7
//!    asked       ^                ^ ^
//!    gets        1                2 6
//! ```
//!
//! As in Go there is room for one tick: who is slow gets the first that was missed, at once, and
//! not those that came after it; and then the next that is still to come.
//!
//= go1.27:src/time/tick.go#NewTicker

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Alarm, later, this_runtime};
use crate::Runtime;
use crate::goroutine::WaitReason;
use crate::park::wait_for;
use crate::runtime::Shared;

/// A ticker must have a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroPeriod;

impl fmt::Display for ZeroPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ticker's period must be longer than nothing")
    }
}

impl std::error::Error for ZeroPeriod {}

/// Ticks once in each period; the first time after one period.
///
/// The ticks stay on their grid, however late somebody takes them. Those that nobody takes in time
/// are dropped, but for the first.
///
/// ```
/// use std::time::{Duration, Instant};
/// use gosched_runtime::{Runtime, time::Ticker};
///
/// # Runtime::new()?.run(|| {
/// let mut ticker = Ticker::new(Duration::from_millis(2)).unwrap();
/// for _ in 0..3 {
///     let due = ticker.next();
///     assert!(Instant::now() >= due);
/// }
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Ticker {
    period: Duration,
    alarm: Alarm<Arc<Shared>>,
}

impl Ticker {
    /// A ticker whose first tick comes after one period.
    ///
    /// # Errors
    ///
    /// If the period is zero.
    ///
    /// # Panics
    ///
    /// On a thread that runs no goroutine; [`Runtime::ticker`] needs none.
    #[track_caller]
    pub fn new(period: Duration) -> Result<Self, ZeroPeriod> {
        Self::on(this_runtime(), period)
    }

    fn on(shared: Arc<Shared>, period: Duration) -> Result<Self, ZeroPeriod> {
        if period.is_zero() {
            return Err(ZeroPeriod);
        }
        Ok(Self { period, alarm: Alarm::new(shared, later(period)) })
    }

    /// Waits for the next tick. When it was due.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so there is no `None`")]
    pub fn next(&mut self) -> Instant {
        wait_for(WaitReason::Sleep, |context| self.poll_next(context))
    }

    /// A future of the next tick. It may be dropped and made again: no tick is lost by that.
    pub fn tick(&mut self) -> impl Future<Output = Instant> + Send + use<'_> {
        poll_fn(|context| self.poll_next(context))
    }

    /// [`next`](Ticker::next) as a poll function.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Instant> {
        let Some(due) = self.alarm.time() else { return Poll::Pending };
        if self.alarm.poll(context).is_pending() {
            return Poll::Pending;
        }
        self.alarm.reset(following(due, self.period));
        Poll::Ready(due)
    }

    /// The period.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Begins again with another period: the next tick comes after one of them.
    ///
    /// # Errors
    ///
    /// If the period is zero. Nothing is changed then.
    pub fn reset(&mut self, period: Duration) -> Result<(), ZeroPeriod> {
        if period.is_zero() {
            return Err(ZeroPeriod);
        }
        self.period = period;
        self.alarm.reset(later(period));
        Ok(())
    }
}

/// The first tick after `due` that is still to come.
fn following(due: Instant, period: Duration) -> Option<Instant> {
    let late = Instant::now().saturating_duration_since(due);
    let periods = late.as_nanos() / period.as_nanos() + 1;
    let ahead = u64::try_from(periods * period.as_nanos()).ok()?;
    due.checked_add(Duration::from_nanos(ahead))
}

impl Runtime {
    /// As [`Ticker::new`], on this runtime's timers, from any thread.
    ///
    /// # Errors
    ///
    /// If the period is zero.
    pub fn ticker(&self, period: Duration) -> Result<Ticker, ZeroPeriod> {
        Ticker::on(Arc::clone(self.shared()), period)
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker")
            .field("period", &self.period)
            .field("next", &self.alarm.time())
            .finish()
    }
}
