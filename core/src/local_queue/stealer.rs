//! The thieves' side: steal half, steal the slot, look.

use core::fmt;
use core::ptr::{self, NonNull};

use super::{LocalQueue, Owner, task_of};
use crate::Task;
use crate::memory::{Atomic, Hardware, Memory, Ordering};

/// A handle that takes from a queue, and looks at it, from any thread.
///
/// A stealer may outlive the owner: it then finds what the owner left.
pub struct Stealer<T: Task, const CAP: usize = 256, Mem: Memory = Hardware> {
    queue: Mem::Arc<LocalQueue<T, CAP, Mem>>,
}

/// Whether a thief that finds the ring empty may take the task in the slot.
///
/// The slot's task was readied a moment ago by the task that runs, which often is about to block:
/// left alone it runs at once, with its data in the cache. So Go takes it only in the last of four
/// rounds over all victims, and only after a pause of 3 us in which the victim may run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextSlot {
    /// Leave the slot alone.
    Leave,
    /// Take the slot's task if the ring is empty.
    Take,
}

/// What a steal brought.
#[must_use = "the stolen task runs nowhere else"]
#[derive(Debug, PartialEq, Eq)]
pub struct Stolen<T> {
    /// The task to run: the newest of those that were stolen.
    pub task: T,
    /// How many more, all older, are now in the thief's ring.
    pub moved: usize,
    /// Whether the task came from the victim's slot.
    pub from_next: bool,
}

/// Why a steal brought nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StealError {
    /// There was nothing to take.
    Empty,
    /// The thief's queue is the victim's.
    Itself,
}

impl fmt::Display for StealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing to steal",
            Self::Itself => "a queue cannot steal from itself",
        })
    }
}

impl core::error::Error for StealError {}

impl<T: Task, const CAP: usize, Mem: Memory> Stealer<T, CAP, Mem> {
    pub(super) fn of(queue: Mem::Arc<LocalQueue<T, CAP, Mem>>) -> Self {
        Self { queue }
    }

    /// Steals the older half of the victim's ring, rounded up: the newest of it is returned to be
    /// run at once, the others go to the tail of the thief's ring, in their order.
    ///
    /// A thief whose ring has no room for all of them takes fewer: one if it is full. With
    /// [`NextSlot::Take`], a victim with an empty ring loses the task in its slot instead.
    ///
    /// One compare-exchange for the whole steal. Lock-free: it starts again only when the head
    /// moved, which means that somebody else took something.
    ///
    /// # Errors
    ///
    /// [`StealError::Empty`] if there is nothing to take, [`StealError::Itself`] if `thief` owns
    /// this very queue.
    #[inline]
    pub fn steal_into(
        &self,
        thief: &mut Owner<T, CAP, Mem>,
        next: NextSlot,
    ) -> Result<Stolen<T>, StealError> {
        if ptr::eq(&*self.queue, &*thief.queue) {
            return Err(StealError::Itself);
        }
        let mut room = thief.room();
        if room < CAP / 2 {
            room = thief.room_seen_afresh();
        }
        loop {
            Mem::iteration();
            // ORDER: Acquire: pairs with the Release of every claim of `head`; without it the tail
            // may be older than the pushes that this head presupposes, and the steal take half of
            // a ring that never was. No task is lost by that: the claim below is validated by
            // `head` itself.
            let head = self.queue.head.load(Ordering::Acquire);
            // ORDER: Acquire: pairs with the Release of `Owner::publish`; without it the slots may
            // be read from before they were written, or the task's contents be missed.
            let tail = self.queue.tail.load(Ordering::Acquire);
            let len = tail.wrapping_sub(head) as usize;
            if len == 0 {
                match next {
                    NextSlot::Leave => return Err(StealError::Empty),
                    NextSlot::Take => match self.take_next() {
                        Next::Empty => return Err(StealError::Empty),
                        Next::Taken(task) => {
                            return Ok(Stolen { task, moved: 0, from_next: true });
                        }
                        Next::Moved => Mem::retry_pure(),
                    },
                }
            } else if len > CAP {
                // The head had moved on when the tail was read: a torn look, not a fact. The claim
                // would fail, since that head is gone; this saves the copy.
                Mem::spin_loop();
            } else if let Some(stolen) = self.claim(head, (len - len / 2).min(room + 1), thief) {
                return Ok(stolen);
            }
        }
    }

    /// Copies `count` slots from `head` on, all but the last into the thief's unpublished slots,
    /// and then claims them; `None` if the head moved meanwhile, which voids the copy.
    #[inline]
    fn claim(&self, head: u64, count: usize, thief: &mut Owner<T, CAP, Mem>) -> Option<Stolen<T>> {
        let moved = count - 1;
        for offset in 0..moved {
            // ORDER: Relaxed: published by `publish`, whose tail we have acquired; stale or
            // overwritten words are voided by the compare-exchange (I3).
            let word = self.queue.slot(head.wrapping_add(offset as u64)).load(Ordering::Relaxed);
            thief.write(offset, word);
        }
        // ORDER: Relaxed: as above.
        let newest = self.queue.slot(head.wrapping_add(moved as u64)).load(Ordering::Relaxed);
        let claimed = head.wrapping_add(count as u64);
        // ORDER: Release on success: pairs with the Acquire of `Owner::room_seen_afresh` and of a
        // failed `Owner::claim`; without it the owner may overwrite a slot that is still being
        // copied above (I3), and `is_empty` may pair this head with an older tail.
        // Relaxed on failure: the copy is thrown away and the head read again.
        self.queue
            .head
            .compare_exchange(head, claimed, Ordering::Release, Ordering::Relaxed)
            .ok()?;
        if moved > 0 {
            thief.publish(moved);
        }
        // SAFETY: the claim handed us the index that the word was read from.
        let task = unsafe { task_of(newest) };
        Some(Stolen { task, moved, from_next: false })
    }

    /// Whether there was a task in the slot: a hint, which orders nothing.
    #[must_use]
    pub fn has_next(&self) -> bool {
        // ORDER: Relaxed: a hint, by contract.
        !self.queue.next.load(Ordering::Relaxed).is_null()
    }

    /// Takes the slot's task, if it is the same at two looks.
    fn take_next(&self) -> Next<T> {
        // ORDER: Relaxed: the claim below acquires.
        let word = self.queue.next.load(Ordering::Relaxed);
        let Some(word) = NonNull::new(word) else {
            return Next::Empty;
        };
        // ORDER: Acquire on success: pairs with the Release of `Owner::push_next`; without it the
        // task's contents may be missed. Relaxed on failure: nothing was taken. That the word may
        // have left and come back does no harm: whatever task it is, the slot owns it now.
        let taken = self.queue.next.compare_exchange(
            word.as_ptr(),
            ptr::null_mut(),
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        match taken {
            // SAFETY: I5: the slot owned the task, and the compare-exchange took it out.
            Ok(_) => Next::Taken(unsafe { T::from_word(word) }),
            Err(_) => Next::Moved,
        }
    }

    /// The number of tasks, the slot's included, at one instant during the call. Lock-free, not
    /// wait-free: it looks again for as long as the queue changes under its eyes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether there was no task at some instant during the call: never `true` while a task merely
    /// moved from the slot to the ring.
    ///
    /// A task that the owner is about to push is not there yet. A machine that goes to sleep on
    /// this answer needs a `fence(SeqCst)` before it asks, and the submitter one after it pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}

/// What became of an attempt on the slot.
enum Next<T> {
    Empty,
    Taken(T),
    /// The owner ran or displaced it meanwhile; it may be in the ring now.
    Moved,
}

impl<T: Task, const CAP: usize, Mem: Memory> Clone for Stealer<T, CAP, Mem> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<T: Task, const CAP: usize, Mem: Memory> fmt::Debug for Stealer<T, CAP, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stealer").field(&*self.queue).finish()
    }
}
