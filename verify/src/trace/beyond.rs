//! What the code does in other steps than the specification, and why that is allowed.
//!
//! * **A searcher may give up early.** The specification's searcher visits every P that was not
//!   idle when it began, and finds what is there. The code's may miss: another thief is faster, or
//!   it reads an older value. Nothing rests on the search: whoever gives up and is the last looks
//!   once more (D3, D4), and that look is exact in both.
//! * **A searcher may visit a P that was idle when it began**, since the code reads the idle word
//!   once more before each round.
//! * **A thief may take fewer tasks than half**, or the slot of a P whose ring is not empty any
//!   more: it decides how many before the compare-exchange that takes them, and the owner may add
//!   tasks in between.
//! * **A machine may take one task from the global queue before it looks at its own**, where the
//!   specification takes a batch: each first of so many slices.
//!
//! That these steps do no harm is not only said: [`Widened`] is the protocol with them, and a test
//! visits all its states on the programs of the catalogue.

use crate::specification::Model;
use crate::specification::properties::Property;
use crate::specification::search::System;
use crate::specification::state::{At, MACHINES_MAX, NONE, State, Task};
use crate::specification::step::{Label, Step};
use crate::specification::system::{Protocol, Reduction};

/// Puts into `out` every state that one step of `actor` leads to, the specification's steps and
/// those beyond them.
pub fn successors_of(model: &Model, from: &State, actor: usize, out: &mut Vec<(Label, State)>) {
    model.successors_of(from, actor, out);
    if actor >= MACHINES_MAX {
        return;
    }
    let me = &from.actors[actor];
    let searches = me.searching && matches!(me.at, At::Visit | At::Drop);
    if me.at == At::Find {
        take_one(from, actor, out);
    }
    if searches {
        steal(model, from, actor, out);
    }
    if me.at == At::Visit {
        let mut next = *from;
        (next.actors[actor].seen, next.actors[actor].at) = (0, At::Drop);
        out.push((Label::new(actor, Step::VisitEmpty), next));
    }
}

/// One task from the global queue, before the own queue.
fn take_one(from: &State, actor: usize, out: &mut Vec<(Label, State)>) {
    let mut next = *from;
    let task = next.global.pop();
    if task != 0 {
        let me = &mut next.actors[actor];
        me.task = task;
        me.at = if me.searching { At::Found } else { At::User };
        out.push((Label::new(actor, Step::GlobalTake), next));
    }
}

/// Every number of tasks that a thief may take, from every other P.
fn steal(model: &Model, from: &State, actor: usize, out: &mut Vec<(Label, State)>) {
    let own = from.actors[actor].p;
    let processors = u8::try_from(model.program.processors).unwrap_or(NONE);
    for p in (0..processors).filter(|&p| p != own) {
        let most = from.queue(p).ring.len().div_ceil(2);
        for count in 1..=most {
            let mut next = *from;
            let ring = &mut next.processors[usize::from(p)].ring;
            let me = &mut next.actors[actor];
            (1..count).for_each(|_| me.hand.push(ring.pop()));
            let task = ring.pop();
            stolen(&mut next, actor, task);
            out.push((Label::on(actor, Step::Steal, p), next));
        }
        if from.queue(p).slot != 0 {
            let mut next = *from;
            let task = core::mem::take(&mut next.processors[usize::from(p)].slot);
            stolen(&mut next, actor, task);
            out.push((Label::on(actor, Step::Steal, p), next));
        }
    }
}

/// The thief has `task` to run, and what it holds in its hand to publish.
fn stolen(next: &mut State, actor: usize, task: Task) {
    let me = &mut next.actors[actor];
    (me.task, me.seen) = (task, 0);
    me.at = if me.hand.is_empty() { At::Found } else { At::Publish };
}

/// The protocol with the steps of this module: what runs are compared with.
#[derive(Clone, Debug)]
pub struct Widened(Protocol);

impl Widened {
    /// `model`, with the steps of this module.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self(Protocol::new(model, Reduction::FULL))
    }
}

impl System for Widened {
    type State = State;
    type Label = Label;

    fn initial(&self) -> State {
        self.0.initial()
    }

    fn successors(&self, from: &State, out: &mut Vec<(Label, State)>) {
        out.clear();
        for actor in 0..from.actors.len() {
            successors_of(&self.0.model, from, actor, out);
        }
    }

    /// A machine that parks. An own queue that is empty decides nothing here: the global queue may
    /// come first.
    fn local_step(&self, from: &State) -> Option<(Label, State)> {
        let parks = from.actors.iter().position(|actor| actor.at == At::Park)?;
        let mut out = Vec::with_capacity(1);
        self.0.model.successors_of(from, parks, &mut out);
        out.pop()
    }

    fn canonical(&self, state: &State) -> State {
        self.0.canonical(state)
    }

    fn violation(&self, state: &State) -> Option<Property> {
        self.0.violation(state)
    }

    fn end_violation(&self, state: &State) -> Option<Property> {
        self.0.end_violation(state)
    }

    fn number(label: &Label) -> u32 {
        Protocol::number(label)
    }

    const ACTORS: usize = Protocol::ACTORS;

    fn actor(label: &Label) -> usize {
        Protocol::actor(label)
    }
}
