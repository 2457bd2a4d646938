//! The poller: who waits for input, output and timers.
//!
//! A machine without a processor and without work polls, if nobody does; one at a time. What it
//! brings back goes to the global queue, and then it does as anybody who submits. It then takes an
//! idle processor, if there is one; if there is none it leaves, and whoever goes idle next looks at
//! everything once more and polls.
//!
//! Two pairs of fences see to it that no deadline is slept through:
//!
//! ```text
//!    poller leaves                  machine goes idle        a timer is added
//!    nobody polls                   processor idle (D1)      timer
//!    fence                          fence (D3)               fence
//!    is a processor idle?           does anybody poll?       until when is it polled?
//! ```
//!
//! and the poller, which says until when it will poll, then makes a fence, then asks for the
//! earliest deadline again.
//!
//! DIFF: in Go a poller that returns without a processor, because of a timer that belongs to a busy
//! one, parks, and a machine that goes idle without having searched does not look at timers: a due
//! timer is watched by nobody. Here whoever goes idle looks, unless a searcher is left, who will.
//!
//= go1.27:src/runtime/proc.go#wakeNetPoller

use crossbeam_utils::CachePadded;

use super::Scheduler;
use super::machine::{Machine, Place};
use crate::Batch;
use crate::host::{Deadline, Host};
use crate::memory::{Atomic, Memory, Ordering};
use crate::observe::{Event, Place as Queue};

/// Nobody waits in the poller.
const NOBODY: u64 = 0;
/// Somebody waits, for as long as it takes. Smaller values: until the value less 1.
const FOREVER: u64 = u64::MAX;

pub(super) struct Poller<Mem: Memory> {
    /// Until when somebody waits.
    waits: CachePadded<Mem::AtomicU64>,
    /// Whether somebody polls without a wait.
    looks: CachePadded<Mem::AtomicU32>,
    /// When somebody last polled, on the host's clock.
    last: CachePadded<Mem::AtomicU64>,
}

/// See [`Poller::look`].
pub(super) struct Look<'a, Mem: Memory>(&'a Poller<Mem>);

impl<Mem: Memory> Drop for Look<'_, Mem> {
    fn drop(&mut self) {
        // ORDER: Relaxed: as in `look`.
        self.0.looks.store(0, Ordering::Relaxed);
    }
}

impl<Mem: Memory> Poller<Mem> {
    pub(super) fn new() -> Self {
        Self {
            waits: CachePadded::new(Atomic::new(NOBODY)),
            looks: CachePadded::new(Atomic::new(0)),
            last: CachePadded::new(Atomic::new(0)),
        }
    }

    /// The right to poll without a wait: one at a time, or all would ask the kernel the same. It
    /// ends when the value is dropped, by a panic of the host, too.
    pub(super) fn look(&self) -> Option<Look<'_, Mem>> {
        // ORDER: Relaxed: it spares system calls, and guards nothing.
        (self.looks.swap(1, Ordering::Relaxed) == 0).then_some(Look(self))
    }

    /// Somebody has polled at this time.
    pub(super) fn polled_at(&self, now: u64) {
        // ORDER: Relaxed: a hint for the monitor.
        self.last.store(now, Ordering::Relaxed);
    }

    /// Whether nobody has polled for so long.
    pub(super) fn is_stale(&self, now: u64, age: u64) -> bool {
        // ORDER: Relaxed: as above.
        now.saturating_sub(self.last.load(Ordering::Relaxed)) >= age
    }

    /// Whether somebody waits in the poller.
    pub(super) fn is_waiting(&self) -> bool {
        // ORDER: Acquire: pairs with the Release of `leave`; without it a shutdown may miss what
        // the poller brought.
        self.waits.load(Ordering::Acquire) != NOBODY
    }

    fn enter(&self) -> bool {
        // ORDER: Relaxed, both: one at a time; what the one before brought is in the global queue.
        self.waits
            .compare_exchange(NOBODY, FOREVER, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn wait_until(&self, until: Option<u64>) {
        let until = until.map_or(FOREVER, |until| until.saturating_add(1).min(FOREVER - 1));
        // ORDER: Relaxed: the fence that follows orders it before the second look at the timers.
        self.waits.store(until, Ordering::Relaxed);
    }

    /// Nobody waits in the poller any more. By the one who did.
    pub(super) fn leave(&self) {
        // ORDER: Release: pairs with the Acquire in `is_waiting`.
        self.waits.store(NOBODY, Ordering::Release);
    }
}

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// Becomes the poller, if there is something to poll for and nobody does. Until when?
    pub(super) fn begin_poll(&self) -> Option<Deadline> {
        let host = self.host();
        if !host.has_poller() {
            return None;
        }
        // Whoever put a processor down, with no searcher left, has made a fence since (D3). Against
        // the fence of a poller that leaves: either it sees that processor idle, or we see that it
        // has left.
        if !self.shared.poller.enter() {
            return None;
        }
        self.shared.poller.wait_until(host.next_deadline());
        // ORDER: SeqCst: against the fence in `timer_added`: either that one sees until when we
        // poll, or we see the timer. And against the one in `end`: either the shutdown sees that we
        // poll, and waits until we have left, or we see that it is over.
        H::Memory::fence(Ordering::SeqCst);
        if self.is_closed() {
            self.shared.poller.leave();
            return None;
        }
        Some(host.next_deadline().map_or(Deadline::Never, Deadline::At))
    }

    /// Whether there is something to poll for, and nobody waits in the poller.
    pub(super) fn nobody_polls(&self) -> bool {
        self.host().has_poller() && !self.shared.poller.is_waiting()
    }

    /// Says that a timer was added (or made earlier) that is due `when`: whoever waits longer is
    /// called back, and if nobody waits, somebody is woken who will.
    pub fn timer_added(&self, when: u64) {
        // ORDER: SeqCst: against the fence in `begin_poll`.
        H::Memory::fence(Ordering::SeqCst);
        // ORDER: Relaxed: after the fence; a spurious break does no harm.
        match self.shared.poller.waits.load(Ordering::Relaxed) {
            NOBODY => self.published(None),
            until if until > when => self.host().break_poll(),
            _ => {}
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// The poll that [`Step::Poll`](super::Step::Poll) asked for is over; `ready` became runnable.
    /// Does nothing if the machine does not poll and `ready` is empty.
    pub fn polled(&mut self, ready: Batch<H::Task, H::Memory>) {
        let count = ready.len();
        let by = Some(self.record.id);
        if count > 0 {
            self.tell(Event::Polled { count });
            // If the scheduler shuts down meanwhile, it waits until we have left.
            self.scheduler.shared.global.push_batch(ready);
            self.tell(Event::Submitted { place: Queue::Global, count });
        }
        if !matches!(self.place, Place::Polling) {
            if count > 0 {
                self.scheduler.published(by);
            }
            return;
        }
        self.go("return", Place::Without);
        self.scheduler.shared.poller.polled_at(self.scheduler.host().now());
        self.scheduler.shared.poller.leave();
        // ORDER: SeqCst: against D3, and A2.
        H::Memory::fence(Ordering::SeqCst);
        self.take_for_work();
        if let Place::Without = self.place {
            // Every processor is busy, or a searcher is under way: the next one to go idle polls.
            let _ = self.go_to_sleep();
        }
    }

    /// The machine leaves in the middle of a poll.
    pub(super) fn stop_polling(&mut self) {
        self.scheduler.shared.poller.leave();
        self.go("return", Place::Without);
        self.scheduler.published(Some(self.record.id));
    }
}
