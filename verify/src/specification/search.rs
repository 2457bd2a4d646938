//! The searches: breadth first for the shortest schedule, depth first for what goes round.
//!
//! Both visit every state that can be reached, up to symmetry, and look at each. Breadth first
//! finds a shortest way to a state; depth first needs half the memory, and meets a state that is
//! still on its way exactly if the graph of states has a cycle. A finite program whose graph has
//! none, and whose ends have run every task, runs every task whatever the scheduling: no fairness
//! is assumed.
//!
//! A step that no other actor can see ([`System::local_step`]) is taken at once and alone, and its
//! state is not kept.

use core::hash::Hash;
use std::time::Instant;

use super::fingerprint::{Fingerprint, FingerprintMap, fingerprint};
use super::properties::Property;

/// What can be searched: states, and the steps between them.
pub trait System {
    /// A state.
    type State: Copy + Hash + Eq + core::fmt::Debug;
    /// What leads from a state to the next.
    type Label: Copy + core::fmt::Debug;

    /// Where it begins.
    fn initial(&self) -> Self::State;
    /// Puts every next state into `out`, which it clears first.
    fn successors(&self, from: &Self::State, out: &mut Vec<(Self::Label, Self::State)>);
    /// A step that may be taken alone, if there is one.
    fn local_step(&self, from: &Self::State) -> Option<(Self::Label, Self::State)>;
    /// The state that stands for those that are the same as this one.
    fn canonical(&self, state: &Self::State) -> Self::State;
    /// What a state violates.
    fn violation(&self, state: &Self::State) -> Option<Property>;
    /// What a state without a next one violates.
    fn end_violation(&self, state: &Self::State) -> Option<Property>;
    /// The number of a step, below 128: to tell which have been taken.
    fn number(label: &Self::Label) -> u32;
    /// How many actors there are.
    const ACTORS: usize;
    /// Who takes a step: a number below [`ACTORS`](System::ACTORS).
    fn actor(label: &Self::Label) -> usize;
    /// Whether it never ends. Then cycles are no violation, but that a task waits for ever is.
    fn is_endless(&self) -> bool {
        false
    }
    /// Whether a task waits that must not wait for ever.
    fn waits(&self, _: &Self::State) -> bool {
        false
    }
}

/// How far a search may go, and who watches.
pub struct Limits<'a> {
    /// When it must end.
    pub deadline: Instant,
    /// How many states it may keep.
    pub states: usize,
    /// Is told now and then how many more states there are.
    pub watch: &'a mut dyn FnMut(u64),
}

impl core::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Limits").field("states", &self.states).finish_non_exhaustive()
    }
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every state was visited.
    Complete,
    /// A property was violated.
    Violated(Property),
    /// The time was over, or there were too many states.
    Incomplete,
}

/// What a search saw.
#[derive(Clone, Debug)]
pub struct Search {
    /// How it ended.
    pub ending: Ending,
    /// Different states.
    pub states: u64,
    /// States without a next one.
    pub ends: u64,
    /// Depth first: the longest way without a state twice; breadth first: the longest shortest way.
    pub depth: usize,
    /// The steps that were taken, as a set.
    pub taken: u128,
    /// The way to the state that was looked for, as fingerprints; the first is the beginning's.
    pub way: Vec<Fingerprint>,
}

impl Default for Search {
    fn default() -> Self {
        let ending = Ending::Complete;
        Self { ending, states: 0, ends: 0, depth: 0, taken: 0, way: Vec::new() }
    }
}

/// How many states are visited between two looks at the clock.
const GLANCE: u64 = 1024;

/// Takes the local steps that stand open; returns them.
pub(super) fn settle<S: System>(system: &S, state: &mut S::State) -> Vec<(S::Label, S::State)> {
    let mut taken = Vec::new();
    while let Some((label, next)) = system.local_step(state) {
        assert!(taken.len() < 64, "local steps go round");
        taken.push((label, next));
        *state = next;
    }
    taken
}

/// The next states in their canonical form, each with its fingerprint.
struct Expansion<S: System> {
    raw: Vec<(S::Label, S::State)>,
    next: Vec<(Fingerprint, S::State)>,
}

impl<S: System> Expansion<S> {
    fn new() -> Self {
        Self { raw: Vec::new(), next: Vec::new() }
    }

    fn of(&mut self, system: &S, from: &S::State, search: &mut Search) {
        system.successors(from, &mut self.raw);
        self.next.clear();
        for (label, mut state) in self.raw.drain(..) {
            search.taken |= 1 << S::number(&label);
            for (label, _) in settle(system, &mut state) {
                search.taken |= 1 << S::number(&label);
            }
            let state = system.canonical(&state);
            self.next.push((fingerprint(&state), state));
        }
    }
}

fn is_over(limits: &mut Limits<'_>, states: u64) -> bool {
    if !states.is_multiple_of(GLANCE) {
        return false;
    }
    (limits.watch)(GLANCE);
    Instant::now() > limits.deadline || states >= limits.states as u64
}

/// Searches breadth first from `from` until `is_goal` holds, and gives a shortest way there.
///
/// The goal is a function of a state and of whether it has a next one. `from` itself is no goal.
pub fn breadth_first<S: System>(
    system: &S,
    from: &S::State,
    limits: &mut Limits<'_>,
    is_goal: impl Fn(&S::State, bool) -> Option<Property>,
) -> Search {
    let mut search = Search::default();
    let mut seen = FingerprintMap::default();
    let mut parents: Vec<(Fingerprint, u32)> = Vec::new();
    let mut level = Vec::new();
    let mut expansion = Expansion::new();
    let start = system.canonical(from);
    seen.insert(fingerprint(&start), ());
    parents.push((fingerprint(&start), 0));
    level.push((start, 0));
    search.states = 1;
    while !level.is_empty() {
        let mut next_level = Vec::new();
        for (state, index) in &level {
            expansion.of(system, state, &mut search);
            if expansion.next.is_empty() {
                search.ends += 1;
                if let Some(property) = is_goal(state, true) {
                    return reached(search, property, way(&parents, *index));
                }
            }
            for (print, next) in expansion.next.drain(..) {
                // The way may close at its beginning, which has been seen.
                let closes = print == parents[0].0;
                if closes && let Some(property) = is_goal(&next, false) {
                    let mut way = way(&parents, *index);
                    way.push(print);
                    return reached(search, property, way);
                }
                if closes || seen.insert(print, ()).is_some() {
                    continue;
                }
                let place = u32::try_from(parents.len()).expect("memory is full before");
                parents.push((print, *index));
                search.states += 1;
                if let Some(property) = is_goal(&next, false) {
                    return reached(search, property, way(&parents, place));
                }
                next_level.push((next, place));
                if is_over(limits, search.states) {
                    return Search { ending: Ending::Incomplete, ..search };
                }
            }
        }
        search.depth += usize::from(!next_level.is_empty());
        level = next_level;
    }
    search
}

fn reached(search: Search, property: Property, way: Vec<Fingerprint>) -> Search {
    Search { ending: Ending::Violated(property), way, ..search }
}

fn way(parents: &[(Fingerprint, u32)], mut index: u32) -> Vec<Fingerprint> {
    let mut way = Vec::new();
    loop {
        let (print, parent) = parents[index as usize];
        way.push(print);
        if index == 0 {
            way.reverse();
            return way;
        }
        index = parent;
    }
}

/// The shortest schedule to a violation of safety, of work conservation, or of "every task runs".
pub fn shortest_violation<S: System>(system: &S, limits: &mut Limits<'_>) -> Search {
    let mut start = system.initial();
    settle(system, &mut start);
    breadth_first(system, &start, limits, |state, is_end| {
        let ends = || if is_end { system.end_violation(state) } else { None };
        system.violation(state).or_else(ends)
    })
}

/// One state on the way of a depth-first search.
struct Frame<T> {
    print: Fingerprint,
    left: Vec<(Fingerprint, T)>,
}

/// Searches depth first: every property of [`shortest_violation`], and cycles. A violation comes
/// without the shortest way; a cycle with the state where it closes, in `closes_at`.
pub fn depth_first<S: System>(
    system: &S,
    limits: &mut Limits<'_>,
    closes_at: &mut Option<S::State>,
) -> Search {
    let mut search = Search::default();
    let mut seen: FingerprintMap<bool> = FingerprintMap::default();
    let mut expansion = Expansion::new();
    let mut stack: Vec<Frame<S::State>> = Vec::new();
    let mut start = system.initial();
    settle(system, &mut start);
    let start = system.canonical(&start);
    let mut entered = Some((fingerprint(&start), start));
    loop {
        if let Some((print, state)) = entered.take() {
            seen.insert(print, true);
            search.states += 1;
            if let Some(property) = system.violation(&state) {
                return Search { ending: Ending::Violated(property), ..search };
            }
            expansion.of(system, &state, &mut search);
            if expansion.next.is_empty() {
                search.ends += 1;
                if let Some(property) = system.end_violation(&state) {
                    return Search { ending: Ending::Violated(property), ..search };
                }
            }
            stack.push(Frame { print, left: expansion.next.clone() });
            search.depth = search.depth.max(stack.len());
            if is_over(limits, search.states) {
                return Search { ending: Ending::Incomplete, ..search };
            }
        }
        let Some(frame) = stack.last_mut() else { return search };
        match frame.left.pop() {
            None => {
                seen.insert(frame.print, false);
                stack.pop();
            }
            Some((print, state)) => match seen.get(&print) {
                None => entered = Some((print, state)),
                Some(false) => {}
                Some(true) => {
                    *closes_at = Some(state);
                    return Search { ending: Ending::Violated(Property::NoLivelock), ..search };
                }
            },
        }
    }
}
