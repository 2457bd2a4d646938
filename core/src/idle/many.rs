//! More than 48 processors: the bits in several words, the count in another.
//!
//! No step changes both, so each operation is two, in the order that errs towards a searcher too
//! many: a bit is taken before its searcher is counted, and set before the count goes down.

use alloc::boxed::Box;
use core::fmt;

use crossbeam_utils::CachePadded;

use super::Put;
use crate::memory::{Atomic, AtomicInt, Memory, Ordering, invariant};

/// In the count's word: the world is being stopped. The count is below.
const STOPPING: u64 = 1 << 63;
const BITS: usize = u64::BITS as usize;

pub(super) struct ManyWords<Mem: Memory> {
    idle: Box<[CachePadded<Mem::AtomicU64>]>,
    searching: CachePadded<Mem::AtomicU64>,
    processors: usize,
}

impl<Mem: Memory> ManyWords<Mem> {
    pub(super) fn new(processors: usize) -> Self {
        let words = processors.div_ceil(BITS);
        Self {
            idle: (0..words).map(|_| CachePadded::new(Mem::AtomicU64::new(0))).collect(),
            searching: CachePadded::new(Mem::AtomicU64::new(0)),
            processors,
        }
    }

    pub(super) fn processors(&self) -> usize {
        self.processors
    }

    pub(super) fn is_idle(&self, processor: usize) -> bool {
        self.idle.get(processor / BITS).is_some_and(|word| {
            // ORDER: Relaxed: as `OneWord::view`.
            word.load(Ordering::Relaxed) & bit(processor) != 0
        })
    }

    pub(super) fn idle(&self) -> usize {
        // ORDER: Relaxed: as `OneWord::view`; the words are of different instants.
        self.idle.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum()
    }

    pub(super) fn searching(&self) -> usize {
        // ORDER: Relaxed: as `OneWord::view`.
        (self.searching.load(Ordering::Relaxed) & !STOPPING) as usize
    }

    pub(super) fn is_stopping(&self) -> bool {
        // ORDER: Relaxed: as `OneWord::view`.
        self.searching.load(Ordering::Relaxed) & STOPPING != 0
    }

    pub(super) fn wake_one(&self) -> Option<usize> {
        // ORDER: Acquire: for `end_search`, whose change of the count this load reads, or a later
        // one; pairs with the Release of `put` and `resume` on the count. Without it the bit that
        // was set before the count went down may be missed, and nobody is woken. (All others have
        // made a `fence(SeqCst)`.)
        if self.searching.load(Ordering::Acquire) != 0 {
            return None;
        }
        let processor = self.take(usize::MAX)?;
        // ORDER: Relaxed: the count tells itself alone; the processor was acquired with its bit.
        self.searching.fetch_add(1, Ordering::Relaxed);
        Some(processor)
    }

    pub(super) fn begin_search(&self, processors: usize) -> bool {
        if 2 * self.searching() >= processors.saturating_sub(self.idle()) {
            return false;
        }
        // ORDER: Relaxed: as `OneWord::begin_search`.
        self.searching.fetch_add(1, Ordering::Relaxed);
        true
    }

    pub(super) fn end_search(&self) -> Option<usize> {
        // ORDER: Release: pairs with the fence after `put`; without it the rest of a steal may be
        // missed by whoever puts a processor down later and sees that nobody searches, another
        // searcher for instance.
        let before = self.searching.fetch_sub(1, Ordering::Release);
        invariant!(Mem, before & !STOPPING > 0, "a search ends that was not counted");
        // No fence: whoever changed the count before has set its bit before, and we see it; whoever
        // changes it later sees that nobody searches, and looks.
        if before == 1 { self.wake_one() } else { None }
    }

    pub(super) fn cancel_search(&self) {
        // ORDER: Relaxed: as `OneWord::cancel_search`.
        let before = self.searching.fetch_sub(1, Ordering::Relaxed);
        invariant!(Mem, before > STOPPING, "a search is cancelled while the world runs");
    }

    pub(super) fn put(&self, processor: usize, searching: bool) -> Put {
        // ORDER: Release: pairs with the Acquire of `take`; without it the taker may miss what was
        // left in the processor.
        let before = self.word(processor).fetch_or(bit(processor), Ordering::Release);
        invariant!(Mem, before & bit(processor) == 0, "{processor} is put down twice");
        // A read-modify-write also when nothing is taken off, so that it reads the newest: a
        // stopper that it does not see will see the bit.
        // ORDER: Release: pairs with the Acquire of `wake_one` and of `stop`; without it they may
        // miss the bit that was set before.
        let before = self.searching.fetch_sub(u64::from(searching), Ordering::Release);
        invariant!(Mem, before & !STOPPING >= u64::from(searching), "who searches?");
        if before & STOPPING != 0 {
            // Whoever clears the bit owns the processor: the stopper or we.
            return if self.claim(processor) { Put::Stopping } else { Put::Leave };
        }
        if before == u64::from(searching) { Put::Look } else { Put::Leave }
    }

    pub(super) fn take(&self, preferred: usize) -> Option<usize> {
        if preferred < self.processors && self.is_idle(preferred) && self.claim(preferred) {
            return Some(preferred);
        }
        self.idle.iter().enumerate().find_map(|(index, word)| {
            // ORDER: Relaxed: `claim` decides.
            let mut seen = word.load(Ordering::Relaxed);
            while seen != 0 {
                let processor = index * BITS + seen.trailing_zeros() as usize;
                if self.claim(processor) {
                    return Some(processor);
                }
                seen &= seen - 1;
            }
            None
        })
    }

    pub(super) fn stop(&self, taken: impl FnMut(usize)) -> bool {
        // ORDER: Acquire: pairs with the Release of `put` on the count; without it a bit that was
        // set before may be missed, by both.
        if self.searching.fetch_or(STOPPING, Ordering::Acquire) & STOPPING != 0 {
            return false;
        }
        (0..self.processors)
            .filter(|&processor| self.is_idle(processor) && self.claim(processor))
            .for_each(taken);
        true
    }

    pub(super) fn resume(&self, idle: impl Iterator<Item = usize>) {
        for processor in idle {
            // ORDER: Release: as in `put`.
            self.word(processor).fetch_or(bit(processor), Ordering::Release);
        }
        // ORDER: Release: pairs with the Acquire of `wake_one`, so that the bits are seen.
        let before = self.searching.fetch_and(!STOPPING, Ordering::Release);
        invariant!(Mem, before & STOPPING != 0, "the world was not stopped");
    }

    /// Clears a processor's bit; true if it was set: the processor is the caller's then.
    fn claim(&self, processor: usize) -> bool {
        // ORDER: Acquire: pairs with the Release of `put`; without it the taker may miss what was
        // left in the processor.
        self.word(processor).fetch_and(!bit(processor), Ordering::Acquire) & bit(processor) != 0
    }

    fn word(&self, processor: usize) -> &Mem::AtomicU64 {
        &self.idle[processor / BITS]
    }
}

fn bit(processor: usize) -> u64 {
    1 << (processor % BITS)
}

impl<Mem: Memory> fmt::Debug for ManyWords<Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManyWords").field("processors", &self.processors).finish_non_exhaustive()
    }
}
