//! The note: a one-shot event that one thread sleeps on.
//!
//! A machine without work sleeps on its note, and whoever gives it work wakes it, once. The wake
//! may come first: it is kept, and the sleep then returns at once.
//!
//! ```text
//!                 wake                          wake: and unpark
//!      IDLE ─────────────────► WOKEN ◄──────────────────────────── SLEEPING
//!        ▲                       │                                    ▲
//!        └───────────────────────┘                                    │
//!                sleep returns, or try_sleep                          │
//!        │                                                            │
//!        └────────────────────────────────────────────────────────────┘
//!                                 sleep begins
//! ```
//!
//! The word alone is the event; the parker is only where the thread waits. So:
//!
//! * a wake that finds nobody asleep does not touch the parker, nor does a sleep that finds the
//!   event waiting: each is one read-modify-write;
//! * whatever makes `park` return, the sleeper looks at the word, and goes on only if it is
//!   `WOKEN`. That covers spurious returns, and the token of a waker that was slow:
//!
//! ```text
//!    waker                           sleeper
//!    SLEEPING ──► WOKEN
//!                                    park returns spuriously; WOKEN ──► IDLE
//!                                    sleeps again: IDLE ──► SLEEPING
//!    unpark
//!                                    park returns: SLEEPING, so it parks again
//! ```
//!
//! `DIFF:` Go's note has two states and a separate `noteclear`; its `notewakeup` makes the system
//! call whether or not somebody sleeps. Ours has the third state instead, and sleeping consumes the
//! event (as Go's `mPark` does with the two calls).
//! `DIFF:` Go throws on a double wake. So do we where invariants are checked; elsewhere the second
//! wake merges with the first.
//!
//! `//= go1.27:src/runtime/lock_futex.go#notesleep`, `#notewakeup`, `#noteclear`

use core::fmt;

use crate::memory::{Atomic, Hardware, Memory, Ordering, Park, invariant};

/// Nothing has happened, and nobody waits.
const IDLE: u32 = 0;
/// Nothing has happened; a thread waits, or is about to.
const SLEEPING: u32 = 1;
/// The event has happened, and was not consumed.
const WOKEN: u32 = 2;

/// A one-shot event: [`sleep`](Note::sleep) waits for [`wake`](Note::wake) and consumes it.
///
/// What a thread did before `wake` happens before the return of the `sleep` (or the
/// [`try_sleep`](Note::try_sleep)) that consumes the event. A wake is never lost, whether it comes
/// before, while or after the other thread goes to sleep.
///
/// One thread at a time may sleep on a note, and each sleep has one wake.
///
/// ```
/// use gosched::Note;
///
/// let note = Note::new();
/// std::thread::scope(|scope| {
///     scope.spawn(|| note.wake());
///     note.sleep();
/// });
/// assert!(!note.is_woken());
/// ```
///
/// `P` is what the thread parks on: that of the memory, or [your own](Note::with_parker).
pub struct Note<Mem: Memory = Hardware, P: Park = <Mem as Memory>::Parker> {
    state: Mem::AtomicU32,
    parker: P,
}

impl Note {
    /// A note that was not woken.
    #[must_use]
    pub fn new() -> Self {
        Self::with_memory()
    }
}

impl<P: Park> Note<Hardware, P> {
    /// A note whose sleeper parks on the host's own parker: a condition variable that the host
    /// also uses otherwise, a poller, an instruction that waits for an interrupt.
    #[must_use]
    pub fn with_parker(parker: P) -> Self {
        Self::with_memory_and_parker(parker)
    }
}

impl<Mem: Memory> Note<Mem> {
    /// [`new`](Note::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory() -> Self {
        Self::with_memory_and_parker(Mem::Parker::new())
    }
}

impl<Mem: Memory, P: Park> Note<Mem, P> {
    /// [`with_parker`](Note::with_parker), for any [`Memory`].
    #[must_use]
    pub fn with_memory_and_parker(parker: P) -> Self {
        Self { state: Mem::AtomicU32::new(IDLE), parker }
    }

    /// Makes the event happen, and wakes the thread that sleeps, if one does.
    ///
    /// Touches the parker only if a thread sleeps or is about to.
    ///
    /// # Panics
    ///
    /// Where invariants are checked ([`is_checked`](crate::memory::is_checked)): if the event has
    /// happened before and was not consumed. Elsewhere the two wakes become one, and what was done
    /// before either happens before the sleep's return.
    pub fn wake(&self) {
        // ORDER: Release: pairs with the Acquire of the swap in `sleep` and of the exchange in
        // `try_sleep`; without it a thread that consumes the event without having parked may miss
        // what the waker did before. (A thread that parked is ordered by the parker too.)
        let before = self.state.swap(WOKEN, Ordering::Release);
        if before == SLEEPING {
            self.parker.unpark();
        }
        invariant!(Mem, before != WOKEN, "a note was woken twice without a sleep in between");
    }

    /// Waits until the event has happened, and consumes it.
    ///
    /// Touches the parker only if the event has not happened yet.
    ///
    /// # Panics
    ///
    /// Where invariants are checked ([`is_checked`](crate::memory::is_checked)): if another thread
    /// sleeps on the note. Elsewhere it is unspecified which of the two a wake wakes.
    pub fn sleep(&self) {
        // ORDER: Relaxed, both: the success publishes nothing but the state itself, and the waker
        // that reads it calls `unpark`, which synchronises; a failure is followed by the swap
        // below.
        let announced =
            self.state.compare_exchange(IDLE, SLEEPING, Ordering::Relaxed, Ordering::Relaxed);
        invariant!(Mem, announced != Err(SLEEPING), "two threads sleep on one note");
        if announced != Err(WOKEN) {
            self.park_until_woken();
        }
        // ORDER: Acquire: pairs with the Release of `wake`; without it we may miss what the waker
        // did before. A swap, not a store, so that if two wakes merged we read the later one, whose
        // release sequence includes the earlier.
        let before = self.state.swap(IDLE, Ordering::Acquire);
        invariant!(Mem, before == WOKEN, "a note was consumed by two threads");
    }

    /// Consumes the event if it has happened; says whether it has. Never blocks.
    pub fn try_sleep(&self) -> bool {
        // ORDER: Acquire on success: as the swap in `sleep`. Relaxed on failure: nothing is
        // concluded but that the event is not visible yet.
        self.state.compare_exchange(WOKEN, IDLE, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Whether the event has happened and waits to be consumed: a hint, which orders nothing. Use
    /// [`try_sleep`](Note::try_sleep) to act on it.
    #[must_use]
    pub fn is_woken(&self) -> bool {
        // ORDER: Relaxed: a hint, by contract.
        self.state.load(Ordering::Relaxed) == WOKEN
    }

    /// What the sleeper parks on.
    #[must_use]
    pub fn parker(&self) -> &P {
        &self.parker
    }

    fn park_until_woken(&self) {
        loop {
            self.parker.park();
            // ORDER: Relaxed: if `park` returned because of the wake's `unpark`, that call orders
            // the wake's swap before this load; if not, an older value only parks us again, and the
            // token is still to come. The swap in `sleep` acquires what the waker did.
            if self.state.load(Ordering::Relaxed) == WOKEN {
                return;
            }
        }
    }
}

impl Default for Note {
    fn default() -> Self {
        Self::new()
    }
}

impl<Mem: Memory, P: Park> fmt::Debug for Note<Mem, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDER: Relaxed: a picture of one instant.
        let state = match self.state.load(Ordering::Relaxed) {
            IDLE => "idle",
            SLEEPING => "sleeping",
            _ => "woken",
        };
        f.debug_struct("Note").field("state", &state).finish_non_exhaustive()
    }
}
