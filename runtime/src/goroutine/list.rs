//! All descriptors there are, and those that are free.
//!
//! Descriptors lie in chunks, each twice as large as the one before, which are never freed: the
//! list can be read at any time without a lock. The free ones are kept by each worker, up to a
//! number, and beyond it in one list for the process.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::Goroutine;

/// How many descriptors the first chunk has.
const FIRST: usize = 64;
/// How many chunks there may be: more descriptors than there are addresses for.
const CHUNKS: usize = 40;
/// How many free descriptors a worker takes or gives at a time, and half of what it keeps.
const SHARE: usize = 32;

/// The chunks; the first null is the end.
static ALL: [AtomicPtr<Goroutine>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];
/// How many descriptors of them all have ever been used.
static USED: AtomicUsize = AtomicUsize::new(0);
/// Free descriptors that were used before.
static FREE: Mutex<Vec<&'static Goroutine>> = Mutex::new(Vec::new());

/// Every descriptor that was ever used. Takes no lock; some may be free again.
pub(crate) fn all() -> impl Iterator<Item = &'static Goroutine> {
    // ORDER: Acquire: pairs with the Release in `more`: the chunks of those counted are there.
    let mut left = USED.load(Ordering::Acquire);
    ALL.iter().enumerate().flat_map(move |(index, chunk)| {
        let here = left.min(FIRST << index);
        left -= here;
        // ORDER: Acquire: as above.
        let chunk = chunk.load(Ordering::Acquire);
        // SAFETY: a chunk has so many descriptors, which were leaked.
        (0..here).map(move |at| unsafe { &*chunk.wrapping_add(at) })
    })
}

/// A worker's free descriptors.
#[derive(Default)]
pub(crate) struct Free {
    here: Vec<&'static Goroutine>,
}

impl Free {
    /// A free descriptor.
    pub(crate) fn pop(&mut self) -> &'static Goroutine {
        self.here.pop().unwrap_or_else(|| {
            more(&mut self.here);
            self.here.pop().expect("some were just made")
        })
    }

    /// Keeps a descriptor that is free again.
    pub(crate) fn push(&mut self, goroutine: &'static Goroutine) {
        self.here.push(goroutine);
        if self.here.len() > 2 * SHARE {
            let rest = self.here.split_off(SHARE);
            free_list().extend(rest);
        }
    }
}

impl Drop for Free {
    fn drop(&mut self) {
        free_list().append(&mut self.here);
    }
}

fn free_list() -> std::sync::MutexGuard<'static, Vec<&'static Goroutine>> {
    FREE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes some that are free, or makes them.
#[cold]
fn more(here: &mut Vec<&'static Goroutine>) {
    let mut free = free_list();
    let kept = free.len().saturating_sub(SHARE);
    here.extend(free.drain(kept..));
    if !here.is_empty() {
        return;
    }
    // ORDER: Relaxed: written under the lock only.
    let used = USED.load(Ordering::Relaxed);
    // Chunk k begins at FIRST * (2^k - 1).
    let index = (used / FIRST + 1).ilog2() as usize;
    let offset = used - FIRST * ((1 << index) - 1);
    // ORDER: Relaxed: as above.
    let mut chunk = ALL[index].load(Ordering::Relaxed);
    if chunk.is_null() {
        let made: Box<[Goroutine]> = (0..FIRST << index).map(|_| Goroutine::new()).collect();
        chunk = Box::leak(made).as_mut_ptr();
        // ORDER: Release: pairs with the Acquire in `all`.
        ALL[index].store(chunk, Ordering::Release);
    }
    // A chunk's size is a multiple of SHARE, and it is used SHARE by SHARE.
    // SAFETY: the chunk has FIRST << index descriptors, of which `offset` are used.
    here.extend((offset..offset + SHARE).map(|at| unsafe { &*chunk.wrapping_add(at) }));
    // ORDER: Release: pairs with the Acquire in `all`.
    USED.store(used + SHARE, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_handed_out_once_and_all_are_listed() {
        let mut free = Free::default();
        let mut taken: Vec<usize> =
            (0..1000).map(|_| std::ptr::from_ref(free.pop()).addr()).collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 1000);
        let listed: std::collections::HashSet<usize> =
            all().map(|goroutine| std::ptr::from_ref(goroutine).addr()).collect();
        assert!(taken.iter().all(|address| listed.contains(address)));
    }
}
