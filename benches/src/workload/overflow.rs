//! Pushes into a full queue: a part of it goes to the global queue, again and again.

use core::time::Duration;

use super::{Sum, Tasks, Workload, opaque, timed};
use crate::queue::{CAPACITY, Global, Queue};

/// Ten times around the ring.
const LAPS: usize = 10;

/// Fills a queue and goes on. An operation is one push, the rare dear one among them.
pub struct Overflow<Q> {
    queue: Q,
    global: Global,
    tasks: Tasks,
}

impl<Q: Queue> Overflow<Q> {
    /// With an empty global queue.
    #[must_use]
    pub fn new() -> Self {
        Self { queue: Q::new(), global: Global::new(), tasks: Tasks::new(CAPACITY) }
    }
}

impl<Q: Queue> Default for Overflow<Q> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Q: Queue> Workload for Overflow<Q> {
    fn operations(&self) -> u64 {
        (LAPS * CAPACITY) as u64
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let Self { queue, global, tasks } = self;
        let mut time = Duration::ZERO;
        let mut taken = Sum::default();
        for _ in 0..rounds {
            tasks.words().iter().for_each(|word| queue.push(*word));
            time += timed(|| {
                for word in core::iter::repeat_n(tasks.words(), LAPS).flatten() {
                    opaque(queue).push_or_overflow(*word, global);
                }
            })
            .1;
            taken.drain(queue);
            global.pop_all().into_iter().for_each(|task| taken.add(task));
        }
        taken.must_be(tasks.sum().times(rounds * (LAPS as u64 + 1)), Q::NAME);
        time
    }
}

impl<Q> core::fmt::Debug for Overflow<Q> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Overflow").field("global", &self.global).finish_non_exhaustive()
    }
}
