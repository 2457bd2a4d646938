//! A batch: tasks in somebody's hand, on their way to the global queue or back.
//!
//! Whoever has many tasks to publish (a full local queue its older half, a poller its ready tasks)
//! collects them first, without any lock, and then gives them to the
//! [`GlobalQueue`](super::GlobalQueue) in one step, whose length does not depend on how many they
//! are. Whoever takes a share of the global queue receives it as a batch and distributes it after
//! the lock is free again.
//!
//! Go threads its batches through the tasks themselves (`gQueue`, a list by `g.schedlink`). Our
//! tasks are opaque words, so a batch brings its own memory: a [`chain`](super::chain) of blocks,
//! which become blocks of the global queue when it is linked.

use core::fmt;
use core::iter::FusedIterator;
use core::num::NonZeroUsize;

use super::block::Block;
use super::chain::{Chain, Retired};
use crate::memory::{Hardware, Memory, invariant};
use crate::task::Task;

/// A first-in first-out list of tasks that one owner holds.
///
/// It grows as needed, by blocks: no task is moved when it grows, and the room that
/// [`reserve`](Batch::reserve) made or that popped tasks left is used before anything is allocated.
/// Dropping a batch drops its tasks, in order; if the drop of one panics, the others are dropped
/// while that panic unwinds (and a second panic aborts, as always in Rust).
///
/// ```
/// use gosched::{Batch, GlobalQueue};
///
/// let mut batch = Batch::with_capacity(2);
/// batch.push(Box::new("first"));
/// batch.push(Box::new("second"));
///
/// let queue = GlobalQueue::new();
/// queue.push_batch(batch);
/// assert_eq!(queue.pop().as_deref(), Some(&"first"));
/// ```
//= go1.27:src/runtime/proc.go#gQueue
pub struct Batch<T: Task, Mem: Memory = Hardware> {
    chain: Chain<T, Mem>,
}

impl<T: Task> Batch<T> {
    /// An empty batch, which allocates when the first task is pushed.
    #[must_use]
    pub fn new() -> Self {
        Self::with_memory()
    }

    /// An empty batch with room for `capacity` tasks: as long as it holds no more, and is not
    /// [appended](Batch::append) to, no push allocates.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::with_memory_and_capacity(capacity)
    }
}

impl<T: Task, Mem: Memory> Batch<T, Mem> {
    /// The least room that a push makes when there is none.
    const LEAST_GROWTH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

    /// [`new`](Batch::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory() -> Self {
        Self { chain: Chain::new(usize::MAX) }
    }

    /// [`with_capacity`](Batch::with_capacity), for any [`Memory`].
    #[must_use]
    pub fn with_memory_and_capacity(capacity: usize) -> Self {
        let mut batch = Self::with_memory();
        batch.reserve(capacity);
        batch
    }

    /// The number of tasks. O(1).
    #[must_use]
    pub fn len(&self) -> usize {
        self.chain.len()
    }

    /// Whether there is no task. O(1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes room, so that the next `additional` calls of [`push`](Batch::push) do not allocate.
    ///
    /// Allocates at most one block, and moves no task.
    pub fn reserve(&mut self, additional: usize) {
        // The spare block must hold all that the last block cannot.
        let missing = additional.saturating_sub(self.chain.last_room());
        if let Some(missing) = NonZeroUsize::new(missing) {
            if self.chain.spare_room() < missing.get() {
                self.chain.set_spare(Block::new(missing));
            }
        }
    }

    /// Adds a task behind all others. O(1), amortised over the allocations.
    pub fn push(&mut self, task: T) {
        if let Err(task) = self.chain.push_back(task) {
            self.grow();
            let pushed = self.chain.push_back(task);
            invariant!(Mem, pushed.is_ok(), "a chain with a spare block has room");
        }
    }

    /// Adds a task before all others. O(1), amortised over the allocations.
    pub fn push_front(&mut self, task: T) {
        if let Err(task) = self.chain.push_front(task) {
            self.grow();
            let pushed = self.chain.push_front(task);
            invariant!(Mem, pushed.is_ok(), "a chain with a spare block has room");
        }
    }

    /// Takes the first task. O(1); never allocates.
    pub fn pop(&mut self) -> Option<T> {
        self.chain.pop_front(&mut Retired::new())
    }

    /// Moves all tasks of `other` behind ours, and leaves it empty. O(1); neither allocates nor
    /// moves a task.
    pub fn append(&mut self, other: &mut Self) {
        self.chain.append(&mut other.chain);
    }

    /// The tasks, for the queue to link.
    pub(super) fn chain_mut(&mut self) -> &mut Chain<T, Mem> {
        &mut self.chain
    }

    /// Makes as much room again as there are tasks.
    fn grow(&mut self) {
        let growth = NonZeroUsize::new(self.len()).unwrap_or(Self::LEAST_GROWTH);
        self.chain.set_spare(Block::new(growth.max(Self::LEAST_GROWTH)));
    }
}

impl<T: Task, Mem: Memory> Default for Batch<T, Mem> {
    fn default() -> Self {
        Self::with_memory()
    }
}

impl<T: Task, Mem: Memory> fmt::Debug for Batch<T, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl<T: Task, Mem: Memory> Extend<T> for Batch<T, Mem> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, tasks: I) {
        let tasks = tasks.into_iter();
        self.reserve(tasks.size_hint().0);
        for task in tasks {
            self.push(task);
        }
    }
}

impl<T: Task, Mem: Memory> FromIterator<T> for Batch<T, Mem> {
    fn from_iter<I: IntoIterator<Item = T>>(tasks: I) -> Self {
        let mut batch = Self::with_memory();
        batch.extend(tasks);
        batch
    }
}

impl<T: Task, Mem: Memory> IntoIterator for Batch<T, Mem> {
    type Item = T;
    type IntoIter = BatchIntoIter<T, Mem>;

    fn into_iter(self) -> Self::IntoIter {
        BatchIntoIter { batch: self }
    }
}

/// The tasks of a [`Batch`], first to last. Dropping it drops those that are left.
#[derive(Debug)]
pub struct BatchIntoIter<T: Task, Mem: Memory = Hardware> {
    batch: Batch<T, Mem>,
}

impl<T: Task, Mem: Memory> Iterator for BatchIntoIter<T, Mem> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.batch.pop()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.batch.len(), Some(self.batch.len()))
    }
}

impl<T: Task, Mem: Memory> ExactSizeIterator for BatchIntoIter<T, Mem> {}
impl<T: Task, Mem: Memory> FusedIterator for BatchIntoIter<T, Mem> {}
