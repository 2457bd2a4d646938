//! What comes from outside: into the global queue, and then A2 to A5.
//!
//= go1.27:src/runtime/proc.go#injectglist

use core::fmt;

use super::Scheduler;
use crate::host::Host;
use crate::observe::{Event, Place};
use crate::{Batch, TaskStatus};

/// The scheduler has shut down. What was submitted comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Closed<T>(pub T);

impl<T> fmt::Debug for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closed(..)")
    }
}

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scheduler has shut down")
    }
}

impl<T> core::error::Error for Closed<T> {}

/// Why a task was not made ready. It comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadyError<T> {
    /// It does not wait: it was never parked, or somebody else has made it ready.
    NotWaiting {
        /// The task.
        task: T,
        /// What it was doing instead.
        status: TaskStatus,
    },
    /// The scheduler has shut down.
    Closed(Closed<T>),
}

impl<T> ReadyError<T> {
    /// The task.
    #[must_use]
    pub fn into_task(self) -> T {
        match self {
            Self::NotWaiting { task, .. } | Self::Closed(Closed(task)) => task,
        }
    }
}

impl<T> fmt::Debug for ReadyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWaiting { status, .. } => {
                f.debug_struct("NotWaiting").field("status", status).finish_non_exhaustive()
            }
            Self::Closed(closed) => closed.fmt(f),
        }
    }
}

impl<T> fmt::Display for ReadyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWaiting { status, .. } => {
                write!(f, "only a waiting task can be made ready, and this one is {status:?}")
            }
            Self::Closed(closed) => closed.fmt(f),
        }
    }
}

impl<T> core::error::Error for ReadyError<T> {}

/// A batch of a host's tasks.
type TaskBatch<H, const CAP: usize> = Batch<<H as Host<CAP>>::Task, <H as Host<CAP>>::Memory>;

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// Submits a new task from any thread. It goes behind all that are in the global queue.
    ///
    /// # Errors
    ///
    /// With the task, if the scheduler has shut down.
    pub fn inject(&self, task: H::Task) -> Result<(), Closed<H::Task>> {
        if let Some(state) = self.host().state(&task) {
            state.start();
        }
        self.put_global(None, task)
    }

    /// Submits new tasks from any thread, one behind the other. One lock, and one machine woken: it
    /// finds more than it can run at once, and wakes the next.
    ///
    /// # Errors
    ///
    /// With the tasks, if the scheduler has shut down.
    pub fn inject_batch(
        &self,
        mut batch: TaskBatch<H, CAP>,
    ) -> Result<(), Closed<TaskBatch<H, CAP>>> {
        let count = batch.len();
        if count == 0 {
            return Ok(());
        }
        // Once round, which keeps the order: a batch shows its tasks to whoever takes them alone.
        for _ in 0..count {
            let Some(task) = batch.pop() else { break };
            if let Some(state) = self.host().state(&task) {
                state.start();
            }
            batch.push(task);
        }
        self.unless_closed(batch, |batch| {
            self.shared.global.push_batch(batch);
            self.tell(None, Event::Submitted { place: Place::Global, count });
            self.published(None);
        })
        .map_err(Closed)
    }

    /// Makes a task that waits runnable, from any thread: it goes to the global queue.
    ///
    /// # Errors
    ///
    /// With the task, if it does not wait, or the scheduler has shut down.
    pub fn ready(&self, task: H::Task) -> Result<(), ReadyError<H::Task>> {
        if let Some(Err(status)) = self.host().state(&task).map(|state| state.ready()) {
            return Err(ReadyError::NotWaiting { task, status });
        }
        self.put_global(None, task).map_err(ReadyError::Closed)
    }

    /// A1 to A5, for the global queue, by somebody without a processor.
    pub(super) fn put_global(
        &self,
        by: Option<usize>,
        task: H::Task,
    ) -> Result<(), Closed<H::Task>> {
        self.unless_closed(task, |task| self.push_global(by, task)).map_err(Closed)
    }

    /// A1 to A5, for the global queue, by somebody for whom a shutdown waits.
    pub(super) fn push_global(&self, by: Option<usize>, task: H::Task) {
        self.shared.global.push(task);
        self.tell(by, Event::Submitted { place: Place::Global, count: 1 });
        self.published(by);
    }
}
