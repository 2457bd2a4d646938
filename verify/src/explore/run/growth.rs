//! How a run grows its graph: by what the search goes on with, or by what a schedule says.

use std::panic::Location;

use super::{Attempt, Outcome, Run};
use crate::explore::event::{Label, Loc, THREADS_MAX};
use crate::explore::fault::FaultKind;
use crate::explore::request::Request;
use crate::explore::search::Step;

impl Run<'_> {
    /// Adds the thread's next event to the graph.
    pub(super) fn grow(
        &mut self,
        thread: u8,
        request: &Request,
        at: &'static Location<'static>,
    ) -> Attempt {
        if self.forced.is_some() {
            return self.follow(thread, request, at);
        }
        let label = match *request {
            Request::Read { loc, kind } => {
                let initial = self.initial(loc);
                let mut step = Step { graph: &mut self.graph, aside: self.aside };
                Label::Read(step.read(thread, loc, initial, kind, at))
            }
            Request::Write(write) => {
                let mut step = Step { graph: &mut self.graph, aside: self.aside };
                if !step.write(thread, write, at) {
                    self.end = Some(Outcome::Inconsistent);
                    return Attempt::Wait;
                }
                Label::Write(write)
            }
            Request::Spawn => match self.graph.next_thread() {
                Some(child) => self.append(thread, Label::Spawn(child), at),
                None => {
                    let message = format!("a model starts at most {} threads", THREADS_MAX - 1);
                    self.fault(FaultKind::Misuse, message);
                    return Attempt::Wait;
                }
            },
            Request::Choice(of) => {
                for picked in 1..of {
                    let mut graph = self.graph.clone();
                    let event = graph.make(thread, Label::Choice { of, picked }, at);
                    graph.add(thread, event, None);
                    self.aside.push(graph);
                }
                self.append(thread, Label::Choice { of, picked: 0 }, at)
            }
            Request::Fence(fence) => self.append(thread, Label::Fence(fence), at),
            Request::Join(child) => self.append(thread, Label::Join(child), at),
            Request::End => self.append(thread, Label::End, at),
        };
        self.threads[usize::from(thread)].done += 1;
        self.order.push(thread);
        self.answer(thread, &label)
    }

    /// Adds the event that the schedule says.
    fn follow(&mut self, thread: u8, request: &Request, at: &'static Location<'static>) -> Attempt {
        let Self { forced, graph, made, .. } = self;
        let initial = |loc: Loc| made[usize::from(loc.thread)][usize::from(loc.number)].initial;
        let label =
            forced.as_mut().and_then(|forced| forced.grow(graph, thread, request, initial, at));
        let Some(label) = label else {
            self.end = Some(Outcome::Inconsistent);
            return Attempt::Wait;
        };
        self.threads[usize::from(thread)].done += 1;
        self.order.push(thread);
        self.answer(thread, &label)
    }

    fn append(&mut self, thread: u8, label: Label, at: &'static Location<'static>) -> Label {
        let event = self.graph.make(thread, label, at);
        self.graph.add(thread, event, None);
        label
    }
}
