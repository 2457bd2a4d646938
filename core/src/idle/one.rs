//! Up to 48 processors: everything in one word, and every change one compare-exchange.

use core::fmt;

use crossbeam_utils::CachePadded;

use super::Put;
use crate::memory::{Atomic, AtomicInt, Memory, Ordering, invariant};

/// The number of processors that one word has bits for.
pub(super) const PROCESSORS: usize = 48;
const SEARCHER: u64 = 1 << PROCESSORS;
const STOPPING: u64 = 1 << 63;
const IDLE: u64 = SEARCHER - 1;

/// A value of the word: see the layout in the [module](super).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u64);

impl Word {
    pub(super) fn is_idle(self, processor: usize) -> bool {
        processor < PROCESSORS && self.0 & 1 << processor != 0
    }

    pub(super) fn idle(self) -> usize {
        (self.0 & IDLE).count_ones() as usize
    }

    pub(super) fn searching(self) -> usize {
        ((self.0 & !STOPPING) >> PROCESSORS) as usize
    }

    pub(super) fn is_stopping(self) -> bool {
        self.0 & STOPPING != 0
    }

    /// `preferred` if it is idle, else the lowest idle processor.
    fn choose(self, preferred: usize) -> Option<usize> {
        if self.is_idle(preferred) {
            Some(preferred)
        } else {
            (self.0 & IDLE != 0).then_some(self.0.trailing_zeros() as usize)
        }
    }

    fn without_idle(self, processor: usize) -> Self {
        Self(self.0 & !(1 << processor))
    }

    fn with_idle(self, processor: usize) -> Self {
        Self(self.0 | 1 << processor)
    }

    fn with_searcher(self) -> Self {
        Self(self.0 + SEARCHER)
    }

    /// Without one searcher, if `searching`.
    fn less_searcher(self, searching: bool) -> Self {
        Self(self.0 - if searching { SEARCHER } else { 0 })
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopping = if self.is_stopping() { " stopping" } else { "" };
        write!(f, "idle {:#b} searching {}{stopping}", self.0 & IDLE, self.searching())
    }
}

/// The word, alone on its cache line: every submit reads it.
pub(super) struct OneWord<Mem: Memory> {
    word: CachePadded<Mem::AtomicU64>,
    processors: usize,
}

impl<Mem: Memory> OneWord<Mem> {
    pub(super) fn new(processors: usize) -> Self {
        Self { word: CachePadded::new(Mem::AtomicU64::new(0)), processors }
    }

    pub(super) fn processors(&self) -> usize {
        self.processors
    }

    #[inline]
    pub(super) fn view(&self) -> Word {
        // ORDER: Relaxed: the word's own history is all that is asked for; whoever submits or goes
        // to sleep on it has made a `fence(SeqCst)` before.
        Word(self.word.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn wake_one(&self) -> Option<usize> {
        let mut seen = self.view();
        while seen.searching() == 0 && !seen.is_stopping() {
            let processor = seen.choose(PROCESSORS)?;
            // ORDER: Acquire: pairs with the Release of `put`; without it the taker may miss what
            // the one who put the processor down left in it.
            match self.change(seen, seen.without_idle(processor).with_searcher(), Ordering::Acquire)
            {
                Ok(()) => return Some(processor),
                Err(newer) => seen = newer,
            }
        }
        None
    }

    pub(super) fn begin_search(&self, processors: usize) -> bool {
        let mut seen = self.view();
        while 2 * seen.searching() < processors.saturating_sub(seen.idle()) {
            // ORDER: Relaxed: the count itself is all that is told; what the searcher will find or
            // miss is settled when it stops.
            match self.change(seen, seen.with_searcher(), Ordering::Relaxed) {
                Ok(()) => return true,
                Err(newer) => seen = newer,
            }
        }
        false
    }

    pub(super) fn end_search(&self) -> Option<usize> {
        let mut seen = self.view();
        loop {
            invariant!(Mem, seen.searching() > 0, "a search ends that was not counted: {seen:?}");
            let successor = if seen.searching() == 1 && !seen.is_stopping() {
                seen.choose(PROCESSORS)
            } else {
                None
            };
            let next = match successor {
                Some(processor) => seen.without_idle(processor),
                None => seen.less_searcher(true),
            };
            // ORDER: Release: pairs with the fence after `put`: whoever puts a processor down later
            // and sees that nobody searches must see what this thief published; without it the rest
            // of a steal is stranded. (No fence here: a read-modify-write reads the newest word.)
            // Acquire: as in `wake_one`, for the successor's processor.
            match self.change(seen, next, Ordering::AcqRel) {
                Ok(()) => return successor,
                Err(newer) => seen = newer,
            }
        }
    }

    pub(super) fn cancel_search(&self) {
        // ORDER: Relaxed: nothing is concluded from the count before the world starts again.
        let before = Word(self.word.fetch_sub(SEARCHER, Ordering::Relaxed));
        invariant!(
            Mem,
            before.is_stopping() && before.searching() > 0,
            "a search is cancelled while the world runs: {before:?}"
        );
    }

    #[inline]
    pub(super) fn put(&self, processor: usize, searching: bool) -> Put {
        let mut seen = self.view();
        loop {
            invariant!(Mem, !seen.is_idle(processor), "{processor} is put down twice: {seen:?}");
            invariant!(Mem, !searching || seen.searching() > 0, "who searches? {seen:?}");
            let fewer = seen.less_searcher(searching);
            let (next, put) = if seen.is_stopping() {
                (fewer, Put::Stopping)
            } else if fewer.searching() > 0 {
                (fewer.with_idle(processor), Put::Leave)
            } else {
                (fewer.with_idle(processor), Put::Look)
            };
            // ORDER: Release: pairs with the Acquire of whoever takes the processor; without it the
            // taker may miss what was left in it.
            match self.change(seen, next, Ordering::Release) {
                Ok(()) => return put,
                Err(newer) => seen = newer,
            }
        }
    }

    pub(super) fn take(&self, preferred: usize) -> Option<usize> {
        let mut seen = self.view();
        loop {
            let processor = seen.choose(preferred)?;
            // ORDER: Acquire: as in `wake_one`.
            match self.change(seen, seen.without_idle(processor), Ordering::Acquire) {
                Ok(()) => return Some(processor),
                Err(newer) => seen = newer,
            }
        }
    }

    pub(super) fn stop(&self, taken: impl FnMut(usize)) -> bool {
        let mut seen = self.view();
        while !seen.is_stopping() {
            let next = Word(seen.0 & !IDLE | STOPPING);
            // ORDER: Acquire: as in `wake_one`, for every idle processor.
            match self.change(seen, next, Ordering::Acquire) {
                Ok(()) => {
                    (0..PROCESSORS).filter(|&processor| seen.is_idle(processor)).for_each(taken);
                    return true;
                }
                Err(newer) => seen = newer,
            }
        }
        false
    }

    pub(super) fn resume(&self, idle: impl Iterator<Item = usize>) {
        let idle = idle.fold(Word(0), Word::with_idle);
        let mut seen = self.view();
        loop {
            invariant!(Mem, seen == Word(STOPPING), "the world was not stopped: {seen:?}");
            // ORDER: Release: as in `put`, for each of them.
            match self.change(seen, idle, Ordering::Release) {
                Ok(()) => return,
                Err(newer) => seen = newer,
            }
        }
    }

    /// Replaces the word if it is still `seen`; otherwise tells what it is.
    #[inline(always)]
    #[track_caller]
    fn change(&self, seen: Word, next: Word, success: Ordering) -> Result<(), Word> {
        // ORDER: as the caller says. Relaxed on failure: the caller decides afresh, and takes
        // nothing before it succeeds.
        self.word
            .compare_exchange(seen.0, next.0, success, Ordering::Relaxed)
            .map(drop)
            .map_err(Word)
    }
}
