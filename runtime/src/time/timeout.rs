//! Waiting for a future, but not for long.
//!
//! A closure cannot be given up in the middle, nor a goroutine: only what waits by polls can. What
//! waits for sockets has deadlines of its own.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::{Alarm, later, this_runtime};
use crate::Runtime;
use crate::goroutine::WaitReason;
use crate::park::{ThreadWait, wait_for, yield_now};
use crate::runtime::Shared;
use crate::worker::Worker;

/// The time was over before the future was ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was over before it was ready")
    }
}

impl std::error::Error for Elapsed {}

/// Waits for a future, as [`block_on`](crate::block_on), for at most `limit`; then drops it.
///
/// The future is polled first: if it is ready, the limit does not matter, and no timer is made.
/// With no time at all it is polled once, and the others get their turn if it is not ready. Works
/// on threads that run no goroutine, too.
///
/// # Errors
///
/// If the time was over first.
///
/// ```
/// use std::future::pending;
/// use std::time::Duration;
/// use gosched_runtime::{Runtime, time};
///
/// # Runtime::new()?.run(|| {
/// let never = time::timeout(Duration::from_millis(5), pending::<()>());
/// assert_eq!(never, Err(time::Elapsed));
/// assert_eq!(time::timeout(Duration::MAX, async { 7 }), Ok(7));
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn timeout<F: IntoFuture>(limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let mut future = pin!(future.into_future());
    let time = later(limit);
    let result = match Worker::running() {
        Some((_, goroutine)) => {
            // SAFETY: we run on the goroutine.
            let shared = unsafe { goroutine.runtime() };
            let mut alarm = Alarm::new(shared, time);
            wait_for(WaitReason::Future, |context| either(future.as_mut(), &mut alarm, context))
        }
        None => on_thread(future, time),
    };
    if limit.is_zero() && result.is_err() {
        yield_now();
    }
    result
}

/// Polls the future, then the time.
fn either<F: Future, S: std::ops::Deref<Target = Shared>>(
    future: Pin<&mut F>,
    alarm: &mut Alarm<S>,
    context: &mut Context<'_>,
) -> Poll<Result<F::Output, Elapsed>> {
    if let Poll::Ready(result) = future.poll(context) {
        return Poll::Ready(Ok(result));
    }
    alarm.poll(context).map(|()| Err(Elapsed))
}

fn on_thread<F: Future>(
    mut future: Pin<&mut F>,
    time: Option<Instant>,
) -> Result<F::Output, Elapsed> {
    let (wait, waker) = ThreadWait::begin();
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Ok(result);
        }
        let left =
            time.map_or(Duration::MAX, |time| time.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(Elapsed);
        }
        wait.wait_timeout(left);
    }
}

/// [`timeout`] as a future.
#[must_use = "a future does nothing unless it is polled"]
pub struct Timeout<F> {
    future: F,
    alarm: Alarm<Arc<Shared>>,
}

impl<F: Future> Timeout<F> {
    /// The future, or [`Elapsed`] after `limit` from now.
    ///
    /// # Panics
    ///
    /// On a thread that runs no goroutine; [`Runtime::timeout`] needs none.
    #[track_caller]
    pub fn new(limit: Duration, future: impl IntoFuture<IntoFuture = F>) -> Self {
        let future = future.into_future();
        Self { future, alarm: Alarm::new(this_runtime(), later(limit)) }
    }
}

impl Runtime {
    /// As [`Timeout::new`], on this runtime's timers, from any thread.
    pub fn timeout<F: IntoFuture>(&self, limit: Duration, future: F) -> Timeout<F::IntoFuture> {
        let alarm = Alarm::new(Arc::clone(self.shared()), later(limit));
        Timeout { future: future.into_future(), alarm }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the future is not moved out of the pinned value.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: it lies in a pinned value, and is neither moved nor handed out otherwise; the
        // type has no `Drop`, and is `Unpin` only if the future is.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        either(future, &mut this.alarm, context)
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("time", &self.alarm.time()).finish_non_exhaustive()
    }
}
