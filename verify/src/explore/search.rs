//! The search: every consistent graph of a program, each once.
//!
//! A graph is grown by running the program along it. Where the next event has a choice (which write
//! a read reads, where a write stands) the run goes on with the newest and the alternatives are put
//! aside as graphs of their own. That reaches every execution in which reads read older writes. A
//! read can also read a write that is *added later*: then the write **revisits** the read. The
//! graph is cut back to what was there before the read and what the write depends on, the read is
//! made to read the write, and the run starts again from that smaller graph.
//!
//! Many graphs lead to the same revisit; exactly one of them may take it. It is the one in which
//! all that is cut away was *maximal*: each deleted event read, or stood behind, the newest there
//! was. That one exists, and is unique, which is why the search needs no memory of what it has
//! seen.
//!
//! Source: M. Kokologiannakis, I. Marmanis, V. Gladstein, V. Vafeiadis, *Truly Stateless, Optimal
//! Dynamic Partial Order Reduction*, POPL 2022.

use std::panic::Location;

use super::consistency::{first_place, first_readable, is_open, is_sequentially_consistent};
use super::event::{Clock, Event, EventId, Label, Loc, Read, ReadKind, Write};
use super::graph::{Graph, Position};

/// Puts the graphs aside in which `graph` goes on with a choice other than the first, and goes on
/// with the first.
pub(super) struct Step<'a> {
    pub(super) graph: &'a mut Graph,
    /// Where graphs are put aside.
    pub(super) aside: &'a mut Vec<Graph>,
}

/// A read that is about to be added.
#[derive(Clone, Copy)]
struct Reader {
    thread: u8,
    loc: Loc,
    at: &'static Location<'static>,
}

impl Step<'_> {
    /// Adds a read of `loc`, whose initial value is `initial`, and returns what it reads.
    pub(super) fn read(
        &mut self,
        thread: u8,
        loc: Loc,
        initial: u64,
        kind: ReadKind,
        at: &'static Location<'static>,
    ) -> Read {
        let reader = Reader { thread, loc, at };
        let known = self.graph.clocks(thread).hb;
        let last = self.graph.location(loc).writes.len();
        for position in first_readable(self.graph, loc, &known)..=last {
            let from = self.graph.at(loc, position);
            let value = from.map_or(initial, |write| self.graph.write(write).value);
            let read = Read { loc, kind, from, value, spurious: false };
            if kind.is_weak() && read.is_exclusive() {
                self.put_aside_read(&reader, Read { spurious: true, ..read });
            }
            if position == last {
                let event = self.graph.make(thread, Label::Read(read), at);
                self.graph.add(thread, event, None);
                return read;
            }
            if read.is_exclusive() && self.graph.is_exclusive(loc, position + 1) {
                self.take_over(&reader, read, position);
            } else {
                self.put_aside_read(&reader, read);
            }
        }
        unreachable!("a read can read the last write")
    }

    fn put_aside_read(&mut self, reader: &Reader, read: Read) {
        let mut graph = self.graph.clone();
        let event = graph.make(reader.thread, Label::Read(read), reader.at);
        graph.add(reader.thread, event, None);
        self.put_aside(graph);
    }

    fn put_aside(&mut self, graph: Graph) {
        if is_sequentially_consistent(&graph) {
            self.aside.push(graph);
        } else {
            graph.spare();
        }
    }

    /// A read-modify-write that reads what another one has read: the two cannot both stand. The
    /// newcomer's write may revisit the other's read, which then reads the newcomer.
    fn take_over(&mut self, reader: &Reader, read: Read, position: Position) {
        let mut graph = self.graph.clone();
        let event = graph.make(reader.thread, Label::Read(read), reader.at);
        let other = graph.at(reader.loc, position + 1).expect("it has just been seen");
        if event.clocks.porf.has(other) {
            return;
        }
        graph.add(reader.thread, event, None);
        if !is_sequentially_consistent(&graph) {
            return;
        }
        let value = read.writes().expect("an exclusive read writes");
        let write = Write { loc: reader.loc, value, order: read.order(), exclusive: true };
        let event = graph.make(reader.thread, Label::Write(write), reader.at);
        Step { graph: &mut graph, aside: self.aside }.revisit(reader.thread, &event);
        graph.spare();
    }

    /// Adds a write; false if no place is consistent, and the graph must be given up.
    #[must_use]
    pub(super) fn write(
        &mut self,
        thread: u8,
        write: Write,
        at: &'static Location<'static>,
    ) -> bool {
        let event = self.graph.make(thread, Label::Write(write), at);
        self.revisit(thread, &event);
        if write.exclusive {
            let position = self.place_of_exclusive(thread, &write);
            self.graph.add(thread, event, Some(position));
            let is_last = position == self.graph.location(write.loc).writes.len();
            return is_last || is_sequentially_consistent(self.graph);
        }
        let known = self.graph.clocks(thread).hb;
        let last = self.graph.location(write.loc).writes.len() + 1;
        for position in first_place(self.graph, write.loc, &known)..last {
            if is_open(self.graph, write.loc, position) {
                let mut graph = self.graph.clone();
                graph.add(thread, event, Some(position));
                self.put_aside(graph);
            }
        }
        self.graph.add(thread, event, Some(last));
        true
    }

    /// Behind what its read has read.
    fn place_of_exclusive(&self, thread: u8, write: &Write) -> Position {
        let index = self.graph.len(thread) - 1;
        let read = self.graph.read(EventId { thread, index });
        self.graph.position(write.loc, read.from) + 1
    }

    /// Puts the graphs aside in which an earlier read reads this write.
    fn revisit(&mut self, thread: u8, event: &Event) {
        let Label::Write(write) = event.label else { unreachable!("only writes revisit") };
        let id = self.graph.next_event(thread);
        for &read in &self.graph.location(write.loc).reads {
            let porf = &event.clocks.porf;
            if porf.has(read) {
                continue;
            }
            let keep = self.kept(porf, read, id);
            if self.is_maximal_beyond(&keep, read, porf) {
                for graph in self.revisited(&keep, read, thread, event, &write) {
                    if is_sequentially_consistent(&graph) {
                        self.aside.push(graph);
                    } else {
                        graph.spare();
                    }
                }
            }
        }
    }

    /// What stays when `write` revisits `read`: what was there before the read, and what the write
    /// depends on. The read itself stays, as the last of its thread.
    fn kept(&self, porf: &Clock, read: EventId, write: EventId) -> Clock {
        let stamp = self.graph.event(read).stamp;
        let mut keep = Clock::default();
        for thread in self.graph.started() {
            let before = self.graph.added_until(thread, stamp);
            let needed = porf.of(thread).min(self.graph.len(thread));
            keep.set(thread, before.max(needed));
        }
        keep.set(write.thread, self.graph.len(write.thread));
        keep.set(read.thread, read.index + 1);
        keep
    }

    /// Whether the read, and all that is cut away, was added maximally.
    fn is_maximal_beyond(&self, keep: &Clock, read: EventId, porf: &Clock) -> bool {
        self.graph
            .events()
            .filter(|&(id, _)| id == read || !keep.has(id))
            .all(|(id, event)| self.is_maximal(id, event, porf))
    }

    fn is_maximal(&self, id: EventId, event: &Event, porf: &Clock) -> bool {
        let previous =
            |other: EventId| porf.has(other) || self.graph.event(other).stamp <= event.stamp;
        match &event.label {
            Label::Read(read) => {
                let location = self.graph.location(read.loc);
                let position = self.graph.position(read.loc, read.from);
                !read.spurious
                    && read.from.is_none_or(previous)
                    && !location.writes[position..].iter().any(|&write| previous(write))
            }
            Label::Write(write) => {
                let location = self.graph.location(write.loc);
                let position = self.graph.position(write.loc, Some(id));
                let reads_it = |&&read: &&EventId| self.graph.read(read).from == Some(id);
                !location.reads.iter().filter(reads_it).any(|&read| previous(read))
                    && !location.writes[position..].iter().any(|&write| previous(write))
            }
            Label::Choice { picked, .. } => *picked == 0,
            Label::Fence(_) | Label::Spawn(_) | Label::Join(_) | Label::End => true,
        }
    }

    /// The graphs in which `read` reads the write, in each place that it may have.
    fn revisited(
        &self,
        keep: &Clock,
        read: EventId,
        thread: u8,
        event: &Event,
        write: &Write,
    ) -> Vec<Graph> {
        let mut base = self.graph.clone();
        base.restrict(keep);
        let last = base.location(write.loc).writes.len() + 1;
        // Behind what the read's thread has seen, too: the read must be able to read it.
        let seen = first_place(&base, write.loc, &base.hb_before(read));
        let places = if write.exclusive {
            let place =
                Step { graph: &mut base, aside: &mut Vec::new() }.place_of_exclusive(thread, write);
            if place >= seen { place..place + 1 } else { 0..0 }
        } else {
            first_place(&base, write.loc, &base.clocks(thread).hb).max(seen)..last + 1
        };
        let mut graphs = Vec::new();
        for place in places.filter(|&place| is_open(&base, write.loc, place)) {
            let mut graph = base.clone();
            let id = graph.add(thread, *event, Some(place));
            let kind = graph.read(read).kind;
            if kind.is_weak() && kind.writes(write.value).is_some() {
                let mut spurious = graph.clone();
                spurious.reread(read, id, true);
                graphs.push(spurious);
            }
            graph.reread(read, id, false);
            graphs.push(graph);
        }
        base.spare();
        graphs
    }
}
