//! Everybody sleeps: finding out that nothing will ever happen again.
//!
//! If every machine sleeps, all processors are idle, nothing is queued, no timer is pending, and
//! nobody outside has announced that it may submit, then no task can become runnable: the ones that
//! wait, wait for ever. Go calls it a deadlock of all goroutines.
//!
//! Each of these facts is read at another instant, so the order matters. The outsiders are read
//! first, the machines second: after both, nobody is left who could change the others.
//!
//! ```text
//!    outside == 0           from here on nobody outside submits
//!    all machines sleep     from here on no machine runs, starts, or returns from a call
//!    all processors idle    ... and nobody carries one
//!    nothing queued, no timer
//! ```
//!
//! It is looked for whenever one of them may have become true last: a machine goes to sleep or
//! leaves, an outsider leaves, a processor that somebody carried goes idle.
//!
//= go1.27:src/runtime/proc.go#checkdead

use core::fmt;

use crossbeam_utils::CachePadded;

use super::Scheduler;
use crate::host::Host;
use crate::memory::{Atomic, AtomicInt, Memory, Ordering};

/// The scheduler has shut down. Below: how many are submitting at this moment.
const CLOSED: u64 = 1 << 63;
/// One who has announced that it may submit.
const ANNOUNCED: u64 = 1 << 32;

/// Those who are no machines and submit.
pub(super) struct Outsiders<Mem: Memory> {
    word: CachePadded<Mem::AtomicU64>,
}

impl<Mem: Memory> Outsiders<Mem> {
    pub(super) fn new() -> Self {
        Self { word: CachePadded::new(Atomic::new(0)) }
    }

    /// Closes. False if it was closed before.
    pub(super) fn close(&self) -> bool {
        // ORDER: Relaxed: whoever is inside is waited for by `wait_for_them`, which acquires.
        self.word.fetch_or(CLOSED, Ordering::Relaxed) & CLOSED == 0
    }

    /// Waits for those who are submitting at this moment.
    pub(super) fn wait_for_them(&self) {
        // ORDER: Acquire: pairs with the Release in `unless_closed`; without it what was submitted
        // last may be missed.
        while self.word.load(Ordering::Acquire) as u32 != 0 {
            Mem::spin_loop();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        // ORDER: Relaxed: a hint.
        self.word.load(Ordering::Relaxed) & CLOSED != 0
    }

    fn is_none(&self) -> bool {
        // ORDER: Acquire: pairs with the Release of those who left; without it what they have
        // submitted may be missed, and a deadlock be reported falsely.
        self.word.load(Ordering::Acquire) & !CLOSED == 0
    }
}

/// Somebody who is no machine and may submit: while it exists, sleep is no deadlock.
///
/// Made by [`Scheduler::outside`]. Threads that inject from time to time hold one; so does a host
/// with signal handlers, or any other source that its poller does not know of.
pub struct Outside<H: Host<CAP>, const CAP: usize = 256> {
    scheduler: Scheduler<H, CAP>,
}

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// Announces that somebody outside may submit, for as long as the value lives.
    #[must_use]
    pub fn outside(&self) -> Outside<H, CAP> {
        // ORDER: Relaxed: the count tells itself alone.
        self.shared.outside.word.fetch_add(ANNOUNCED, Ordering::Relaxed);
        Outside { scheduler: self.clone() }
    }

    /// Runs `submit` on `what`, unless the scheduler has shut down; a shutdown waits for it.
    pub(super) fn unless_closed<T>(&self, what: T, submit: impl FnOnce(T)) -> Result<(), T> {
        let word = &self.shared.outside.word;
        // ORDER: Relaxed: a shutdown either sees the count or was seen by this.
        let closed = word.fetch_add(1, Ordering::Relaxed) & CLOSED != 0;
        let result = if closed {
            Err(what)
        } else {
            submit(what);
            Ok(())
        };
        // ORDER: Release: pairs with the Acquire of `wait_for_them` and `is_none`.
        word.fetch_sub(1, Ordering::Release);
        result
    }

    /// Tells the host if everybody sleeps.
    #[cold]
    pub(super) fn check_asleep(&self) {
        let shared = &self.shared;
        if !shared.outside.is_none() || !shared.pool.all_asleep(false) {
            return;
        }
        let view = shared.idle.view();
        let still = view.idle() == self.processors()
            && view.searching() == 0
            && !view.is_stopping()
            && shared.global.is_empty()
            && !(shared.host.has_poller() && shared.host.next_deadline().is_some());
        if still && shared.pool.all_asleep(true) {
            shared.host.all_asleep();
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> Drop for Outside<H, CAP> {
    fn drop(&mut self) {
        // ORDER: Release: pairs with the Acquire of `is_none`.
        self.scheduler.shared.outside.word.fetch_sub(ANNOUNCED, Ordering::Release);
        self.scheduler.check_asleep();
    }
}

impl<H: Host<CAP>, const CAP: usize> fmt::Debug for Outside<H, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside(..)")
    }
}
