//! The global queue: the first-in first-out list that all processors share.
//!
//! Tasks come here when they belong to no processor (submitted from outside, back from a blocking
//! call), when they must wait their turn (a yield), or when a local queue is full. Processors come
//! here when their own queue is empty, and now and then when it is not, so that nobody starves.
//! Both are rare next to local work. So the queue is a list under a mutex, as in Go, and all care
//! goes into keeping the mutex held for a **short and bounded** time:
//!
//! * **No allocation and no free under the lock.** The list is a [`chain`] of blocks. A push that
//!   finds no room leaves the lock, allocates a block with its task in it, and comes back to link
//!   it; a block that becomes empty is carried out of the lock and freed there.
//! * **A batch is linked in O(1)**, whether it has one task or a thousand: its blocks become
//!   blocks of the queue.
//! * **No foreign code under the lock.** Tasks are moved, never dropped, compared or printed there.
//!
//! ```text
//!   push_batch                          the queue, under its lock
//!
//!   [ d e f ] ──► [ g ]    ══►    [ · a b ] ──► [ c · · · ]  ┄┄►  [ d e f ] ──► [ g ]
//!   built before the lock         pop takes a                one link is written
//! ```
//!
//! # The length without the lock
//!
//! `len` is written under the lock, at the end of each operation, and read by anybody. What a
//! reader may conclude is little, and exact:
//!
//! * the value was the length between two operations, once: it is never a number that the queue
//!   passed through in the middle of one;
//! * a thread never reads a length older than the last operation that *happened before* its read,
//!   its own included. So a thread that pushed and then reads "empty" knows that somebody has
//!   taken its task since;
//! * beyond that it is a hint. A reader that goes to sleep on "empty" must look once more after a
//!   `fence(SeqCst)`, against a pusher that pushes, makes a `fence(SeqCst)`, and then looks for
//!   sleepers. One of the two sees the other. The fences are the callers', because they have one
//!   anyway, for the local queues.
//!
//! # What differs from Go
//!
//! * `DIFF:` Go's list runs through the tasks (`g.schedlink`); ours through blocks, because a task
//!   is one opaque word. Hence the care about allocation above, which Go does not need.
//! * `DIFF:` Go's callers hold the scheduler's one lock around these functions; our queue has a
//!   lock of its own, and nothing else is done under it.
//! * `DIFF:` `globrunqgetbatch` hands one task out and the rest as a list that the caller puts into
//!   its local queue after the lock; in between the rest is visible to nobody. We have that
//!   ([`GlobalQueue::pop_share`]) and, for a caller that can, a form that writes each task to its
//!   place while the lock is held (`take_share`).

mod batch;
mod block;
mod chain;

use core::fmt;
use core::num::NonZeroUsize;

pub use self::batch::{Batch, BatchIntoIter};
use self::chain::{Chain, Retired};
use crate::memory::{Atomic, Hardware, Lock, Memory, Ordering};
use crate::task::Task;

/// A first-in first-out queue that any thread may push to and pop from.
///
/// It is unbounded; every push succeeds. Each operation takes effect at one instant, under a lock
/// that is never held while memory is allocated or freed, or while a task is dropped. Dropping the
/// queue drops its tasks, as [`Batch`] does.
///
/// ```
/// use std::num::NonZeroUsize;
/// use gosched::{Batch, GlobalQueue};
///
/// let queue = GlobalQueue::new();
/// queue.push(Box::new(1));
/// queue.push_batch((2..=8).map(Box::new).collect());
///
/// // One of four processors takes its share: 8 / 4 + 1 tasks.
/// let mut share = Batch::new();
/// assert_eq!(queue.pop_share(NonZeroUsize::new(4).unwrap(), 128, &mut share), 3);
/// assert_eq!(share.pop().as_deref(), Some(&1));
/// assert_eq!(queue.len(), 5);
/// ```
pub struct GlobalQueue<T: Task, Mem: Memory = Hardware> {
    chain: Mem::Mutex<Chain<T, Mem>>,
    /// The length of the chain, written under its lock.
    len: Mem::AtomicUsize,
    /// How many tasks that are pushed one by one share a block.
    block: NonZeroUsize,
}

impl<T: Task> GlobalQueue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::with_memory()
    }
}

impl<T: Task, Mem: Memory> GlobalQueue<T, Mem> {
    /// How many tasks that are pushed one by one share a block, unless the queue was made with
    /// [`with_memory_and_block`](GlobalQueue::with_memory_and_block).
    pub const BLOCK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);

    /// [`new`](GlobalQueue::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory() -> Self {
        Self::with_memory_and_block(Self::BLOCK)
    }

    /// An empty queue in which up to `block` tasks that are pushed one by one share a block of
    /// memory. Models cross a block's edge with few tasks by a small value.
    #[must_use]
    pub fn with_memory_and_block(block: NonZeroUsize) -> Self {
        Self {
            chain: Mem::Mutex::new(Chain::new(block.get())),
            len: Mem::AtomicUsize::new(0),
            block,
        }
    }

    /// The number of tasks. O(1), without the lock.
    ///
    /// It was the length at some instant no earlier than the last operation on this queue that
    /// *happened before* this call, the caller's own included: a thread that pushed and then reads
    /// 0 knows that its task was taken. Beyond that it is a hint. Whoever goes to sleep on it makes
    /// a `fence(SeqCst)` first, and whoever pushes makes one before it looks for sleepers; then one
    /// of the two sees the other.
    #[must_use]
    pub fn len(&self) -> usize {
        // ORDER: Relaxed: the value leads to no memory; whoever acts on it takes the lock, and
        // whoever sleeps on it has a fence of its own (the module's essay). Coherence alone makes
        // it no older than what happened before.
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there is no task. O(1), without the lock; as [`len`](GlobalQueue::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a task behind all others. O(1); allocates, outside the lock, once in a block's length
    /// at most.
    //= go1.27:src/runtime/proc.go#globrunqput
    pub fn push(&self, task: T) {
        if let Err(task) = self.locked(|chain, _| chain.push_back(task)) {
            self.push_batch(self.batch_of(task));
        }
    }

    /// Adds a task before all others; as [`push`](GlobalQueue::push) otherwise.
    //= go1.27:src/runtime/proc.go#globrunqputhead
    pub fn push_front(&self, task: T) {
        if let Err(task) = self.locked(|chain, _| chain.push_front(task)) {
            self.push_batch_front(self.batch_of(task));
        }
    }

    /// Adds the tasks of `batch`, in its order, behind all others: no other task comes between
    /// them. O(1), whatever the number of tasks; does not allocate. An empty batch does nothing.
    //= go1.27:src/runtime/proc.go#globrunqputbatch
    pub fn push_batch(&self, mut batch: Batch<T, Mem>) {
        if !batch.is_empty() {
            self.locked(|chain, _| chain.append(batch.chain_mut()));
        }
    }

    /// Adds the tasks of `batch`, in its order, before all others; as
    /// [`push_batch`](GlobalQueue::push_batch) otherwise.
    pub fn push_batch_front(&self, mut batch: Batch<T, Mem>) {
        if !batch.is_empty() {
            self.locked(|chain, _| chain.prepend(batch.chain_mut()));
        }
    }

    /// Takes the first task. O(1); never allocates.
    ///
    /// It always takes the lock, so that `None` is exact. Where a hint will do, ask
    /// [`is_empty`](GlobalQueue::is_empty) first.
    //= go1.27:src/runtime/proc.go#globrunqget
    pub fn pop(&self) -> Option<T> {
        self.locked(Chain::pop_front)
    }

    /// Moves one processor's fair share of the tasks, oldest first, behind those in `into`, and
    /// returns how many: `min(max, len, len / processors + 1)`.
    ///
    /// The share is O(n) in the tasks moved. `into` is given its room before the lock is taken; if
    /// the queue has grown beyond that in the meantime, the lock is left and more room is made.
    //= go1.27:src/runtime/proc.go#globrunqgetbatch
    pub fn pop_share(
        &self,
        processors: NonZeroUsize,
        max: usize,
        into: &mut Batch<T, Mem>,
    ) -> usize {
        let mut room = fair_share(self.len(), processors, max);
        loop {
            into.reserve(room);
            let share = self.share_within(room, processors, max, |task| into.push(task));
            if share <= room {
                return share;
            }
            // At least twice the room, so that a queue that grows and grows ends the loop.
            room = share.max(room.saturating_mul(2)).min(max);
        }
    }

    /// Gives one processor's fair share of the tasks, oldest first, to `place`, **while the lock is
    /// held**, and returns how many: as [`pop_share`](GlobalQueue::pop_share).
    ///
    /// For a caller that has room for `max` tasks where nobody looks yet, such as the unpublished
    /// slots of a local queue. `place` must not allocate, panic, or use this queue.
    pub(crate) fn take_share(
        &self,
        processors: NonZeroUsize,
        max: usize,
        place: impl FnMut(T),
    ) -> usize {
        self.share_within(max, processors, max, place)
    }

    /// Takes every task. O(1); never allocates.
    #[must_use = "dropping the batch drops its tasks"]
    pub fn pop_all(&self) -> Batch<T, Mem> {
        let mut all = Batch::with_memory();
        self.locked(|chain, _| all.chain_mut().append(chain));
        all
    }

    /// The size of a fair share. If it is no more than `room`, its tasks were given to `place`.
    fn share_within(
        &self,
        room: usize,
        processors: NonZeroUsize,
        max: usize,
        mut place: impl FnMut(T),
    ) -> usize {
        self.locked(|chain, retired| {
            let share = fair_share(chain.len(), processors, max);
            if share <= room {
                for _ in 0..share {
                    chain.pop_front(retired).map(&mut place);
                }
            }
            share
        })
    }

    /// Runs `f` on the tasks under the lock, publishes the length, and after the lock is free again
    /// frees the blocks that `f` retired.
    fn locked<R>(&self, f: impl FnOnce(&mut Chain<T, Mem>, &mut Retired<T, Mem>) -> R) -> R {
        let mut retired = Retired::new();
        self.chain.with(|chain| {
            let result = f(chain, &mut retired);
            // ORDER: Relaxed: see `len`. It stands under the lock so that the lengths are written
            // in the order of the operations; outside it an older one could come last and stay.
            self.len.store(chain.len(), Ordering::Relaxed);
            result
        })
    }

    /// A batch of one task, in a block that later pushes share.
    fn batch_of(&self, task: T) -> Batch<T, Mem> {
        let mut batch = Batch::with_memory_and_capacity(self.block.get());
        batch.push(task);
        batch
    }
}

/// Go's rule: an equal part of the tasks, rounded up or so, and never more than there are.
///
/// `+ 1` so that a processor that looks gets a task when there is one; hence `len` as a bound.
fn fair_share(len: usize, processors: NonZeroUsize, max: usize) -> usize {
    // The sum overflows only if it would be clipped anyway.
    (len / processors).saturating_add(1).min(len).min(max)
}

impl<T: Task, Mem: Memory> Default for GlobalQueue<T, Mem> {
    fn default() -> Self {
        Self::with_memory()
    }
}

impl<T: Task, Mem: Memory> fmt::Debug for GlobalQueue<T, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlobalQueue").field("len", &self.len()).finish_non_exhaustive()
    }
}
