//! The global queue, with two batches: one in the hand and one aside.

mod driver;
mod known;

use super::encoding::{SETUP, operations};
use super::{Language, Mismatch, Program, Seen};

/// The names that the `Debug` form of a program of this language uses.
pub mod literal {
    pub use super::Global;
    pub use super::GlobalOp::*;
    pub use crate::ops::Program;
}

operations! {
    /// An operation on the global queue and on the two batches.
    pub enum GlobalOp {
        /// A new task to the queue's end.
        Push,
        /// A new task to the queue's front.
        PushFront,
        /// A batch of so many new tasks to the queue's end.
        PushBatch(count: u8),
        /// All of the hand to the queue's end.
        PushHand,
        /// The first task off the queue.
        Pop,
        /// One of so many processors' share, of at most so many tasks, behind those in the hand; 0
        /// processors count as 1, and 255 tasks as no bound.
        PopShare(processors: u8, max: u8),
        /// All of the queue, behind those in the hand.
        PopAll,
        /// A new task to the end of the hand.
        HandPush,
        /// A new task to the front of the hand.
        HandPushFront,
        /// The first task off the hand.
        HandPop,
        /// So many new tasks to the end of the hand.
        HandExtend(count: u8),
        /// Room for so many tasks more in the hand.
        HandReserve(additional: u8),
        /// All that was put aside, behind those in the hand.
        HandAppend,
        /// The hand and what was put aside change places.
        Swap,
        /// The tasks in the hand, one by one, up to so many; the others are dropped with the
        /// iterator.
        HandIterate(taken: u8),
        /// The queue and its tasks are dropped, and a new one takes its place.
        Renew,
    }
}

/// A global queue: how many tasks share a block of its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Up to so many; 0 counts as 1.
    pub block: u8,
}

impl Language for Global {
    type Op = GlobalOp;

    const NAME: &'static str = "global";
    const TARGET: &'static str = "global_queue_ops";
    const MUST_SEE: &'static [&'static str] = driver::MUST_SEE;

    /// Small blocks, so that their edges are crossed; or the largest.
    fn from_bytes([block, ..]: [u8; SETUP]) -> Self {
        Self { block }
    }

    fn to_bytes(&self) -> [u8; SETUP] {
        [self.block, 0, 0, 0]
    }

    fn perform(&self, ops: &[GlobalOp]) -> Result<Seen, Mismatch> {
        driver::perform(self, ops)
    }

    fn known() -> Vec<(&'static str, Program<Self>)> {
        known::programs()
    }
}
