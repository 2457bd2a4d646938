//! Tasks for models: each carries a payload, so that a lost, doubled or unpublished task is seen.
//!
//! An index alone never notices a missing `Release`: it travels inside the atomic. So every task
//! of a model has a payload cell that its creator writes, without synchronisation, before the task
//! is pushed, and that whoever takes the task reads and rewrites. If the queue fails to publish,
//! the checker reports a race on the cell; if it loses or doubles a task, the count is wrong.

use gosched::memory::{RaceCell, Shared};

use crate::world::World;

/// What has become of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Unborn,
    Created,
    Ran,
}

/// The payloads of a model's tasks, numbered from 1. Clones share them.
#[derive(Debug)]
pub struct Tasks<W: World> {
    payloads: W::Arc<Vec<W::Cell<Life>>>,
}

impl<W: World> Clone for Tasks<W> {
    fn clone(&self) -> Self {
        Self { payloads: self.payloads.clone() }
    }
}

impl<W: World> Tasks<W> {
    /// Room for the tasks 1 to `count`.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let payloads = (0..count).map(|_| W::Cell::new(Life::Unborn)).collect();
        Self { payloads: W::Arc::new(payloads) }
    }

    /// Writes the payload of task `id`, before it is pushed.
    ///
    /// # Panics
    ///
    /// If the task was created before.
    pub fn create(&self, id: usize) {
        self.change(id, Life::Unborn, Life::Created);
    }

    /// Runs task `id`: reads its payload and rewrites it.
    ///
    /// # Panics
    ///
    /// If the task was not created, or ran before: it was never pushed, or was taken twice.
    pub fn run(&self, id: usize) {
        self.change(id, Life::Created, Life::Ran);
    }

    /// Asserts that tasks 1 to `count` ran, each exactly once (a second run has panicked). Call it
    /// after all threads were joined.
    ///
    /// # Panics
    ///
    /// If one did not.
    pub fn assert_ran(&self, count: usize) {
        for id in 1..=count {
            // SAFETY: the model's threads are joined, so nobody writes the cell.
            let life = self.payloads[id - 1].with(|life| unsafe { *life });
            assert_eq!(life, Life::Ran, "task {id} of {count} was lost");
        }
    }

    fn change(&self, id: usize, from: Life, to: Life) {
        self.payloads[id - 1].with_mut(|life| {
            // SAFETY: whoever holds the task owns its payload. That this is so is what the models
            // check: a checker reports the race when the structure under test breaks it.
            let life = unsafe { &mut *life };
            assert_eq!(*life, from, "task {id} should be {from:?} when it becomes {to:?}");
            *life = to;
        });
    }
}
