//! The reference: what the queues do, written so plainly that it is obviously right.
//!
//! One thread, two vectors' worth of state, no cleverness. This is the specification that the
//! drivers hold the real queues against; where a rule of Go's is meant, its name stands beside it.

use std::collections::VecDeque;

use gosched::{NextSlot, StealError};

use super::tracked::Id;

/// A local queue: a bounded ring behind one slot.
#[derive(Clone, Debug)]
pub struct LocalReference {
    capacity: usize,
    /// Oldest first.
    ring: VecDeque<Id>,
    next: Option<Id>,
    /// How many tasks have left the ring, ever: where the head stands.
    left: usize,
}

/// What a steal brings, as in [`gosched::Stolen`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stolen {
    /// The task to run.
    pub task: Id,
    /// How many more are now in the thief's ring.
    pub moved: usize,
    /// Whether it came from the slot.
    pub from_next: bool,
}

impl LocalReference {
    /// An empty queue.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, ring: VecDeque::new(), next: None, left: 0 }
    }

    /// The number of tasks, the slot's included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len() + usize::from(self.next.is_some())
    }

    /// Whether there is no task.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tasks the ring has room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity - self.ring.len()
    }

    /// How many tasks have left the ring since the queue was made.
    #[must_use]
    pub fn left(&self) -> usize {
        self.left
    }

    /// `runqput`: to the ring's tail, if there is room; else the task comes back.
    pub fn push(&mut self, task: Id) -> Result<(), Id> {
        if self.room() == 0 {
            return Err(task);
        }
        self.ring.push_back(task);
        Ok(())
    }

    /// `runqput` with `next`: into the slot. The task that was there goes to the ring's tail, if
    /// there is room; else that one comes back.
    pub fn push_next(&mut self, task: Id) -> Result<(), Id> {
        match self.next.replace(task) {
            Some(displaced) => self.push(displaced),
            None => Ok(()),
        }
    }

    /// `runqputbatch`: as many to the ring's tail as there is room for, in their order.
    pub fn push_batch(&mut self, tasks: impl IntoIterator<Item = Id>) -> usize {
        let tasks: Vec<Id> = tasks.into_iter().take(self.room()).collect();
        self.ring.extend(&tasks);
        tasks.len()
    }

    /// `runqput` and, where it finds the ring full, `runqputslow` into `global`.
    pub fn push_or_overflow(&mut self, task: Id, global: &mut VecDeque<Id>) {
        if let Err(task) = self.push(task) {
            global.extend(self.overflow(task).expect("the ring is full"));
        }
    }

    /// As [`push_or_overflow`](Self::push_or_overflow), by way of the slot.
    pub fn push_next_or_overflow(&mut self, task: Id, global: &mut VecDeque<Id>) {
        if let Err(displaced) = self.push_next(task) {
            global.extend(self.overflow(displaced).expect("the ring is full"));
        }
    }

    /// `runqputslow`: the older half of a full ring, and behind it the new task. Where there is
    /// room, the task comes back.
    pub fn overflow(&mut self, task: Id) -> Result<Vec<Id>, Id> {
        if self.room() > 0 {
            return Err(task);
        }
        let mut batch = self.take_oldest(self.capacity / 2);
        batch.push(task);
        Ok(batch)
    }

    /// `runqget`: the slot's task, which inherits the time slice; else the ring's oldest.
    pub fn pop(&mut self) -> Option<(Id, bool)> {
        match self.next.take() {
            Some(task) => Some((task, true)),
            None => self.take_oldest(1).pop().map(|task| (task, false)),
        }
    }

    /// `runqdrain`: all, in the order in which `pop` would have taken them.
    pub fn drain(&mut self) -> Vec<Id> {
        let mut all: Vec<Id> = self.next.take().into_iter().collect();
        all.extend(self.take_oldest(self.capacity));
        all
    }

    /// `runqsteal`: half of the ring, rounded up, from its old end; of these the newest to run and
    /// the others to the thief's tail. A thief takes no more than it has room for and one.
    pub fn steal_into(&mut self, thief: &mut Self, slot: NextSlot) -> Result<Stolen, StealError> {
        let half = self.ring.len().div_ceil(2);
        let mut stolen = self.take_oldest(half.min(thief.room() + 1));
        if let Some(task) = stolen.pop() {
            thief.ring.extend(&stolen);
            return Ok(Stolen { task, moved: stolen.len(), from_next: false });
        }
        match (slot, self.next) {
            (NextSlot::Take, Some(task)) => {
                self.next = None;
                Ok(Stolen { task, moved: 0, from_next: true })
            }
            _ => Err(StealError::Empty),
        }
    }

    /// `globrunqgetbatch` into the ring: a fair share of `global`, no more than half a ring, and
    /// no more than there is room for and one. The first is to run, the others go to the tail.
    pub fn take_share(&mut self, global: &mut VecDeque<Id>, processors: usize) -> Option<Id> {
        let most = (self.room() + 1).min(self.capacity / 2);
        let share = fair_share(global.len(), processors, most);
        let first = (share > 0).then(|| global.pop_front()).flatten();
        self.ring.extend(global.drain(..share.saturating_sub(1)));
        first
    }

    fn take_oldest(&mut self, most: usize) -> Vec<Id> {
        let count = most.min(self.ring.len());
        self.left += count;
        self.ring.drain(..count).collect()
    }
}

/// `globrunqgetbatch`'s rule: an equal part and one more, never more than there are or than `max`.
#[must_use]
pub fn fair_share(len: usize, processors: usize, max: usize) -> usize {
    max.min(len).min(len / processors + 1)
}
