//! Programs that never end: whether a queued task can wait for ever.
//!
//! A run is fair if every actor that could always take a step from some time on takes one again and
//! again. A task starves if there is a fair run in which it waits from some time on for ever. Such
//! a run stays, from some time on, within one strongly connected part of the graph of those states
//! in which it waits; and a part holds one exactly if each actor takes a step within it, or is at
//! one of its states without a step to take. So the parts are found (Tarjan's algorithm) and looked
//! at.
//!
//! Fairness is about actors by name, so nothing is reduced: each state is kept whole.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::properties::Property;
use super::schedule::{Schedule, Taken, Verdict};
use super::search::{Ending, Limits, Search, System};

/// The graph: states by number, and the steps between them.
struct Graph<S: System> {
    states: Vec<S::State>,
    steps: Vec<Vec<(S::Label, usize)>>,
    /// From which state each was first reached, and by which step.
    reached: Vec<Option<(usize, S::Label)>>,
    /// The part of each, among those in which a task waits.
    part: Vec<Option<usize>>,
}

/// Looks for a fair run in which a task waits for ever, and for a state that violates something.
pub(super) fn find_starved<S: System>(system: &S, limits: &mut Limits<'_>) -> Verdict<S> {
    let mut graph = Graph::<S> { states: vec![], steps: vec![], reached: vec![], part: vec![] };
    let mut search = Search::default();
    search.ending = graph.build(system, limits, &mut search);
    search.states = graph.states.len() as u64;
    if let Ending::Violated(property) = search.ending {
        let steps = graph.way_to(graph.states.len() - 1);
        let from = system.initial();
        return Verdict {
            search,
            schedule: Some(Schedule { property, from, steps, cycle_from: None }),
        };
    }
    if search.ending == Ending::Incomplete {
        return Verdict { search, schedule: None };
    }
    let parts = graph.parts(system);
    let starves = parts.iter().filter(|part| graph.is_fair(part));
    // States are numbered in the order in which they are reached.
    let first = starves.min_by_key(|part| part.iter().min().copied());
    let schedule = first.map(|part| graph.round(system, part));
    if schedule.is_some() {
        search.ending = Ending::Violated(Property::NobodyStarves);
    }
    Verdict { search, schedule }
}

impl<S: System> Graph<S> {
    /// Breadth first. A state that violates something is the last one.
    fn build(&mut self, system: &S, limits: &mut Limits<'_>, search: &mut Search) -> Ending {
        let mut numbers = HashMap::new();
        let mut out = Vec::new();
        numbers.insert(system.initial(), 0);
        self.states.push(system.initial());
        self.reached.push(None);
        let mut next = 0;
        while next < self.states.len() {
            system.successors(&self.states[next], &mut out);
            search.ends += u64::from(out.is_empty());
            let mut steps = Vec::new();
            for (label, state) in out.drain(..) {
                search.taken |= 1 << S::number(&label);
                let number = *numbers.entry(state).or_insert(self.states.len());
                steps.push((label, number));
                if number == self.states.len() {
                    self.states.push(state);
                    self.reached.push(Some((next, label)));
                    if let Some(property) = system.violation(&state) {
                        return Ending::Violated(property);
                    }
                }
            }
            self.steps.push(steps);
            next += 1;
            if next % 1024 == 0 {
                (limits.watch)(1024);
                if Instant::now() > limits.deadline || self.states.len() >= limits.states {
                    return Ending::Incomplete;
                }
            }
        }
        Ending::Complete
    }

    /// A shortest way from the beginning.
    fn way_to(&self, mut number: usize) -> Vec<Taken<S>> {
        let mut way = Vec::new();
        while let Some((from, label)) = self.reached[number] {
            way.push((label, self.states[number]));
            number = from;
        }
        way.reverse();
        way
    }

    /// The strongly connected parts of the states in which a task waits.
    fn parts(&mut self, system: &S) -> Vec<Vec<usize>> {
        let count = self.states.len();
        let waits: Vec<bool> = self.states.iter().map(|state| system.waits(state)).collect();
        let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
        let (mut parts, mut open, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        let mut on_stack = vec![false; count];
        self.part = vec![None; count];
        let mut numbered = 0;
        for root in (0..count).filter(|state| waits[*state]) {
            if index[root] != usize::MAX {
                continue;
            }
            calls.push((root, 0));
            while let Some((state, edge)) = calls.pop() {
                if edge == 0 {
                    (index[state], low[state], on_stack[state]) = (numbered, numbered, true);
                    numbered += 1;
                    open.push(state);
                } else {
                    // The one that was called for the edge before has returned.
                    let to = self.steps[state][edge - 1].1;
                    if waits[to] && on_stack[to] {
                        low[state] = low[state].min(low[to]);
                    }
                }
                if let Some((_, to)) = self.steps[state].get(edge) {
                    calls.push((state, edge + 1));
                    if waits[*to] && index[*to] == usize::MAX {
                        calls.push((*to, 0));
                    }
                } else if low[state] == index[state] {
                    let from = open.iter().rposition(|one| *one == state).expect("it is open");
                    let part = open.split_off(from);
                    for one in &part {
                        (on_stack[*one], self.part[*one]) = (false, Some(parts.len()));
                    }
                    parts.push(part);
                }
            }
        }
        parts
    }

    /// The steps from `state` that stay within its part.
    fn inside(&self, state: usize) -> impl Iterator<Item = &(S::Label, usize)> {
        self.steps[state].iter().filter(move |(_, to)| self.part[*to] == self.part[state])
    }

    fn can_step(&self, state: usize, actor: usize) -> bool {
        self.steps[state].iter().any(|(label, _)| S::actor(label) == actor)
    }

    fn steps_inside(&self, state: usize, actor: usize) -> bool {
        self.inside(state).any(|(label, _)| S::actor(label) == actor)
    }

    fn is_fair(&self, part: &[usize]) -> bool {
        let goes_round = part.iter().any(|state| self.inside(*state).next().is_some());
        goes_round
            && (0..S::ACTORS).all(|actor| {
                part.iter()
                    .any(|state| !self.can_step(*state, actor) || self.steps_inside(*state, actor))
            })
    }

    /// The way to a fair part, and once round it so that every actor has its due.
    fn round(&self, system: &S, part: &[usize]) -> Schedule<S> {
        let entry = *part.iter().min().expect("a part has a state");
        let mut steps = self.way_to(entry);
        let cycle_from = Some(steps.len());
        let mut here = entry;
        for actor in 0..S::ACTORS {
            let had = |state: usize| !self.can_step(state, actor);
            here =
                self.leg(here, &mut steps, |state| had(state) || self.steps_inside(state, actor));
            let own = self.inside(here).find(|(label, _)| S::actor(label) == actor);
            if let (false, Some((label, to))) = (had(here), own) {
                steps.push((*label, self.states[*to]));
                here = *to;
            }
        }
        if here == entry {
            // One step away, so that the way back goes round.
            let (label, to) = self.inside(here).next().expect("it goes round");
            steps.push((*label, self.states[*to]));
            here = *to;
        }
        self.leg(here, &mut steps, |state| state == entry);
        let (property, from) = (Property::NobodyStarves, system.initial());
        Schedule { property, from, steps, cycle_from }
    }

    /// Goes a shortest way within the part to a state for which `is_goal` holds.
    fn leg(
        &self,
        from: usize,
        steps: &mut Vec<Taken<S>>,
        is_goal: impl Fn(usize) -> bool,
    ) -> usize {
        let mut before: HashMap<usize, Option<(usize, S::Label)>> = HashMap::from([(from, None)]);
        let mut open = VecDeque::from([from]);
        while let Some(state) = open.pop_front() {
            if is_goal(state) {
                let mut way = Vec::new();
                let mut at = state;
                while let Some((earlier, label)) = before[&at] {
                    way.push((label, self.states[at]));
                    at = earlier;
                }
                steps.extend(way.into_iter().rev());
                return state;
            }
            for (label, to) in self.inside(state) {
                if !before.contains_key(to) {
                    before.insert(*to, Some((state, *label)));
                    open.push_back(*to);
                }
            }
        }
        unreachable!("every state of a part leads to every other");
    }
}
