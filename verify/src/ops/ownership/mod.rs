//! Who owns a task, who drops it, and when: every structure, every kind of task.
//!
//! Tasks are made, go through queues and batches, are held for a while, and are dropped: by their
//! holder, or by whatever structure held them when its last handle went. One living task at a time
//! may be *armed*: its drop panics. (Two could meet in one unwinding, which aborts, as always in
//! Rust.) The reference knows where each task is, so that after each operation the log of drops
//! must be exactly what it says: nothing lost, nothing dropped twice, nothing leaked, by a panic
//! either.

mod driver;
mod known;

use core::num::NonZeroUsize;
use core::pin::Pin;
use std::sync::Arc;

use gosched::NextSlot;

use super::encoding::{Argument, SETUP, choice, operations};
use super::tracked::{Static, Tracked};
use super::{Language, Mismatch, Program, Seen};

/// The names that the `Debug` form of a program of this language uses.
pub mod literal {
    pub use gosched::NextSlot::*;

    pub use super::OwnershipOp::*;
    pub use super::TaskKind::*;
    pub use super::{Ownership, TaskKind};
    pub use crate::ops::Program;
}

/// What a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// A `Box`.
    Boxed,
    /// A `Pin<Box>`.
    Pinned,
    /// An `Arc`.
    Counted,
    /// A `&'static`.
    Borrowed,
    /// A `NonZeroUsize`.
    Index,
}

choice!(TaskKind: Boxed, Pinned, Counted, Borrowed, Index);

operations! {
    /// An operation on a local queue, a thief's queue, the global queue, a batch in the hand, and a
    /// list of tasks that are held. What needs a handle that was dropped does nothing.
    pub enum OwnershipOp {
        /// The next task that is made will panic in its drop, unless one that does is alive.
        Arm,
        /// The owner pushes a new task; one that finds no room is dropped.
        Push,
        /// The owner puts a new task into the slot; one that finds no room is dropped.
        PushNext,
        /// The owner pushes so many new tasks; those that find no room are dropped.
        PushBatch(offered: u8),
        /// As `PushBatch`, from an iterator that panics when all were asked for.
        PushBatchThenPanic(offered: u8),
        /// The owner pushes a new task; a full ring overflows into the global queue.
        PushOrOverflow,
        /// The owner puts a new task into the slot; a full ring overflows into the global queue.
        PushNextOrOverflow,
        /// The owner asks for the overflow of its ring and a new task: it goes into the hand, or
        /// the task comes back and is dropped.
        Overflow,
        /// The owner pops; the task is held.
        Pop,
        /// The owner drains into the hand.
        Drain,
        /// The owner takes one of so many processors' share; its first task is held.
        TakeShare(processors: u8),
        /// The thief steals; the task to run is held.
        Steal(slot: NextSlot),
        /// The thief pops; the task is held.
        ThiefPop,
        /// A new task to the end of the global queue.
        Submit,
        /// A new task to its front.
        SubmitFront,
        /// All of the hand to its end.
        SubmitHand,
        /// Its first task is held.
        PopGlobal,
        /// One of so many processors' share, of at most so many tasks, to the hand.
        PopShare(processors: u8, max: u8),
        /// All of it to the hand.
        PopAll,
        /// So many tasks of the hand are held; the others are dropped with the iterator.
        Iterate(taken: u8),
        /// The task that was held longest is dropped.
        DropHeld,
        /// The hand is dropped.
        DropHand,
        /// The owner's handle is dropped: with the queue, if the stealer's was dropped before.
        DropOwner,
        /// The stealer's handle is dropped: with the queue, if the owner's was dropped before.
        DropStealer,
        /// Both handles are dropped, and there is a new queue.
        RenewLocal,
        /// The thief's queue is dropped, and there is a new one.
        RenewThief,
        /// The global queue is dropped, and there is a new one.
        RenewGlobal,
    }
}

/// What the tasks are, and how many of them share a block of the global queue's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Of all tasks.
    pub kind: TaskKind,
    /// Up to so many; 0 counts as 1.
    pub block: u8,
}

impl Language for Ownership {
    type Op = OwnershipOp;

    const NAME: &'static str = "ownership";
    const TARGET: &'static str = "task_ownership";
    const MUST_SEE: &'static [&'static str] = driver::MUST_SEE;

    fn from_bytes([kind, block, ..]: [u8; SETUP]) -> Self {
        Self { kind: TaskKind::from_byte(kind), block }
    }

    fn to_bytes(&self) -> [u8; SETUP] {
        [self.kind.to_byte(), self.block, 0, 0]
    }

    fn perform(&self, ops: &[OwnershipOp]) -> Result<Seen, Mismatch> {
        match self.kind {
            TaskKind::Boxed => driver::perform::<Box<Tracked>>(self, ops),
            TaskKind::Pinned => driver::perform::<Pin<Box<Tracked>>>(self, ops),
            TaskKind::Counted => driver::perform::<Arc<Tracked>>(self, ops),
            TaskKind::Borrowed => driver::perform::<&'static Static>(self, ops),
            TaskKind::Index => driver::perform::<NonZeroUsize>(self, ops),
        }
    }

    fn known() -> Vec<(&'static str, Program<Self>)> {
        known::programs()
    }
}
