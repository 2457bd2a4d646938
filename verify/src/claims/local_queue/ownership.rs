//! Tasks that own something, and handles that go away: nothing leaks, nothing is dropped twice.

use gosched::memory::{Atomic, Ordering, Shared};
use gosched::{LocalQueue, NextSlot};

use crate::claim::{Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

/// A task on the heap. Its drop is its run: twice panics, never is found at the end.
struct Dropped<W: World> {
    number: usize,
    tasks: Tasks<W>,
}

impl<W: World> Drop for Dropped<W> {
    fn drop(&mut self) {
        self.tasks.run(self.number);
    }
}

/// The owner leaves a ring of three and a full slot behind, while a thief, whose handle then is
/// the last one, steals from them.
pub(super) struct OwnerLeaves;

impl Model for OwnerLeaves {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(4);
        let make = |number| {
            tasks.create(number);
            Box::new(Dropped { number, tasks: tasks.clone() })
        };
        let mut owner = LocalQueue::<Box<Dropped<W>>, 4, W>::with_memory();
        assert_eq!(owner.push_batch([make(1), make(2), make(3)]), 3);
        owner.push_next(make(4)).expect("there is room");
        let victim = owner.stealer();
        let gone = W::Arc::new(W::AtomicU32::new(0));
        let left = gone.clone();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Box<Dropped<W>>, 4, W>::with_memory();
            let stolen = victim.steal_into(&mut own, NextSlot::Leave).expect("nobody else takes");
            let alone = left.load(Ordering::Relaxed) == 1;
            (stolen.task.number, stolen.moved, alone)
        });
        drop(owner);
        gone.store(1, Ordering::Relaxed);
        let (number, moved, alone) = W::join(thief);
        assert_eq!((number, moved), (2, 1), "half of three");
        tasks.assert_ran(4);
        format!("owner gone {alone}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![Witness {
            name: "the stealer outlived the owner",
            seen_in: |outcome| outcome == "owner gone true",
        }]
    }
}
