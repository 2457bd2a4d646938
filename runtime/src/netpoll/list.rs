//! All descriptors there are, and those that are free.
//!
//! As the goroutines', they lie in chunks, each twice as large as the one before, which are never
//! freed. So the number that the kernel gives back with an event is always a descriptor's, whatever
//! has become of its socket meanwhile, and is looked up without a lock.
//!
//= go1.27:src/runtime/netpoll.go#pollCache

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::HALF;
use super::descriptor::Descriptor;

/// How many descriptors the first chunk has.
const FIRST: usize = 64;
/// How many chunks there may be: as many descriptors as have a number in their half of a key. On 64
/// bits they are more than a process can have open files, on 32 bits they are 65,472.
const CHUNKS: usize = chunks(HALF);

/// How many chunks there are room for in numbers of so many bits.
const fn chunks(bits: u32) -> usize {
    (bits - FIRST.ilog2()) as usize
}

/// The chunks; the first null is the end.
static ALL: [AtomicPtr<Descriptor>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];
static LIST: Mutex<List> = Mutex::new(List { free: Vec::new(), chunks: 0 });

/// What the lock guards.
pub(super) struct List {
    free: Vec<&'static Descriptor>,
    /// How many chunks there are.
    chunks: usize,
}

/// The list, locked.
pub(super) fn list() -> MutexGuard<'static, List> {
    LIST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The descriptor with this number.
pub(super) fn find(index: usize) -> Option<&'static Descriptor> {
    // Chunk k begins at FIRST * (2^k - 1).
    let chunk = (index / FIRST + 1).ilog2() as usize;
    // ORDER: Acquire: pairs with the Release in `more`.
    let first = ALL.get(chunk)?.load(Ordering::Acquire);
    let offset = index - FIRST * ((1 << chunk) - 1);
    if first.is_null() {
        return None;
    }
    // SAFETY: a chunk has FIRST << chunk descriptors, of which `offset` is one.
    let descriptor = unsafe { first.add(offset) };
    // SAFETY: it was leaked, and is never written to but through its atomics and locks.
    Some(unsafe { &*descriptor })
}

impl List {
    /// A free descriptor. `None` if there are as many as there may be.
    pub(super) fn pop(&mut self) -> Option<&'static Descriptor> {
        if self.free.is_empty() {
            self.more();
        }
        self.free.pop()
    }

    /// Keeps a descriptor that is free again.
    pub(super) fn push(&mut self, descriptor: &'static Descriptor) {
        self.free.push(descriptor);
    }

    #[cold]
    fn more(&mut self) {
        let Some(place) = ALL.get(self.chunks) else { return };
        let begin = FIRST * ((1 << self.chunks) - 1);
        let count = FIRST << self.chunks;
        let made: Box<[Descriptor]> =
            (begin..begin + count).map(|index| Descriptor::new(index as u32)).collect();
        let chunk: &'static [Descriptor] = Box::leak(made);
        // ORDER: Release: pairs with the Acquire in `find`.
        place.store(chunk.as_ptr().cast_mut(), Ordering::Release);
        self.chunks += 1;
        self.free.extend(chunk.iter().rev());
    }

    /// Every descriptor.
    pub(super) fn all(&self) -> impl Iterator<Item = &'static Descriptor> {
        (0..FIRST * ((1 << self.chunks) - 1)).map_while(find)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_found_by_its_number_and_handed_out_once() {
        let taken: Vec<_> = (0..1000).map(|_| list().pop().unwrap()).collect();
        let mut numbers: Vec<u32> = taken.iter().map(|descriptor| descriptor.index).collect();
        for descriptor in &taken {
            let found = find(descriptor.index as usize).unwrap();
            assert!(std::ptr::eq(found, *descriptor));
        }
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 1000);
        let all: Vec<u32> = list().all().map(|descriptor| descriptor.index).collect();
        assert!(numbers.iter().all(|number| all.contains(number)));
        let mut list = list();
        taken.into_iter().for_each(|descriptor| list.push(descriptor));
    }

    #[test]
    fn every_number_has_room_in_its_half_of_a_key() {
        for bits in [16, 32] {
            let all = FIRST as u64 * ((1 << chunks(bits)) - 1);
            assert!(all <= 1 << bits && 2 * all > 1 << bits, "{all} in {bits} bits");
        }
    }

    #[test]
    fn a_number_nobody_has_is_no_descriptor() {
        assert!(find(u32::MAX as usize).is_none());
        assert!(find((1 << HALF) - 1).is_none());
    }
}
