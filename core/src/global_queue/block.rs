//! A block: a bounded ring of tasks, and the link to the next block.
//!
//! ```text
//!    header: first = 5, len = 4, next ──►
//!    slots:  [ c  d  ·  ·  ·  a  b ]        capacity 7, the oldest task is a
//!                 ▲           ▲
//!         push_back here      first
//! ```
//!
//! A ring, and not an array that fills once, so that a block whose tasks come and go is never
//! used up: `capacity` tasks fit at any time, whatever was pushed and popped before, at either end.
//!
//! The header and each slot stand in a [`RaceCell`]. That costs nothing on hardware; under a
//! checker it means that two threads in one block are reported as a race, and that the accesses to
//! a block can be counted.
//!
//! A block does not drop the tasks in it: only the [`chain`](super::chain) does, by popping them,
//! and it lets go of empty blocks alone.

use alloc::boxed::Box;
use core::mem::MaybeUninit;
use core::num::NonZeroUsize;
use core::ptr::NonNull;

use crate::memory::{Memory, RaceCell};
use crate::task::Task;

/// A block that somebody owns by other means: the chain that it is linked in.
pub(super) struct Link<T: Task, Mem: Memory>(NonNull<Block<T, Mem>>);

// SAFETY: a link is a box in all but name (invariant C1 of `chain`): whoever owns the chain owns
// the block and, through it, tasks, which are `Send`.
unsafe impl<T: Task, Mem: Memory> Send for Link<T, Mem> {}

impl<T: Task, Mem: Memory> Clone for Link<T, Mem> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Task, Mem: Memory> Copy for Link<T, Mem> {}

impl<T: Task, Mem: Memory> Link<T, Mem> {
    /// Gives a block up to a link.
    pub(super) fn from_block(block: Box<Block<T, Mem>>) -> Self {
        Self(NonNull::from(Box::leak(block)))
    }

    /// Takes the block back.
    ///
    /// # Safety
    ///
    /// No other copy of this link may be used from now on.
    pub(super) unsafe fn into_block(self) -> Box<Block<T, Mem>> {
        // SAFETY: the pointer came from a box in `from_block`, and by the caller's promise this is
        // the one time that it becomes a box again.
        unsafe { Box::from_raw(self.0.as_ptr()) }
    }

    /// The block.
    ///
    /// # Safety
    ///
    /// No other reference to the block may exist for as long as `'a`, and no copy of the link may
    /// have become a box.
    pub(super) unsafe fn block_mut<'a>(mut self) -> &'a mut Block<T, Mem> {
        // SAFETY: the pointer came from a box, and by the caller's promise nobody else uses it.
        unsafe { self.0.as_mut() }
    }
}

/// A bounded ring of tasks, and the link to the next block.
pub(super) struct Block<T: Task, Mem: Memory> {
    header: Mem::Cell<Header<T, Mem>>,
    /// Invariant B1: the `len` slots from `first` on, around the end, hold tasks; no other does.
    slots: Box<[Mem::Cell<MaybeUninit<T>>]>,
}

/// What changes in a block, but for its slots.
struct Header<T: Task, Mem: Memory> {
    /// The slot of the oldest task.
    first: usize,
    /// The number of tasks.
    len: usize,
    next: Option<Link<T, Mem>>,
}

impl<T: Task, Mem: Memory> Block<T, Mem> {
    /// An empty block with room for `capacity` tasks.
    pub(super) fn new(capacity: NonZeroUsize) -> Box<Self> {
        let slots = (0..capacity.get()).map(|_| Mem::Cell::new(MaybeUninit::uninit())).collect();
        let header = Header { first: 0, len: 0, next: None };
        Box::new(Self { header: Mem::Cell::new(header), slots })
    }

    /// How many tasks fit in.
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// How many more tasks fit in.
    pub(super) fn room(&mut self) -> usize {
        self.capacity() - self.header(|header| header.len)
    }

    /// The next block of the chain.
    pub(super) fn next(&mut self) -> Option<Link<T, Mem>> {
        self.header(|header| header.next)
    }

    /// Puts another block behind this one.
    pub(super) fn set_next(&mut self, next: Option<Link<T, Mem>>) {
        self.header(|header| header.next = next);
    }

    /// Adds the newest task, or gives it back when the block is full.
    pub(super) fn push_back(&mut self, task: T) -> Result<(), T> {
        let capacity = self.capacity();
        let free = self.header(|header| {
            (header.len < capacity).then(|| {
                header.len += 1;
                wrap(header.first + header.len - 1, capacity)
            })
        });
        self.fill(free, task)
    }

    /// Adds the oldest task, or gives it back when the block is full.
    pub(super) fn push_front(&mut self, task: T) -> Result<(), T> {
        let capacity = self.capacity();
        let free = self.header(|header| {
            (header.len < capacity).then(|| {
                header.len += 1;
                header.first = wrap(header.first + capacity - 1, capacity);
                header.first
            })
        });
        self.fill(free, task)
    }

    /// Takes the oldest task out, and says how many are left.
    pub(super) fn pop_front(&mut self) -> Option<(T, usize)> {
        let capacity = self.capacity();
        let (slot, left) = self.header(|header| {
            (header.len > 0).then(|| {
                let slot = header.first;
                header.first = wrap(header.first + 1, capacity);
                header.len -= 1;
                (slot, header.len)
            })
        })?;
        let task = self.slots[slot].with_mut(|slot| {
            // SAFETY: `&mut self` keeps others out of the slot.
            let slot = unsafe { &*slot };
            // SAFETY: by B1 the slot held a task, and the header no longer counts it, so that it
            // is read this once.
            unsafe { slot.assume_init_read() }
        });
        Some((task, left))
    }

    /// Writes `task` into the slot that the header has just begun to count, if there was one.
    fn fill(&mut self, free: Option<usize>, task: T) -> Result<(), T> {
        let Some(free) = free else { return Err(task) };
        self.slots[free].with_mut(|slot| {
            // SAFETY: `&mut self` keeps others out of the slot.
            let slot = unsafe { &mut *slot };
            slot.write(task);
        });
        Ok(())
    }

    fn header<R>(&mut self, f: impl FnOnce(&mut Header<T, Mem>) -> R) -> R {
        self.header.with_mut(|header| {
            // SAFETY: `&mut self` keeps others out of the header.
            f(unsafe { &mut *header })
        })
    }
}

/// `index` modulo `capacity`, for an index that is at most one round ahead. (A block never holds
/// more than `isize::MAX` bytes of tasks, so that the sums above do not overflow.)
fn wrap(index: usize, capacity: usize) -> usize {
    if index < capacity { index } else { index - capacity }
}
