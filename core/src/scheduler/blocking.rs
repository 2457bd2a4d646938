//! System calls: steps X1 to X3.
//!
//! A machine that blocks in the kernel needs no processor, but does not know beforehand whether it
//! will block. So it keeps the processor and leaves it open to be taken: the token lies in the
//! processor's cell, and one compare-exchange of the status word decides between the machine that
//! comes back and whoever takes it. The status carries a count of system calls, so that a taker who
//! looked long ago does not take another call's processor.
//!
//! ```text
//!    machine                               monitor
//!    running(7) ──► in a system call(8)
//!                                          sees in a system call(8), for the second time
//!    back: (8) ──► running    ┐ one of
//!                             ┘ the two    (8) ──► running: takes the processor, hands it off
//! ```
//!
//= go1.27:src/runtime/proc.go#reentersyscall
//= go1.27:src/runtime/proc.go#exitsyscall
//= go1.27:src/runtime/proc.go#exitsyscallTryGetP

use core::fmt;

use super::machine::{Machine, Place};
use crate::host::Host;
use crate::observe::Event;

/// How a machine came out of a system call.
#[must_use = "without a processor the task must not go on"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With the processor it had.
    Kept,
    /// With another one; its own was taken.
    Got,
    /// With none: stop the task, and give it to [`Machine::yield_now`]. A task that runs on the
    /// machine's own stack cannot stop; it may go on to its next scheduling point, one more than
    /// there are processors, and whatever it submits goes to the global queue.
    NoProcessor,
}

/// [`Machine::enter_blocking`] was called by a machine without a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRunning;

impl fmt::Display for NotRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a machine without a processor runs no task that could block")
    }
}

impl core::error::Error for NotRunning {}

/// [`Machine::exit_blocking`] was called by a machine that is in no system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotBlocked;

impl fmt::Display for NotBlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the machine is in no system call")
    }
}

impl core::error::Error for NotBlocked {}

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// **X1**: says that the task is about to block in the operating system. From now on the
    /// processor may be taken; the task must not use the scheduler until
    /// [`exit_blocking`](Machine::exit_blocking), but for submitting.
    ///
    /// One compare-exchange.
    ///
    /// # Errors
    ///
    /// [`NotRunning`] if the machine has no processor; it may block as it is, then.
    pub fn enter_blocking(&mut self) -> Result<(), NotRunning> {
        let Place::With(token) = &self.place else { return Err(NotRunning) };
        let id = token.id;
        // A machine that was woken and has not looked yet leaves its search to a successor.
        self.found();
        let (token, _) = self.let_go();
        let processor = self.scheduler.processor(id);
        processor.lay_down(token);
        let inside = processor.enter();
        if inside.is_some() {
            self.tell(Event::Entered { processor: id });
        } else {
            // The world is being stopped, and waits for this processor.
            // SAFETY: the processor did not change hands: it is not in a system call.
            let token = unsafe { processor.pick_up() };
            self.scheduler.surrender(Some(self.record.id), token, false);
        }
        self.go("enter", Place::Inside(id, inside));
        Ok(())
    }

    /// As [`enter_blocking`](Machine::enter_blocking), for a call that is known to block: the
    /// processor goes to another machine at once.
    ///
    /// # Errors
    ///
    /// As [`enter_blocking`](Machine::enter_blocking).
    //= go1.27:src/runtime/proc.go#entersyscallblock
    pub fn enter_long_blocking(&mut self) -> Result<(), NotRunning> {
        let Place::With(token) = &self.place else { return Err(NotRunning) };
        let id = token.id;
        self.leave_processor();
        self.go("enter", Place::Inside(id, None));
        Ok(())
    }

    /// **X2**: the system call is over. Keeps the processor if nobody took it, else takes an idle
    /// one.
    ///
    /// # Errors
    ///
    /// [`NotBlocked`] if the machine was in none.
    pub fn exit_blocking(&mut self) -> Result<Exit, NotBlocked> {
        let Place::Inside(id, inside) = self.place else { return Err(NotBlocked) };
        let processor = self.scheduler.processor(id);
        if inside.is_some_and(|inside| processor.exit(inside)) {
            // SAFETY: the system call was ended by our change of the status word.
            let token = unsafe { processor.pick_up() };
            self.tell(Event::Kept { processor: id });
            self.go("keep", Place::With(token));
            return Ok(Exit::Kept);
        }
        if let Some(got) = self.scheduler.shared.idle.take(id) {
            self.tell(Event::Got { processor: got });
            self.scheduler.wake_monitor();
            // SAFETY: it was taken out of the idle word.
            let token = unsafe { self.scheduler.take_up(got) };
            self.hold(token, false);
            return Ok(Exit::Got);
        }
        self.tell(Event::NoProcessor);
        self.go("exit", Place::Without);
        Ok(Exit::NoProcessor)
    }

    /// Runs `call`, which may block in the operating system, between
    /// [`enter_blocking`](Machine::enter_blocking) and [`exit_blocking`](Machine::exit_blocking):
    /// for tasks that run on the machine's own stack. See [`Exit::NoProcessor`].
    ///
    /// A panic of `call` goes on, after the exit.
    pub fn block<R>(&mut self, call: impl FnOnce() -> R) -> R {
        struct Leave<'a, H: Host<CAP>, const CAP: usize>(&'a mut Machine<H, CAP>);
        impl<H: Host<CAP>, const CAP: usize> Drop for Leave<'_, H, CAP> {
            fn drop(&mut self) {
                // It fails if the machine never entered: without a processor there is no need to.
                let _ = self.0.exit_blocking();
            }
        }
        let _ = self.enter_blocking();
        let _leave = Leave(self);
        call()
    }
}
