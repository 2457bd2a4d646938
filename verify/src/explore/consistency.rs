//! The axioms of RC11, as questions about one graph.
//!
//! * *Coherence* is built in: a read is offered only the writes it may read ([`first_readable`]),
//!   a write only the places it may have ([`first_place`]).
//! * *Atomicity*: no place between a write and the read-modify-write that read it ([`is_open`]).
//! * *No thin air* (`sb ∪ rf` acyclic): events are added last in their thread and read what exists.
//! * *Sequential consistency*: `psc` is acyclic ([`is_sequentially_consistent`]). An event that
//!   reads the last write of a location, or is written last, never closes a cycle, so the question
//!   is asked for other choices only.
//!
//! Within a location, `eco` (reads-from, modification order, from-read and their sequences) is a
//! total preorder: a write stands at its position `p`, a read at that of the write it reads, just
//! behind it. So `eco` between two events is a comparison of numbers.
//!
//! Source: O. Lahav, V. Vafeiadis, J. Kang, C.-K. Hur, D. Dreyer, *Repairing Sequential Consistency
//! in C/C++11*, PLDI 2017; for the asymmetric fences, C++ proposal P1202.

use std::collections::BTreeMap;

use super::event::{Clock, Event, EventId, Fence, Label, Loc};
use super::graph::{Graph, Position};

/// The first position of `loc` that a read may read, and behind which a write may come, if its
/// thread knows `known`: the last one that happens before it or that a read that happens before it
/// has read.
pub(super) fn first_readable(graph: &Graph, loc: Loc, known: &Clock) -> Position {
    let location = graph.location(loc);
    let written = location.writes.iter().rposition(|&write| known.has(write));
    let written = written.map_or(0, |index| index + 1);
    let reads = location.reads.iter().filter(|&&read| known.has(read));
    reads.map(|&read| graph.position(loc, graph.read(read).from)).fold(written, Position::max)
}

/// The first place of a write whose thread knows `known`.
pub(super) fn first_place(graph: &Graph, loc: Loc, known: &Clock) -> Position {
    first_readable(graph, loc, known) + 1
}

/// Whether a write may come to `position`: what stands there now is not a read-modify-write, which
/// must stay next to what it read.
pub(super) fn is_open(graph: &Graph, loc: Loc, position: Position) -> bool {
    !graph.is_exclusive(loc, position)
}

/// Whether there is an order of the `SeqCst` operations and fences that explains the graph.
pub(super) fn is_sequentially_consistent(graph: &Graph) -> bool {
    if graph.ordered < 2 {
        return true;
    }
    let events: Vec<(EventId, &Event)> = graph.events().collect();
    let nodes: Vec<(EventId, Node)> =
        events.iter().filter_map(|&(id, event)| Some((id, Node::of(&event.label)?))).collect();
    let reach: Vec<Reach> = nodes.iter().map(|&(id, _)| Reach::of(graph, id, &events)).collect();
    let edges: Vec<Vec<usize>> = (0..nodes.len())
        .map(|from| {
            let to = |&to: &usize| from != to && is_edge(graph, &nodes, &reach, from, to, &events);
            (0..nodes.len()).filter(to).collect()
        })
        .collect();
    is_acyclic(&edges)
}

/// A member of the order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    Access,
    /// A `SeqCst` fence that is not a heavy one.
    Fence,
    Heavy,
    Light,
}

impl Node {
    fn of(label: &Label) -> Option<Self> {
        match label {
            Label::Fence(Fence::Light) => Some(Self::Light),
            Label::Fence(Fence::Heavy) => Some(Self::Heavy),
            Label::Fence(fence) => fence.is_seq_cst().then_some(Self::Fence),
            label => label.is_seq_cst().then_some(Self::Access),
        }
    }

    fn is_fence(self) -> bool {
        self != Self::Access
    }
}

/// Where the events before and after a fence stand, location by location.
struct Reach {
    /// The least position, in `eco`'s scale, that something after the fence comes from.
    after: BTreeMap<Loc, usize>,
    /// The greatest that something before it comes to.
    before: BTreeMap<Loc, usize>,
}

impl Reach {
    fn of(graph: &Graph, fence: EventId, events: &[(EventId, &Event)]) -> Self {
        let mut reach = Self { after: BTreeMap::new(), before: BTreeMap::new() };
        let known = graph.event(fence).clocks.hb;
        for &(id, event) in events {
            let Some(loc) = event.label.loc() else { continue };
            let (from, to) = eco_scale(graph, id, event);
            if event.clocks.hb.has(fence) {
                let least = reach.after.entry(loc).or_insert(from);
                *least = from.min(*least);
            }
            if known.has(id) {
                let greatest = reach.before.entry(loc).or_insert(to);
                *greatest = to.max(*greatest);
            }
        }
        reach
    }

    /// Whether something after this fence is `eco`-before something that is before the other one.
    fn meets(&self, other: &Self) -> bool {
        self.after.iter().any(|(loc, from)| other.before.get(loc).is_some_and(|to| to >= from))
    }
}

/// An access' place in `eco`: `x` comes before `y` exactly if `y`'s second number is not less than
/// `x`'s first.
fn eco_scale(graph: &Graph, id: EventId, event: &Event) -> (usize, usize) {
    match &event.label {
        Label::Write(write) => {
            let position = graph.position(write.loc, Some(id));
            (2 * position + 1, 2 * position)
        }
        Label::Read(read) => {
            let position = graph.position(read.loc, read.from);
            (2 * position + 2, 2 * position + 1)
        }
        other => unreachable!("{other:?} is no access"),
    }
}

/// Whether `psc` orders one member before another.
fn is_edge(
    graph: &Graph,
    nodes: &[(EventId, Node)],
    reach: &[Reach],
    from: usize,
    to: usize,
    events: &[(EventId, &Event)],
) -> bool {
    let (a, kind_a) = nodes[from];
    let (b, kind_b) = nodes[to];
    let is_light = |kind| kind == Node::Light;
    if is_light(kind_a) || is_light(kind_b) {
        // Light fences are ordered against heavy ones and nothing else.
        let pair = [kind_a, kind_b];
        return pair.contains(&Node::Light)
            && pair.contains(&Node::Heavy)
            && (happens_before(graph, a, b) || reach[from].meets(&reach[to]));
    }
    if kind_a.is_fence() && kind_b.is_fence() {
        return happens_before(graph, a, b) || reach[from].meets(&reach[to]);
    }
    let starts: Vec<EventId> = if kind_a.is_fence() {
        let after = events.iter().filter(|(_, event)| event.clocks.hb.has(a));
        after.map(|&(id, _)| id).collect()
    } else {
        vec![a]
    };
    let ends: Vec<EventId> = if kind_b.is_fence() {
        let known = graph.event(b).clocks.hb;
        events.iter().map(|&(id, _)| id).filter(|&id| known.has(id)).collect()
    } else {
        vec![b]
    };
    starts.iter().any(|&x| ends.iter().any(|&y| is_scb(graph, x, y, events)))
}

fn happens_before(graph: &Graph, a: EventId, b: EventId) -> bool {
    a != b && graph.event(b).clocks.hb.has(a)
}

/// `scb`: program order; happens-before between accesses of one location, or that leaves the first
/// one's location and comes to the second one's from another; modification order; from-read.
fn is_scb(graph: &Graph, x: EventId, y: EventId, events: &[(EventId, &Event)]) -> bool {
    if x == y {
        return false;
    }
    if x.thread == y.thread && x.index < y.index {
        return true;
    }
    let loc = |id: EventId| graph.event(id).label.loc();
    let same_location = loc(x).is_some() && loc(x) == loc(y);
    if same_location {
        if happens_before(graph, x, y) {
            return true;
        }
        let scale = |id| eco_scale(graph, id, graph.event(id));
        // `mo` and `fr`: from anything to a write behind it.
        if matches!(graph.event(y).label, Label::Write(_)) && scale(y).1 >= scale(x).0 {
            return true;
        }
    }
    let other = |a: EventId, b: EventId| loc(a).is_none() || loc(a) != loc(b);
    events.iter().any(|&(first, _)| {
        let leaves = first.thread == x.thread && first.index > x.index && other(first, x);
        leaves
            && events.iter().any(|&(last, event)| {
                let precedes = last.thread == y.thread && last.index < y.index && other(last, y);
                // A thread's start comes before its first event, and has none of its own.
                (precedes || event.label == Label::Spawn(y.thread))
                    && (first == last || happens_before(graph, first, last))
            })
    })
}

fn is_acyclic(edges: &[Vec<usize>]) -> bool {
    // Take away whoever nobody points to, until nothing is left, or a cycle is.
    let mut degree = vec![0; edges.len()];
    edges.iter().flatten().for_each(|&to| degree[to] += 1);
    let mut free: Vec<usize> = (0..edges.len()).filter(|&node| degree[node] == 0).collect();
    let mut taken = 0;
    while let Some(node) = free.pop() {
        taken += 1;
        for &to in &edges[node] {
            degree[to] -= 1;
            if degree[to] == 0 {
                free.push(to);
            }
        }
    }
    taken == edges.len()
}
