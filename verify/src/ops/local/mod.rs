//! Two local queues that steal from each other, and the global queue behind them.

mod driver;
mod known;

use gosched::NextSlot;

use super::encoding::{SETUP, choice, operations};
use super::{Language, Mismatch, Program, Seen};

/// The names that the `Debug` form of a program of this language uses.
pub mod literal {
    pub use gosched::NextSlot::*;

    pub use super::Capacity::*;
    pub use super::LocalOp::*;
    pub use super::Side::*;
    pub use super::Wrap::*;
    pub use super::{Local, Start};
    pub use crate::ops::Program;
}

/// One of the two local queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one.
    Left,
    /// The other.
    Right,
}

impl Side {
    /// The other queue.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// The capacity of both queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capacity {
    /// 2, the least.
    Two,
    /// 4.
    Four,
    /// 8.
    Eight,
    /// 256, Go's.
    Full,
}

/// A place where a counter of so many bits starts again at zero, or changes its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// 2^64: the counters' own.
    Bits64,
    /// 2^63: that of a signed counter.
    Bits63,
    /// 2^32: that of Go's counters.
    Bits32,
    /// 2^31.
    Bits31,
    /// 2^16.
    Bits16,
    /// 2^8.
    Bits8,
}

/// Where a queue's counters start: so many steps before a wrap. Zero is no step before 2^64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The wrap.
    pub wrap: Wrap,
    /// How many steps before it.
    pub before: u8,
}

impl Start {
    /// The counters' first value.
    #[must_use]
    pub fn value(self) -> u64 {
        let wrap = match self.wrap {
            Wrap::Bits64 => 0,
            Wrap::Bits63 => 1 << 63,
            Wrap::Bits32 => 1 << 32,
            Wrap::Bits31 => 1 << 31,
            Wrap::Bits16 => 1 << 16,
            Wrap::Bits8 => 1 << 8,
        };
        u64::wrapping_sub(wrap, u64::from(self.before))
    }
}

choice!(Side: Left, Right);
choice!(NextSlot: Leave, Take);
choice!(Capacity: Two, Four, Eight, Full);
choice!(Wrap: Bits64, Bits63, Bits32, Bits31, Bits16, Bits8);

operations! {
    /// An operation on the two local queues and the global one. One that needs an owner does
    /// nothing when the owner has left.
    pub enum LocalOp {
        /// The owner pushes a new task.
        Push(side: Side),
        /// The owner puts a new task into the slot.
        PushNext(side: Side),
        /// The owner pushes a batch of so many new tasks.
        PushBatch(side: Side, offered: u8),
        /// The owner pushes a new task; a full ring overflows into the global queue.
        PushOrOverflow(side: Side),
        /// The owner puts a new task into the slot; a full ring overflows into the global queue.
        PushNextOrOverflow(side: Side),
        /// The owner asks for the overflow of its ring and a new task.
        Overflow(side: Side),
        /// The owner pops.
        Pop(side: Side),
        /// The owner takes everything out.
        Drain(side: Side),
        /// The named queue steals from the other.
        Steal(thief: Side, slot: NextSlot),
        /// The owner steals from its own queue, which is an error.
        StealFromItself(side: Side, slot: NextSlot),
        /// The owner takes one of so many processors' share of the global queue; 0 counts as 1.
        TakeShare(side: Side, processors: u8),
        /// So many new tasks come to the global queue, one by one.
        Submit(count: u8),
        /// One task is popped off the global queue.
        PopGlobal,
        /// The owner leaves; its tasks stay for thieves.
        OwnerLeaves(side: Side),
        /// The queue and its tasks are dropped, and a new one takes its place.
        Renew(side: Side),
    }
}

/// Two local queues: their capacity, and where their counters start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Of both.
    pub capacity: Capacity,
    /// Of the left one; one that takes its place starts there, too.
    pub left: Start,
    /// Of the right one.
    pub right: Start,
}

impl Language for Local {
    type Op = LocalOp;

    const NAME: &'static str = "local";
    const TARGET: &'static str = "local_queue_ops";
    const MUST_SEE: &'static [&'static str] = driver::MUST_SEE;

    /// The first byte says two things, so that four bytes are enough: the capacity by its rest
    /// modulo 4, the right queue's wrap by the rest of it.
    fn from_bytes([capacity, wraps, left, right]: [u8; SETUP]) -> Self {
        use super::encoding::Argument;
        Self {
            capacity: Capacity::from_byte(capacity),
            left: Start { wrap: Wrap::from_byte(wraps % 6), before: left },
            right: Start { wrap: Wrap::from_byte(wraps / 6), before: right },
        }
    }

    fn to_bytes(&self) -> [u8; SETUP] {
        use super::encoding::Argument;
        let wraps = self.left.wrap.to_byte() + 6 * self.right.wrap.to_byte();
        [self.capacity.to_byte(), wraps, self.left.before, self.right.before]
    }

    fn perform(&self, ops: &[LocalOp]) -> Result<Seen, Mismatch> {
        match self.capacity {
            Capacity::Two => driver::perform::<2>(self, ops),
            Capacity::Four => driver::perform::<4>(self, ops),
            Capacity::Eight => driver::perform::<8>(self, ops),
            Capacity::Full => driver::perform::<256>(self, ops),
        }
    }

    fn known() -> Vec<(&'static str, Program<Self>)> {
        known::programs()
    }
}
