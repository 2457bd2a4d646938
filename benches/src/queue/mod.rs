//! The contenders: our queue, the plain port of Go's, and the peers, behind one trait.
//!
//! All hold the same task, a non-zero word, and run the same operations in the same order. Each
//! does them through its own best API: what the crate offers for the purpose, not what is easiest
//! to write generically. The trait is implemented per queue and inlined; nothing is called through
//! a pointer.
//!
//! | queue | is | cannot |
//! |---|---|---|
//! | [`Ours`] | `gosched::LocalQueue`, 256 slots | |
//! | [`Plain`] | Go's queue, access by access: the baseline of every ratio | own its tasks |
//! | [`CrossbeamFifo`] | `crossbeam_deque::Worker`, FIFO | be full: it grows, without a bound; no slot |
//! | [`CrossbeamLifo`] | the same, LIFO: stands in where a slot is asked for | be FIFO behind the slot |
//! | [`St3Fifo`] | `st3::fifo::Worker`, 256 slots | steal while another thief steals (busy); no slot |
//! | [`St3Lifo`] | `st3::lifo::Worker`, where a slot is asked for | be FIFO behind the slot |
//! | [`Concurrent`] | `concurrent_queue`, bounded, 256 slots | move a batch: half is one by one; no slot |
//! | [`Mutexed`] | `Mutex<VecDeque>` | be full; no slot; anything without the lock |

mod concurrent;
mod crossbeam;
mod mutexed;
mod ours;
mod plain;
mod st3;

use core::num::NonZeroUsize;

pub use self::concurrent::Concurrent;
pub use self::crossbeam::{CrossbeamFifo, CrossbeamLifo};
pub use self::mutexed::Mutexed;
pub use self::ours::Ours;
pub use self::plain::Plain;
pub use self::st3::{St3Fifo, St3Lifo};

/// The task of every contender: one word, as an index into a table of tasks would be.
pub type Word = NonZeroUsize;

/// How many tasks a bounded contender holds: Go's number.
pub const CAPACITY: usize = 256;

/// Where a full queue overflows to, the same for all.
pub type Global = gosched::GlobalQueue<Word>;

/// A run queue, seen by the one thread that owns it.
pub trait Queue: Sized + Send {
    /// The name in tables.
    const NAME: &'static str;

    /// What the reader of a table must know beside the number; empty where there is nothing.
    const NOTE: &'static str = "";

    /// What thieves hold.
    type Stealer: Send + Sync;

    /// An empty queue.
    fn new() -> Self;

    /// Pushes where there is room.
    ///
    /// # Panics
    ///
    /// If there is none: the workload is wrong.
    fn push(&mut self, task: Word);

    /// Pushes, and makes room if there is none: the queue's own way to give a part to `global`.
    fn push_or_overflow(&mut self, task: Word, global: &Global);

    /// Takes the next task.
    fn pop(&mut self) -> Option<Word>;

    /// A handle for a thief.
    fn stealer(&self) -> Self::Stealer;

    /// Steals half of the victim's tasks, rounded up; one is returned, the others are put into this
    /// queue, which is empty. `None` if there was nothing, or nothing to be had at this moment.
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word>;
}

/// A queue whose owner can make a task the next one to run.
pub trait Recent: Queue {
    /// Pushes a task that the next [`pop`](Queue::pop) takes.
    fn push_next(&mut self, task: Word);
}

/// Something to do with each queue.
pub trait Visit {
    /// Does it.
    fn visit<Q: Queue + 'static>(&mut self);
}

/// Something to do with each queue that knows a most recent task.
pub trait VisitRecent {
    /// Does it.
    fn visit<Q: Recent + 'static>(&mut self);
}

/// Visits every FIFO contender: the baseline first, then ours, then the peers.
pub fn each(visitor: &mut impl Visit) {
    visitor.visit::<Plain>();
    visitor.visit::<Ours>();
    visitor.visit::<CrossbeamFifo>();
    visitor.visit::<St3Fifo>();
    visitor.visit::<Concurrent>();
    visitor.visit::<Mutexed>();
}

/// Visits every contender that can make a task the next one: the baseline first, then ours, then
/// the peers' LIFO queues, whose newest task is next because all order is given up.
pub fn each_recent(visitor: &mut impl VisitRecent) {
    visitor.visit::<Plain>();
    visitor.visit::<Ours>();
    visitor.visit::<CrossbeamLifo>();
    visitor.visit::<St3Lifo>();
}

/// The end of a workload that pushes into a full queue.
#[cold]
#[inline(never)]
pub(crate) fn no_room() -> ! {
    panic!("the workload pushed into a full queue")
}
