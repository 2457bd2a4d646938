//! A chain of blocks: the list inside a [`Batch`](super::Batch) and inside a
//! [`GlobalQueue`](super::GlobalQueue).
//!
//! ```text
//!    first ──► [ a b · · ] ──► [ c ] ──► [ d e f · ] ◄── last        spare: [ · · · · ]
//! ```
//!
//! A chain has one owner and no lock; it neither allocates nor frees. It asks for a block by
//! giving the task back (`Err`), and hands the blocks that it no longer needs to a [`Retired`],
//! whose owner frees them at a time of its choice. That is what keeps allocation out of the queue's
//! lock.
//!
//! It keeps one empty block, the *spare*, so that a chain whose length swings around a block's
//! edge, zero above all, does not send the same block to and from the allocator.
//!
//! # Invariants
//!
//! * C1: the chain owns the blocks from `first` along `next` to `last`; nobody else holds their
//!   links.
//! * C2: each of them holds at least one task. So a chain without tasks is one without blocks.
//! * C3: `len` is the number of tasks in all of them.

use alloc::boxed::Box;
use core::mem;

use super::block::{Block, Link};
use crate::memory::{Memory, invariant};
use crate::task::Task;

/// A first-in first-out list of tasks, in blocks.
pub(super) struct Chain<T: Task, Mem: Memory> {
    ends: Option<Ends<T, Mem>>,
    len: usize,
    spare: Option<Box<Block<T, Mem>>>,
    /// A drained block of a larger capacity than this is retired, not kept as the spare.
    largest_spare: usize,
}

/// The first and the last block of a chain that has any.
struct Ends<T: Task, Mem: Memory> {
    first: Link<T, Mem>,
    last: Link<T, Mem>,
}

impl<T: Task, Mem: Memory> Chain<T, Mem> {
    /// An empty chain, which keeps a drained block of at most this capacity.
    pub(super) fn new(largest_spare: usize) -> Self {
        Self { ends: None, len: 0, spare: None, largest_spare }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many calls of [`push_back`](Chain::push_back) will not need the spare.
    pub(super) fn last_room(&mut self) -> usize {
        self.last_mut().map_or(0, Block::room)
    }

    /// How many tasks the spare will hold.
    pub(super) fn spare_room(&self) -> usize {
        self.spare.as_ref().map_or(0, |spare| spare.capacity())
    }

    /// Puts an empty block in place of the spare, which is freed.
    pub(super) fn set_spare(&mut self, block: Box<Block<T, Mem>>) {
        self.spare = Some(block);
    }

    /// Adds a task behind all others. Gives it back when the last block is full and there is no
    /// spare.
    pub(super) fn push_back(&mut self, task: T) -> Result<(), T> {
        let task = match self.last_mut() {
            Some(last) => last.push_back(task).err(),
            None => Some(task),
        };
        if let Some(task) = task {
            let mut single = self.single(task)?;
            self.append(&mut single);
        } else {
            self.len += 1;
        }
        Ok(())
    }

    /// Adds a task before all others. Gives it back when the first block is full and there is no
    /// spare.
    pub(super) fn push_front(&mut self, task: T) -> Result<(), T> {
        let task = match self.first_mut() {
            Some(first) => first.push_front(task).err(),
            None => Some(task),
        };
        if let Some(task) = task {
            let mut single = self.single(task)?;
            self.prepend(&mut single);
        } else {
            self.len += 1;
        }
        Ok(())
    }

    /// Takes the first task out. A block that this drains becomes the spare or goes to `retired`.
    pub(super) fn pop_front(&mut self, retired: &mut Retired<T, Mem>) -> Option<T> {
        let popped = self.first_mut()?.pop_front();
        invariant!(Mem, popped.is_some(), "C2: a block of the chain is empty");
        let (task, left) = popped?;
        self.len -= 1;
        if left == 0 {
            let drained = self.unlink_first()?;
            if let Some(block) = self.keep(drained) {
                retired.push(block);
            }
        }
        Some(task)
    }

    /// Puts the tasks of `other` behind ours, in a number of steps that does not depend on how
    /// many there are. `other` is left empty, with its spare.
    pub(super) fn append(&mut self, other: &mut Self) {
        let Some(theirs) = other.ends.take() else { return };
        self.len += mem::take(&mut other.len);
        let first = match self.last_mut() {
            Some(last) => {
                last.set_next(Some(theirs.first));
                self.ends.as_ref().map_or(theirs.first, |ours| ours.first)
            }
            None => theirs.first,
        };
        self.ends = Some(Ends { first, last: theirs.last });
    }

    /// Puts the tasks of `other` before ours; as [`append`](Chain::append) otherwise.
    pub(super) fn prepend(&mut self, other: &mut Self) {
        other.append(self);
        mem::swap(&mut self.ends, &mut other.ends);
        mem::swap(&mut self.len, &mut other.len);
    }

    /// A chain of one task in what was our spare.
    fn single(&mut self, task: T) -> Result<Self, T> {
        let Some(mut block) = self.spare.take() else { return Err(task) };
        block.push_back(task)?;
        let link = Link::from_block(block);
        Ok(Self {
            ends: Some(Ends { first: link, last: link }),
            len: 1,
            spare: None,
            largest_spare: self.largest_spare,
        })
    }

    /// Takes the first block, now drained, out of the chain.
    fn unlink_first(&mut self) -> Option<Box<Block<T, Mem>>> {
        let ends = self.ends.take()?;
        // SAFETY: by C1 we own the block. The copies of its link are in `ends`, of which only the
        // last block's link goes on, and that is another block's when this one has a next.
        let mut block = unsafe { ends.first.into_block() };
        self.ends = block.next().map(|first| Ends { first, last: ends.last });
        block.set_next(None);
        Some(block)
    }

    /// Keeps a drained block as the spare, or returns the one that is not worth keeping: the
    /// smaller of two, or one that is too large.
    fn keep(&mut self, block: Box<Block<T, Mem>>) -> Option<Box<Block<T, Mem>>> {
        let worth = self.spare_room() < block.capacity() && block.capacity() <= self.largest_spare;
        if worth { self.spare.replace(block) } else { Some(block) }
    }

    /// Drops the first task; says whether there was one.
    fn drop_first(&mut self) -> bool {
        let first = self.pop_front(&mut Retired::new());
        first.is_some()
    }

    fn first_mut(&mut self) -> Option<&mut Block<T, Mem>> {
        // SAFETY: by C1 the block is ours, and the reference borrows the chain.
        self.ends.as_ref().map(|ends| unsafe { ends.first.block_mut() })
    }

    fn last_mut(&mut self) -> Option<&mut Block<T, Mem>> {
        // SAFETY: by C1 the block is ours, and the reference borrows the chain.
        self.ends.as_ref().map(|ends| unsafe { ends.last.block_mut() })
    }
}

impl<T: Task, Mem: Memory> Drop for Chain<T, Mem> {
    /// Drops the tasks, from the first to the last. When one of them panics, the others are dropped
    /// while the panic unwinds.
    fn drop(&mut self) {
        let rest = Rest(self);
        while rest.0.drop_first() {}
    }
}

/// Drops what is left of a chain, when a task's panic has ended the loop in `Chain::drop`.
struct Rest<'a, T: Task, Mem: Memory>(&'a mut Chain<T, Mem>);

impl<T: Task, Mem: Memory> Drop for Rest<'_, T, Mem> {
    fn drop(&mut self) {
        while self.0.drop_first() {}
    }
}

/// Empty blocks, on their way to the allocator: they are freed when this is dropped.
pub(super) struct Retired<T: Task, Mem: Memory> {
    /// The newest; the others follow along `next`. All are ours alone.
    top: Option<Link<T, Mem>>,
}

impl<T: Task, Mem: Memory> Retired<T, Mem> {
    pub(super) fn new() -> Self {
        Self { top: None }
    }

    fn push(&mut self, mut block: Box<Block<T, Mem>>) {
        block.set_next(self.top);
        self.top = Some(Link::from_block(block));
    }
}

impl<T: Task, Mem: Memory> Drop for Retired<T, Mem> {
    fn drop(&mut self) {
        while let Some(top) = self.top.take() {
            // SAFETY: the block is ours, and its one link has just been taken.
            let mut block = unsafe { top.into_block() };
            self.top = block.next();
        }
    }
}
