//! Timers: who is to be woken when.
//!
//! Each processor has a [heap](heap) of its own, under a lock of its own, and tells in a word
//! beside it when its earliest timer is due. Whoever schedules on that processor reads the word;
//! only if it has come is the lock taken. A thief that finds nothing to steal takes its victim's
//! due timers by the same way, and the poller sleeps until the earliest of all.
//!
//! ```text
//!              earliest            heap, under a lock
//!    P0        12:00:03            12:00:03  12:00:07  12:00:07
//!    P1        never               (empty)
//!    P2        12:00:01            12:00:01
//!              armed: 2 heaps are not empty
//! ```
//!
//! A timer that is no longer wanted is taken out of its heap at once, by its index: timeouts nearly
//! always end so, and a heap never holds more than what is pending. It is added and removed in
//! O(log n), and mostly in O(1), as what is added last is mostly due last.
//!
//! # No deadline is slept through
//!
//! The core asks this of its host: a timer is written before [`timer_added`], and after the fence
//! in there either the poller's word is seen, or the poller sees the timer; see the core's
//! `poll.rs`. What the poller and a machine on its way to sleep read here are `armed` and
//! `earliest`, without the lock. Both are written under a heap's lock, so that each later value
//! tells of the timer, too, or of its end; `Relaxed` is enough for them, since it is the fences
//! that order them.
//!
//! There is one step more: a resize moves timers from heap to heap while a poller, who has no
//! processor, may be reading. It reads from the last heap to the first; timers move towards the
//! first, and are counted there before they are gone here.
//!
//! ```text
//!    resize                             the poller
//!    earliest of P0 = 12:00:01
//!    earliest of P2 = never, Release    P2: never, Acquire
//!                                       P0: 12:00:01, or something later
//! ```
//!
//! [`timer_added`]: gosched::Scheduler::timer_added
//
//= go1.27:src/runtime/time.go#timers

mod heap;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use crossbeam_utils::CachePadded;

use self::heap::{Heap, Place};
use crate::contain::contained;

/// No timer is due then: it is never.
pub(crate) const NEVER: u64 = u64::MAX;
/// How many timers are taken out in one go, under the lock.
const CHUNK: usize = 128;

/// The timers of a runtime.
pub(crate) struct Timers {
    shards: Box<[CachePadded<Shard>]>,
    /// How many heaps are not empty.
    armed: CachePadded<AtomicUsize>,
    /// How many processors there are, which is how many heaps are in use; 0 after the shutdown.
    processors: CachePadded<AtomicUsize>,
}

/// One processor's timers.
struct Shard {
    /// When the first of the heap is due, or [`NEVER`]. Written under the lock.
    earliest: AtomicU64,
    heap: Mutex<Heap>,
}

/// A timer that somebody owns. It is to be [removed](Timers::remove): one that is dropped while it
/// is pending wakes for nothing.
#[derive(Debug, Default)]
pub(crate) struct Timer(Arc<Place>);

impl Timer {
    /// A timer that is not pending yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether it is in a heap: it was [set](Timers::set), and has neither woken nor been removed.
    pub(crate) fn is_pending(&self) -> bool {
        self.0.shard().is_some()
    }
}

impl Timers {
    /// No timers, for so many processors, of at most so many.
    pub(crate) fn new(processors: usize, max_processors: usize) -> Self {
        let shard = |_| {
            let heap = Mutex::new(Heap::default());
            CachePadded::new(Shard { earliest: AtomicU64::new(NEVER), heap })
        };
        Self {
            shards: (0..max_processors.max(processors).max(1)).map(shard).collect(),
            armed: CachePadded::new(AtomicUsize::new(0)),
            processors: CachePadded::new(AtomicUsize::new(processors.max(1))),
        }
    }

    /// Has a timer wake `waker` at `when`, on the runtime's clock, whatever it was set to before.
    /// It lies with `processor`, the one that the caller runs on, or where it lay.
    ///
    /// To be followed by [`timer_added`](gosched::Scheduler::timer_added), if this says so: it does
    /// if the timer is now the first of its heap, and due earlier than the first was. Else somebody
    /// was told of the first, and sees to it that whoever follows is not forgotten.
    #[must_use = "the poller may have to be told"]
    pub(crate) fn set(&self, timer: &Timer, when: u64, waker: &Waker, processor: usize) -> bool {
        debug_assert_ne!(when, NEVER, "a timer that is never due is no timer");
        if let Some(first) = self.reset(timer, when, waker) {
            return first;
        }
        let mut waker = Some(waker.clone());
        let mut shard = processor;
        loop {
            // ORDER: Relaxed: a hint, until we have the lock.
            if shard >= self.processors.load(Ordering::Relaxed) {
                shard = 0;
            }
            let added = self.shards[shard].change(&self.armed, |heap| {
                // ORDER: Relaxed: a resize changes it before it takes the lock to empty the heap:
                // either it finds our timer, or we see that the heap is used no more.
                let processors = self.processors.load(Ordering::Relaxed);
                if processors == 0 {
                    return Some(false);
                }
                let waker = waker.take_if(|_| shard < processors)?;
                Some(heap.push(when, waker, &timer.0, shard))
            });
            if let Some(first) = added {
                return first;
            }
        }
    }

    /// Changes a timer that is pending. Whether it has become the first, and earlier than the first
    /// was; `None` if it is not pending.
    fn reset(&self, timer: &Timer, when: u64, waker: &Waker) -> Option<bool> {
        let mut other = None;
        loop {
            // What is replaced is dropped while we hold no lock, and what is new is cloned so: they
            // may be anybody's, and do anything.
            let (first, replaced) = self.where_pending(timer, |heap| {
                if other.is_none() && !heap.waker(&timer.0).will_wake(waker) {
                    return (None, None);
                }
                let (first, replaced) = heap.reset(&timer.0, when, other.take());
                (Some(first), replaced)
            })?;
            if let Some(replaced) = replaced {
                contained(|| drop(replaced));
            }
            if first.is_some() {
                return first;
            }
            other = Some(waker.clone());
        }
    }

    /// Takes a timer out, if it is pending. It wakes nobody from then on, unless it is being woken.
    pub(crate) fn remove(&self, timer: &Timer) {
        let removed = self.where_pending(timer, |heap| heap.remove(&timer.0));
        // After the lock is free. It may be a stranger's, and panic; and who removes a timer is
        // perhaps being dropped.
        if let Some(waker) = removed {
            contained(|| drop(waker));
        }
    }

    /// Does something to the heap in which a timer is pending.
    fn where_pending<T>(&self, timer: &Timer, act: impl FnOnce(&mut Heap) -> T) -> Option<T> {
        let mut act = Some(act);
        loop {
            let shard = timer.0.shard()?;
            let done = self.shards[shard].change(&self.armed, |heap| {
                // It may have woken meanwhile, or moved in a resize.
                let act = act.take_if(|_| timer.0.shard() == Some(shard))?;
                Some(act(heap))
            });
            if done.is_some() {
                return done;
            }
        }
    }

    /// Whether any timer is pending.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        // ORDER: Relaxed: whoever must not miss a timer has made a fence; see the essay.
        self.armed.load(Ordering::Relaxed) != 0
    }

    /// Wakes those whose time has come on a processor. In the order of their times, and of equal
    /// times in the order in which they were set.
    pub(crate) fn take_due(
        &self,
        processor: usize,
        now: impl Fn() -> u64,
        wake: impl FnMut(Waker),
    ) {
        let shard = &self.shards[processor];
        // ORDER: Relaxed: as in `any`.
        let earliest = shard.earliest.load(Ordering::Relaxed);
        if earliest == NEVER {
            return;
        }
        let now = now();
        if earliest <= now {
            self.take_until(shard, now, wake);
        }
    }

    #[cold]
    fn take_until(&self, shard: &Shard, now: u64, mut wake: impl FnMut(Waker)) {
        let mut wakers = Vec::new();
        loop {
            shard.change(&self.armed, |heap| {
                let due = std::iter::from_fn(|| heap.pop_due(now));
                wakers.extend(due.take(CHUNK));
            });
            let last = wakers.len() < CHUNK;
            // They may be anybody's, and do anything, so not under the lock.
            wakers.drain(..).for_each(&mut wake);
            if last {
                return;
            }
        }
    }

    /// Whether a timer on a processor is due.
    pub(crate) fn has_due(&self, processor: usize, now: impl Fn() -> u64) -> bool {
        // ORDER: Relaxed: as in `any`.
        let earliest = self.shards[processor].earliest.load(Ordering::Relaxed);
        earliest != NEVER && earliest <= now()
    }

    /// When the earliest of all is due.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        // ORDER: Acquire: pairs with the Release in `change`, of a resize: whoever reads that
        // timers have left reads next where they have gone; see the essay. From the last to the
        // first.
        let earliest = |shard: &CachePadded<Shard>| shard.earliest.load(Ordering::Acquire);
        let first = self.shards.iter().rev().map(earliest).min();
        first.filter(|&first| first != NEVER)
    }

    /// The number of processors has changed: the timers of those that take part no more go to the
    /// others. O(n log n) for n that move.
    pub(crate) fn resized(&self, _from: usize, to: usize) {
        // ORDER: Relaxed: before the locks; see `set`.
        self.processors.store(to, Ordering::Relaxed);
        for (from, shard) in self.shards.iter().enumerate().skip(to) {
            let into = from % to;
            // Two locks at once, the higher number first, so that a timer is always somewhere.
            // Nobody else holds two.
            shard.change(&self.armed, |heap| {
                if !heap.is_empty() {
                    self.shards[into].change(&self.armed, |other| other.append(heap, into));
                }
            });
        }
    }

    /// The runtime has shut down: nobody will be woken any more.
    pub(crate) fn close(&self) {
        // ORDER: Relaxed: before the locks; see `set`.
        self.processors.store(0, Ordering::Relaxed);
        for shard in &self.shards {
            let wakers = shard.change(&self.armed, Heap::clear);
            for waker in wakers {
                // The destructor of somebody's waker may panic, and the others are to be dropped.
                contained(|| drop(waker));
            }
        }
    }
}

impl Shard {
    /// Does something to the heap, and tells when it is due from now on.
    fn change<T>(&self, armed: &AtomicUsize, act: impl FnOnce(&mut Heap) -> T) -> T {
        let mut heap = self.heap.lock().unwrap_or_else(PoisonError::into_inner);
        let before = heap.earliest();
        let result = act(&mut heap);
        let after = heap.earliest();
        if before == NEVER && after != NEVER {
            // ORDER: Relaxed: as in `any`. A heap counts itself down after it has counted itself
            // up, by its lock: at no time is the sum 0 while a heap is armed.
            armed.fetch_add(1, Ordering::Relaxed);
        }
        if before != after {
            // ORDER: Release: for the timers that a resize took from here, see `next_deadline`.
            self.earliest.store(after, Ordering::Release);
        }
        if before != NEVER && after == NEVER {
            // ORDER: Relaxed: as above.
            armed.fetch_sub(1, Ordering::Relaxed);
        }
        result
    }
}

#[cfg(test)]
mod tests;
