//! One processor's timers, the earliest first: a heap in which each node has four children, as it
//! is flatter than one with two, and the children lie side by side.
//!
//! Each entry tells its timer where it lies, at every move, so that it can be taken out from the
//! middle.
//!
//= go1.27:src/runtime/time.go#timers.siftUp
//= go1.27:src/runtime/time.go#timers.siftDown

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use super::NEVER;

/// How many children a node has.
const CHILDREN: usize = 4;
/// Room for so many is kept, however few there are.
const KEPT: usize = 64;
/// Not in a heap.
const NOWHERE: usize = usize::MAX;

/// Where a timer lies. Written under the lock of the heap in which it lies, or will lie.
#[derive(Debug)]
pub(super) struct Place {
    shard: AtomicUsize,
    index: AtomicUsize,
}

impl Default for Place {
    fn default() -> Self {
        Self { shard: AtomicUsize::new(NOWHERE), index: AtomicUsize::new(NOWHERE) }
    }
}

impl Place {
    /// Whose heap it is in, if any. To be asked again under that one's lock.
    pub(super) fn shard(&self) -> Option<usize> {
        // ORDER: Relaxed: a hint without the lock; with it, the lock orders it.
        let shard = self.shard.load(Ordering::Relaxed);
        (shard != NOWHERE).then_some(shard)
    }

    /// Where in that heap.
    fn index(&self) -> usize {
        // ORDER: Relaxed: under the lock.
        self.index.load(Ordering::Relaxed)
    }

    fn set_shard(&self, shard: usize) {
        // ORDER: Relaxed: under the lock. Whoever reads without it learns at most that the timer
        // has left the heap, and nothing hangs on what was before that.
        self.shard.store(shard, Ordering::Relaxed);
    }

    fn set_index(&self, index: usize) {
        // ORDER: Relaxed: under the lock.
        self.index.store(index, Ordering::Relaxed);
    }
}

/// A timer that is pending.
#[derive(Debug)]
struct Entry {
    when: u64,
    /// Those that are due at the same time go in the order in which they came.
    number: u64,
    waker: Waker,
    place: Arc<Place>,
}

impl Entry {
    fn key(&self) -> (u64, u64) {
        (self.when, self.number)
    }
}

/// One processor's timers.
#[derive(Debug, Default)]
pub(super) struct Heap {
    entries: Vec<Entry>,
    /// The next one's number.
    number: u64,
}

impl Heap {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// For how many there is memory.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.entries.capacity()
    }

    /// When the first is due.
    pub(super) fn earliest(&self) -> u64 {
        self.entries.first().map_or(NEVER, |first| first.when)
    }

    /// Whom a timer in this heap wakes.
    pub(super) fn waker(&self, place: &Place) -> &Waker {
        &self.entries[place.index()].waker
    }

    /// Adds one that is in no heap. Whether it is the first now, and earlier than the first was.
    /// O(log n).
    pub(super) fn push(
        &mut self,
        when: u64,
        waker: Waker,
        place: &Arc<Place>,
        shard: usize,
    ) -> bool {
        let before = self.earliest();
        place.set_shard(shard);
        let entry = Entry { when, number: self.next_number(), waker, place: Arc::clone(place) };
        self.entries.push(entry);
        self.sift_up(self.entries.len() - 1);
        self.earliest() < before
    }

    /// Changes the time of one in this heap, and perhaps whom it wakes. Whether it is the first
    /// now, and earlier than the first was; and whom it woke. O(log n).
    pub(super) fn reset(
        &mut self,
        place: &Place,
        when: u64,
        waker: Option<Waker>,
    ) -> (bool, Option<Waker>) {
        let before = self.earliest();
        let index = place.index();
        let number = self.next_number();
        let entry = &mut self.entries[index];
        if entry.when != when {
            (entry.when, entry.number) = (when, number);
        }
        let replaced = waker.map(|waker| std::mem::replace(&mut entry.waker, waker));
        self.settle(index);
        (self.earliest() < before, replaced)
    }

    /// Takes one in this heap out of it. O(log n).
    pub(super) fn remove(&mut self, place: &Place) -> Waker {
        self.remove_at(place.index())
    }

    /// Takes the first one out, if it is due. O(log n).
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Waker> {
        (self.earliest() <= now && !self.is_empty()).then(|| self.remove_at(0))
    }

    fn remove_at(&mut self, index: usize) -> Waker {
        let entry = self.entries.swap_remove(index);
        entry.place.set_shard(NOWHERE);
        if index < self.entries.len() {
            self.settle(index);
        }
        self.shrink();
        entry.waker
    }

    /// Moves all of another's timers into this one, which is number `shard`. At equal times they
    /// come after those that are here.
    pub(super) fn append(&mut self, other: &mut Self, shard: usize) {
        let mut moved = std::mem::take(&mut other.entries);
        moved.sort_unstable_by_key(Entry::key);
        for entry in moved {
            self.push(entry.when, entry.waker, &entry.place, shard);
        }
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) -> Vec<Waker> {
        let out = |entry: Entry| {
            entry.place.set_shard(NOWHERE);
            entry.waker
        };
        std::mem::take(&mut self.entries).into_iter().map(out).collect()
    }

    fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// Gives memory back of which less than a quarter is used.
    fn shrink(&mut self) {
        let room = self.entries.capacity();
        if room > KEPT && self.entries.len() < room / 4 {
            self.entries.shrink_to(KEPT.max(room / 2));
        }
    }

    /// Moves the entry at `index` to where it belongs.
    fn settle(&mut self, index: usize) {
        if self.sift_up(index) == index {
            self.sift_down(index);
        }
    }

    /// Moves the entry at `index` up while it comes before its parent. Where it ends.
    fn sift_up(&mut self, mut index: usize) -> usize {
        while index > 0 {
            let parent = (index - 1) / CHILDREN;
            if self.entries[parent].key() < self.entries[index].key() {
                break;
            }
            self.swap(parent, index);
            index = parent;
        }
        self.entries[index].place.set_index(index);
        index
    }

    /// Moves the entry at `index` down while a child comes before it.
    fn sift_down(&mut self, mut index: usize) {
        loop {
            let children = CHILDREN * index + 1;
            let end = self.entries.len().min(children + CHILDREN);
            let first = (children..end).min_by_key(|&child| self.entries[child].key());
            let Some(child) = first.filter(|&child| self.comes_before(child, index)) else { break };
            self.swap(child, index);
            index = child;
        }
        self.entries[index].place.set_index(index);
    }

    fn comes_before(&self, one: usize, other: usize) -> bool {
        self.entries[one].key() < self.entries[other].key()
    }

    /// Swaps two entries; the one that moves to `to` has its index told now, the other at its end.
    fn swap(&mut self, from: usize, to: usize) {
        self.entries.swap(from, to);
        self.entries[to].place.set_index(to);
    }
}
