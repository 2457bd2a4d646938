//! The run queue of one processor: Go's bounded ring with its `next` slot.
//!
//! One thread owns the queue and pushes and pops at both of its parts; any number of thieves take
//! from it. Nobody ever waits for anybody: every retry of one thread means that another succeeded.
//!
//! ```text
//!             next          ring, CAP slots, counters that only grow
//!            +----+    +----+----+----+----+----+----+----+----+
//!    push_   | G9 |    |    |    | G3 | G4 | G5 | G6 |    |    |   <- push
//!    next -> +----+    +----+----+----+----+----+----+----+----+
//!              |                   ^ head % CAP        ^ tail % CAP
//!     pop takes it first;     pop and thieves take     the owner alone
//!     thieves last, and       here, by one compare-    writes here
//!     only when told to       exchange of head
//! ```
//!
//! # Who may write what
//!
//! | word | written by | to |
//! |---|---|---|
//! | `tail` | the owner, plain store | publish the slots before it |
//! | `slots[i % CAP]` | the owner, while `i` is not in `head..tail` | hold the task of index `i` |
//! | `head` | owner and thieves, by compare-exchange | claim the tasks before the new value |
//! | `next` | the owner, to a task; anybody, from a task to null | hand over the most recent task |
//!
//! # Invariants
//!
//! * **I1** `0 <= tail - head <= CAP`: the owner pushes only when it has seen room, and nobody
//!   claims past a tail that was read after the head.
//! * **I2** Each index in `head..tail` holds a task that the queue owns; claiming an index, by
//!   moving `head` past it, hands that task to whoever moved it.
//! * **I3** A slot is overwritten only after the owner has seen a `head` beyond it. So a thief's
//!   copy of a slot is the right one whenever its compare-exchange of `head` succeeds, however old
//!   the copy: had the slot been overwritten, `head` would have moved.
//! * **I4** Counters have 64 bits and never repeat (a billion tasks a second would take 584 years),
//!   so a `head` that is equal is a `head` that has not moved: there is no ABA.
//! * **I5** A task in `next` is owned by the slot; only the owner makes the slot non-null, so a
//!   slot that the owner has emptied stays empty until the owner fills it.
//!
//! # The owner remembers
//!
//! The handle [`Owner`] keeps `tail`, which nobody else writes, and the last `head` it has seen as
//! plain fields. The real head can only be ahead of the remembered one, so remembering it errs on
//! the safe side: the ring may look fuller than it is (then the owner looks again), and a pop that
//! starts from an old head fails its compare-exchange, which tells the new one. In the same way it
//! remembers whether it has filled the slot: if not, the slot is empty (I5), and nobody need look.
//!
//! DIFF: Go re-reads `runqhead` with every put and get, and has 32-bit counters, for which a thief
//! that sleeps through exactly 2^32 operations would be fooled.
//! DIFF: Go loads `runnext` and compare-exchanges it in a loop. Our owner knows whether the slot
//! may be full: into an empty one it stores, a full one it swaps.
//! DIFF: the thief keeps the task it returns in a register instead of writing it to its own ring.
//!
//= go1.27:src/runtime/proc.go#runqput
//= go1.27:src/runtime/proc.go#runqget
//= go1.27:src/runtime/proc.go#runqgrab
//= go1.27:src/runtime/proc.go#runqsteal
//= go1.27:src/runtime/proc.go#runqempty

mod overflow;
mod owner;
mod stealer;

use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use crossbeam_utils::CachePadded;

use crate::Task;
use crate::memory::{Atomic, Hardware, Memory, Ordering, Shared};

pub use self::owner::{Full, Owner, Popped};
pub use self::stealer::{NextSlot, StealError, Stealer, Stolen};

/// A bounded run queue: a FIFO ring of `CAP` tasks behind one slot for the most recent one.
///
/// The queue itself is shared and opaque. It is used through its handles: the one [`Owner`], which
/// the constructors return, and the [`Stealer`]s that [`Owner::stealer`] makes. It lives as long
/// as its longest handle and then drops the tasks it still holds.
///
/// `CAP` must be a power of two, 2 at least; anything else does not compile:
///
/// ```compile_fail,E0080
/// use gosched::{LocalQueue, memory::Hardware};
/// let queue = LocalQueue::<Box<u32>, 100, Hardware>::with_memory();
/// ```
pub struct LocalQueue<T: Task, const CAP: usize = 256, Mem: Memory = Hardware> {
    head: CachePadded<Mem::AtomicU64>,
    tail: CachePadded<Mem::AtomicU64>,
    next: CachePadded<Mem::AtomicPtr<()>>,
    slots: CachePadded<[Mem::AtomicPtr<()>; CAP]>,
    /// The queue owns tasks, and hands them from thread to thread: `Task` asks for `Send`.
    tasks: PhantomData<fn() -> T>,
}

impl<T: Task> LocalQueue<T> {
    /// An empty queue on the hardware, with Go's capacity of 256, and its one owner.
    #[must_use]
    #[expect(clippy::new_ret_no_self, reason = "a queue is used through its handles alone")]
    pub fn new() -> Owner<T> {
        Self::with_memory()
    }
}

impl<T: Task, const CAP: usize, Mem: Memory> LocalQueue<T, CAP, Mem> {
    /// An empty queue of any capacity on any memory, and its one owner.
    #[must_use]
    pub fn with_memory() -> Owner<T, CAP, Mem> {
        Self::with_memory_starting_at(0)
    }

    /// As [`with_memory`](Self::with_memory), with counters that start at `start` instead of 0.
    /// For tests, which reach a wrap of the counters in this way and in no other.
    #[must_use]
    pub fn with_memory_starting_at(start: u64) -> Owner<T, CAP, Mem> {
        const {
            assert!(
                CAP.is_power_of_two() && CAP >= 2,
                "the capacity of a LocalQueue must be a power of two, 2 at least"
            );
        }
        let queue = Self {
            head: CachePadded::new(Mem::AtomicU64::new(start)),
            tail: CachePadded::new(Mem::AtomicU64::new(start)),
            next: CachePadded::new(Mem::AtomicPtr::new(ptr::null_mut())),
            slots: CachePadded::new(core::array::from_fn(|_| Mem::AtomicPtr::new(ptr::null_mut()))),
            tasks: PhantomData,
        };
        Owner::of(Mem::Arc::new(queue), start)
    }

    /// The slot of an index.
    #[inline(always)]
    fn slot(&self, index: u64) -> &Mem::AtomicPtr<()> {
        &self.slots[index as usize % CAP]
    }

    /// The number of tasks at one instant during the call.
    fn len(&self) -> usize {
        loop {
            // ORDER: Acquire: pairs with the Release of every claim of `head`; without it the loads
            // below may come from before the pushes that this head presupposes.
            let head = self.head.load(Ordering::Acquire);
            // ORDER: Acquire: pairs with the Release of `Owner::publish`; without it `next` may
            // come from before a pop of the slot that this tail presupposes: a task is counted
            // twice.
            let tail = self.tail.load(Ordering::Acquire);
            // ORDER: Acquire: pairs with the Release of `Owner::push_next` and of `Owner::pop`;
            // without it the second look at the counters may miss what was demoted to the ring.
            let next = self.next.load(Ordering::Acquire);
            // ORDER: Relaxed, both: whether the counters stood still while `next` was read; the
            // Acquire above orders them after it.
            let unmoved = self.head.load(Ordering::Relaxed) == head
                && self.tail.load(Ordering::Relaxed) == tail;
            if unmoved {
                return tail.wrapping_sub(head) as usize + usize::from(!next.is_null());
            }
            Mem::spin_loop();
        }
    }

    /// Whether there was no task at some instant during the call.
    ///
    /// The second look at `tail` is not a luxury (golang/go commit fcd7c02c70, 2015):
    ///
    /// ```text
    ///    observer                    owner                            ring   next
    ///                                                                  -     G1
    ///    head = tail: ring empty
    ///                                push_next(G2): G1 to the ring     G1    G2
    ///                                pop: G2                           G1    -
    ///    next = null: "empty"        ... although it never was
    /// ```
    fn is_empty(&self) -> bool {
        loop {
            // ORDER: Acquire: pairs with the Release of every claim of `head`; without it `tail`
            // may be older than the pushes that this head presupposes, and equal to it by chance.
            let head = self.head.load(Ordering::Acquire);
            // ORDER: Relaxed: it matters only when it equals the head, and whoever claimed up to
            // that head knew this tail, so the Acquire above has ordered it.
            let tail = self.tail.load(Ordering::Relaxed);
            if head != tail {
                return false;
            }
            // ORDER: Acquire: pairs with the Release of `Owner::push_next` and of `Owner::pop`;
            // without it the second look at `tail` may miss the task that left the slot for the
            // ring: the bug above.
            if !self.next.load(Ordering::Acquire).is_null() {
                return false;
            }
            // ORDER: Relaxed: the Acquire on `next` orders it.
            if self.tail.load(Ordering::Relaxed) == tail {
                return true;
            }
            Mem::spin_loop();
        }
    }

    /// Takes the next task out of a queue that nobody else can reach.
    fn take_exclusive(&mut self) -> Option<T> {
        let next = self.next.load_mut();
        if let Some(word) = NonNull::new(next) {
            *self.next = Mem::AtomicPtr::new(ptr::null_mut());
            // SAFETY: I5: the slot owned the task, and has just been emptied.
            return Some(unsafe { T::from_word(word) });
        }
        let head = self.head.load_mut();
        if head == self.tail.load_mut() {
            return None;
        }
        *self.head = Mem::AtomicU64::new(head.wrapping_add(1));
        let word = self.slots[head as usize % CAP].load_mut();
        // SAFETY: I2: the index was in `head..tail` and has just been claimed.
        Some(unsafe { task_of(word) })
    }
}

/// Makes the task of a word that was read from a slot.
///
/// # Safety
///
/// The slot's index must have been in `head..tail`, and the caller must have claimed it (I2).
#[inline(always)]
unsafe fn task_of<T: Task>(word: *mut ()) -> T {
    // SAFETY: a slot in `head..tail` was filled from `Task::into_word`, so it is not null.
    let word = unsafe { NonNull::new_unchecked(word) };
    // SAFETY: the claim hands over each word once (I2, I4).
    unsafe { T::from_word(word) }
}

impl<T: Task, const CAP: usize, Mem: Memory> Drop for LocalQueue<T, CAP, Mem> {
    fn drop(&mut self) {
        /// Goes on when a task's own drop panics, so that the others are not leaked.
        struct Rest<'a, T: Task, const CAP: usize, Mem: Memory>(&'a mut LocalQueue<T, CAP, Mem>);

        impl<T: Task, const CAP: usize, Mem: Memory> Drop for Rest<'_, T, CAP, Mem> {
            fn drop(&mut self) {
                while let Some(task) = self.0.take_exclusive() {
                    drop(task);
                }
            }
        }

        let rest = Rest(self);
        while let Some(task) = rest.0.take_exclusive() {
            drop(task);
        }
    }
}

impl<T: Task, const CAP: usize, Mem: Memory> fmt::Debug for LocalQueue<T, CAP, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalQueue")
            .field("capacity", &CAP)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
