//! What a runtime counts, for each processor.
//!
//! A processor's counts have one writer at a time, the machine that owns it: adding is a load and a
//! store, without a locked instruction, and as processors change hands by synchronising operations
//! no count is lost. What happens seldom, or without a processor, is added by a locked instruction
//! into words of its own. The reader takes no lock: it sums up.
//!
//! | count | is of | written by |
//! |---|---|---|
//! | [`Count`] | what goroutines do on a processor | its owner |
//! | [`Rare`] | what the scheduler does for a processor | anybody |

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;

use crate::latency::Histogram;

/// What the owner of a processor counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// Goroutines that were started.
    Started,
    /// Goroutines that have ended.
    Ended,
    /// Switches to a goroutine.
    Switches,
    /// Goroutines that have stopped to wait.
    Parks,
    /// Goroutines that have given the others their turn, asked or unasked.
    Yields,
    /// System calls.
    Blocking,
}

/// How many there are of [`Count`].
const COUNTS: usize = 6;

/// What anybody counts, for a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rare {
    /// How often its machine stole.
    Steals,
    /// Tasks that its machine stole.
    Stolen,
    /// How often it was passed on with work.
    HandOffs,
    /// How often it was taken out of a system call.
    Retakes,
    /// How often an end of the slice was asked for.
    PreemptRequests,
    /// How often its machine polled.
    Polls,
    /// Goroutines that polls and timers have made runnable.
    Polled,
    /// Timers' goroutines among those.
    TimersFired,
}

/// How many there are of [`Rare`].
const RARES: usize = 8;

/// One processor's counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    counts: [AtomicU64; COUNTS],
    rare: CachePadded<[AtomicU64; RARES]>,
    pub(crate) latency: Histogram,
}

impl Counters {
    /// Adds one, as the only writer: the owner of the processor.
    #[inline]
    pub(crate) fn add(&self, count: Count) {
        let word = &self.counts[count as usize];
        // ORDER: Release, and Relaxed for the own count: pairs with the Acquire in `sums`: an end
        // is never seen without its start, which may be another processor's.
        word.store(word.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Adds one, as one of several writers.
    fn add_shared(&self, count: Count) {
        // ORDER: Release: as above.
        self.counts[count as usize].fetch_add(1, Ordering::Release);
    }

    pub(crate) fn add_rare(&self, rare: Rare, count: u64) {
        // ORDER: Relaxed: it tells itself alone.
        self.rare[rare as usize].fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, count: Count) -> u64 {
        // ORDER: Acquire: pairs with the Release in `add`.
        self.counts[count as usize].load(Ordering::Acquire)
    }

    pub(crate) fn get_rare(&self, rare: Rare) -> u64 {
        // ORDER: Relaxed: as `add_rare`.
        self.rare[rare as usize].load(Ordering::Relaxed)
    }
}

/// The counts of a runtime.
#[derive(Debug)]
pub(crate) struct AllCounters {
    processors: Box<[CachePadded<Counters>]>,
    /// What happened without a processor: on other threads, and on machines in system calls.
    outside: CachePadded<Counters>,
    /// The runtime's clock as sysmon, or a machine that woke, has lately read it: for what need not
    /// be exact, and must be cheap.
    coarse: CachePadded<AtomicU64>,
    /// Whether somebody waits until all goroutines have ended.
    awaited: AtomicBool,
    waits: Mutex<()>,
    changed: Condvar,
}

/// Sums over all processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) started: u64,
    pub(crate) ended: u64,
    pub(crate) switches: u64,
}

impl AllCounters {
    /// Counts for so many processors.
    pub(crate) fn new(processors: usize) -> Self {
        Self {
            processors: (0..processors).map(|_| CachePadded::default()).collect(),
            outside: CachePadded::default(),
            coarse: CachePadded::default(),
            awaited: AtomicBool::new(false),
            waits: Mutex::new(()),
            changed: Condvar::new(),
        }
    }

    /// The counts of a processor; without one, of what happens outside.
    pub(crate) fn of(&self, processor: Option<usize>) -> &Counters {
        processor.and_then(|id| self.processors.get(id)).unwrap_or(&self.outside)
    }

    /// Adds one to what happens without a processor.
    #[cold]
    pub(crate) fn add_outside(&self, count: Count) {
        self.outside.add_shared(count);
    }

    /// The coarse time: not later than now, and while anything runs not more than about 10 ms
    /// earlier.
    #[inline]
    pub(crate) fn coarse(&self) -> u64 {
        // ORDER: Relaxed: it tells itself alone.
        self.coarse.load(Ordering::Relaxed)
    }

    /// Somebody has read the clock.
    pub(crate) fn set_coarse(&self, now: u64) {
        // ORDER: Relaxed: as above.
        self.coarse.store(now, Ordering::Relaxed);
    }

    /// All counts: the processors', and what happened outside.
    fn all(&self) -> impl Iterator<Item = &Counters> {
        self.processors.iter().chain([&self.outside]).map(|counters| &**counters)
    }

    /// The sums. The ends are read first: so there are never more of them than starts.
    pub(crate) fn sums(&self) -> Sums {
        let sum = |count| self.all().map(|counters| counters.get(count)).sum();
        let ended = sum(Count::Ended);
        Sums { started: sum(Count::Started), ended, switches: sum(Count::Switches) }
    }

    /// How many goroutines there are: started and not ended.
    pub(crate) fn alive(&self) -> u64 {
        let sums = self.sums();
        sums.started - sums.ended
    }

    /// Tells whoever waits that a goroutine has ended.
    #[inline]
    pub(crate) fn tell_ended(&self) {
        // ORDER: Relaxed: one who waits looks again after a while, too.
        if self.awaited.load(Ordering::Relaxed) {
            self.changed.notify_all();
        }
    }

    /// Waits until there is no goroutine, or the time is over. How many there are then.
    pub(crate) fn wait_for_none(&self, longest: Duration) -> u64 {
        let begin = Instant::now();
        // ORDER: Relaxed: see `tell_ended`.
        self.awaited.store(true, Ordering::Relaxed);
        loop {
            let alive = self.alive();
            let left = longest.saturating_sub(begin.elapsed());
            if alive == 0 || left.is_zero() {
                return alive;
            }
            // The one who ends may not have seen that we wait: so not for long.
            let nap = left.min(Duration::from_millis(10));
            let waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
            drop(self.changed.wait_timeout(waits, nap));
        }
    }
}
