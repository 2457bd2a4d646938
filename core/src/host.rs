//! What the scheduler asks of the program around it: threads, a poller, timers, a clock.
//!
//! The scheduler decides and leaves the doing to its [`Host`]. It starts no thread: it says *start
//! a machine*. It reads no clock and does no input or output.
//!
//! No method is called while a lock of the scheduler is held. All may be called from any machine at
//! any time, and may call [`Scheduler::inject`] and every method of [`Scheduler`] that does not
//! wait. A host that panics when it is asked for a machine does no harm to the scheduler's tasks:
//! what it was given goes back when it is dropped. The other methods must not panic: a task that is
//! in hand at that moment is dropped.
//!
//! [`Scheduler`]: crate::Scheduler
//! [`Scheduler::inject`]: crate::Scheduler::inject

use crate::memory::{Memory, Park};
use crate::observe::Observer;
use crate::scheduler::StartMachine;
use crate::{Batch, Task, TaskState};

/// The program that a [`Scheduler`](crate::Scheduler) runs in.
pub trait Host<const CAP: usize = 256>: Send + Sync + Sized + 'static {
    /// What is scheduled.
    type Task: Task + 'static;
    /// The memory it all runs on: [`Hardware`](crate::memory::Hardware), or a checker's.
    type Memory: Memory;
    /// What a machine without work sleeps on: `<Self::Memory as Memory>::Parker`, or the host's.
    type Parker: Park;
    /// Who is told of events: [`NoObserver`](crate::NoObserver) if nobody.
    type Observer: Observer;

    /// The observer.
    fn observer(&self) -> &Self::Observer;

    /// Starts a machine: a thread that calls [`StartMachine::begin`] and then runs what
    /// [`Machine::next`](crate::Machine::next) gives it.
    ///
    /// A host that cannot start one drops `start` (so does a thread builder that fails with the
    /// closure that owns it). Then the processor goes back to the idle ones, and the scheduler
    /// tries again when a machine next looks for work or goes to sleep, or the monitor makes a
    /// step. It goes back, too, if this panics.
    fn start_machine(&self, start: StartMachine<Self, CAP>);

    /// A number that spreads thieves over their victims. It need not be good, only cheap. The
    /// default returns 0, which has the machines use a small generator of their own.
    fn random(&self) -> u32 {
        0
    }

    /// Waits about three microseconds, in which a victim may run the task in its own `next` slot
    /// before it is stolen.
    fn back_off(&self) {
        for _ in 0..50 {
            Self::Memory::spin_loop();
        }
    }

    /// Whether there is anything to poll for: somebody waits for input or output, or for a timer.
    /// While it says no, none of the other methods about polling and timers is called, and a
    /// machine without work sleeps where it would poll.
    fn has_poller(&self) -> bool {
        false
    }

    /// The time, in nanoseconds on a clock that does not go backwards: the one that deadlines and
    /// [`Monitor::step`](crate::Monitor::step) are on.
    fn now(&self) -> u64 {
        0
    }

    /// Moves the tasks that input, output or timers have made runnable behind those in `ready`. The
    /// status of a task that carries one is the host's to [change](TaskState::ready) here.
    ///
    /// Without a `wait` it returns at once. With one it may block until there is something, until
    /// the deadline, or until [`break_poll`](Host::break_poll), which may come before the call; it
    /// may return earlier. One machine at a time polls with a wait.
    fn poll(&self, wait: Option<Deadline>, ready: &mut Batch<Self::Task, Self::Memory>) {
        let _ = (wait, ready);
    }

    /// Makes the poll that waits, or that is about to, return.
    fn break_poll(&self) {}

    /// Moves the tasks whose timers on `processor` are due behind those in `ready`. A host without
    /// timers for each processor counts all of them to every one.
    fn take_due(&self, processor: usize, ready: &mut Batch<Self::Task, Self::Memory>) {
        let _ = (processor, ready);
    }

    /// Whether a timer on `processor` is due.
    fn has_due(&self, processor: usize) -> bool {
        let _ = processor;
        false
    }

    /// When the earliest timer of all is due.
    fn next_deadline(&self) -> Option<u64> {
        None
    }

    /// The number of processors has changed, and the world is stopped: the timers of processors
    /// that take part no more go to others.
    fn resized(&self, from: usize, to: usize) {
        let _ = (from, to);
    }

    /// The status that `task` carries, if it does: the scheduler then keeps it, and refuses to make
    /// a task ready that does not wait.
    fn state<'a>(&'a self, task: &'a Self::Task) -> Option<&'a TaskState<Self::Memory>> {
        let _ = task;
        None
    }

    /// Whether `task` must run on a certain machine: the number that
    /// [`Machine::lock`](crate::Machine::lock) returned when the task locked itself to it.
    fn locked_to(&self, task: &Self::Task) -> Option<usize> {
        let _ = task;
        None
    }

    /// Every machine sleeps, no task is runnable, no timer will come and nobody
    /// [outside](crate::scheduler::Outside) has announced that it may submit: the tasks that wait
    /// will wait for ever. Called once each time it comes to that.
    fn all_asleep(&self) {}
}

/// Until when a poll may wait, on the clock of [`Host::now`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deadline {
    /// Until this time.
    At(u64),
    /// Until something happens.
    Never,
}
