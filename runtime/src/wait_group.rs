//! Wait groups: waiting until a number of things have been done.
//!
//! One word holds the count, and in its upper half how often the count has come to zero: whoever
//! waits, waits for that number to change, so that a group that is used again at once does not keep
//! those who wait for its last round.
//!
//! ```text
//!    done                               wait
//!    count: 1 -> 0, round + 1           takes the lock; is it still that round, and not zero?
//!    takes the lock, and the wakers     leaves its waker
//!    wakes them
//! ```
//!
//= go1.27:src/sync/waitgroup.go#WaitGroup

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::contain::Stranger;
use crate::goroutine::WaitReason;
use crate::join::JoinHandle;
use crate::park::wait_for;
use crate::spawn::go;

/// The most that a group counts.
const MOST: u64 = u32::MAX as u64;
/// One round, in the word.
const ROUND: u64 = 1 << 32;

/// Counts what is still to be done, and lets others wait until that is nothing.
///
/// It can be used again at once. Goroutines share it in an [`Arc`], or borrow it in a
/// [`scope`](crate::scope()), which waits by itself.
///
/// ```
/// use std::sync::Arc;
/// use gosched_runtime::{Runtime, WaitGroup};
///
/// # Runtime::new()?.run(|| {
/// let group = Arc::new(WaitGroup::new());
/// for _ in 0..10 {
///     group.go(|| { /* work */ });
/// }
/// group.wait();
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WaitGroup {
    /// The round, and the count.
    word: AtomicU64,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    wakers: Vec<(u64, Stranger)>,
    next: u64,
}

impl Default for WaitGroup {
    fn default() -> Self {
        Self::new()
    }
}

impl WaitGroup {
    /// A group with nothing to be done.
    #[must_use]
    pub const fn new() -> Self {
        let waits = Waits { wakers: Vec::new(), next: 0 };
        Self { word: AtomicU64::new(0), waits: Mutex::new(waits) }
    }

    /// How many things are to be done, as of now.
    #[must_use]
    pub fn count(&self) -> u32 {
        // ORDER: Relaxed: a picture of one instant.
        self.word.load(Ordering::Relaxed) as u32
    }

    /// So many things more are to be done. To be called before whoever does them is started, or a
    /// wait may end before.
    ///
    /// # Panics
    ///
    /// If there are more than 4,294,967,295 then. The count stays as it was.
    //= go1.27:src/sync/waitgroup.go#WaitGroup.Add
    pub fn add(&self, count: u32) {
        let more =
            |word: u64| (word % ROUND + u64::from(count) <= MOST).then(|| word + u64::from(count));
        // ORDER: Relaxed, both: whoever is told of the new things by this is told by other means,
        // too.
        let added = self.word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        assert!(added.is_ok(), "a wait group counts to {MOST}, and no further");
    }

    /// One thing is done.
    ///
    /// # Panics
    ///
    /// If nothing was to be done: `add` was not called, or `done` once too often. The count stays
    /// as it was.
    //= go1.27:src/sync/waitgroup.go#WaitGroup.Done
    pub fn done(&self) {
        let less = |word: u64| match word % ROUND {
            0 => None,
            1 => Some((word - 1).wrapping_add(ROUND)),
            _ => Some(word - 1),
        };
        // ORDER: Release: pairs with the Acquire in `has_passed`: whoever has waited sees what was
        // done. Those who were done before are in the same release sequence.
        let before = self.word.fetch_update(Ordering::Release, Ordering::Relaxed, less);
        match before {
            Ok(word) if word % ROUND == 1 => self.wake(),
            Ok(_) => {}
            Err(_) => panic!("a wait group was done more often than added to"),
        }
    }

    #[cold]
    fn wake(&self) {
        let wakers = std::mem::take(&mut self.waits().wakers);
        // Not under the lock: they may be anybody's. Each for itself: one that panics keeps nobody
        // from the others.
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Waits until nothing is to be done: a goroutine parks, a thread blocks.
    //= go1.27:src/sync/waitgroup.go#WaitGroup.Wait
    pub fn wait(&self) {
        let mut wait = self.begin_wait();
        wait_for(WaitReason::Group, |context| wait.poll(context));
    }

    /// [`wait`](WaitGroup::wait) as a future. It waits for the round in which it was made.
    pub fn finished(&self) -> impl Future<Output = ()> + Send + use<'_> {
        let mut wait = self.begin_wait();
        poll_fn(move |context| wait.poll(context))
    }

    /// Starts a goroutine that is to be waited for. It is done when the goroutine has ended, in a
    /// panic, too.
    ///
    /// # Panics
    ///
    /// On a thread that runs no goroutine, as [`go`].
    //= go1.27:src/sync/waitgroup.go#WaitGroup.Go
    #[track_caller]
    pub fn go<F, T>(self: &Arc<Self>, function: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.add(1);
        // If it never runs, it is dropped with the closure.
        let done = Done(Arc::clone(self));
        go(move || {
            let _done = done;
            function()
        })
    }

    fn begin_wait(&self) -> Wait<'_> {
        // ORDER: Relaxed: the first poll looks again.
        let round = self.word.load(Ordering::Relaxed) / ROUND;
        Wait { group: self, round, number: None }
    }

    /// Whether nothing is to be done, or was not at some time since this round.
    fn has_passed(&self, round: u64) -> bool {
        // ORDER: Acquire: pairs with the Release in `done`.
        let word = self.word.load(Ordering::Acquire);
        word.is_multiple_of(ROUND) || word / ROUND != round
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").field("count", &self.count()).finish_non_exhaustive()
    }
}

/// Tells its group when it is dropped.
struct Done(Arc<WaitGroup>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.done();
    }
}

/// One who waits.
struct Wait<'a> {
    group: &'a WaitGroup,
    round: u64,
    /// Its waker's, if it has left one.
    number: Option<u64>,
}

impl Wait<'_> {
    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.group.has_passed(self.round) {
            return Poll::Ready(());
        }
        let waker = Stranger::of(context.waker());
        let mut waits = self.group.waits();
        // Again, under the lock: whoever makes it zero takes the lock after that.
        if self.group.has_passed(self.round) {
            drop(waits);
            return Poll::Ready(());
        }
        let number = self.number;
        let known = waits.wakers.iter_mut().find(|(other, _)| Some(*other) == number);
        let _replaced = match known {
            Some((_, kept)) => std::mem::replace(kept, waker),
            None => {
                waits.next += 1;
                let number = waits.next;
                self.number = Some(number);
                waits.wakers.push((number, waker));
                drop(waits);
                return Poll::Pending;
            }
        };
        // The lock is free before what was replaced is dropped.
        drop(waits);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut waits = self.group.waits();
        let at = waits.wakers.iter().position(|(other, _)| *other == number);
        let waker = at.map(|at| waits.wakers.swap_remove(at));
        drop(waits);
        drop(waker);
    }
}
