//! The owner's side: push, push into the slot, pop, drain.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

use super::{LocalQueue, Stealer, task_of};
use crate::memory::{Atomic, Hardware, Memory, Ordering, invariant};
use crate::{Batch, Task};

/// The one handle that may push and pop. It can be sent to another thread, not shared.
///
/// When it is dropped, the tasks stay in the queue for its [`Stealer`]s; the last handle that goes
/// drops them.
///
/// ```compile_fail,E0277
/// fn shared_between_threads<T: Sync>() {}
/// shared_between_threads::<gosched::Owner<Box<u32>>>(); // two threads could push at once
/// ```
pub struct Owner<T: Task, const CAP: usize = 256, Mem: Memory = Hardware> {
    pub(super) queue: Mem::Arc<LocalQueue<T, CAP, Mem>>,
    /// A head that was seen; the real one is here or ahead.
    pub(super) head: u64,
    /// The tail. Nobody else writes it.
    pub(super) tail: u64,
    /// Whether the owner has filled the slot since it last took from it. If not, the slot is empty;
    /// if so, a thief may have emptied it.
    next_filled: bool,
    /// `Send`, not `Sync`: one thread at a time is the owner.
    one_thread: PhantomData<Cell<()>>,
}

/// What [`Owner::pop`] took.
#[derive(Debug, PartialEq, Eq)]
pub struct Popped<T> {
    /// The task to run.
    pub task: T,
    /// Whether it came from the slot, and so runs in what is left of the time slice of the task
    /// that readied it: a pair of tasks that ready each other must not starve the ring.
    pub inherits_slice: bool,
}

/// The ring is full. The task that found no room comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the local queue is full")
    }
}

impl<T> core::error::Error for Full<T> {}

impl<T: Task, const CAP: usize, Mem: Memory> Owner<T, CAP, Mem> {
    /// The owner of a new queue whose counters stand at `start`.
    pub(super) fn of(queue: Mem::Arc<LocalQueue<T, CAP, Mem>>, start: u64) -> Self {
        Self { queue, head: start, tail: start, next_filled: false, one_thread: PhantomData }
    }

    /// A handle for thieves and observers.
    #[must_use]
    pub fn stealer(&self) -> Stealer<T, CAP, Mem> {
        Stealer::of(self.queue.clone())
    }

    /// Pushes a task at the ring's tail. It runs after everything that is in the ring.
    ///
    /// Never allocates. One store of the slot and one of the tail; the head is read only when the
    /// ring looks full.
    ///
    /// # Errors
    ///
    /// With the task, when the ring holds `CAP` tasks. [`overflow`](Owner::overflow) makes room.
    #[inline]
    pub fn push(&mut self, task: T) -> Result<(), Full<T>> {
        if self.room() == 0 && self.room_seen_afresh() == 0 {
            return Err(Full(task));
        }
        self.write(0, task.into_word().as_ptr());
        self.publish(1);
        Ok(())
    }

    /// Puts a task into the slot: the next [`pop`](Owner::pop) takes it. The task that was there
    /// moves to the ring's tail.
    ///
    /// One store when the slot is known to be empty, one swap when it is not.
    ///
    /// # Errors
    ///
    /// With the *displaced* task, when the ring has no room for it. The new task is in the slot.
    #[inline]
    pub fn push_next(&mut self, task: T) -> Result<(), Full<T>> {
        let word = task.into_word().as_ptr();
        if !self.next_filled {
            self.next_filled = true;
            // ORDER: Release: pairs with the Acquire of the thief's claim in
            // `Stealer::take_next`; without it the thief may miss the task's contents.
            self.queue.next.store(word, Ordering::Release);
            return Ok(());
        }
        // ORDER: Release: as the store above. No Acquire: what comes back was the owner's own.
        let displaced = self.queue.next.swap(word, Ordering::Release);
        match NonNull::new(displaced) {
            // SAFETY: I5: the slot owned the task, and the swap took it out.
            Some(word) => self.push(unsafe { T::from_word(word) }),
            // A thief was faster.
            None => Ok(()),
        }
    }

    /// Pushes tasks at the ring's tail for as long as there is room, and returns how many. They
    /// become visible at once, by a single store. What finds no room stays in the iterator: pass
    /// `&mut iterator` to keep it.
    ///
    //= go1.27:src/runtime/proc.go#runqputbatch
    pub fn push_batch(&mut self, tasks: impl IntoIterator<Item = T>) -> usize {
        let room = self.room_seen_afresh();
        let mut staged = self.stage();
        for task in tasks.into_iter().take(room) {
            staged.push(task);
        }
        staged.count
    }

    /// Begins to write behind the tail.
    pub(super) fn stage(&mut self) -> Staged<'_, T, CAP, Mem> {
        Staged { owner: self, count: 0 }
    }

    /// Takes the task to run next: the slot's, else the ring's oldest.
    ///
    /// One read-modify-write. Lock-free: the compare-exchange of the ring's head is repeated only
    /// when a thief took something.
    #[inline]
    pub fn pop(&mut self) -> Option<Popped<T>> {
        if let Some(task) = self.pop_next() {
            return Some(Popped { task, inherits_slice: true });
        }
        let task = self.pop_ring()?;
        Some(Popped { task, inherits_slice: false })
    }

    #[inline]
    fn pop_next(&mut self) -> Option<T> {
        if !self.next_filled {
            return None;
        }
        self.next_filled = false;
        // ORDER: Release: pairs with the Acquire of `next` in `is_empty` and `len`; without it they
        // may see the slot empty and miss the task that was demoted to the ring before. No Acquire:
        // the task is the owner's own.
        let word = self.queue.next.swap(ptr::null_mut(), Ordering::Release);
        // SAFETY: I5: the slot owned the task, and the swap took it out.
        NonNull::new(word).map(|word| unsafe { T::from_word(word) })
    }

    #[inline]
    fn pop_ring(&mut self) -> Option<T> {
        while self.head != self.tail {
            Mem::iteration();
            // ORDER: Relaxed: the owner wrote the slot itself.
            let word = self.queue.slot(self.head).load(Ordering::Relaxed);
            // A failed claim is no reason to wait: it has brought the new head, so the next attempt
            // is a different one.
            if self.claim(1) {
                // SAFETY: the claim handed us the index that the word was read from.
                return Some(unsafe { task_of(word) });
            }
        }
        None
    }

    /// Tries to move the head over `count` tasks, which are the owner's then. When a thief moved
    /// the head first, the owner remembers the new one, and nothing is claimed.
    pub(super) fn claim(&mut self, count: u64) -> bool {
        let claimed = self.head.wrapping_add(count);
        // ORDER: Release on success: pairs with the Acquire of `head` in `is_empty` and `len`;
        // without it they may pair this head with a tail from before the tasks were pushed.
        // Acquire on failure: pairs with the Release of the thief's claim; without it a push may
        // overwrite a slot that the thief is still copying (I3).
        let result = self.queue.head.compare_exchange(
            self.head,
            claimed,
            Ordering::Release,
            Ordering::Acquire,
        );
        match result {
            Ok(_) => self.head = claimed,
            Err(head) => self.head_moved(head),
        }
        self.check();
        result.is_ok()
    }

    /// Apart from `claim`, so that its good end does not wait for the compare-exchange to say
    /// where the head is.
    #[cold]
    #[inline(never)]
    fn head_moved(&mut self, head: u64) {
        self.head = head;
    }

    /// Takes every task out, in the order in which [`pop`](Owner::pop) would have: the slot's,
    /// then the ring's from the oldest on. One claim for the whole ring.
    ///
    /// The links of the batch are made after the claim: before it, a thief may be running what we
    /// would be linking (golang/go, the note at `runqdrain`).
    ///
    //= go1.27:src/runtime/proc.go#runqdrain
    pub fn drain(&mut self) -> Batch<T, Mem> {
        let mut batch = Batch::with_memory_and_capacity(self.room_taken() + 1);
        if let Some(task) = self.pop_next() {
            batch.push(task);
        }
        while self.head != self.tail {
            Mem::iteration();
            let first = self.head;
            let count = self.tail.wrapping_sub(first);
            if self.claim(count) {
                self.move_claimed(first, count, &mut batch);
                break;
            }
        }
        batch
    }

    /// Moves `count` tasks that were claimed, from index `first` on, into a batch with room.
    pub(super) fn move_claimed(&self, first: u64, count: u64, batch: &mut Batch<T, Mem>) {
        for offset in 0..count {
            // ORDER: Relaxed: the owner wrote the slot itself.
            let word = self.queue.slot(first.wrapping_add(offset)).load(Ordering::Relaxed);
            // SAFETY: the caller claimed the index, and each is visited once.
            batch.push(unsafe { task_of(word) });
        }
    }

    /// The number of tasks, the slot's included, at one instant during the call.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether there was no task at some instant during the call. Since nobody else pushes, there
    /// is none when it returns either.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many tasks the ring has room for, judged by the head that was last seen: never too many.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        CAP - self.room_taken()
    }

    /// How many tasks the ring holds, as far as the owner knows: thieves may have taken some.
    #[inline(always)]
    pub(crate) fn room_taken(&self) -> usize {
        self.tail.wrapping_sub(self.head) as usize
    }

    /// As [`room`](Owner::room), after a look at the head.
    #[cold]
    pub(crate) fn room_seen_afresh(&mut self) -> usize {
        // ORDER: Acquire: pairs with the Release of the thief's claim; without it a push may
        // overwrite a slot that the thief is still copying (I3).
        self.head = self.queue.head.load(Ordering::Acquire);
        self.check();
        self.room()
    }

    /// Writes the slot `offset` places behind the tail. It stays invisible until
    /// [`publish`](Owner::publish). The caller has seen room for it.
    #[inline(always)]
    pub(super) fn write(&self, offset: usize, word: *mut ()) {
        let index = self.tail.wrapping_add(offset as u64);
        // ORDER: Relaxed: published by the Release of `publish`. A thief may load the slot at this
        // very moment, for an index `CAP` before; its claim fails then (I3).
        self.queue.slot(index).store(word, Ordering::Relaxed);
    }

    /// Makes the `count` slots that were written behind the tail visible, all at once.
    #[inline(always)]
    pub(super) fn publish(&mut self, count: usize) {
        self.tail = self.tail.wrapping_add(count as u64);
        self.check();
        // ORDER: Release: pairs with the Acquire of `tail` in `Stealer::steal_into`; without it a
        // thief may read a slot from before it was written, or miss the task's contents.
        self.queue.tail.store(self.tail, Ordering::Release);
    }

    /// I1, as far as the owner's own fields tell.
    #[inline(always)]
    fn check(&self) {
        invariant!(
            Mem,
            self.room_taken() <= CAP,
            "head {} and tail {} are more than {CAP} apart",
            self.head,
            self.tail
        );
    }
}

/// Tasks written behind the tail. They are published when this is dropped, by a panic of the
/// iterator they come from, too: what was written is owned by the queue.
pub(super) struct Staged<'a, T: Task, const CAP: usize, Mem: Memory> {
    owner: &'a mut Owner<T, CAP, Mem>,
    count: usize,
}

impl<T: Task, const CAP: usize, Mem: Memory> Staged<'_, T, CAP, Mem> {
    /// The caller has seen room for it.
    pub(super) fn push(&mut self, task: T) {
        self.owner.write(self.count, task.into_word().as_ptr());
        self.count += 1;
    }
}

impl<T: Task, const CAP: usize, Mem: Memory> Drop for Staged<'_, T, CAP, Mem> {
    fn drop(&mut self) {
        if self.count > 0 {
            self.owner.publish(self.count);
        }
    }
}

impl<T: Task, const CAP: usize, Mem: Memory> fmt::Debug for Owner<T, CAP, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner")
            .field("head_seen", &self.head)
            .field("tail", &self.tail)
            .finish_non_exhaustive()
    }
}
