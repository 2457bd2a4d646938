//! The completion: one side ends with a result, the other waits for it.
//!
//! Two cells and a word: the result, who is to be woken, and whose the cells are.
//!
//! ```text
//!                    poll, keeps its waiter
//!              ┌───────────────────────────────┐
//!              │                               ▼
//!           RUNNING                         AWAITED
//!              │ ▲                           │ │
//!              │ └───────────────────────────┘ │
//!     complete │    poll, takes its waiter     │ complete, gets the waiter
//!              │    back to compare it         │
//!              └──────────────► ENDED ◄────────┘
//! ```
//!
//! | the word | the result is | the waiter is |
//! |---|---|---|
//! | `RUNNING` | of the one who will complete | of the one who waits |
//! | `AWAITED` | of the one who will complete | of whoever changes the word |
//! | `ENDED` | of the one who waits | of the one who completed, if it was `AWAITED`; else nobody's |
//!
//! # The two meet in one word
//!
//! With a flag for the end and another for the waiter, each side could write its own and miss the
//! other's:
//!
//! ```text
//!    waits                                completes
//!    has it ended? no
//!                                         it has ended; does anybody wait? no
//!    there is a waiter; waits, for ever
//! ```
//!
//! Here both are read-modify-writes of one word, and so one comes first. If it is the end, the
//! compare-exchange of the waiter fails, and the result is there. If it is the waiter, the swap of
//! the end finds it.
//!
//! # A waiter that changes
//!
//! A future may be polled by one task, then by another, and each time the last one is to be woken.
//! While the word is `AWAITED`, the cell may be taken at any moment, so whoever waits must not even
//! look into it: it first goes back to `RUNNING`, which fails if the end has come. In between an
//! end finds nobody, and wakes nobody: whoever waits is awake, and is about to see it.

use core::fmt;
use core::task::Poll;

use crate::memory::{Atomic, Hardware, Memory, Ordering, RaceCell, invariant};

/// It has not ended, and there is nobody to wake.
const RUNNING: u32 = 0;
/// It has not ended, and there is somebody to wake.
const AWAITED: u32 = 1;
/// It has ended.
const ENDED: u32 = 2;

/// Where the result of a task will be, and who waits for it: a one-shot channel without an
/// allocation of its own, to lie in the task.
///
/// One side [completes](Completion::complete), the other [polls](Completion::poll). `W` is what
/// wakes whoever waits, such as a [`Waker`](core::task::Waker). Two guarantees:
///
/// * **No end is missed.** If the last `poll` was pending, `complete` returns the waiter that is
///   current; and a `poll` that begins after the end is ready.
/// * **The result is seen.** Whoever gets it, whoever is woken by the one who got the waiter, and
///   whoever was told that it has [ended](Completion::has_ended), sees what was written before
///   `complete`; and `complete` hands the waiter over with what was written before the `poll`
///   that left it.
///
/// ```
/// use core::task::Poll;
/// use gosched::Completion;
///
/// let completion: Completion<&str, u32> = Completion::new();
/// // SAFETY: one thread does it all, one call after the other, and completes once.
/// let poll = |waiter| unsafe { completion.poll(|kept| *kept == waiter, || waiter) };
/// assert_eq!(poll(1), Poll::Pending);
/// assert_eq!(poll(2), Poll::Pending);
/// // SAFETY: as above.
/// assert_eq!(unsafe { completion.complete("done") }, Some(2)); // who is to be woken
/// assert!(completion.has_ended());
/// assert_eq!(poll(2), Poll::Ready("done"));
/// ```
pub struct Completion<T: Send, W: Send, Mem: Memory = Hardware> {
    word: Mem::AtomicU32,
    result: Mem::Cell<Option<T>>,
    waiter: Mem::Cell<Option<W>>,
}

impl<T: Send, W: Send> Completion<T, W> {
    /// A completion that has not ended, and that nobody waits for.
    #[must_use]
    pub fn new() -> Self {
        Self::with_memory()
    }
}

impl<T: Send, W: Send> Default for Completion<T, W> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Send, W: Send, Mem: Memory> Completion<T, W, Mem> {
    /// [`new`](Completion::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory() -> Self {
        Self {
            word: Atomic::new(RUNNING),
            result: RaceCell::new(None),
            waiter: RaceCell::new(None),
        }
    }

    /// It has ended, with `result`. Returns the waiter to wake, if there is one; `None` says that
    /// nobody waits, and that whoever polls from now on finds the result.
    ///
    /// The result may be taken before this returns, and whoever took it may be done with the
    /// completion: something other than this must keep it alive until then.
    ///
    /// One read-modify-write.
    ///
    /// # Safety
    ///
    /// It is called once.
    ///
    /// # Panics
    ///
    /// Where invariants are checked ([`is_checked`](crate::memory::is_checked)): if it has ended.
    #[must_use = "the one who waits sleeps on if nobody wakes it"]
    pub unsafe fn complete(&self, result: T) -> Option<W> {
        self.result.with_mut(|cell| {
            // SAFETY: we alone complete, and nobody else looks before the word says that it has
            // ended, which we write below.
            unsafe { *cell = Some(result) };
        });
        // ORDER: AcqRel. Release: pairs with the Acquire of whoever finds that it has ended;
        // without it the result may not be seen. Acquire: pairs with the Release of `poll`; without
        // it we may read the waiter before it is written.
        let before = self.word.swap(ENDED, Ordering::AcqRel);
        invariant!(Mem, before != ENDED, "it ended twice");
        if before != AWAITED {
            return None;
        }
        // SAFETY: the word was `AWAITED`, and we have changed it: the waiter is ours.
        self.waiter.with_mut(|cell| unsafe { (*cell).take() })
    }

    /// Whether it has ended: then what was written before is seen, and [`poll`](Completion::poll)
    /// is ready. For anybody; a load.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        // ORDER: Acquire: pairs with the Release of `complete`; without it whoever was told that it
        // has ended may not see what was done before.
        self.word.load(Ordering::Acquire) == ENDED
    }

    /// Takes the result if it is there. Else leaves word whom to wake: the waiter of an earlier
    /// call, if there is one and it is the `same`, or a `new` one.
    ///
    /// A load if it has ended; a load and a read-modify-write if this is the first call; else one
    /// read-modify-write more. If `same`, `new` or the drop of an earlier waiter panics, nobody
    /// will be woken, until it is polled again.
    ///
    /// # Safety
    ///
    /// No other `poll` of this completion goes on meanwhile; each happens after the one before.
    ///
    /// # Panics
    ///
    /// If the result was taken already.
    pub unsafe fn poll(
        &self,
        same: impl FnOnce(&W) -> bool,
        new: impl FnOnce() -> W,
    ) -> Poll<T> {
        // ORDER: Acquire: if it has ended; pairs with the Release of `complete`.
        let seen = self.word.load(Ordering::Acquire);
        // SAFETY: by contract: nobody else polls.
        let ended = seen == ENDED || unsafe { !self.wait(seen, same, new) };
        if !ended {
            return Poll::Pending;
        }
        // SAFETY: it has ended, so the one who completed touches the result no more.
        let result = self.result.with_mut(|cell| unsafe { (*cell).take() });
        Poll::Ready(result.expect("the result is taken once"))
    }

    /// Leaves word whom to wake. False if it has ended. `seen` is the word: as nobody but us goes
    /// between `RUNNING` and `AWAITED`, it is still that, or it has ended.
    ///
    /// # Safety
    ///
    /// As for `poll`.
    unsafe fn wait(
        &self,
        seen: u32,
        same: impl FnOnce(&W) -> bool,
        new: impl FnOnce() -> W,
    ) -> bool {
        if seen == AWAITED {
            // ORDER: Relaxed on success: nobody but us has touched the waiter since we left it.
            // Acquire on failure: it has ended; pairs with the Release of `complete`.
            let back = self.word.compare_exchange(
                AWAITED,
                RUNNING,
                Ordering::Relaxed,
                Ordering::Acquire,
            );
            if back.is_err() {
                return false;
            }
        }
        // SAFETY: the word is `RUNNING`: the waiter is ours, also if it has ended meanwhile.
        let kept = self.waiter.with(|cell| unsafe { (*cell).as_ref().is_some_and(same) });
        if !kept {
            let new = new();
            // SAFETY: as above.
            let old = self.waiter.with_mut(|cell| unsafe { (*cell).replace(new) });
            drop(old);
        }
        // ORDER: Release on success: pairs with the Acquire of `complete`, which reads the waiter.
        // Acquire on failure: it has ended; pairs with the Release of `complete`.
        let waits =
            self.word.compare_exchange(RUNNING, AWAITED, Ordering::Release, Ordering::Acquire);
        waits.is_ok()
    }
}

impl<T: Send, W: Send, Mem: Memory> fmt::Debug for Completion<T, W, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDER: Relaxed: a picture of one instant.
        let state = match self.word.load(Ordering::Relaxed) {
            RUNNING => "running",
            AWAITED => "awaited",
            _ => "ended",
        };
        f.debug_tuple("Completion").field(&format_args!("{state}")).finish()
    }
}
