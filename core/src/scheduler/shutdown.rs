//! The end: every task that is still queued goes back to the host.
//!
//! The world is stopped and never goes on. Then nobody runs who has a processor, and submitting
//! from elsewhere is refused. Whoever was submitting at that moment, or polling, is waited for;
//! then nobody can add a task any more, and all of them are taken. Machines that sleep, and those
//! that would, leave.

use super::machine::{Machine, Place};
use super::stop::{StopError, StoppedWorld};
use super::Scheduler;
use crate::Batch;
use crate::host::Host;
use crate::memory::{Memory, Ordering};

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// Shuts down: waits until every machine has reached a scheduling point or a system call, and
    /// returns every task that is queued: each processor's in turn, then the global queue's.
    ///
    /// Afterwards submitting gives the task back, and machines are told to
    /// [exit](super::Step::Exit), those in system calls when they come back. Tasks that wait belong
    /// to whoever will wake them.
    ///
    /// For threads that are no machines; a machine calls its [own](Machine::shutdown).
    ///
    /// # Errors
    ///
    /// [`StopError::Closed`] if it has been shut down before, [`StopError::AlreadyStopped`] if
    /// somebody has stopped the world.
    pub fn shutdown(&self) -> Result<Batch<H::Task, H::Memory>, StopError> {
        Ok(self.end(self.stop(|| None)?))
    }

    fn end(&self, world: StoppedWorld<H, CAP>) -> Batch<H::Task, H::Memory> {
        let shared = &self.shared;
        shared.outside.close();
        // ORDER: SeqCst: against the fence in `begin_poll`.
        H::Memory::fence(Ordering::SeqCst);
        shared.outside.wait_for_them();
        while shared.poller.is_waiting() {
            shared.host.break_poll();
            H::Memory::spin_loop();
        }
        let tasks = world.end();
        shared.pool.close();
        self.wake_monitor();
        tasks
    }
}

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// Shuts the scheduler down, as [`Scheduler::shutdown`], from a machine, which leaves with its
    /// next step.
    ///
    /// # Errors
    ///
    /// As there, and [`StopError::Blocked`] if the machine is in a system call.
    pub fn shutdown(&mut self) -> Result<Batch<H::Task, H::Memory>, StopError> {
        if let Place::Polling = self.place {
            // Nobody need poll in its place: if the world is being stopped by another, that one
            // sees to it when it goes on.
            self.scheduler.shared.poller.leave();
            self.go("return", Place::Without);
        }
        let world = self.stop_the_world()?;
        Ok(self.scheduler.end(world))
    }
}
