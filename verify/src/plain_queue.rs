//! Go's run queue, access by access: the baseline that [`gosched::LocalQueue`] is measured against.
//!
//! Nothing is improved here. Counters have 32 bits, the owner re-reads the head with every
//! operation, the slot is compare-exchanged. It serves three ends: a fixture whose executions other
//! checkers have counted, the baseline of every ratio in the benchmarks, and the shortest text in
//! which to read the algorithm. Tasks are plain numbers, 0 is none: this queue owns nothing.
//!
//! The owner alone may call `put`, `get` and, as the thief's queue, `steal`. Since tasks are
//! numbers, breaking that rule mixes up tasks, not memory.
//!
//= go1.27:src/runtime/proc.go#runqput
//= go1.27:src/runtime/proc.go#runqget
//= go1.27:src/runtime/proc.go#runqgrab
//= go1.27:src/runtime/proc.go#runqsteal

use gosched::memory::{Atomic, Hardware, Memory, Ordering};

/// A task, or 0 for none.
pub type Word = usize;

/// Go's bounded ring with its `next` slot, of `CAP` (a power of two, 2 at least) words.
#[derive(Debug)]
pub struct PlainQueue<const CAP: usize = 256, Mem: Memory = Hardware> {
    head: Mem::AtomicU32,
    tail: Mem::AtomicU32,
    next: Mem::AtomicUsize,
    slots: [Mem::AtomicUsize; CAP],
}

impl<const CAP: usize, Mem: Memory> Default for PlainQueue<CAP, Mem> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAP: usize, Mem: Memory> PlainQueue<CAP, Mem> {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        const { assert!(CAP.is_power_of_two() && CAP >= 2) }
        Self {
            head: Mem::AtomicU32::new(0),
            tail: Mem::AtomicU32::new(0),
            next: Mem::AtomicUsize::new(0),
            slots: core::array::from_fn(|_| Mem::AtomicUsize::new(0)),
        }
    }

    fn slot(&self, index: u32) -> &Mem::AtomicUsize {
        &self.slots[index as usize % CAP]
    }

    /// Puts a task into the slot; the one that was there goes to the ring, as by
    /// [`put`](PlainQueue::put).
    #[inline]
    pub fn put_next(&self, task: Word, overflow: impl FnMut(Word)) {
        loop {
            Mem::iteration();
            let old = self.next.load(Ordering::Relaxed);
            let won = self.next.compare_exchange(old, task, Ordering::Release, Ordering::Relaxed);
            match won {
                Ok(0) => return,
                Ok(displaced) => return self.put(displaced, overflow),
                Err(_) => Mem::retry_pure(),
            }
        }
    }

    /// Puts a task at the ring's tail. If the ring is full, its older half and the task go to
    /// `overflow`, one by one.
    #[inline]
    pub fn put(&self, task: Word, mut overflow: impl FnMut(Word)) {
        loop {
            Mem::iteration();
            let head = self.head.load(Ordering::Acquire);
            let tail = self.tail.load(Ordering::Relaxed);
            if (tail.wrapping_sub(head) as usize) < CAP {
                self.slot(tail).store(task, Ordering::Relaxed);
                self.tail.store(tail.wrapping_add(1), Ordering::Release);
                return;
            }
            if self.put_slow(head, &mut overflow) {
                overflow(task);
                return;
            }
            Mem::retry_pure();
        }
    }

    /// Moves the older half of the full ring to `overflow`; false if a thief was faster.
    #[cold]
    fn put_slow(&self, head: u32, overflow: &mut impl FnMut(Word)) -> bool {
        let half = CAP as u32 / 2;
        let mut batch = [0; CAP];
        for offset in 0..half {
            batch[offset as usize] = self.slot(head.wrapping_add(offset)).load(Ordering::Relaxed);
        }
        let won = self.head.compare_exchange(
            head,
            head.wrapping_add(half),
            Ordering::Release,
            Ordering::Relaxed,
        );
        if won.is_ok() {
            batch[..half as usize].iter().copied().for_each(overflow);
        }
        won.is_ok()
    }

    /// Takes the next task, and says whether it came from the slot.
    #[inline]
    pub fn get(&self) -> Option<(Word, bool)> {
        let next = self.next.load(Ordering::Relaxed);
        if next != 0
            && self.next.compare_exchange(next, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            return Some((next, true));
        }
        loop {
            Mem::iteration();
            let head = self.head.load(Ordering::Acquire);
            let tail = self.tail.load(Ordering::Relaxed);
            if head == tail {
                return None;
            }
            let task = self.slot(head).load(Ordering::Relaxed);
            let won = self.head.compare_exchange(
                head,
                head.wrapping_add(1),
                Ordering::Release,
                Ordering::Relaxed,
            );
            if won.is_ok() {
                return Some((task, false));
            }
            Mem::retry_pure();
        }
    }

    /// Steals half of the victim's ring into this, the thief's own ring, and returns the newest
    /// task of it. With `slot`, an empty victim loses its slot's task instead.
    ///
    /// # Panics
    ///
    /// If the loot does not fit: a thief's ring should be empty.
    #[inline]
    pub fn steal(&self, victim: &Self, slot: bool) -> Option<Word> {
        let tail = self.tail.load(Ordering::Relaxed);
        let count = self.grab(victim, tail, slot);
        let moved = count.checked_sub(1)?;
        let task = self.slot(tail.wrapping_add(moved)).load(Ordering::Relaxed);
        if moved > 0 {
            let head = self.head.load(Ordering::Acquire);
            assert!((tail.wrapping_sub(head).wrapping_add(moved) as usize) < CAP, "loot must fit");
            self.tail.store(tail.wrapping_add(moved), Ordering::Release);
        }
        Some(task)
    }

    /// Copies half of the victim's ring to our slots from `tail` on, and claims it.
    fn grab(&self, victim: &Self, tail: u32, slot: bool) -> u32 {
        loop {
            Mem::iteration();
            let head = victim.head.load(Ordering::Acquire);
            let len = victim.tail.load(Ordering::Acquire).wrapping_sub(head);
            let count = len - len / 2;
            if count == 0 {
                let next = if slot { victim.next.load(Ordering::Relaxed) } else { 0 };
                if next == 0 {
                    return 0;
                }
                let won =
                    victim.next.compare_exchange(next, 0, Ordering::Acquire, Ordering::Relaxed);
                if won.is_ok() {
                    self.slot(tail).store(next, Ordering::Relaxed);
                    return 1;
                }
                Mem::retry_pure();
                continue;
            }
            if count as usize > CAP / 2 {
                // The head had moved on when the tail was read.
                Mem::spin_loop();
                continue;
            }
            for offset in 0..count {
                let task = victim.slot(head.wrapping_add(offset)).load(Ordering::Relaxed);
                self.slot(tail.wrapping_add(offset)).store(task, Ordering::Relaxed);
            }
            let claimed = head.wrapping_add(count);
            let won =
                victim.head.compare_exchange(head, claimed, Ordering::Release, Ordering::Relaxed);
            if won.is_ok() {
                return count;
            }
        }
    }
}
