//! The memory of a run: what the model allocates, frees, and may not use any more.
//!
//! To free a block is to write all of it. An access to something in it that comes later in the run
//! finds it freed. One that came before must happen before it: if nothing orders the two, they come
//! the other way round in another run of the same execution.

use std::alloc::Layout;
use std::panic::Location;

use super::Run;
use crate::explore::blocks::{Block, Freed, Release};
use crate::explore::event::{Clock, EventId, THREADS_MAX};
use crate::explore::fault::FaultKind;

/// An access to a cell: by how many events of its thread it was preceded, and where it stands.
pub(in crate::explore) type Access = Option<(u16, &'static Location<'static>)>;

/// What is known of a race-checked cell.
#[derive(Debug, Default)]
pub(in crate::explore) struct CellLog {
    /// Where it stood when it was last used.
    pub(in crate::explore) address: usize,
    /// The last read and the last write of each thread.
    pub(in crate::explore) accesses: [(Access, Access); THREADS_MAX],
}

/// A use of freed memory, before it was freed and not ordered with that.
struct Use {
    thread: u8,
    /// Events of its thread up to the use.
    after: u16,
    at: &'static Location<'static>,
}

impl Run<'_> {
    /// The number of a new cell.
    pub(in crate::explore) fn new_cell(&mut self) -> u32 {
        self.cells.push(CellLog::default());
        self.cells.len() as u32 - 1
    }

    /// The name of a pointer, for the graph.
    pub(in crate::explore) fn name(&mut self, pointer: *mut ()) -> u64 {
        let (thread, index) = (self.running, self.done(self.running));
        self.pointers.name(pointer, &self.blocks, thread, index)
    }

    /// The pointer of a name.
    pub(in crate::explore) fn pointer(&self, name: u64) -> *mut () {
        self.pointers.pointer(name)
    }

    /// The model has allocated a block.
    pub(in crate::explore) fn allocated(&mut self, start: *mut u8, layout: Layout) {
        let thread = self.running;
        let done = self.done(thread);
        self.blocks.add(start, layout, thread, done);
    }

    /// The model frees a block. False if it is none of its own; else it must not be given back.
    pub(in crate::explore) fn freed(&mut self, start: *mut u8) -> bool {
        let thread = self.running;
        let by = Freed { thread, after: self.done(thread) };
        let (block, again) = match self.blocks.free(start, by) {
            Release::Unknown => return false,
            Release::Kept(block) => (block, false),
            Release::Again(block) => (block, true),
        };
        if self.is_over() {
            return true;
        }
        if again {
            self.used_after_free(&block, ["frees it again", "frees the freed block again"], None);
            return true;
        }
        let known = self.shared_drops.take().unwrap_or_else(|| self.now());
        if let Some(found) = self.unordered_use(&block, &known) {
            let Use { thread: other, after, at } = found;
            let what = describe(&block);
            self.mark_after(other, after, format!("uses {what}"), Some(at));
            self.mark(thread, format!("frees {what}"), None);
            self.fault(
                FaultKind::UseAfterFree,
                format!(
                    "thread {thread} frees {what}{}, and nothing orders that after the use by \
                     thread {other} at {at}",
                    self.last_line(thread, by.after)
                ),
            );
        }
        true
    }

    /// A use of something in a block that does not happen before what is `known`.
    fn unordered_use(&self, block: &Block, known: &Clock) -> Option<Use> {
        let words = (0_u8..).zip(&self.made).flat_map(|(thread, made)| {
            let here = made.iter().enumerate().filter(|(_, made)| block.has(made.address));
            here.map(move |(number, _)| self.graph.location_of(thread, number))
        });
        let performed = |id: &EventId| id.index < self.done(id.thread) && !known.has(*id);
        let mut events = words.flat_map(|word| word.writes.iter().chain(&word.reads).copied());
        if let Some(id) = events.find(performed) {
            let at = self.graph.event(id).at;
            return Some(Use { thread: id.thread, after: id.index + 1, at });
        }
        let cells = self.cells.iter().filter(|cell| block.has(cell.address));
        let accesses = cells.flat_map(|cell| (0_u8..).zip(&cell.accesses));
        let mut accesses = accesses
            .flat_map(|(thread, (read, write))| [read, write].map(|access| (thread, *access)));
        accesses.find_map(|(thread, access)| {
            let (after, at) = access?;
            let unordered = thread != self.running && known.of(thread) < after + 1;
            unordered.then_some(Use { thread, after, at })
        })
    }

    /// Whether memory of the model may be used. If not, that is how the run fails.
    #[inline]
    pub(in crate::explore) fn may_use(
        &mut self,
        address: usize,
        at: &'static Location<'static>,
    ) -> bool {
        match self.blocks.freed_at(address) {
            Some(block) => {
                self.used_after_free(&block, ["uses it", "uses the freed block"], Some(at));
                false
            }
            None => true,
        }
    }

    fn used_after_free(
        &mut self,
        block: &Block,
        [how, mark]: [&str; 2],
        at: Option<&'static Location<'static>>,
    ) {
        let thread = self.running;
        let Some(Freed { thread: other, after }) = block.freed else { return };
        let what = describe(block);
        self.mark_after(other, after, format!("frees {what}"), None);
        self.mark(thread, mark, at);
        let place = match at {
            Some(at) => format!(" at {at}"),
            None => self.last_line(thread, self.done(thread)),
        };
        self.fault(
            FaultKind::UseAfterFree,
            format!(
                "thread {other} frees {what}{}, and thread {thread} {how}{place}",
                self.last_line(other, after)
            ),
        );
    }

    /// Where a thread was after so many events, to be told.
    fn last_line(&self, thread: u8, after: u16) -> String {
        match after.checked_sub(1) {
            Some(index) => {
                format!(" (after the line {})", self.graph.event(EventId { thread, index }).at)
            }
            None => String::new(),
        }
    }
}

fn describe(block: &Block) -> String {
    format!("a block of {} bytes that thread {} has allocated", block.size(), block.made_by)
}
