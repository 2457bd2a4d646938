//! Between the ring and the global queue: what a full ring gives, and what an empty one gets.

use core::num::NonZeroUsize;

use super::{Full, Owner};
use crate::memory::Memory;
use crate::{Batch, GlobalQueue, Task};

impl<T: Task, const CAP: usize, Mem: Memory> Owner<T, CAP, Mem> {
    /// Makes room in a full ring: takes the older half of it and `task`, in this order, as one
    /// batch for the [`GlobalQueue`]. The oldest tasks go, so that nothing in the ring waits behind
    /// them for ever; half of them go, so that the lock is taken once in `CAP / 2` pushes.
    ///
    /// Allocates the batch, of `CAP / 2 + 1` tasks.
    ///
    /// # Errors
    ///
    /// With the task, when there is room after all, since a thief took something: push it.
    ///
    //= go1.27:src/runtime/proc.go#runqputslow
    #[cold]
    pub fn overflow(&mut self, task: T) -> Result<Batch<T, Mem>, T> {
        if self.room_seen_afresh() > 0 {
            return Err(task);
        }
        let half = CAP / 2;
        let mut batch = Batch::with_memory_and_capacity(half + 1);
        let oldest = self.head;
        if !self.claim(half as u64) {
            return Err(task);
        }
        self.move_claimed(oldest, half as u64, &mut batch);
        batch.push(task);
        Ok(batch)
    }

    /// [`push`](Owner::push) that cannot fail: a full ring overflows into `global`.
    #[inline]
    pub fn push_or_overflow(&mut self, task: T, global: &GlobalQueue<T, Mem>) {
        if let Err(Full(task)) = self.push(task) {
            self.overflow_into(task, global);
        }
    }

    /// [`push_next`](Owner::push_next) that cannot fail: where the displaced task finds the ring
    /// full, the ring overflows into `global`.
    #[inline]
    pub fn push_next_or_overflow(&mut self, task: T, global: &GlobalQueue<T, Mem>) {
        if let Err(Full(displaced)) = self.push_next(task) {
            self.overflow_into(displaced, global);
        }
    }

    #[cold]
    fn overflow_into(&mut self, mut task: T, global: &GlobalQueue<T, Mem>) {
        loop {
            match self.overflow(task) {
                Ok(batch) => return global.push_batch(batch),
                Err(returned) => task = returned,
            }
            match self.push(task) {
                Ok(()) => return,
                Err(Full(returned)) => task = returned,
            }
        }
    }

    /// Takes a fair share of the global queue: one task to run, which is returned, and up to half a
    /// ring more, which go to the ring's tail in their order. The share is
    /// `len / processors + 1` of what the global queue holds.
    ///
    /// One lock. The tasks are written under it straight into the ring, so nothing is allocated,
    /// and become visible to thieves after it, all at once.
    ///
    //= go1.27:src/runtime/proc.go#globrunqgetbatch
    pub fn take_share(
        &mut self,
        global: &GlobalQueue<T, Mem>,
        processors: NonZeroUsize,
    ) -> Option<T> {
        let most = (self.room_seen_afresh() + 1).min(CAP / 2);
        let mut first = None;
        let mut staged = self.stage();
        global.take_share(processors, most, |task| match first {
            None => first = Some(task),
            Some(_) => staged.push(task),
        });
        first
    }
}
