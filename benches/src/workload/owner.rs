//! The owner alone: push some, pop as many.

use core::time::Duration;

use super::{Sum, Tasks, Workload, opaque, timed};
use crate::queue::Queue;

/// Pushes `burst` tasks, pops `burst` tasks. An operation is a pair of a push and a pop.
#[derive(Debug)]
pub struct Bursts<Q> {
    queue: Q,
    tasks: Tasks,
}

impl<Q: Queue> Bursts<Q> {
    /// Bursts of a length.
    #[must_use]
    pub fn new(burst: usize) -> Self {
        Self { queue: Q::new(), tasks: Tasks::new(burst) }
    }
}

impl<Q: Queue> Workload for Bursts<Q> {
    fn operations(&self) -> u64 {
        self.tasks.0.len() as u64
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let Self { queue, tasks } = self;
        let (taken, time) = timed(|| {
            let mut taken = Sum::default();
            for _ in 0..rounds {
                let words = tasks.words();
                for word in words {
                    opaque(queue).push(*word);
                }
                for _ in words {
                    taken.add_some(opaque(queue).pop());
                }
            }
            taken
        });
        taken.must_be(tasks.sum().times(rounds), Q::NAME);
        assert!(queue.pop().is_none(), "{}: more tasks than were pushed", Q::NAME);
        time
    }
}
