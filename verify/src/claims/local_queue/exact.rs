//! Models that know what must come out: how many tasks, which, and in which order.

use std::num::NonZeroUsize;

use gosched::{LocalQueue, NextSlot, StealError};

use super::scenario::Id;
use crate::claim::{Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

/// Makes task `number`.
fn make<W: World>(tasks: &Tasks<W>, number: usize) -> Id {
    tasks.create(number);
    NonZeroUsize::new(number).expect("tasks are numbered from 1")
}

/// A thief takes the older half, rounded up, of the tasks that are there when it takes them: here
/// while the owner pops one.
pub(super) struct HalfAgainstPop {
    pub(super) len: usize,
}

impl Model for HalfAgainstPop {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(self.len);
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        for number in 1..=self.len {
            owner.push(make(&tasks, number)).expect("there is room");
        }
        let victim = owner.stealer();
        let runs = tasks.clone();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Id, 4, W>::with_memory();
            let stolen = victim.steal_into(&mut own, NextSlot::Leave).expect("one task stays");
            let mut taken = Vec::new();
            while let Some(popped) = own.pop() {
                taken.push(popped.task.get());
            }
            assert_eq!(taken.len(), stolen.moved, "the count of moved tasks is right");
            taken.push(stolen.task.get());
            taken.iter().for_each(|&number| runs.run(number));
            taken
        });

        let popped = owner.pop().map(|popped| popped.task.get());
        let taken = W::join(thief);
        let first = taken[0];
        let there = self.len - (first - 1);
        let half: Vec<usize> = (first..first + there - there / 2).collect();
        assert_eq!(taken, half, "the older half of the {there} tasks from {first} on");
        for number in popped.into_iter().chain(std::iter::from_fn(|| Some(owner.pop()?.task.get())))
        {
            tasks.run(number);
        }
        tasks.assert_ran(self.len);
        format!("popped {popped:?} stolen {taken:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the thief came first",
                seen_in: |outcome| outcome.contains("stolen [1"),
            },
            Witness {
                name: "the owner came first",
                seen_in: |outcome| outcome.starts_with("popped Some(1) stolen [2"),
            },
        ]
    }
}

/// The same while the owner pushes two tasks and then pops one. Who sees the pop must see the
/// pushes before it, or would take half of a ring that never was.
pub(super) struct HalfAgainstPushAndPop;

impl Model for HalfAgainstPushAndPop {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(4);
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        owner.push(make(&tasks, 1)).expect("there is room");
        owner.push(make(&tasks, 2)).expect("there is room");
        let victim = owner.stealer();
        let runs = tasks.clone();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Id, 4, W>::with_memory();
            let stolen = victim.steal_into(&mut own, NextSlot::Leave).expect("one task stays");
            runs.run(stolen.task.get());
            while let Some(popped) = own.pop() {
                runs.run(popped.task.get());
            }
            (stolen.task.get() - stolen.moved, stolen.moved + 1)
        });

        owner.push(make(&tasks, 3)).expect("there is room");
        owner.push(make(&tasks, 4)).expect("there is room");
        while let Some(popped) = owner.pop() {
            tasks.run(popped.task.get());
            if popped.task.get() == 1 {
                break;
            }
        }
        let (first, count) = W::join(thief);
        while let Some(popped) = owner.pop() {
            tasks.run(popped.task.get());
        }
        tasks.assert_ran(4);
        // From task 1 on: of two, three or four. From task 2 on: of three, for the pop came last.
        assert!(first != 2 || count == 2, "took {count} from task 2 on, of three");
        format!("stolen {count} from {first} on")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the thief saw no push",
                seen_in: |outcome| outcome == "stolen 1 from 1 on",
            },
            Witness {
                name: "the thief saw the pop",
                seen_in: |outcome| outcome == "stolen 2 from 2 on",
            },
        ]
    }
}

/// A full ring overflows, or a thief makes room: never both, never in part.
pub(super) struct OverflowAgainstThief<const CAP: usize>;

impl<const CAP: usize> Model for OverflowAgainstThief<CAP> {
    fn run<W: World>(&self) -> Outcome {
        let new = CAP + 1;
        let tasks = Tasks::<W>::new(new);
        let mut owner = LocalQueue::<Id, CAP, W>::with_memory();
        for number in 1..=CAP {
            owner.push(make(&tasks, number)).expect("there is room");
        }
        let victim = owner.stealer();
        let runs = tasks.clone();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Id, CAP, W>::with_memory();
            let stolen = victim.steal_into(&mut own, NextSlot::Leave).expect("half stays");
            runs.run(stolen.task.get());
            while let Some(popped) = own.pop() {
                runs.run(popped.task.get());
            }
            stolen.moved + 1
        });

        let overflowed = match owner.overflow(make(&tasks, new)) {
            Ok(batch) => {
                let numbers: Vec<usize> = batch.into_iter().map(NonZeroUsize::get).collect();
                let expected: Vec<usize> = (1..=CAP / 2).chain([new]).collect();
                assert_eq!(numbers, expected, "the older half and the new task, in this order");
                numbers.iter().for_each(|&number| tasks.run(number));
                true
            }
            Err(task) => {
                assert_eq!(task.get(), new, "the task that found no room comes back");
                owner.push(task).expect("the thief has made room");
                false
            }
        };
        let stolen = W::join(thief);
        while let Some(popped) = owner.pop() {
            tasks.run(popped.task.get());
        }
        tasks.assert_ran(new);
        format!("overflowed {overflowed}, stolen {stolen}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the ring overflowed",
                seen_in: |outcome| outcome.starts_with("overflowed true"),
            },
            Witness {
                name: "the thief made room",
                seen_in: |outcome| outcome.starts_with("overflowed false"),
            },
        ]
    }
}

/// A batch of three appears at once: a thief finds nothing, or takes two.
pub(super) struct BatchAtOnce;

impl Model for BatchAtOnce {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(3);
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        let victim = owner.stealer();
        let runs = tasks.clone();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Id, 4, W>::with_memory();
            match victim.steal_into(&mut own, NextSlot::Leave) {
                Err(error) => {
                    assert_eq!(error, StealError::Empty);
                    0
                }
                Ok(stolen) => {
                    assert_eq!((stolen.task.get(), stolen.moved), (2, 1), "half of three");
                    runs.run(2);
                    runs.run(own.pop().expect("one was moved").task.get());
                    2
                }
            }
        });
        let batch = [make(&tasks, 1), make(&tasks, 2), make(&tasks, 3)];
        assert_eq!(owner.push_batch(batch), 3);
        let stolen = W::join(thief);
        while let Some(popped) = owner.pop() {
            tasks.run(popped.task.get());
        }
        tasks.assert_ran(3);
        format!("stolen {stolen}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the thief was early", seen_in: |outcome| outcome == "stolen 0" },
            Witness { name: "the thief was late", seen_in: |outcome| outcome == "stolen 2" },
        ]
    }
}

/// The slot's task is popped first and inherits the slice, unless a thief took it.
pub(super) struct SlotFirst {
    pub(super) slot: NextSlot,
}

impl Model for SlotFirst {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(2);
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        owner.push(make(&tasks, 1)).expect("there is room");
        owner.push_next(make(&tasks, 2)).expect("there is room");
        let victim = owner.stealer();
        let slot = self.slot;
        let runs = tasks.clone();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Id, 4, W>::with_memory();
            let mut taken = Vec::new();
            for _ in 0..2 {
                if let Ok(stolen) = victim.steal_into(&mut own, slot) {
                    runs.run(stolen.task.get());
                    assert_eq!(stolen.moved, 0, "there was one task in the ring at most");
                    assert_eq!(stolen.from_next, stolen.task.get() == 2, "where it came from");
                    taken.push(stolen.task.get());
                }
            }
            taken
        });
        let mut popped = Vec::new();
        while let Some(pop) = owner.pop() {
            assert_eq!(pop.inherits_slice, pop.task.get() == 2, "only the slot's task inherits");
            tasks.run(pop.task.get());
            popped.push(pop.task.get());
        }
        assert!(popped != [1, 2], "the slot's task comes first");
        let taken = W::join(thief);
        assert!(slot == NextSlot::Take || !taken.contains(&2), "the slot was to be left alone");
        assert!(taken != [2, 1], "the ring's task is taken first");
        tasks.assert_ran(2);
        format!("popped {popped:?} stolen {taken:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        let mut witnesses = vec![
            Witness {
                name: "the owner popped both",
                seen_in: |outcome| outcome == "popped [2, 1] stolen []",
            },
            Witness {
                name: "the thief took the ring's task",
                seen_in: |outcome| outcome == "popped [2] stolen [1]",
            },
        ];
        if self.slot == NextSlot::Take {
            witnesses.push(Witness {
                name: "the thief took both",
                seen_in: |outcome| outcome == "popped [] stolen [1, 2]",
            });
        }
        witnesses
    }
}
