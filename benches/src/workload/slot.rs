//! The most recent task first: the slot, or what stands in for it.
//!
//! Sixteen other tasks wait in the queue all the while, as a slot that bypasses nothing shows
//! nothing.

use core::time::Duration;

use super::{Sum, Tasks, Workload, opaque, timed};
use crate::queue::Recent;

const WAITING: usize = 16;

/// A task readies another and blocks, again and again: the slot is filled and emptied.
#[derive(Debug)]
pub struct PingPong<Q>(Slot<Q>);

/// Two tasks are readied, then two run: the second takes the slot, and kicks the first out of it.
/// An operation is one task: half a round.
#[derive(Debug)]
pub struct Kick<Q>(Slot<Q>);

#[derive(Debug)]
struct Slot<Q> {
    queue: Q,
    waiting: Tasks,
    tasks: Tasks,
}

impl<Q: Recent> PingPong<Q> {
    /// With sixteen tasks that wait.
    #[must_use]
    pub fn new() -> Self {
        Self(Slot::new())
    }
}

impl<Q: Recent> Kick<Q> {
    /// With sixteen tasks that wait.
    #[must_use]
    pub fn new() -> Self {
        Self(Slot::new())
    }
}

impl<Q: Recent> Default for PingPong<Q> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Q: Recent> Default for Kick<Q> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Q: Recent> Slot<Q> {
    fn new() -> Self {
        let (queue, waiting) = (Q::new(), Tasks::new(WAITING));
        let mut slot = Self { queue, waiting, tasks: Tasks::new(2) };
        slot.fill();
        slot
    }

    fn fill(&mut self) {
        self.waiting.words().iter().for_each(|word| self.queue.push(*word));
    }

    /// Whatever was pushed is among what was taken and what is left.
    fn check(&mut self, mut taken: Sum, mut pushed: Sum) {
        let left = taken.drain(&mut self.queue);
        assert_eq!(left, WAITING, "{}: not as many tasks left as before", Q::NAME);
        pushed.join(self.waiting.sum());
        taken.must_be(pushed, Q::NAME);
        self.fill();
    }
}

impl<Q: Recent> Workload for PingPong<Q> {
    fn operations(&self) -> u64 {
        1
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let slot = &mut self.0;
        let next = slot.tasks.words()[0];
        let (taken, time) = timed(|| {
            let mut taken = Sum::default();
            for _ in 0..rounds {
                opaque(&mut slot.queue).push_next(next);
                taken.add_some(opaque(&mut slot.queue).pop());
            }
            taken
        });
        let mut pushed = Sum::default();
        pushed.add(next);
        // Each pop took the task just pushed, and none of those that wait.
        taken.must_be(pushed.times(rounds), Q::NAME);
        slot.check(taken, pushed.times(rounds));
        time
    }
}

impl<Q: Recent> Workload for Kick<Q> {
    fn operations(&self) -> u64 {
        2
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let slot = &mut self.0;
        let &[first, second] = slot.tasks.words() else { unreachable!("two tasks") };
        let (taken, time) = timed(|| {
            let mut taken = Sum::default();
            for _ in 0..rounds {
                opaque(&mut slot.queue).push_next(first);
                opaque(&mut slot.queue).push_next(second);
                taken.add_some(opaque(&mut slot.queue).pop());
                taken.add_some(opaque(&mut slot.queue).pop());
            }
            taken
        });
        let pushed = slot.tasks.sum().times(rounds);
        slot.check(taken, pushed);
        time
    }
}
