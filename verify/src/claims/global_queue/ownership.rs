//! Tasks that own something, in a queue that goes away.

use std::num::NonZeroUsize;

use gosched::memory::Shared;
use gosched::{Batch, GlobalQueue};

use crate::claim::{Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

/// A task on the heap. Its drop is its run: twice panics, never is found at the end.
struct Dropped<W: World> {
    id: usize,
    tasks: Tasks<W>,
}

impl<W: World> Drop for Dropped<W> {
    fn drop(&mut self) {
        self.tasks.run(self.id);
    }
}

/// Two threads push and take, and then drop their ownership of the queue: the last one drops what
/// is left in it.
pub(super) struct LastOwnerDrops;

impl Model for LastOwnerDrops {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(4);
        let task = |tasks: &Tasks<W>, id| {
            tasks.create(id);
            Box::new(Dropped { id, tasks: tasks.clone() })
        };
        let queue = W::Arc::new(GlobalQueue::<_, W>::with_memory_and_block(NonZeroUsize::MIN));
        queue.push(task(&tasks, 1));
        let other = W::spawn({
            let (queue, tasks) = (queue.clone(), tasks.clone());
            move || queue.push_batch([2, 3, 4].map(|id| task(&tasks, id)).into_iter().collect())
        });
        let mut hand = Batch::with_memory();
        let taken = queue.pop_share(NonZeroUsize::MIN, 2, &mut hand);
        drop((queue, hand));
        W::join(other);
        tasks.assert_ran(4);
        format!("taken {taken}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "three tasks were dropped with the queue",
                seen_in: |outcome| outcome == "taken 1",
            },
            Witness { name: "two were", seen_in: |outcome| outcome == "taken 2" },
        ]
    }
}
