//! One long run on the hardware: an owner that does everything at random, and thieves that never
//! stop.

use std::num::NonZeroUsize;

use gosched::memory::{Atomic, Ordering, Shared};
use gosched::{GlobalQueue, LocalQueue, NextSlot, Owner, Stealer};

use super::scenario::Id;
use crate::claim::{Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

/// `tasks` tasks through a ring of `CAP`, against `thieves` thieves.
pub(super) struct Long<const CAP: usize> {
    pub(super) tasks: usize,
    pub(super) thieves: usize,
}

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

impl<const CAP: usize> Model for Long<CAP> {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(self.tasks);
        let finished = W::Arc::new(W::AtomicU32::new(0));
        let mut owner = LocalQueue::<Id, CAP, W>::with_memory();
        let threads: Vec<_> = (0..self.thieves)
            .map(|_| {
                let (victim, tasks, finished) = (owner.stealer(), tasks.clone(), finished.clone());
                W::spawn(move || rob::<W, CAP>(&victim, &tasks, &finished))
            })
            .collect();
        let popped = self.own(&mut owner, &tasks);
        // ORDER: Release: pairs with the thieves' Acquire; they look at the queue once more after.
        finished.store(1, Ordering::Release);
        let stolen: usize = threads.into_iter().map(W::join).sum();
        assert_eq!(popped + stolen, self.tasks, "each task was taken once");
        tasks.assert_ran(self.tasks);
        String::from(if stolen > 0 { "some were stolen" } else { "none was stolen" })
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![Witness { name: "thieves stole", seen_in: |outcome| outcome == "some were stolen" }]
    }
}

impl<const CAP: usize> Long<CAP> {
    /// The owner's part; returns how many tasks it ran.
    fn own<W: World>(&self, owner: &mut Owner<Id, CAP, W>, tasks: &Tasks<W>) -> usize {
        let global = GlobalQueue::with_memory();
        let mut random = Random(0x9E37_79B9);
        let (mut made, mut ran) = (0, 0);
        let mut make = || {
            made += 1;
            tasks.create(made);
            (made, NonZeroUsize::new(made).expect("tasks are numbered from 1"))
        };
        let mut last = 0;
        while last < self.tasks {
            let choice = random.next() % 8;
            if choice < 5 {
                let (number, task) = make();
                last = number;
                if choice < 3 {
                    owner.push_or_overflow(task, &global);
                } else {
                    owner.push_next_or_overflow(task, &global);
                }
            } else {
                let popped = owner.pop().map(|popped| popped.task);
                let task = popped.or_else(|| owner.take_share(&global, NonZeroUsize::MIN));
                if let Some(task) = task {
                    tasks.run(task.get());
                    ran += 1;
                }
            }
        }
        let rest = |owner: &mut Owner<Id, CAP, W>| owner.pop().map(|popped| popped.task);
        while let Some(task) = rest(owner).or_else(|| global.pop()) {
            tasks.run(task.get());
            ran += 1;
        }
        ran
    }
}

/// A thief's part: steals until the owner has finished; returns how many tasks it ran.
fn rob<W: World, const CAP: usize>(
    victim: &Stealer<Id, CAP, W>,
    tasks: &Tasks<W>,
    finished: &W::AtomicU32,
) -> usize {
    let mut own = LocalQueue::<Id, CAP, W>::with_memory();
    let mut ran = 0;
    loop {
        // ORDER: Acquire: pairs with the owner's Release.
        let last = finished.load(Ordering::Acquire) == 1;
        let slot = if ran % 4 == 0 { NextSlot::Take } else { NextSlot::Leave };
        if let Ok(stolen) = victim.steal_into(&mut own, slot) {
            tasks.run(stolen.task.get());
            ran += 1;
            while let Some(popped) = own.pop() {
                tasks.run(popped.task.get());
                ran += 1;
            }
        } else if last {
            return ran;
        } else {
            W::spin_loop();
        }
    }
}
