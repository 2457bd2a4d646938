//! The blocks of memory that a model has allocated in one execution, and freed.
//!
//! A block is named by the thread that allocated it, the events that the thread had performed, and
//! how many blocks of that size it had allocated since the last of them. So one that is allocated
//! in the first run only, such as a buffer of the standard output, moves no other name.

use std::alloc::{GlobalAlloc, Layout, System};

use super::event::THREADS_MAX;

/// A block of the model's memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    start: *mut u8,
    layout: Layout,
    /// The name of its first byte; 0 if it has none.
    name: u64,
    pub(super) made_by: u8,
    pub(super) freed: Option<Freed>,
}

/// Who has freed a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freed {
    pub(super) thread: u8,
    /// Events of the thread that came before.
    pub(super) after: u16,
}

impl Block {
    pub(super) fn has(&self, address: usize) -> bool {
        address.wrapping_sub(self.start.addr()) < self.layout.size()
    }

    pub(super) fn size(&self) -> usize {
        self.layout.size()
    }
}

/// What became of a block that was to be freed.
#[derive(Debug)]
pub(super) enum Release {
    /// It is none of the model's.
    Unknown,
    /// It is kept aside from now on.
    Kept(Block),
    /// It was freed before.
    Again(Block),
}

/// The blocks of one execution, by address: none overlaps another.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    blocks: Vec<Block>,
    any_freed: bool,
    abandoned: bool,
    counts: [Count; THREADS_MAX],
}

/// The blocks that a thread has allocated since its last event.
#[derive(Debug, Default)]
struct Count {
    done: u16,
    /// How many there are of each size.
    sizes: Vec<(u64, u64)>,
}

/// Names of blocks are below those of other pointers, and above all numbers.
const FLAG: u64 = 1 << 62;
const OFFSET_BITS: u32 = 20;
const SIZE_BITS: u32 = 11;
const COUNT_BITS: u32 = 12;
const DONE_BITS: u32 = 16;

impl Blocks {
    /// A thread that has performed `done` events has allocated a block.
    pub(super) fn add(&mut self, start: *mut u8, layout: Layout, thread: u8, done: u16) {
        let name = self.next_name(layout.size(), thread, done);
        let block = Block { start, layout, name, made_by: thread, freed: None };
        // What lay here before was freed by the explorer, which does not tell.
        let first = self.blocks.partition_point(|other| other.end() <= start.addr());
        let end = start.addr() + layout.size();
        let behind = self.blocks[first..].partition_point(|other| other.start.addr() < end);
        if behind == 0 {
            self.blocks.insert(first, block);
        } else {
            self.blocks.splice(first..first + behind, [block]);
        }
    }

    /// Whether there are any: then the allocator tells of all.
    pub(super) fn is_in_use(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// The execution is over before its threads are: what they have not freed is given back with
    /// the rest.
    pub(super) fn abandon(&mut self) {
        self.abandoned = true;
    }

    fn next_name(&mut self, size: usize, thread: u8, done: u16) -> u64 {
        let count = &mut self.counts[usize::from(thread)];
        if count.done != done {
            count.done = done;
            count.sizes.clear();
        }
        // In words; all large ones count as one size.
        let size = (size as u64).div_ceil(8).min((1 << SIZE_BITS) - 1);
        let before = match count.sizes.iter_mut().find(|known| known.0 == size) {
            Some(known) => {
                known.1 += 1;
                known.1
            }
            None => {
                count.sizes.push((size, 0));
                0
            }
        };
        if before >> COUNT_BITS > 0 {
            return 0;
        }
        let mut name = u64::from(thread);
        for (bits, part) in [
            (DONE_BITS, u64::from(done)),
            (COUNT_BITS, before),
            (SIZE_BITS, size),
            (OFFSET_BITS, 0),
        ] {
            name = name << bits | part;
        }
        FLAG | name
    }

    /// The name of an address, if it is in a block.
    pub(super) fn name(&self, address: usize) -> Option<u64> {
        let block = self.find(address)?;
        let offset = (address - block.start.addr()) as u64;
        (block.name > 0 && offset >> OFFSET_BITS == 0).then_some(block.name | offset)
    }

    fn find(&self, address: usize) -> Option<&Block> {
        let behind = self.blocks.partition_point(|block| block.start.addr() <= address);
        self.blocks[..behind].last().filter(|block| block.has(address))
    }

    /// The freed block in which an address is.
    #[inline]
    pub(super) fn freed_at(&self, address: usize) -> Option<Block> {
        if !self.any_freed {
            return None;
        }
        self.find(address).filter(|block| block.freed.is_some()).copied()
    }

    /// Keeps a block aside.
    pub(super) fn free(&mut self, start: *mut u8, freed: Freed) -> Release {
        let found = self.blocks.binary_search_by_key(&start.addr(), |block| block.start.addr());
        let Ok(index) = found else { return Release::Unknown };
        let block = &mut self.blocks[index];
        if block.freed.is_some() {
            return Release::Again(*block);
        }
        block.freed = Some(freed);
        self.any_freed = true;
        Release::Kept(*block)
    }
}

impl Block {
    fn end(&self) -> usize {
        self.start.addr() + self.layout.size()
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let abandoned = self.abandoned;
        for block in self.blocks.iter().filter(|block| abandoned || block.freed.is_some()) {
            // SAFETY: it is the model's, of this layout, and the system has not got it back: what
            // the model has freed is kept, and what it has not belongs to threads that are gone.
            unsafe { System.dealloc(block.start, block.layout) };
        }
    }
}
