//! How a run ends: whether its graph is an execution, and what to tell if that fails.

use std::panic::Location;

use super::{Outcome, Run, Status};
use crate::explore::Failure;
use crate::explore::event::{Clock, EventId, Label, Loc, THREADS_MAX};
use crate::explore::fault::{Fault, FaultKind, OUTSIDE};
use crate::explore::picture::{Mark, Story, Trace, What};
use crate::explore::request::Request;

impl Run<'_> {
    /// The execution that fails, for who wants to see it.
    pub(super) fn fail(mut self, fault: Fault) -> Failure {
        let mut performed = Clock::default();
        for thread in 0..THREADS_MAX as u8 {
            performed.set(thread, self.done(thread));
        }
        let waiting = self.graph.started().filter(|_| fault.kind == FaultKind::Deadlock);
        for thread in waiting {
            let text = match self.threads[usize::from(thread)].status {
                Status::Joining(child) if !self.graph.has_ended(child) => {
                    format!("waits for the end of thread {child}")
                }
                Status::Blocked if !self.is_in_await(thread) => {
                    "waits for a value other than what it has read".into()
                }
                _ => continue,
            };
            self.marks.push(Mark { thread, after: None, text, at: None });
        }
        self.graph.restrict(&performed);
        let Fault { kind, message } = fault.clone();
        let Self { graph, order, made, marks, .. } = self;
        let trace = Trace::new(Story { graph, order, made, marks, fault });
        Failure { kind, message, trace }
    }

    /// Whether the thread waits at a read of its own, as for a lock.
    fn is_in_await(&self, thread: u8) -> bool {
        let index = self.done(thread).checked_sub(1);
        let last = index.map(|index| self.graph.event(EventId { thread, index }).label);
        matches!(last, Some(Label::Read(read)) if read.is_blocked())
    }

    /// Ends the run: the model is wrong. The first fault counts.
    pub(in crate::explore) fn fault(&mut self, kind: FaultKind, message: String) {
        if self.end.is_none() {
            self.end = Some(Outcome::Fault(Fault { kind, message }));
        }
    }

    /// Something for the end of the picture that is no event.
    pub(in crate::explore) fn mark(
        &mut self,
        thread: u8,
        text: impl Into<String>,
        at: Option<&'static Location<'static>>,
    ) {
        if self.end.is_none() {
            self.marks.push(Mark { thread, after: None, text: text.into(), at });
        }
    }

    /// As [`mark`](Run::mark), for something that came behind so many events of its thread.
    pub(in crate::explore) fn mark_after(
        &mut self,
        thread: u8,
        after: u16,
        text: impl Into<String>,
        at: Option<&'static Location<'static>>,
    ) {
        if self.end.is_none() {
            self.marks.push(Mark { thread, after: Some(after), text: text.into(), at });
        }
    }

    /// What the graph is, now that nobody can add to it.
    pub(super) fn finish(&mut self) -> Outcome {
        if let Some(forced) = &mut self.forced
            && let Some(thread) = forced.thread(self.graph.total())
        {
            let index = self.graph.len(thread);
            forced.refuse(format!("thread {thread} does not come to its event {index}"));
            return Outcome::Inconsistent;
        }
        let waiting: Vec<u8> =
            self.graph.started().filter(|&thread| !self.graph.has_ended(thread)).collect();
        if waiting.is_empty() {
            let joined =
                |thread| self.graph.events().any(|(_, event)| event.label == Label::Join(thread));
            return match self.graph.started().skip(1).find(|&thread| !joined(thread)) {
                None => self.leak().map_or(Outcome::Complete(String::new()), Outcome::Fault),
                Some(thread) => Outcome::Fault(Fault {
                    kind: FaultKind::NotJoined,
                    message: format!("thread {thread} was never joined"),
                }),
            };
        }
        // One who waits for a value that is there already, but that this graph does not give it,
        // goes on in another graph, and may set the others free there.
        let is_blocked = |&thread: &u8| self.threads[usize::from(thread)].status == Status::Blocked;
        if waiting.iter().copied().filter(|thread| is_blocked(thread)).any(|t| !self.is_stuck(t)) {
            return Outcome::Blocked;
        }
        Outcome::Fault(Fault {
            kind: FaultKind::Deadlock,
            message: format!("threads {waiting:?} wait for what nobody will do"),
        })
    }

    /// The threads have stopped before they did what they had done before.
    pub(super) fn fall_short(&mut self) -> Outcome {
        let missing = |&thread: &u8| self.done(thread) < self.graph.len(thread);
        let thread = self.graph.started().find(missing).unwrap_or_default();
        let id = EventId { thread, index: self.done(thread) };
        let event = self.graph.event(id);
        let (done, at) = (Request::of(&event.label), event.at);
        let message = format!(
            "event {} of thread {thread} was {done} at {at}, and the thread does not come to it when \
             the model runs again: {OUTSIDE}",
            id.index
        );
        self.mark(thread, "does less than before", None);
        Outcome::Fault(Fault { kind: FaultKind::NotDeterministic, message })
    }

    /// A shared value that still has owners, now that all threads have ended.
    fn leak(&self) -> Option<Fault> {
        (0_u8..).zip(&self.made).find_map(|(thread, made)| {
            (0_u16..).zip(made).find_map(|(number, made)| {
                let owners = self.last_value(Loc { thread, number });
                (made.what == What::Owners && owners > 0).then(|| Fault {
                    kind: FaultKind::Leak,
                    message: format!(
                        "the value shared at {} has {owners} owners left when all threads have \
                         ended: it is leaked, or kept outside the model",
                        made.at
                    ),
                })
            })
        })
    }

    /// Whether a blocked thread has seen the newest values, so that nothing can set it free.
    fn is_stuck(&self, thread: u8) -> bool {
        let state = &self.threads[usize::from(thread)];
        (state.iteration..state.done).all(|index| {
            match self.graph.event(EventId { thread, index }).label {
                Label::Read(read) => {
                    read.from == self.graph.location(read.loc).writes.last().copied()
                }
                _ => true,
            }
        })
    }
}
