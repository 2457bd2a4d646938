//! What a machine submits: step A1, in its variants.
//!
//! | | goes to | wakes | Go |
//! |---|---|---|---|
//! | [`spawn`](Machine::spawn), [`ready`](Machine::ready) | the `next` slot | yes | `newproc`, `goready` |
//! | [`submit`](Machine::submit) | the ring's tail | yes | `runqput(next=false)` |
//! | [`yield_now`](Machine::yield_now) | the global queue | yes | `Gosched` |
//! | [`yield_local`](Machine::yield_local) | the ring's tail | no | `goyield` |
//!
//! A machine without a processor, in a system call say, submits to the global queue instead.
//!
//! A task that stops is given by value: it must stand on no machine's stack any more, since another
//! machine may run it before the call returns.

use super::machine::{Machine, Place};
use super::submit::{Closed, ReadyError};
use crate::host::Host;
use crate::observe::{Event, Place as Queue};
use crate::{GlobalQueue, Owner};

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// Submits a new task, which runs next on this processor. It displaces the one that would
    /// have, to the ring's tail.
    ///
    /// On a busy system: one store or swap, a fence and a load.
    ///
    /// # Errors
    ///
    /// With the task, if the machine has no processor and the scheduler has shut down.
    //= go1.27:src/runtime/proc.go#newproc
    pub fn spawn(&mut self, task: H::Task) -> Result<(), Closed<H::Task>> {
        if let Some(state) = self.scheduler.host().state(&task) {
            state.start();
        }
        self.put(task, Queue::Slot, Owner::push_next_or_overflow)
    }

    /// Submits a new task behind the others of this processor.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Machine::spawn).
    pub fn submit(&mut self, task: H::Task) -> Result<(), Closed<H::Task>> {
        if let Some(state) = self.scheduler.host().state(&task) {
            state.start();
        }
        self.put(task, Queue::Ring, Owner::push_or_overflow)
    }

    /// Makes a task that waits runnable: it runs next on this processor.
    ///
    /// Of all who try, one succeeds, if the task carries a status; see
    /// [`TaskState`](crate::TaskState).
    ///
    /// # Errors
    ///
    /// With the task, if it does not wait, or as [`spawn`](Machine::spawn).
    //= go1.27:src/runtime/proc.go#ready
    pub fn ready(&mut self, task: H::Task) -> Result<(), ReadyError<H::Task>> {
        if let Some(Err(status)) = self.scheduler.host().state(&task).map(|state| state.ready()) {
            return Err(ReadyError::NotWaiting { task, status });
        }
        self.put(task, Queue::Slot, Owner::push_next_or_overflow).map_err(ReadyError::Closed)
    }

    /// Gives the processor's others their turn: the task that ran here goes behind all that are
    /// in the global queue.
    ///
    /// For a task that has come back from a system call without a processor, this is step X3.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Machine::spawn).
    //= go1.27:src/runtime/proc.go#Gosched
    pub fn yield_now(&mut self, task: H::Task) -> Result<(), Closed<H::Task>> {
        self.stopped(&task);
        let by = Some(self.record.id);
        match self.place {
            Place::With(_) => {
                self.scheduler.push_global(by, task);
                Ok(())
            }
            _ => self.scheduler.put_global(by, task),
        }
    }

    /// As [`yield_now`](Machine::yield_now), but behind the tasks of this processor only. Nobody is
    /// woken: there is one task less here than there are machines at work.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Machine::spawn).
    //= go1.27:src/runtime/proc.go#goyield
    pub fn yield_local(&mut self, task: H::Task) -> Result<(), Closed<H::Task>> {
        self.stopped(&task);
        match &mut self.place {
            Place::With(token) => {
                token.queue.push_or_overflow(task, &self.scheduler.shared.global);
                self.tell(Event::Submitted { place: Queue::Ring, count: 1 });
                Ok(())
            }
            _ => self.scheduler.put_global(Some(self.record.id), task),
        }
    }

    /// Parks the task that ran here: `commit` puts it where its waker finds it, or gives it back
    /// if what it waits for has come meanwhile.
    ///
    /// The task may be made ready from the moment `commit` has put it there, before this returns.
    ///
    /// # Errors
    ///
    /// With the task, if `commit` gave it back: run it again, in the same slice.
    //= go1.27:src/runtime/proc.go#gopark
    pub fn park(
        &mut self,
        task: H::Task,
        commit: impl FnOnce(H::Task) -> Result<(), H::Task>,
    ) -> Result<(), H::Task> {
        let host = self.scheduler.host();
        if let Some(state) = host.state(&task) {
            state.park();
        }
        commit(task).inspect_err(|task| {
            if let Some(state) = host.state(task) {
                state.refuse();
            }
        })
    }

    /// Whether the task that runs here ought to [yield](Machine::yield_now): the monitor asks for
    /// it after a long slice, and whoever stops the world. One load.
    #[must_use]
    pub fn should_yield(&self) -> bool {
        match &self.place {
            Place::With(token) => {
                let status = self.scheduler.processor(token.id).status();
                status.must_yield() || status.must_stop()
            }
            _ => false,
        }
    }

    /// A1 to A5.
    #[inline]
    fn put(
        &mut self,
        task: H::Task,
        queue: Queue,
        push: impl FnOnce(&mut Owner<H::Task, CAP, H::Memory>, H::Task, &GlobalQueue<H::Task, H::Memory>),
    ) -> Result<(), Closed<H::Task>> {
        let by = Some(self.record.id);
        match &mut self.place {
            Place::With(token) => {
                push(&mut token.queue, task, &self.scheduler.shared.global);
                self.tell(Event::Submitted { place: queue, count: 1 });
                self.scheduler.published(by);
                Ok(())
            }
            _ => self.scheduler.put_global(by, task),
        }
    }

    fn stopped(&self, task: &H::Task) {
        if let Some(state) = self.scheduler.host().state(task) {
            state.requeue();
        }
    }
}
