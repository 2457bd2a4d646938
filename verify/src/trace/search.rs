//! The search for an order in which the specification explains what the machines did.
//!
//! Depth first, over how far each list is explained, where the specification stands, and which of
//! its machines is which of the code's. What was visited once is not visited again. A step that
//! nobody else can see, and beside which its actor has no other, is taken at once.
//!
//! Machines of the code are named by their numbers; those of the specification are as good as one
//! another while they are parked. So a machine has a partner in the specification from its start
//! until it parks, and another one after the next.

use std::collections::{BTreeSet, HashSet};

use super::beyond;
use super::map::{agrees, told};
use super::record::{Kind, MACHINES, OUTSIDE, Seen};
use crate::specification::Model;
use crate::specification::state::{At, INJECTOR, MACHINES_MAX, MONITOR, NONE, State};
use crate::specification::step::{Label, Step};

/// What was recorded: a list for each machine, and the last for the thread that is none.
pub type Lists = [Vec<Seen>];

/// How many lists there are at most.
const LISTS: usize = OUTSIDE + 1;
/// After so many places the search gives up, and the run is refused as undecided.
const PLACES_MAX: usize = 400_000;

/// Where the search stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    state: State,
    /// How many events of each list are explained.
    at: [u8; LISTS],
    /// The partner of each machine, or [`NONE`].
    partner: [u8; MACHINES],
}

/// A place, and how it was come to.
struct Node {
    place: Place,
    from: Option<(usize, Label)>,
}

/// A list that could not be explained to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The machine's number; `None` is the thread that is none.
    pub machine: Option<usize>,
    /// What it told next.
    pub told: Seen,
    /// What the specification would have had it tell.
    pub allowed: Vec<Seen>,
}

/// Why a run is none of the specification.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// How many events the longest explanation explains.
    pub explained: usize,
    /// Of how many.
    pub events: usize,
    /// The lists that are not explained to their end.
    pub stuck: Vec<Stuck>,
    /// The longest explanation, from the first state on.
    pub steps: Vec<(Label, State)>,
    /// Whether the search gave up.
    pub undecided: bool,
}

/// Looks for an order in which `lists` are a run of `model` from its first state to rest, with the
/// steps of [`beyond`] added.
///
/// The machine that runs the program's n-th task is the n-th machine.
///
/// # Errors
///
/// With the longest explanation and what would have been allowed next, if there is no such order.
///
/// # Panics
///
/// If there are more lists than a [`Recorder`](super::Recorder) has, or a list is too long.
pub fn replay(model: &Model, lists: &Lists) -> Result<(), Box<Refusal>> {
    let mut search = Search { model, lists, nodes: Vec::new(), out: Vec::new() };
    let mut partner = [NONE; MACHINES];
    for (machine, partner) in partner.iter_mut().enumerate().take(model.program.running.len()) {
        *partner = machine as u8;
    }
    let first = Place { state: model.initial(), at: [0; LISTS], partner };
    search.nodes.push(Node { place: first, from: None });
    let mut seen = HashSet::from([first]);
    let mut open = vec![0];
    while let Some(index) = open.pop() {
        if search.is_end(&search.nodes[index].place) {
            return Ok(());
        }
        if search.nodes.len() > PLACES_MAX {
            return Err(search.refusal(true));
        }
        let mut next = Vec::new();
        search.expand(index, &mut next);
        for node in next {
            if seen.insert(node.place) {
                open.push(search.nodes.len());
                search.nodes.push(node);
            }
        }
    }
    Err(search.refusal(false))
}

struct Search<'a> {
    model: &'a Model,
    lists: &'a Lists,
    nodes: Vec<Node>,
    out: Vec<(Label, State)>,
}

impl Search<'_> {
    fn next(&self, place: &Place, list: usize) -> Option<Seen> {
        self.lists.get(list)?.get(usize::from(place.at[list])).copied()
    }

    /// The specification's actor that a list belongs to now.
    fn actor(&self, place: &Place, list: usize) -> Option<usize> {
        if list == OUTSIDE {
            return Some(if self.model.program.monitor { MONITOR } else { INJECTOR });
        }
        let partner = place.partner[list];
        (partner != NONE).then_some(partner.into())
    }

    /// Whether everything is explained, and nothing is left to do.
    fn is_end(&self, place: &Place) -> bool {
        let rests = |at| matches!(at, At::Absent | At::Parked | At::Resting);
        (0..self.lists.len()).all(|list| self.next(place, list).is_none())
            && place.state.live == 0
            && place.state.actors.iter().all(|actor| rests(actor.at))
    }

    /// Where one step leads to from the node, last what is to be tried first.
    fn expand(&mut self, index: usize, next: &mut Vec<Node>) {
        let place = self.nodes[index].place;
        let mut loud = Vec::new();
        for list in 0..self.lists.len() {
            let Some(actor) = self.actor(&place, list) else { continue };
            // After its last event an actor may still take steps that it does not tell.
            let seen = self.next(&place, list).unwrap_or(Seen::new(Kind::Other));
            if let Some(is_true) = no_step(&place.state, actor, seen) {
                next.clear();
                if is_true {
                    let mut place = place;
                    place.at[list] += 1;
                    // No step: the way goes on from where it came from.
                    let from = self.nodes[index].from;
                    next.push(Node { place, from });
                }
                return;
            }
            let before = (next.len(), loud.len());
            let alone = self.steps_of(index, list, actor, seen, next, &mut loud);
            if alone {
                let only = next.pop().filter(|_| next.len() >= before.0).or_else(|| loud.pop());
                next.clear();
                next.extend(only);
                return;
            }
        }
        next.append(&mut loud);
    }

    /// The steps of one actor that agree with what its list tells next. Whether there is one
    /// alone that nobody else can see.
    fn steps_of(
        &mut self,
        index: usize,
        list: usize,
        actor: usize,
        seen: Seen,
        silent: &mut Vec<Node>,
        loud: &mut Vec<Node>,
    ) -> bool {
        let place = self.nodes[index].place;
        let mut out = core::mem::take(&mut self.out);
        out.clear();
        beyond::successors_of(self.model, &place.state, actor, &mut out);
        let before = silent.len() + loud.len();
        let mut unseen = false;
        for (label, state) in &out {
            let mut after = Place { state: *state, ..place };
            match told(label, &place.state, state) {
                None => silent.push(Node { place: after, from: Some((index, *label)) }),
                Some(tells) if agrees(seen, tells) => {
                    after.at[list] += 1;
                    if !pair(&mut after, &place, list, seen) {
                        continue;
                    }
                    loud.push(Node { place: after, from: Some((index, *label)) });
                }
                Some(_) => continue,
            }
            unseen = match label.step {
                Step::End | Step::JoinNot | Step::Park => true,
                // Not if the global queue comes first, which others may yet fill.
                Step::OwnEmpty => seen.kind != Kind::TookShare,
                _ => false,
            };
        }
        self.out = out;
        unseen && silent.len() + loud.len() == before + 1
    }

    /// The longest explanation, and what would have been allowed after it.
    fn refusal(&mut self, undecided: bool) -> Box<Refusal> {
        let explained =
            |node: &Node| node.place.at.iter().map(|&at| usize::from(at)).sum::<usize>();
        let most = self.nodes.iter().map(explained).max().unwrap_or(0);
        let best: Vec<usize> =
            (0..self.nodes.len()).filter(|&index| explained(&self.nodes[index]) == most).collect();
        let last = best.last().copied().unwrap_or(0);
        let mut stuck = Vec::new();
        for list in 0..self.lists.len() {
            let Some(seen) = self.next(&self.nodes[last].place, list) else { continue };
            let mut allowed = BTreeSet::new();
            for &index in &best {
                let place = &self.nodes[index].place;
                let Some(actor) = self.actor(place, list) else { continue };
                self.out.clear();
                beyond::successors_of(self.model, &place.state, actor, &mut self.out);
                let told =
                    self.out.iter().filter_map(|(label, state)| told(label, &place.state, state));
                allowed.extend(told);
            }
            let machine = (list != OUTSIDE).then_some(list);
            stuck.push(Stuck { machine, told: seen, allowed: allowed.into_iter().collect() });
        }
        let events = self.lists.iter().map(Vec::len).sum();
        let steps = self.way(last);
        Box::new(Refusal { explained: most, events, stuck, steps, undecided })
    }

    fn way(&self, last: usize) -> Vec<(Label, State)> {
        let mut steps = Vec::new();
        let mut node = &self.nodes[last];
        while let Some((before, label)) = node.from {
            steps.push((label, node.place.state));
            node = &self.nodes[before];
        }
        steps.reverse();
        steps
    }
}

/// Whether an event that is no step says the truth; `None` if it is one that is a step.
fn no_step(state: &State, actor: usize, seen: Seen) -> Option<bool> {
    let me = &state.actors[actor];
    match seen.kind {
        Kind::Began => Some(me.p == seen.p && me.searching == seen.flag),
        Kind::AskedToYield => Some(true),
        _ => None,
    }
}

/// Gives a machine its partner when it is started, and takes it when it parks. False if the machine
/// that was roused does not sleep, or the one that was started is not new.
fn pair(after: &mut Place, before: &Place, list: usize, seen: Seen) -> bool {
    match seen.kind {
        Kind::Parked => after.partner[list] = NONE,
        Kind::Started | Kind::Roused => {
            let machine = usize::from(seen.machine);
            let is_new = before.at.get(machine) == Some(&0);
            let Some(partner) = after.partner.get_mut(machine) else { return false };
            let Some(parked) = before.state.parked() else { return false };
            if *partner != NONE || is_new != (seen.kind == Kind::Started) {
                return false;
            }
            debug_assert!(parked < MACHINES_MAX);
            *partner = parked as u8;
        }
        _ => {}
    }
    true
}
