//! Schedules: a way through the states, with the names that the actors and Ps had at its beginning.
//!
//! A search keeps canonical states, in which the names change from step to step. The schedule takes
//! the same way again from the first state, by choosing at each state the step whose result is, but
//! for names, the next state of the way.

use super::fairness::find_starved;
use super::fingerprint::{Fingerprint, fingerprint};
use super::properties::Property;
use super::search::{
    Ending, Limits, Search, System, breadth_first, depth_first, settle, shortest_violation,
};

/// One step of a schedule, and the state after it.
pub type Taken<S> = (<S as System>::Label, <S as System>::State);

/// A schedule that violates a property.
#[derive(Clone, Debug)]
pub struct Schedule<S: System> {
    /// What it violates.
    pub property: Property,
    /// Where it begins.
    pub from: S::State,
    /// The steps, local ones among them.
    pub steps: Vec<Taken<S>>,
    /// Of a cycle: the number of steps before it is entered.
    pub cycle_from: Option<usize>,
}

/// The verdict on a system.
#[derive(Clone, Debug)]
pub struct Verdict<S: System> {
    /// How the search ended, and what it saw.
    pub search: Search,
    /// Of a violation: the shortest schedule to it.
    pub schedule: Option<Schedule<S>>,
}

/// Takes the way of `prints` from `start`.
fn retake<S: System>(system: &S, start: S::State, prints: &[Fingerprint]) -> Vec<Taken<S>> {
    let mut steps: Vec<Taken<S>> = Vec::new();
    let mut state = start;
    let mut out = Vec::new();
    for print in prints.iter().skip(1) {
        system.successors(&state, &mut out);
        let (taken, settled, local) = out
            .iter()
            .find_map(|taken| {
                let mut settled = taken.1;
                let local = settle(system, &mut settled);
                let same = fingerprint(&system.canonical(&settled)) == *print;
                same.then_some((*taken, settled, local))
            })
            .expect("the way leads on from a state that is the same but for names");
        steps.push(taken);
        steps.extend(local);
        state = settled;
    }
    steps
}

/// The first state after its local steps, and those steps.
fn beginning<S: System>(system: &S) -> (S::State, Vec<Taken<S>>) {
    let mut state = system.initial();
    let steps = settle(system, &mut state);
    (state, steps)
}

/// Looks for a violation breadth first, and then for a cycle; in a program that never ends, for a
/// task that waits for ever.
pub fn find_violation<S: System>(system: &S, limits: &mut Limits<'_>) -> Verdict<S> {
    if system.is_endless() {
        return find_starved(system, limits);
    }
    let search = shortest_violation(system, limits);
    match search.ending {
        Ending::Violated(property) => {
            let (start, mut steps) = beginning(system);
            steps.extend(retake(system, start, &search.way));
            let from = system.initial();
            Verdict { search, schedule: Some(Schedule { property, from, steps, cycle_from: None }) }
        }
        Ending::Complete => confirm(system, limits),
        Ending::Incomplete => Verdict { search, schedule: None },
    }
}

/// Searches depth first, for what is thought to hold; on a violation, looks for the shortest.
pub fn confirm<S: System>(system: &S, limits: &mut Limits<'_>) -> Verdict<S> {
    if system.is_endless() {
        return find_starved(system, limits);
    }
    let mut closes_at = None;
    let search = depth_first(system, limits, &mut closes_at);
    match (search.ending, closes_at) {
        (Ending::Violated(_), Some(state)) => {
            let schedule = cycle(system, limits, &state);
            Verdict { search, schedule }
        }
        (Ending::Violated(_), None) => find_violation(system, limits),
        _ => Verdict { search, schedule: None },
    }
}

/// A shortest way to the state where a cycle closes, and a shortest way round.
fn cycle<S: System>(
    system: &S,
    limits: &mut Limits<'_>,
    closes_at: &S::State,
) -> Option<Schedule<S>> {
    let property = Property::NoLivelock;
    let print = fingerprint(closes_at);
    let is_there =
        |state: &S::State, end: bool| (!end && fingerprint(state) == print).then_some(property);
    let (start, mut steps) = beginning(system);
    let there = breadth_first(system, &start, limits, is_there);
    steps.extend(retake(system, start, &there.way));
    let cycle_from = Some(steps.len());
    let entered = steps.last().map_or(start, |(_, state)| *state);
    let round = breadth_first(system, &entered, limits, is_there);
    steps.extend(retake(system, entered, &round.way));
    Some(Schedule { property, from: system.initial(), steps, cycle_from })
}
