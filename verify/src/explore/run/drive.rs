//! The coroutines of a run: started, resumed until nobody can go on, and taken down.
//!
//! A thread that waits when an execution is over is not unwound: its destructors would find
//! operations that answer nothing, might object, or wait for ever. Under the
//! [`Quarantine`](crate::explore::Quarantine) all that the model has allocated is known, and given
//! back as it is, and the stack is used again. Without it there is no other way to get that memory
//! back than the destructors: so it is unwound, but for an execution that fails, whose stacks are
//! left as they are, since the search is over.

use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::{Body, CURRENT, Outcome, Run, STACK, Status, perform, suspend, with};
use crate::explore::event::THREADS_MAX;
use crate::explore::fault::{FaultKind, message_of};
use crate::explore::quarantine;
use crate::explore::request::Request;

impl Run<'_> {
    /// Makes the coroutine of a thread that was started.
    pub(in crate::explore) fn start(&mut self, thread: u8, body: Body) {
        let stack = self.stacks.pop().unwrap_or_else(|| {
            DefaultStack::new(STACK).expect("there is memory for a coroutine's stack")
        });
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            with(|run| run.threads[usize::from(thread)].yielder = yielder);
            let run_model = || {
                let _model = quarantine::model();
                body();
            };
            match catch_unwind(AssertUnwindSafe(run_model)) {
                Ok(()) => {
                    perform(Request::End, Location::caller());
                }
                // The run takes its coroutines down: that unwinding is not ours to stop.
                Err(panic) if with(|run| run.dead) => std::panic::resume_unwind(panic),
                Err(panic) => with(|run| run.panicked(thread, message_of(&*panic))),
            }
        });
        let state = &mut self.threads[usize::from(thread)];
        state.coroutine = Some(coroutine);
        state.status = Status::Ready;
    }

    /// The model's thread has panicked: that is how the execution fails.
    fn panicked(&mut self, thread: u8, message: String) {
        let place = self.panic.take().and_then(|panic| panic.place);
        let text = match place {
            Some(place) => format!("panics at {place}"),
            None => "panics".into(),
        };
        self.mark(thread, text, None);
        self.fault(FaultKind::Panic, message);
    }
}

/// To be called by an operation that is over without an answer. If the caller is a destructor that
/// runs because of a panic, the execution has failed, and the destructor is left where it is: it
/// would take the missing answer for a wrong one.
pub(in crate::explore) fn leave_if_panicking() {
    let leave = with(|run| {
        let leave = !run.dead && std::thread::panicking();
        if leave && run.end.is_none() {
            let message = run.panic.as_ref().map(|panic| panic.message.clone());
            run.panicked(run.running, message.unwrap_or_else(|| "a panic".into()));
        }
        leave
    });
    if leave {
        let _engine = quarantine::engine();
        suspend();
    }
}

/// Runs the threads until the run is over, and takes their coroutines down.
pub(super) fn drive(run: *mut Run<'_>) -> Outcome {
    CURRENT.set(run.cast());
    let outcome = loop {
        // SAFETY: the caller's run lives, and no coroutine is running now.
        let this = unsafe { &mut *run };
        if let Some(end) = this.end.take() {
            break end;
        }
        let next = if this.to_replay > 0 { this.next_to_replay() } else { this.choose() };
        let Some(thread) = next else {
            if this.to_replay == 0 {
                break this.finish();
            }
            break this.fall_short();
        };
        this.running = thread;
        let state = &mut this.threads[usize::from(thread)];
        let mut coroutine = state.coroutine.take().expect("a thread that can run has a coroutine");
        let result = coroutine.resume(());
        // SAFETY: as above: the coroutine is suspended or has returned.
        let this = unsafe { &mut *run };
        match result {
            CoroutineResult::Yield(()) => {
                this.threads[usize::from(thread)].coroutine = Some(coroutine);
            }
            CoroutineResult::Return(()) => this.stacks.push(coroutine.into_stack()),
        }
    };
    take_down(run, matches!(outcome, Outcome::Fault(_)));
    CURRENT.set(ptr::null_mut());
    outcome
}

fn take_down(run: *mut Run<'_>, failed: bool) {
    for thread in 0..THREADS_MAX {
        // SAFETY: `drive`'s run lives, and no coroutine is running now.
        let this = unsafe { &mut *run };
        this.dead = true;
        this.running = thread as u8;
        let Some(mut coroutine) = this.threads[thread].coroutine.take() else { continue };
        if failed {
            mem::forget(coroutine);
            continue;
        }
        if this.blocks.is_in_use() {
            this.blocks.abandon();
            // SAFETY: what the stack owns is never used again: the run is over, its memory is
            // given back as a whole, and nothing outside of the run borrows from a coroutine.
            unsafe { coroutine.force_reset() };
        } else {
            coroutine.force_unwind();
        }
        // SAFETY: as above.
        unsafe { &mut *run }.stacks.push(coroutine.into_stack());
    }
}
