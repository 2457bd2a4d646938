//! The order of the rows.
//!
//! It respects each thread's own order, shows a write before its readers, a start before the thread
//! and an end before who waits for it. Beyond that it would like to be an interleaving: each write
//! behind the older ones of its location, and each read before the writes that it has not seen. An
//! execution that is sequentially consistent can be drawn so. In one that is not, something must
//! give way, and it is as little as a greedy choice finds: first a read comes too late (it is then
//! *stale*), and only then a write before an older one. Among equals a thread goes on as long as it
//! can, so that there are few switches.

use std::collections::HashMap;

use super::super::event::{EventId, Label, Loc, THREADS_MAX};
use super::super::graph::Graph;

/// What it costs to draw a write above an older one, in stale reads.
const OUT_OF_ORDER: usize = 1000;

struct Orderer<'a> {
    graph: &'a Graph,
    /// The place in its location's order that each access has: a write's own, or that of the write
    /// that a read reads.
    positions: HashMap<EventId, usize>,
    placed: [u16; THREADS_MAX],
}

/// The events in the order of the rows. A read-modify-write's two halves stand together.
pub(super) fn order(graph: &Graph) -> Vec<EventId> {
    let mut orderer = Orderer { graph, positions: positions(graph), placed: [0; THREADS_MAX] };
    let mut rows = Vec::with_capacity(graph.total());
    let mut last = 0;
    loop {
        let candidates = graph.started().filter_map(|thread| {
            let id = orderer.next(thread)?;
            Some((orderer.cost(id), orderer.is_waiting(id), thread != last, id))
        });
        let Some((.., id)) = candidates.min() else { return rows };
        last = id.thread;
        rows.push(id);
        orderer.placed[usize::from(last)] += 1;
        if orderer.is_first_half(id) {
            rows.push(second_half(id));
            orderer.placed[usize::from(last)] += 1;
        }
    }
}

/// The position of every access.
pub(super) fn positions(graph: &Graph) -> HashMap<EventId, usize> {
    let mut positions = HashMap::new();
    for (_, event) in graph.events() {
        if let Some(loc) = event.label.loc()
            && let Some(first) = graph.location(loc).writes.first()
            && !positions.contains_key(first)
        {
            let writes = graph.location(loc).writes.iter().enumerate();
            positions.extend(writes.map(|(index, write)| (*write, index + 1)));
        }
    }
    for (id, event) in graph.events() {
        if let Label::Read(read) = &event.label {
            let position = read.from.map_or(0, |write| positions[&write]);
            positions.insert(id, position);
        }
    }
    positions
}

pub(super) fn second_half(read: EventId) -> EventId {
    EventId { thread: read.thread, index: read.index + 1 }
}

impl Orderer<'_> {
    fn has(&self, id: EventId) -> bool {
        self.placed[usize::from(id.thread)] > id.index
    }

    /// The next event of a thread, if what it needs was placed.
    fn next(&self, thread: u8) -> Option<EventId> {
        let id = EventId { thread, index: self.placed[usize::from(thread)] };
        if id.index >= self.graph.len(thread) {
            return None;
        }
        let started = id.index > 0 || thread == 0 || self.is_started(thread);
        let ready = match &self.graph.event(id).label {
            Label::Read(read) => read.from.is_none_or(|write| self.has(write)),
            Label::Join(child) => self.placed[usize::from(*child)] == self.graph.len(*child),
            _ => true,
        };
        (started && ready).then_some(id)
    }

    fn is_started(&self, thread: u8) -> bool {
        let mut events = self.graph.events();
        events.any(|(id, event)| event.label == Label::Spawn(thread) && self.has(id))
    }

    fn is_first_half(&self, id: EventId) -> bool {
        match &self.graph.event(id).label {
            Label::Read(read) => {
                read.is_exclusive() && second_half(id).index < self.graph.len(id.thread)
            }
            _ => false,
        }
    }

    /// Who waits for ever is shown as late as possible.
    fn is_waiting(&self, id: EventId) -> bool {
        matches!(&self.graph.event(id).label, Label::Read(read) if read.is_blocked())
    }

    /// What cannot be drawn as an interleaving if this event comes now.
    fn cost(&self, id: EventId) -> usize {
        let id = if self.is_first_half(id) { second_half(id) } else { id };
        match &self.graph.event(id).label {
            Label::Write(write) => self.cost_of_write(id, write.loc),
            _ => 0,
        }
    }

    fn cost_of_write(&self, id: EventId, loc: Loc) -> usize {
        let position = self.positions[&id];
        let location = self.graph.location(loc);
        let missing = |other: &&EventId| other.thread != id.thread && !self.has(**other);
        let older = location.writes[..position - 1].iter().filter(missing).count();
        let reads = location.reads.iter().filter(missing);
        let unread = reads.filter(|read| self.positions[*read] < position).count();
        older * OUT_OF_ORDER + unread
    }
}
