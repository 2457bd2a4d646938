//! A model of the protocol as a system that can be searched, with its reductions.

use super::common::Model;
use super::program::LEAF;
use super::properties::Property;
use super::search::System;
use super::state::{ACTORS, State};
use super::step::Label;
use super::symmetry::Symmetry;

/// Which states are left out because others stand for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reduction {
    /// States that differ in the names of machines and Ps are one.
    pub symmetry: bool,
    /// Steps that no other actor can see are taken at once and alone.
    pub local_steps_alone: bool,
}

impl Reduction {
    /// Both.
    pub const FULL: Self = Self { symmetry: true, local_steps_alone: true };
}

/// A model, ready to be searched.
#[derive(Clone, Debug)]
pub struct Protocol {
    /// The model.
    pub model: Model,
    reduction: Reduction,
    symmetry: Symmetry,
}

impl Protocol {
    /// `model`, with these reductions.
    #[must_use]
    pub fn new(model: Model, reduction: Reduction) -> Self {
        let symmetry = Symmetry::of(model.program.processors);
        Self { model, reduction, symmetry }
    }
}

impl System for Protocol {
    type State = State;
    type Label = Label;

    fn initial(&self) -> State {
        self.model.initial()
    }

    fn successors(&self, from: &State, out: &mut Vec<(Label, State)>) {
        self.model.successors(from, out);
    }

    fn local_step(&self, from: &State) -> Option<(Label, State)> {
        if self.reduction.local_steps_alone { self.model.local_step(from) } else { None }
    }

    fn canonical(&self, state: &State) -> State {
        if self.reduction.symmetry { self.symmetry.canonical(state) } else { *state }
    }

    fn violation(&self, state: &State) -> Option<Property> {
        self.model.violation(state)
    }

    fn end_violation(&self, state: &State) -> Option<Property> {
        self.model.end_violation(state)
    }

    fn number(label: &Label) -> u32 {
        label.step as u32
    }

    const ACTORS: usize = ACTORS;

    fn actor(label: &Label) -> usize {
        label.actor.into()
    }

    fn is_endless(&self) -> bool {
        self.model.program.endless
    }

    fn waits(&self, state: &State) -> bool {
        state.has_queued(LEAF)
    }
}
