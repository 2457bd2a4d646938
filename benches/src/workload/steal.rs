//! Steal of half, on one core: what the instructions of a steal cost when all lines are warm.
//!
//! One steal is shorter than the clock is exact, so four victims are filled, and one timed section
//! steals once from each. What a steal costs across cores is another workload's question.

use core::time::Duration;

use super::{Sum, Tasks, Workload, opaque, timed};
use crate::queue::Queue;

const PAIRS: usize = 4;

/// Steals half of a fill, into an empty queue. An operation is one steal.
pub struct Steals<Q: Queue> {
    pairs: Vec<Pair<Q>>,
    tasks: Tasks,
}

struct Pair<Q: Queue> {
    victim: Q,
    stealer: Q::Stealer,
    thief: Q,
}

impl<Q: Queue> Steals<Q> {
    /// Victims with so many tasks.
    #[must_use]
    pub fn new(fill: usize) -> Self {
        let pair = |_| {
            let victim = Q::new();
            Pair { stealer: victim.stealer(), victim, thief: Q::new() }
        };
        Self { pairs: (0..PAIRS).map(pair).collect(), tasks: Tasks::new(fill) }
    }

    /// The thieves have half, rounded up, less what was returned; the victims the rest.
    fn drain(&mut self, taken: &mut Sum) {
        let fill = self.tasks.0.len();
        let stolen = fill - fill / 2;
        for pair in &mut self.pairs {
            assert_eq!(taken.drain(&mut pair.thief) + 1, stolen, "{}: not half", Q::NAME);
            assert_eq!(taken.drain(&mut pair.victim), fill - stolen, "{}: not half", Q::NAME);
        }
    }
}

impl<Q: Queue> Workload for Steals<Q> {
    fn operations(&self) -> u64 {
        PAIRS as u64
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let mut time = Duration::ZERO;
        let mut taken = Sum::default();
        for _ in 0..rounds {
            for pair in &mut self.pairs {
                self.tasks.words().iter().for_each(|word| pair.victim.push(*word));
            }
            let (returned, section) = timed(|| {
                let mut returned = Sum::default();
                for pair in &mut self.pairs {
                    returned.add_some(opaque(&mut pair.thief).steal(&pair.stealer));
                }
                returned
            });
            time += section;
            taken.join(returned);
            self.drain(&mut taken);
        }
        taken.must_be(self.tasks.sum().times(rounds * PAIRS as u64), Q::NAME);
        time
    }
}

impl<Q: Queue> core::fmt::Debug for Steals<Q> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Steals").field("fill", &self.tasks.0.len()).finish_non_exhaustive()
    }
}
