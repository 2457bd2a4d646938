//! The end of a goroutine: its result, and who waits for it.
//!
//! Body and result share one allocation: the closure lies beside where its result will be, a
//! [`Completion`], one word of which decides between the goroutine that ends and the one who waits.

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use gosched::Completion;

use crate::contain::{Stranger, contained};
use crate::goroutine::{Body, WaitReason};
use crate::park::wait_for;
use crate::worker::Worker;

/// Why a goroutine has no result.
pub enum JoinError {
    /// It has panicked, with this.
    Panicked(Payload),
    /// It never ran; or, a future, it was dropped before its end.
    Cancelled(Cancelled),
    /// It would wait for itself.
    Itself,
}

/// Why a goroutine was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// The runtime has shut down: before it ran, or, a future, while it was runnable again.
    Shutdown,
    /// There was no memory, or no address, for its stack.
    NoStack(io::ErrorKind),
}

impl JoinError {
    /// It has panicked, with this.
    pub(crate) fn panicked(payload: Box<dyn Any + Send + 'static>) -> Self {
        Self::Panicked(Payload(payload))
    }

    /// The panic's payload, to be resumed; for the other errors their message.
    #[must_use]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        match self {
            Self::Panicked(payload) => payload.0,
            other => Box::new(other.to_string()),
        }
    }

    /// The panic's message, if it has one of text.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        if let Self::Panicked(payload) = self { payload.message() } else { None }
    }
}

/// What a goroutine has panicked with; see [`JoinError::into_panic`].
pub struct Payload(Box<dyn Any + Send + 'static>);

// SAFETY: a shared reference shows a text, if the payload is one: and texts may be shared.
unsafe impl Sync for Payload {}

impl Payload {
    fn message(&self) -> Option<&str> {
        let text = self.0.downcast_ref::<&str>().copied();
        text.or_else(|| self.0.downcast_ref::<String>().map(String::as_str))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.message()).finish()
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(_) => {
                write!(f, "the goroutine panicked: {}", self.message().unwrap_or("no message"))
            }
            Self::Cancelled(why) => write!(f, "the goroutine was cancelled: {why}"),
            Self::Itself => f.write_str("a goroutine cannot wait for its own end"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("the runtime has shut down"),
            Self::NoStack(kind) => write!(f, "there is no stack for it: {kind}"),
        }
    }
}

/// Where a goroutine's result will be, and who waits for it.
struct End<T: Send>(Completion<Result<T, JoinError>, Stranger>);

impl<T: Send> End<T> {
    fn new() -> Self {
        Self(Completion::new())
    }

    /// The goroutine has ended: the holder of the run right says so, once.
    fn complete(&self, result: Result<T, JoinError>) {
        // SAFETY: a body runs to its end or is cancelled, once; the bodies below are emptied by it.
        let joiner = unsafe { self.0.complete(result) };
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }

    fn has_ended(&self) -> bool {
        self.0.has_ended()
    }

    /// The result, or the waker is kept. By the one joiner.
    fn poll(&self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        // SAFETY: there is one `Ending` for a body, which polls by a reference of its own alone.
        unsafe { self.0.poll(|kept| kept.will_wake(waker), || Stranger::of(waker)) }
    }
}

/// A closure, and then its result.
struct Closure<F, T: Send> {
    function: UnsafeCell<Option<F>>,
    end: End<T>,
}

// SAFETY: the function is touched by the holder of the run right alone.
unsafe impl<F: Send, T: Send> Sync for Closure<F, T> {}

impl<F, T> Body for Closure<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn run(&self) -> Poll<()> {
        // SAFETY: the holder of the run right calls it.
        if let Some(function) = unsafe { &mut *self.function.get() }.take() {
            let result = catch_unwind(AssertUnwindSafe(function));
            self.end.complete(result.map_err(|payload| JoinError::Panicked(Payload(payload))));
        }
        Poll::Ready(())
    }

    fn cancel(&self, why: Cancelled) {
        // SAFETY: as above.
        let function = unsafe { &mut *self.function.get() }.take();
        contained(|| drop(function));
        self.end.complete(Err(JoinError::Cancelled(why)));
    }
}

/// A future, and then its result.
struct Polled<F: Future>
where
    F::Output: Send,
{
    /// Pinned: it is dropped where it lies.
    future: UnsafeCell<Option<F>>,
    end: End<F::Output>,
}

// SAFETY: as for `Closure`.
unsafe impl<F: Future + Send> Sync for Polled<F> where F::Output: Send {}

impl<F> Polled<F>
where
    F: Future + Send,
    F::Output: Send,
{
    fn drop_future(&self) {
        // SAFETY: the holder of the run right calls it; assigning drops the future in place.
        contained(|| unsafe { *self.future.get() = None });
    }
}

impl<F> Body for Polled<F>
where
    F: Future + Send,
    F::Output: Send,
{
    fn run(&self) -> Poll<()> {
        let Some((_, goroutine)) = Worker::running() else { return Poll::Pending };
        // SAFETY: the holder of the run right calls it.
        let Some(future) = (unsafe { &mut *self.future.get() }) else { return Poll::Ready(()) };
        // SAFETY: the future lies in an `Arc` that is never taken apart, and is dropped in place.
        let future = unsafe { Pin::new_unchecked(future) };
        let waker = crate::park::borrowed_waker(goroutine);
        let mut context = Context::from_waker(&waker);
        let result = match catch_unwind(AssertUnwindSafe(|| future.poll(&mut context))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(result)) => Ok(result),
            Err(payload) => Err(JoinError::Panicked(Payload(payload))),
        };
        self.drop_future();
        self.end.complete(result);
        Poll::Ready(())
    }

    fn cancel(&self, why: Cancelled) {
        self.drop_future();
        self.end.complete(Err(JoinError::Cancelled(why)));
    }
}

/// What a [`JoinHandle`] sees of a body.
trait Ends<T>: Send + Sync {
    fn poll(&self, waker: &Waker) -> Poll<Result<T, JoinError>>;
    fn has_ended(&self) -> bool;
}

impl<F: Send, T: Send> Ends<T> for Closure<F, T> {
    fn poll(&self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        self.end.poll(waker)
    }

    fn has_ended(&self) -> bool {
        self.end.has_ended()
    }
}

impl<F: Future + Send> Ends<F::Output> for Polled<F>
where
    F::Output: Send,
{
    fn poll(&self, waker: &Waker) -> Poll<Result<F::Output, JoinError>> {
        self.end.poll(waker)
    }

    fn has_ended(&self) -> bool {
        self.end.has_ended()
    }
}

/// A body of a closure, and what waits for its end.
pub(crate) fn closure<'a, F, T>(function: F) -> (Arc<dyn Body + 'a>, Ending<'a, T>)
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    let closure = Arc::new(Closure { function: UnsafeCell::new(Some(function)), end: End::new() });
    (closure.clone(), Ending(closure))
}

/// A body of a future, and what waits for its end.
pub(crate) fn future<F>(future: F) -> (Arc<dyn Body>, Ending<'static, F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let polled = Arc::new(Polled { future: UnsafeCell::new(Some(future)), end: End::new() });
    (polled.clone(), Ending(polled))
}

/// The one who may wait for a body's end.
pub(crate) struct Ending<'a, T>(Arc<dyn Ends<T> + 'a>);

impl<T> Ending<'_, T> {
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        self.0.poll(waker)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.has_ended()
    }

    /// Waits for the end of goroutine `id`, whose end this is.
    pub(crate) fn wait(&mut self, id: u64) -> Result<T, JoinError> {
        if Worker::running().is_some_and(|(_, goroutine)| goroutine.id() == id) {
            return Err(JoinError::Itself);
        }
        wait_for(WaitReason::Join, |context| self.poll(context.waker()))
    }
}

/// Waits for a goroutine's end, and gets its result.
///
/// Dropping it lets the goroutine go on alone: nothing cancels a goroutine that runs. The handle is
/// a future, too.
pub struct JoinHandle<T> {
    ending: Ending<'static, T>,
    id: u64,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(ending: Ending<'static, T>, id: u64) -> Self {
        Self { ending, id }
    }

    /// The goroutine's number.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether the goroutine has ended: then [`join`](JoinHandle::join) does not wait.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ending.has_ended()
    }

    /// Waits for the goroutine's end: a goroutine parks, a thread blocks. One that a
    /// [shutdown](crate::Runtime::shutdown) has left in its middle never ends: then this waits for
    /// ever.
    ///
    /// # Errors
    ///
    /// If it panicked, was cancelled, or is the one that calls.
    pub fn join(mut self) -> Result<T, JoinError> {
        self.ending.wait(self.id)
    }

    /// As [`join`](JoinHandle::join), and a panic of the goroutine goes on here.
    ///
    /// # Panics
    ///
    /// If the goroutine has, or was cancelled.
    pub fn join_or_unwind(self) -> T {
        self.join().unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.ending.poll(context.waker())
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id).finish_non_exhaustive()
    }
}
