//! Threads that push and pop, as tables: most models of the global queue are one of these.

use std::fmt;
use std::num::NonZeroUsize;

use gosched::memory::Shared;
use gosched::{Batch, GlobalQueue};

use crate::claim::{Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

/// One step of a thread. The numbers are tasks: from 1, each once in a scenario.
#[derive(Clone, Copy)]
pub(super) enum Op {
    Push(usize),
    PushFront(usize),
    Batch(&'static [usize]),
    Pop,
    /// The share of one of so many processors.
    Share(usize),
    PopAll,
}

/// Threads that push and pop. The first is the main thread.
#[derive(Clone, Copy)]
pub(super) struct Scenario {
    /// How many tasks that are pushed singly share a block.
    pub(super) block: usize,
    /// What happens before the threads start.
    pub(super) before: &'static [Op],
    pub(super) threads: &'static [&'static [Op]],
    pub(super) witnesses: &'static [Witness],
}

/// Who took which tasks, in which order.
pub(super) struct Takes {
    by_thread: Vec<Vec<usize>>,
    /// What was in the queue in the end.
    left: Vec<usize>,
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = |ids: &[usize]| ids.iter().map(|id| format!(" {id}")).collect::<String>();
        for takes in &self.by_thread {
            write!(f, "took{}; ", words(takes))?;
        }
        write!(f, "left{}", words(&self.left))
    }
}

type Queue<W> = GlobalQueue<NonZeroUsize, W>;

/// A task.
fn number(id: usize) -> NonZeroUsize {
    NonZeroUsize::new(id).expect("tasks are numbered from 1")
}

impl Op {
    /// Does it, and returns what it took.
    fn run<W: World>(self, queue: &Queue<W>, tasks: &Tasks<W>) -> Vec<usize> {
        let create = |id| {
            tasks.create(id);
            number(id)
        };
        let mut taken = Batch::with_memory();
        match self {
            Self::Push(id) => queue.push(create(id)),
            Self::PushFront(id) => queue.push_front(create(id)),
            Self::Batch(ids) => queue.push_batch(ids.iter().copied().map(create).collect()),
            Self::Pop => taken.extend(queue.pop()),
            Self::Share(processors) => {
                let share = queue.pop_share(number(processors), usize::MAX, &mut taken);
                assert_eq!(share, taken.len(), "the share is not what was counted");
            }
            Self::PopAll => taken = queue.pop_all(),
        }
        let taken = taken.into_iter().map(NonZeroUsize::get);
        taken.inspect(|&id| tasks.run(id)).collect()
    }

    /// The tasks it adds behind all others.
    fn appends(&self) -> &[usize] {
        match self {
            Self::Push(id) => std::slice::from_ref(id),
            Self::Batch(ids) => ids,
            Self::PushFront(_) | Self::Pop | Self::Share(_) | Self::PopAll => &[],
        }
    }

    /// How many tasks it adds, at either end.
    fn adds(&self) -> usize {
        self.appends().len() + usize::from(matches!(self, Self::PushFront(_)))
    }
}

impl Scenario {
    /// One execution. Asserts what holds in every scenario.
    fn execute<W: World>(&self) -> Takes {
        let ops = self.threads.iter().copied().flatten().chain(self.before);
        let count = ops.map(Op::adds).sum();
        let tasks = Tasks::<W>::new(count);
        let queue = W::Arc::new(Queue::<W>::with_memory_and_block(number(self.block)));
        let run = |ops: &'static [Op], queue: &Queue<W>, tasks: &Tasks<W>| -> Vec<usize> {
            ops.iter().flat_map(|op| op.run(queue, tasks)).collect()
        };
        run(self.before, &queue, &tasks);
        let others: Vec<_> = self.threads[1..]
            .iter()
            .map(|&ops| {
                let (queue, tasks) = (queue.clone(), tasks.clone());
                W::spawn(move || run(ops, &queue, &tasks))
            })
            .collect();
        let mut by_thread = vec![run(self.threads[0], &queue, &tasks)];
        by_thread.extend(others.into_iter().map(W::join));

        let taken: usize = by_thread.iter().map(Vec::len).sum();
        assert_eq!(queue.len(), count - taken, "the length at rest");
        let left = run(&[Op::PopAll], &queue, &tasks);
        assert_eq!((queue.len(), queue.pop()), (0, None), "the queue is empty");
        tasks.assert_ran(count);
        let takes = Takes { by_thread, left };
        self.assert_order(&takes);
        takes
    }

    /// Asserts that of two tasks appended by one thread, or by nobody and one, the first left
    /// first.
    fn assert_order(&self, takes: &Takes) {
        for thread in self.threads {
            let ops = self.before.iter().chain(*thread);
            let appended: Vec<usize> = ops.flat_map(Op::appends).copied().collect();
            let place = |id: &usize| appended.iter().position(|other| other == id);
            for (thread, taken) in takes.by_thread.iter().enumerate() {
                let sequence = taken.iter().chain(&takes.left);
                let places: Vec<usize> = sequence.filter_map(place).collect();
                assert!(places.is_sorted(), "thread {thread} took out of order: {takes}");
            }
        }
    }
}

impl Model for Scenario {
    fn run<W: World>(&self) -> Outcome {
        self.execute::<W>().to_string()
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.witnesses.to_vec()
    }
}

/// A scenario with one taker at most, in which the tasks of each batch must leave one after the
/// other.
pub(super) struct Contiguous(pub(super) Scenario);

impl Model for Contiguous {
    fn run<W: World>(&self) -> Outcome {
        let takes = self.0.execute::<W>();
        let sequence = [takes.by_thread.concat(), takes.left.clone()].concat();
        for op in self.0.threads.iter().copied().flatten() {
            if let Op::Batch(ids) = op {
                assert!(
                    sequence.windows(ids.len()).any(|window| window == *ids),
                    "the batch {ids:?} was torn: {takes}"
                );
            }
        }
        takes.to_string()
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.0.witnesses()
    }
}
