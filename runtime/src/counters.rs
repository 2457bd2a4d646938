//! What the workers count, each for itself: one writer a word, so no instruction is locked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_utils::CachePadded;

/// One worker's counts. Written by its thread alone.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// The machine's number.
    pub(crate) machine: usize,
    started: AtomicU64,
    ended: AtomicU64,
    switches: AtomicU64,
}

/// Adds one, as the only writer.
#[inline]
fn add(counter: &AtomicU64) {
    // ORDER: Relaxed, both: the thread's own count. `Release` for `ended` would tell nothing more:
    // whoever compares counts reads the ends before the starts, see `AllCounters::alive`.
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

impl Counters {
    #[inline]
    pub(crate) fn started(&self) {
        add(&self.started);
    }

    #[inline]
    pub(crate) fn ended(&self) {
        // ORDER: Release: pairs with the Acquire in `alive`: an end is never seen without its start,
        // which may be another worker's.
        self.ended.store(self.ended.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    #[inline]
    pub(crate) fn switched(&self) {
        add(&self.switches);
    }
}

/// The counts of all workers of a runtime.
#[derive(Debug, Default)]
pub(crate) struct AllCounters {
    workers: Mutex<Workers>,
    /// Goroutines that were started by threads that are no workers.
    outside: CachePadded<AtomicU64>,
    /// Goroutines that never ran.
    cancelled: CachePadded<AtomicU64>,
    /// Whether somebody waits until all goroutines have ended.
    awaited: AtomicBool,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Workers {
    alive: Vec<Arc<Counters>>,
    /// The sums of those that have ended.
    started: u64,
    ended: u64,
    switches: u64,
}

/// Sums over all workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) started: u64,
    pub(crate) ended: u64,
    pub(crate) switches: u64,
}

impl AllCounters {
    fn workers(&self) -> MutexGuard<'_, Workers> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts for a new worker.
    pub(crate) fn register(&self, machine: usize) -> Arc<Counters> {
        let counters = Arc::new(Counters { machine, ..Counters::default() });
        self.workers().alive.push(Arc::clone(&counters));
        counters
    }

    /// A worker has ended; its counts stay in the sums.
    pub(crate) fn retire(&self, counters: &Arc<Counters>) {
        let mut workers = self.workers();
        workers.alive.retain(|other| !Arc::ptr_eq(other, counters));
        // ORDER: Relaxed, all: the thread's own counts.
        workers.started += counters.started.load(Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        workers.ended += counters.ended.load(Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        workers.switches += counters.switches.load(Ordering::Relaxed);
    }

    /// A goroutine was started by a thread that is no worker.
    pub(crate) fn started_outside(&self) {
        // ORDER: Relaxed: as a worker's.
        self.outside.fetch_add(1, Ordering::Relaxed);
    }

    /// A goroutine will never run.
    pub(crate) fn ended_outside(&self) {
        // ORDER: Release: as a worker's.
        self.cancelled.fetch_add(1, Ordering::Release);
    }

    /// The sums. The ends are read first: so there are never more of them than starts.
    pub(crate) fn sums(&self) -> Sums {
        let workers = self.workers();
        // ORDER: Acquire: pairs with the Release in `ended`: the start of each that has ended is
        // counted below.
        let ended = |counters: &Arc<Counters>| counters.ended.load(Ordering::Acquire);
        let ended = workers.ended
            // ORDER: Acquire: as above.
            + self.cancelled.load(Ordering::Acquire)
            + workers.alive.iter().map(ended).sum::<u64>();
        let sum = |of: fn(&Counters) -> &AtomicU64| {
            // ORDER: Relaxed: after the above.
            workers.alive.iter().map(|counters| of(counters).load(Ordering::Relaxed)).sum::<u64>()
        };
        let started = workers.started + sum(|counters| &counters.started);
        Sums {
            // ORDER: Relaxed: as above.
            started: started + self.outside.load(Ordering::Relaxed),
            ended,
            switches: workers.switches + sum(|counters| &counters.switches),
        }
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
        let begin = std::time::Instant::now();
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
            let workers = self.workers();
            drop(self.changed.wait_timeout(workers, nap));
        }
    }
}
