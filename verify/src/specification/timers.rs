//! Timers and the poller, in a model of their own: the hole H2.
//!
//! Two Ps. P2 runs user code for ever, and has a timer that becomes due. A machine without a P sits
//! in the poller until then. Another machine, on P1, has found nothing, has not searched, and gives
//! P1 up. Whoever of the two comes second must see to the timer.

use super::properties::Property;
use super::search::System;

/// How the two machines go about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timers {
    /// Go 1.27: a poller that finds no P tells nobody, and who did not search does not look.
    GoAsWritten,
    /// The poller that finds no P sets `needspinning`, under the lock.
    GoRepaired,
    /// The idle word: timers are one more thing that D4 looks at; a poller that finds no P leaves.
    Word,
}

/// Where the machine that polls stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Poller {
    /// It sleeps until the timer is due.
    Polls,
    /// The timer is due, and it looks for a P.
    Returns,
    /// It has a P, and runs the timer.
    Works,
    /// It found no P, and has parked.
    Parked,
}

/// Where the machine on P1 stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropper {
    /// It has found nothing, and gives P1 up next.
    Drops,
    /// It searches: it visits the Ps, their timers among the rest.
    Searches,
    /// It has given P1 up, and looks once more.
    Looks,
    /// It saw the timer, and takes a P back.
    Retakes,
    /// It runs the timer.
    Works,
    /// It has parked.
    Parked,
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The machine that polls.
    pub poller: Poller,
    /// The machine on P1.
    pub dropper: Dropper,
    /// Whether P1 is idle.
    pub idle: bool,
    /// Whether the timer of P2 is due.
    pub due: bool,
    /// Go's `needspinning`.
    pub need: bool,
}

/// A step: who takes it, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// 0: the machine that polls; 1: the machine on P1.
    pub actor: u8,
    /// Its number, for coverage.
    pub number: u8,
    /// What it is.
    pub says: &'static str,
}

impl Timers {
    fn poller(self, from: &State) -> Option<(u8, &'static str, State)> {
        match from.poller {
            Poller::Polls => {
                let next = State { poller: Poller::Returns, due: true, ..*from };
                Some((0, "the timer of P2 is due: returns from the poll", next))
            }
            Poller::Returns if from.idle => {
                let next = State { poller: Poller::Works, idle: false, ..*from };
                Some((1, "takes P1, which is idle, and runs the timer", next))
            }
            Poller::Returns => {
                let need = from.need || self == Self::GoRepaired;
                let next = State { poller: Poller::Parked, need, ..*from };
                Some((2, "finds no idle P; parks", next))
            }
            Poller::Works | Poller::Parked => None,
        }
    }

    fn dropper(self, from: &State) -> Option<(u8, &'static str, State)> {
        match from.dropper {
            Dropper::Drops if self == Self::GoRepaired && from.need => {
                let next = State { dropper: Dropper::Searches, need: false, ..*from };
                Some((3, "lock, reads needspinning 1, and searches", next))
            }
            Dropper::Drops => {
                let looks = self == Self::Word;
                let dropper = if looks { Dropper::Looks } else { Dropper::Parked };
                let next = State { dropper, idle: true, ..*from };
                let says = if looks { "D1 gives P1 up" } else { "lock, idles P1; parks" };
                Some((4, says, next))
            }
            Dropper::Searches if from.due => Some((
                5,
                "visits P2, and runs its timer",
                State { dropper: Dropper::Works, ..*from },
            )),
            Dropper::Looks if from.due => {
                Some((6, "D4 the timer is due", State { dropper: Dropper::Retakes, ..*from }))
            }
            Dropper::Looks => {
                Some((7, "D4 no timer is due; parks", State { dropper: Dropper::Parked, ..*from }))
            }
            Dropper::Retakes if from.idle => {
                let next = State { dropper: Dropper::Works, idle: false, ..*from };
                Some((8, "D5 takes P1 back, and runs the timer", next))
            }
            Dropper::Retakes => {
                let next = State { dropper: Dropper::Parked, ..*from };
                Some((9, "D5 no P is idle: leaves it; parks", next))
            }
            Dropper::Searches | Dropper::Works | Dropper::Parked => None,
        }
    }
}

impl System for Timers {
    type State = State;
    type Label = Label;

    fn initial(&self) -> State {
        let (poller, dropper) = (Poller::Polls, Dropper::Drops);
        State { poller, dropper, idle: false, due: false, need: false }
    }

    fn successors(&self, from: &State, out: &mut Vec<(Label, State)>) {
        out.clear();
        for (actor, step) in [(0, self.poller(from)), (1, self.dropper(from))] {
            out.extend(step.map(|(number, says, next)| (Label { actor, number, says }, next)));
        }
    }

    fn local_step(&self, _: &State) -> Option<(Label, State)> {
        None
    }

    fn canonical(&self, state: &State) -> State {
        *state
    }

    fn violation(&self, state: &State) -> Option<Property> {
        let rest = state.poller == Poller::Parked && state.dropper == Dropper::Parked;
        (rest && state.due && state.idle).then_some(Property::TimerIsWatched)
    }

    fn end_violation(&self, _: &State) -> Option<Property> {
        None
    }

    fn number(label: &Label) -> u32 {
        label.number.into()
    }

    const ACTORS: usize = 2;

    fn actor(label: &Label) -> usize {
        label.actor.into()
    }
}
