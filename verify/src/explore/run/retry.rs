//! Loops that wait: a thread that repeats an iteration is blocked, for in this graph it would do
//! the same for ever.
//!
//! A retry that is called pure is put to the test, if the loop says where its iterations begin: the
//! thread goes through some more, and each operation is answered as in the first. If it asks for
//! anything else, the iteration has left a trace, and blocking it would hide what comes of that.

use std::panic::Location;

use super::{Attempt, Run, Status, suspend, with};
use crate::explore::event::{EventId, Label};
use crate::explore::fault::FaultKind;
use crate::explore::quarantine;
use crate::explore::request::Request;

/// Iterations of a test. A loop that gives up after so many rounds is found out.
const ROUNDS: u8 = 4;

/// What a loop is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Echo {
    /// Nothing out of the ordinary.
    No,
    /// It was repeated so often, and is to be again, as soon as its next iteration begins.
    Due { round: u8 },
    /// It is being repeated, and has come to this event.
    At { round: u8, next: u16 },
}

/// Blocks the calling thread for the rest of this run, if the iteration that it repeats has written
/// nothing; else the loop goes on.
pub(in crate::explore) fn wait() {
    let blocks = with(|run| {
        let wrote = run.written().is_some();
        !run.is_over() && if wrote { run.go_on() } else { run.block() }
    });
    if blocks {
        let _engine = quarantine::engine();
        suspend();
    }
}

/// As [`wait`], for an iteration that is pure, which is tested.
pub(in crate::explore) fn retry_pure(at: &'static Location<'static>) {
    let blocks = with(|run| !run.is_over() && run.retry_pure(at));
    if blocks {
        let _engine = quarantine::engine();
        suspend();
    }
}

/// Marks the start of an iteration.
pub(in crate::explore) fn iteration() {
    with(|run| {
        let state = &mut run.threads[usize::from(run.running)];
        match state.echo {
            Echo::No => {
                state.iteration = state.done;
                state.marked = true;
            }
            Echo::Due { round } => state.echo = Echo::At { round, next: state.iteration },
            Echo::At { .. } => {}
        }
    });
}

impl Run<'_> {
    /// Whether the thread is to be suspended.
    fn retry_pure(&mut self, at: &'static Location<'static>) -> bool {
        let state = &self.threads[usize::from(self.running)];
        match (state.echo, state.marked, self.written()) {
            (Echo::No, false, Some(_)) => self.go_on(),
            (Echo::No, true, Some(write)) => {
                let (thread, there) = (self.running, self.graph.event(write).at);
                self.mark(thread, "calls the retry pure", Some(at));
                self.fault(
                    FaultKind::Misuse,
                    format!(
                        "thread {thread} calls `retry_pure` at {at}, but its iteration has written, \
                         at {there}: what others can see is not undone, so the retry is not pure \
                         (leave the call out, and the loop is followed until it ends)"
                    ),
                );
                true
            }
            (Echo::No, true, None) if self.can_echo() => {
                self.threads[usize::from(self.running)].echo = Echo::Due { round: 0 };
                false
            }
            (Echo::At { round, next }, ..) if next == state.done && round + 1 < ROUNDS => {
                self.threads[usize::from(self.running)].echo = Echo::Due { round: round + 1 };
                false
            }
            (Echo::At { next, .. }, ..) if next < state.done => {
                let thread = self.running;
                let missing = self.graph.event(EventId { thread, index: next });
                let (was, there) = (Request::of(&missing.label), missing.at);
                self.impure(format!("{was} at {there}, and is over at {at}"), at);
                true
            }
            _ => self.block(),
        }
    }

    /// What the present iteration has written.
    fn written(&self) -> Option<EventId> {
        let thread = self.running;
        let state = &self.threads[usize::from(thread)];
        let ids = (state.iteration..state.done).map(|index| EventId { thread, index });
        ids.into_iter().find(|&id| matches!(self.graph.event(id).label, Label::Write(_)))
    }

    fn can_echo(&self) -> bool {
        let thread = self.running;
        let state = &self.threads[usize::from(thread)];
        (state.iteration..state.done).all(|index| {
            let label = self.graph.event(EventId { thread, index }).label;
            matches!(label, Label::Read(_) | Label::Fence(_) | Label::Choice { .. })
        })
    }

    /// The loop is no wait: its next iteration begins.
    fn go_on(&mut self) -> bool {
        let state = &mut self.threads[usize::from(self.running)];
        state.iteration = state.done;
        state.marked = false;
        false
    }

    fn block(&mut self) -> bool {
        let state = &mut self.threads[usize::from(self.running)];
        state.echo = Echo::No;
        state.status = Status::Blocked;
        true
    }

    fn impure(&mut self, how: String, at: &'static Location<'static>) {
        let thread = self.running;
        self.mark(thread, "does something else in the iteration that it repeats", Some(at));
        self.fault(
            FaultKind::Misuse,
            format!(
                "thread {thread} calls a retry pure that is not: the next iteration was given the \
                 same values, and did something else. It was {how}. An iteration that has learnt \
                 something must not call `retry_pure`"
            ),
        );
    }

    /// Answers an operation of a thread that repeats an iteration.
    pub(super) fn echo(
        &mut self,
        thread: u8,
        echo: Echo,
        request: &Request,
        at: &'static Location<'static>,
    ) -> Attempt {
        let (round, next) = match echo {
            Echo::At { round, next } if next < self.done(thread) => (round, next),
            Echo::Due { round: 0 } => {
                // It does not say where its iterations begin: there is nothing to compare.
                self.block();
                return Attempt::Wait;
            }
            _ => {
                self.impure(format!("over, and goes on with {request} at {at}"), at);
                return Attempt::Wait;
            }
        };
        let event = *self.graph.event(EventId { thread, index: next });
        let was = Request::of(&event.label);
        if was != *request {
            self.impure(format!("{was} at {}, and is {request} at {at}", event.at), at);
            return Attempt::Wait;
        }
        self.threads[usize::from(thread)].echo = Echo::At { round, next: next + 1 };
        self.answer(thread, &event.label)
    }
}
