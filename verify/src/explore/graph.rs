//! An execution graph: the events of each thread, and the order of the writes to each location.
//!
//! A graph is a value. The search copies it, cuts it down and adds to it; a run of the program only
//! reads it. Whatever is asked of it, such as a write's place, is answered by walking short lists:
//! a model has some dozens of events on a location at most.
//!
//! Most of the search's time would go into the memory of the copies. So a graph that is done with
//! is [spared](Graph::spare), and the next copy is made in it.

use std::cell::RefCell;
use std::panic::Location;

use super::event::{Clock, Clocks, Event, EventId, Label, Loc, Read, THREADS_MAX, Write};

thread_local! {
    /// Graphs that nobody needs any more.
    static SPARE: RefCell<Vec<Graph>> = const { RefCell::new(Vec::new()) };
}

/// Spare graphs at most.
const SPARE_MAX: usize = 64;

/// One execution, perhaps not finished.
#[derive(Debug, Default)]
pub(super) struct Graph {
    threads: [Vec<Event>; THREADS_MAX],
    /// The event that started each thread.
    spawned_by: [Option<EventId>; THREADS_MAX],
    /// The locations, by the thread that made them and their number in it.
    locations: [Vec<Location0>; THREADS_MAX],
    next_stamp: u32,
    /// `SeqCst` operations and asymmetric fences: below two of them nothing can be out of order.
    pub(super) ordered: u32,
}

/// What was done to a location.
#[derive(Debug, Default)]
pub(super) struct Location0 {
    /// The writes, in modification order; the initial value stands before them.
    pub(super) writes: Vec<EventId>,
    pub(super) reads: Vec<EventId>,
}

/// A place in a location's modification order: 0 is the initial value, `n` the `n`-th write.
pub(super) type Position = usize;

const NOTHING: &Location0 = &Location0 { writes: Vec::new(), reads: Vec::new() };

impl Clone for Location0 {
    fn clone(&self) -> Self {
        Self { writes: self.writes.clone(), reads: self.reads.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.writes.clone_from(&other.writes);
        self.reads.clone_from(&other.reads);
    }
}

impl Clone for Graph {
    fn clone(&self) -> Self {
        let mut copy = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        copy.threads.clone_from(&self.threads);
        copy.spawned_by = self.spawned_by;
        copy.locations.clone_from(&self.locations);
        copy.next_stamp = self.next_stamp;
        copy.ordered = self.ordered;
        copy
    }
}

impl Graph {
    /// Gives the memory of a graph to the next copy.
    pub(super) fn spare(self) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < SPARE_MAX {
                spare.push(self);
            }
        });
    }

    pub(super) fn len(&self, thread: u8) -> u16 {
        self.threads[usize::from(thread)].len() as u16
    }

    pub(super) fn total(&self) -> usize {
        self.threads.iter().map(Vec::len).sum()
    }

    pub(super) fn event(&self, id: EventId) -> &Event {
        &self.threads[usize::from(id.thread)][usize::from(id.index)]
    }

    pub(super) fn last(&self, thread: u8) -> Option<&Event> {
        self.threads[usize::from(thread)].last()
    }

    /// Every event, thread by thread.
    pub(super) fn events(&self) -> impl Iterator<Item = (EventId, &Event)> {
        self.threads.iter().enumerate().flat_map(|(thread, events)| {
            events.iter().enumerate().map(move |(index, event)| {
                (EventId { thread: thread as u8, index: index as u16 }, event)
            })
        })
    }

    pub(super) fn read(&self, id: EventId) -> &Read {
        match &self.event(id).label {
            Label::Read(read) => read,
            other => unreachable!("{id:?} is {other:?}, not a read"),
        }
    }

    pub(super) fn write(&self, id: EventId) -> &Write {
        match &self.event(id).label {
            Label::Write(write) => write,
            other => unreachable!("{id:?} is {other:?}, not a write"),
        }
    }

    pub(super) fn location(&self, loc: Loc) -> &Location0 {
        self.location_of(loc.thread, usize::from(loc.number))
    }

    /// The `number`-th location that a thread has made.
    pub(super) fn location_of(&self, thread: u8, number: usize) -> &Location0 {
        self.locations[usize::from(thread)].get(number).unwrap_or(NOTHING)
    }

    fn location_mut(&mut self, loc: Loc) -> &mut Location0 {
        let made = &mut self.locations[usize::from(loc.thread)];
        let number = usize::from(loc.number);
        if made.len() <= number {
            made.resize_with(number + 1, Location0::default);
        }
        &mut made[number]
    }

    /// Where a write stands in its location's order.
    pub(super) fn position(&self, loc: Loc, write: Option<EventId>) -> Position {
        match write {
            None => 0,
            Some(write) => {
                let writes = &self.location(loc).writes;
                let found = writes.iter().position(|&other| other == write);
                found.expect("a write stands in its location's order") + 1
            }
        }
    }

    /// The write at a position.
    pub(super) fn at(&self, loc: Loc, position: Position) -> Option<EventId> {
        position.checked_sub(1).map(|index| self.location(loc).writes[index])
    }

    /// Whether the write at `position` is the second half of a read-modify-write.
    pub(super) fn is_exclusive(&self, loc: Loc, position: Position) -> bool {
        let write = self.location(loc).writes.get(position.wrapping_sub(1));
        write.is_some_and(|&write| self.write(write).exclusive)
    }

    /// The thread that runs `Spawn` next gets the smallest number that nobody has.
    pub(super) fn next_thread(&self) -> Option<u8> {
        (1..THREADS_MAX).find(|&thread| self.spawned_by[thread].is_none()).map(|t| t as u8)
    }

    /// The threads that were started, the main one first.
    pub(super) fn started(&self) -> impl Iterator<Item = u8> + use<> {
        let spawned_by = self.spawned_by;
        (0..THREADS_MAX)
            .filter(move |&thread| thread == 0 || spawned_by[thread].is_some())
            .map(|thread| thread as u8)
    }

    pub(super) fn has_ended(&self, thread: u8) -> bool {
        self.last(thread).is_some_and(|event| event.label == Label::End)
    }

    /// The name of the next event of a thread.
    pub(super) fn next_event(&self, thread: u8) -> EventId {
        EventId { thread, index: self.len(thread) }
    }

    /// What a thread knows after its last event.
    pub(super) fn clocks(&self, thread: u8) -> Clocks {
        match self.last(thread) {
            Some(event) => event.clocks,
            None => self.clocks_at_start(thread),
        }
    }

    /// What a thread knows after so many events.
    pub(super) fn clocks_after(&self, thread: u8, count: u16) -> Clocks {
        self.clocks_before(EventId { thread, index: count })
    }

    fn clocks_at_start(&self, thread: u8) -> Clocks {
        match self.spawned_by[usize::from(thread)] {
            Some(spawn) => Clocks::of_child(&self.event(spawn).clocks),
            None => Clocks::default(),
        }
    }

    fn clocks_before(&self, id: EventId) -> Clocks {
        match id.index.checked_sub(1) {
            Some(index) => self.event(EventId { thread: id.thread, index }).clocks,
            None => self.clocks_at_start(id.thread),
        }
    }

    /// What happens before an event.
    pub(super) fn hb_before(&self, id: EventId) -> Clock {
        self.clocks_before(id).hb
    }

    /// The clocks that an event would have as the `id`-th of its thread.
    pub(super) fn clocks_for(&self, id: EventId, label: &Label) -> Clocks {
        let mut clocks = self.clocks_before(id).step(id);
        let of = |write: Option<EventId>| write.map(|write| self.event(write).clocks);
        match label {
            Label::Read(read) => clocks.read(read.order(), of(read.from).as_ref()),
            Label::Write(write) => {
                let replaced = write.exclusive.then(|| {
                    let index = id.index - 1;
                    self.read(EventId { thread: id.thread, index }).from
                });
                clocks.write(write.order, of(replaced.flatten()).as_ref());
            }
            Label::Fence(fence) => clocks.fence(*fence),
            Label::Join(child) => clocks.join(&self.clocks(*child)),
            Label::Spawn(_) | Label::End | Label::Choice { .. } => {}
        }
        clocks
    }

    /// The event that `label` would be, with the next stamp, as the next of `thread`.
    pub(super) fn make(&self, thread: u8, label: Label, at: &'static Location<'static>) -> Event {
        let clocks = self.clocks_for(self.next_event(thread), &label);
        Event { label, stamp: self.next_stamp, clocks, at }
    }

    /// Adds an event to its thread. A write comes to `position` of its location.
    pub(super) fn add(&mut self, thread: u8, event: Event, position: Option<Position>) -> EventId {
        let id = self.next_event(thread);
        match &event.label {
            Label::Read(read) => self.location_mut(read.loc).reads.push(id),
            Label::Write(write) => {
                let position = position.expect("a write has a place");
                self.location_mut(write.loc).writes.insert(position - 1, id);
            }
            Label::Spawn(child) => self.spawned_by[usize::from(*child)] = Some(id),
            _ => {}
        }
        self.ordered += u32::from(counts_as_ordered(&event.label));
        self.next_stamp = self.next_stamp.max(event.stamp + 1);
        self.threads[usize::from(thread)].push(event);
        id
    }

    /// Lets a read that is the last of its thread read from another write.
    pub(super) fn reread(&mut self, id: EventId, from: EventId, spurious: bool) {
        let value = self.write(from).value;
        let Label::Read(mut read) = self.event(id).label else { unreachable!("not a read") };
        let before = counts_as_ordered(&self.event(id).label);
        read.from = Some(from);
        read.value = value;
        read.spurious = spurious;
        let label = Label::Read(read);
        let clocks = self.clocks_for(id, &label);
        self.ordered = self.ordered - u32::from(before) + u32::from(counts_as_ordered(&label));
        let event = &mut self.threads[usize::from(id.thread)][usize::from(id.index)];
        event.label = label;
        event.clocks = clocks;
    }

    /// How many events of `thread` were added no later than `stamp`.
    pub(super) fn added_until(&self, thread: u8, stamp: u32) -> u16 {
        self.threads[usize::from(thread)].partition_point(|event| event.stamp <= stamp) as u16
    }

    /// Keeps so many events of each thread.
    pub(super) fn restrict(&mut self, keep: &Clock) {
        for (thread, events) in self.threads.iter_mut().enumerate() {
            events.truncate(usize::from(keep.of(thread as u8)));
        }
        for spawned in &mut self.spawned_by {
            *spawned = spawned.filter(|&spawn| keep.has(spawn));
        }
        for location in self.locations.iter_mut().flatten() {
            location.writes.retain(|&write| keep.has(write));
            location.reads.retain(|&read| keep.has(read));
        }
        let labels = self.threads.iter().flatten().map(|event| &event.label);
        self.ordered = labels.filter(|label| counts_as_ordered(label)).count() as u32;
    }
}

fn counts_as_ordered(label: &Label) -> bool {
    use super::event::Fence;
    label.is_seq_cst() || matches!(label, Label::Fence(Fence::Light))
}
