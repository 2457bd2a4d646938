//! The events of a run, for tracers and trace checkers.
//!
//! Each event is named after what happened and carries the label that the step has in the essay of
//! the [`scheduler`](crate::scheduler). Events of one machine come in the order of its steps; an
//! event is told right after the step took effect. With [`NoObserver`] no event is even made.

use core::fmt::Debug;

/// Who is told of events. Called on the machine that acted, never under a lock.
///
/// An observer must not panic: the panic goes on through whatever told it, in the middle of a step.
/// A task that the step had in hand is dropped then, and a processor is owned by nobody any more.
pub trait Observer: Send + Sync {
    /// Whether anybody listens. False removes the calls at compile time.
    const ENABLED: bool = true;

    /// `machine` did this; `None` is a thread that is none, such as the monitor's.
    fn observe(&self, machine: Option<usize>, event: Event);
}

/// Nobody listens, and nothing is spent on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    const ENABLED: bool = false;

    #[inline(always)]
    fn observe(&self, _machine: Option<usize>, _event: Event) {}
}

/// Where tasks were put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The `next` slot of the machine's processor; what was there moved on.
    Slot,
    /// The ring of the machine's processor.
    Ring,
    /// The global queue.
    Global,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A1: `count` tasks were published.
    Submitted {
        /// Where.
        place: Place,
        /// How many.
        count: usize,
    },
    /// A4: a processor was taken and a searcher counted for it.
    Woke {
        /// The processor.
        processor: usize,
    },
    /// A3: nobody was woken: a machine searches, or no processor is idle.
    NotWoke,
    /// A5: a sleeping machine was given a processor.
    Roused {
        /// The machine that slept.
        sleeper: usize,
        /// The processor.
        processor: usize,
        /// Whether it begins as a searcher.
        searching: bool,
    },
    /// A5: the host was asked for a machine.
    Started {
        /// The machine's number.
        started: usize,
        /// The processor.
        processor: usize,
        /// Whether it begins as a searcher.
        searching: bool,
    },
    /// A5: the host has refused. The processor is idle again.
    Refused {
        /// The processor.
        processor: usize,
    },
    /// A machine began to hold a processor.
    Began {
        /// The processor.
        processor: usize,
        /// Whether it is a counted searcher.
        searching: bool,
    },
    /// F1: a task from the machine's own queue. `inherited` from the slot, in a slice begun before.
    Popped {
        /// Whether it runs in the slice of another.
        inherited: bool,
    },
    /// F1, F2: tasks came from the global queue: one to run, the rest to the ring.
    TookShare {
        /// How many.
        count: usize,
    },
    /// F1: tasks came from the poller or from timers.
    Polled {
        /// How many.
        count: usize,
    },
    /// F3: the machine is a searcher now.
    Searches,
    /// F4: tasks came from another processor.
    Stole {
        /// Whose they were.
        victim: usize,
        /// How many.
        count: usize,
    },
    /// F5: the searcher found work; a processor was taken for its successor, or not.
    Found {
        /// The successor's processor.
        successor: Option<usize>,
    },
    /// D1: the processor was put down.
    PutDown {
        /// The processor.
        processor: usize,
        /// D2: whether the machine must look.
        look: bool,
    },
    /// D4: the look is done.
    Looked {
        /// Whether there was work.
        found: bool,
    },
    /// D5: the looker took a processor and is a searcher.
    TookForWork {
        /// The processor.
        processor: usize,
    },
    /// D6: the machine is among the sleeping.
    Parked,
    /// D6: the machine waits in the poller.
    Polls,
    /// O1: a processor with work was passed on to a machine, in one of the ways of A5.
    HandsOff {
        /// The processor.
        processor: usize,
    },
    /// X1: a system call began.
    Entered {
        /// The processor.
        processor: usize,
    },
    /// X2: the system call ended, on the same processor.
    Kept {
        /// The processor.
        processor: usize,
    },
    /// X2: the system call ended and its processor was gone; an idle one was taken.
    Got {
        /// The processor.
        processor: usize,
    },
    /// X3: the system call ended, and there was no processor.
    NoProcessor,
    /// X1: a processor was taken out of a system call.
    Retaken {
        /// The processor.
        processor: usize,
    },
    /// The monitor asked for an end of the slice.
    AskedToYield {
        /// The processor.
        processor: usize,
    },
    /// A processor was handed to the one who stops the world.
    Stopped {
        /// The processor.
        processor: usize,
    },
    /// The world goes on, with so many processors.
    Resumed {
        /// How many.
        processors: usize,
    },
    /// The machine has left.
    Exited,
}
