//! The end of a goroutine: its result, and who waits for it.
//!
//! Body and result share one allocation: the closure lies where its result will be. One word decides
//! between the goroutine that ends and the one who waits:
//!
//! ```text
//!    the goroutine                        the joiner
//!    result into the cell                 running? its waker into the cell
//!    word: swap to ENDED                  word: RUNNING -> AWAITED, or it has ended
//!    it was AWAITED: takes the waker,     parks
//!    wakes
//! ```

use std::any::Any;
use std::cell::UnsafeCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};

use crate::contain::contained;
use crate::goroutine::{Body, WaitReason};
use crate::park::wait_for;
use crate::worker::Worker;

/// Why a goroutine has no result.
pub enum JoinError {
    /// It has panicked, with this.
    Panicked(Payload),
    /// It never ran.
    Cancelled(Cancelled),
    /// It would wait for itself.
    Itself,
}

/// Why a goroutine never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cancelled {
    /// The runtime has shut down.
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
            Self::Cancelled(why) => write!(f, "the goroutine never ran: {why}"),
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

/// The goroutine has not ended, and nobody waits.
const RUNNING: u8 = 0;
/// The joiner's waker lies in the cell.
const AWAITED: u8 = 1;
/// The result lies in the cell.
const ENDED: u8 = 2;

/// Where a goroutine's result will be, and who waits for it.
struct Completion<T> {
    word: AtomicU8,
    result: UnsafeCell<Option<Result<T, JoinError>>>,
    /// The joiner's, while the word is not `AWAITED`; then of whoever changes it.
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: the word decides who touches the cells; see the essay. Only values that may be sent
// between threads lie in them.
unsafe impl<T: Send> Sync for Completion<T> {}

impl<T> Completion<T> {
    fn new() -> Self {
        Self {
            word: AtomicU8::new(RUNNING),
            result: UnsafeCell::new(None),
            waker: UnsafeCell::new(None),
        }
    }

    /// The goroutine has ended. Called once.
    fn complete(&self, result: Result<T, JoinError>) {
        // SAFETY: nobody reads the result before the word says ENDED, which we write below, once.
        unsafe { *self.result.get() = Some(result) };
        // ORDER: AcqRel: Release for the result; Acquire pairs with the joiner's Release of its
        // waker.
        if self.word.swap(ENDED, Ordering::AcqRel) == AWAITED {
            // SAFETY: the joiner left it to whoever changes the word from AWAITED.
            if let Some(waker) = unsafe { &mut *self.waker.get() }.take() {
                // Perhaps somebody else's.
                contained(|| waker.wake());
            }
        }
    }

    fn has_ended(&self) -> bool {
        // ORDER: Acquire: pairs with the Release in `complete`.
        self.word.load(Ordering::Acquire) == ENDED
    }

    /// The result, or the waker is kept. By the one joiner.
    fn poll(&self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        // ORDER: Acquire, both: pairs with the Release in `complete`, if it has ended.
        let taken_back =
            || self.word.compare_exchange(AWAITED, RUNNING, Ordering::Acquire, Ordering::Acquire);
        if !self.has_ended() && taken_back() != Err(ENDED) {
            // SAFETY: the word is RUNNING, and so the cell is the joiner's.
            let kept = unsafe { &mut *self.waker.get() };
            if !kept.as_ref().is_some_and(|kept| kept.will_wake(waker)) {
                let before = kept.replace(waker.clone());
                // Perhaps somebody else's.
                contained(|| drop(before));
            }
            // ORDER: Release: the waker, for `complete`; Acquire: the result, if it came meanwhile.
            let waits =
                self.word.compare_exchange(RUNNING, AWAITED, Ordering::Release, Ordering::Acquire);
            if waits.is_ok() {
                return Poll::Pending;
            }
        }
        // SAFETY: it has ended, and the goroutine touches the cell no more.
        let result = unsafe { &mut *self.result.get() }.take();
        Poll::Ready(result.expect("a result is taken once"))
    }
}

/// A closure, and then its result.
struct Closure<F, T> {
    function: UnsafeCell<Option<F>>,
    completion: Completion<T>,
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
            self.completion
                .complete(result.map_err(|payload| JoinError::Panicked(Payload(payload))));
        }
        Poll::Ready(())
    }

    fn cancel(&self, why: Cancelled) {
        // SAFETY: as above.
        let function = unsafe { &mut *self.function.get() }.take();
        contained(|| drop(function));
        self.completion.complete(Err(JoinError::Cancelled(why)));
    }
}

/// A future, and then its result.
struct Polled<F: Future> {
    /// Pinned: it is dropped where it lies.
    future: UnsafeCell<Option<F>>,
    completion: Completion<F::Output>,
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
        self.completion.complete(result);
        Poll::Ready(())
    }

    fn cancel(&self, why: Cancelled) {
        self.drop_future();
        self.completion.complete(Err(JoinError::Cancelled(why)));
    }
}

/// What a [`JoinHandle`] sees of a body: its completion.
trait Ends<T>: Send + Sync {
    fn completion(&self) -> &Completion<T>;
}

impl<F: Send, T: Send> Ends<T> for Closure<F, T> {
    fn completion(&self) -> &Completion<T> {
        &self.completion
    }
}

impl<F: Future + Send> Ends<F::Output> for Polled<F>
where
    F::Output: Send,
{
    fn completion(&self) -> &Completion<F::Output> {
        &self.completion
    }
}

/// A body of a closure, and what waits for its end.
pub(crate) fn closure<'a, F, T>(function: F) -> (Arc<dyn Body + 'a>, Ending<'a, T>)
where
    F: FnOnce() -> T + Send + 'a,
    T: Send + 'a,
{
    let closure = Arc::new(Closure {
        function: UnsafeCell::new(Some(function)),
        completion: Completion::new(),
    });
    (closure.clone(), Ending(closure))
}

/// A body of a future, and what waits for its end.
pub(crate) fn future<F>(future: F) -> (Arc<dyn Body>, Ending<'static, F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let polled =
        Arc::new(Polled { future: UnsafeCell::new(Some(future)), completion: Completion::new() });
    (polled.clone(), Ending(polled))
}

/// The one who may wait for a body's end.
pub(crate) struct Ending<'a, T>(Arc<dyn Ends<T> + 'a>);

impl<T> Ending<'_, T> {
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        self.0.completion().poll(waker)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.0.completion().has_ended()
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

    /// Waits for the goroutine's end: a goroutine parks, a thread blocks.
    ///
    /// # Errors
    ///
    /// If it panicked, never ran, or is the one that calls.
    pub fn join(mut self) -> Result<T, JoinError> {
        if Worker::running().is_some_and(|(_, goroutine)| goroutine.id() == self.id) {
            return Err(JoinError::Itself);
        }
        wait_for(WaitReason::Join, |context| self.ending.poll(context.waker()))
    }

    /// As [`join`](JoinHandle::join), and a panic of the goroutine goes on here.
    ///
    /// # Panics
    ///
    /// If the goroutine has, or never ran.
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
