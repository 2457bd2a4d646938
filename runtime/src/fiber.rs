//! A fiber: a stack with a loop on it that runs one goroutine after another.
//!
//! Go keeps a stack with each free G; here a stack is kept with a coroutine that stands at the top
//! of its loop, waiting for the next goroutine's body. So a goroutine that begins on a used fiber
//! costs one switch of stacks and no set-up. A goroutine gets its fiber when it first runs, not
//! when it is made: a million that are spawned and run in turn need one stack.
//!
//! ```text
//!    g0, the machine's own stack            the fiber's stack
//!    resume(Run(worker)) ──────────────────► body of G7 begins
//!                        ◄────────────────── suspend(Stop::Park)
//!    (anything else)
//!    resume(Run(worker')) ─────────────────► G7 goes on, perhaps on another thread
//!                        ◄────────────────── suspend(Stop::Done): the loop's top again
//! ```

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::goroutine::Goroutine;
use crate::stack::GuardedStack;
use crate::trace::Why;
use crate::worker::Worker;

/// Why a goroutine has stopped: what g0 must do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It gives the others their turn (`Gosched`).
    Yield,
    /// It was asked for an end of its slice.
    Preempted,
    /// It waits until it is unparked (`gopark`).
    Park,
    /// It came back from a system call, and there was no processor.
    NoProcessor,
    /// Its body has ended; the fiber is free.
    Done,
}

impl Stop {
    /// The same for the trace.
    #[inline]
    pub(crate) fn why(self, goroutine: &Goroutine) -> Why {
        match self {
            Self::Yield => Why::Yield,
            Self::Preempted => Why::Preempted,
            Self::Park => Why::Park(goroutine.status().1),
            Self::NoProcessor => Why::NoProcessor,
            Self::Done => Why::Done,
        }
    }
}

/// What a fiber is resumed with.
#[derive(Clone, Copy)]
pub(crate) enum Resume {
    /// Run, on this worker.
    Run(NonNull<Worker>),
    /// End the loop: the fiber is dropped.
    End,
}

/// The suspended side of a fiber.
pub(crate) type Switch = Yielder<Resume, Stop>;

/// A stack with a loop on it.
pub(crate) struct Fiber {
    coroutine: ManuallyDrop<Coroutine<Resume, Stop, (), GuardedStack>>,
}

// SAFETY: with a goroutine on it, it moves between threads only as that goroutine does; without one
// there is nothing on the stack but the loop, which keeps nothing between two goroutines.
unsafe impl Send for Fiber {}

impl Fiber {
    /// A fiber on this stack.
    pub(crate) fn new(stack: GuardedStack) -> Box<Self> {
        let guard = stack.guard();
        let coroutine = Coroutine::with_stack(stack, move |switch: &Switch, mut resume: Resume| {
            while let Resume::Run(worker) = resume {
                // SAFETY: a worker resumes a fiber only while it is alive, and until the next
                // suspension the goroutine runs on its thread.
                let goroutine = unsafe { worker.as_ref() }.begin(switch, guard);
                goroutine.run_body();
                resume = switch.suspend(Stop::Done);
            }
        });
        Box::new(Self { coroutine: ManuallyDrop::new(coroutine) })
    }

    /// Ends the loop, and gives the stack back.
    pub(crate) fn into_stack(mut self) -> GuardedStack {
        self.end();
        let mut fiber = ManuallyDrop::new(self);
        // SAFETY: the coroutine is taken once: the fiber is not dropped.
        let coroutine = unsafe { ManuallyDrop::take(&mut fiber.coroutine) };
        coroutine.into_stack()
    }

    /// Ends the loop, which stands at its top. It cannot be ended where it never began; then it is
    /// begun with the end.
    fn end(&mut self) {
        if !self.coroutine.done() {
            let _ = self.coroutine.resume(Resume::End);
        }
    }

    /// Runs the goroutine on this fiber until it stops.
    #[inline]
    pub(crate) fn resume(&mut self, worker: &Worker) -> Stop {
        match self.coroutine.resume(Resume::Run(NonNull::from(worker))) {
            CoroutineResult::Yield(stop) => stop,
            CoroutineResult::Return(()) => unreachable!("the loop ends when it is told to"),
        }
    }
}

impl Drop for Fiber {
    /// Ends the loop. A fiber with a goroutine in the middle of its body is never dropped: see
    /// [`Runnable::abandon`](crate::goroutine::Runnable::abandon).
    fn drop(&mut self) {
        self.end();
        // SAFETY: it is dropped once.
        unsafe { ManuallyDrop::drop(&mut self.coroutine) };
    }
}
