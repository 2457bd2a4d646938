//! Small code under audit, with orderings whose verdict is known: needed, too strong, not reached.

use gosched::memory::{Atomic, AtomicInt, Memory, Ordering, RaceCell};

/// A value that is put once.
pub(crate) struct Slot<Mem: Memory> {
    value: Mem::Cell<u64>,
    full: Mem::AtomicU32,
    takes: Mem::AtomicU32,
}

impl<Mem: Memory> Slot<Mem> {
    /// An empty slot.
    pub(crate) fn new() -> Self {
        Self {
            value: Mem::Cell::new(0),
            full: Mem::AtomicU32::new(0),
            takes: Mem::AtomicU32::new(0),
        }
    }

    /// Puts the value. Once.
    pub(crate) fn put(&self, value: u64) {
        // SAFETY: nobody reads the value before `full` is set.
        self.value.with_mut(|place| unsafe { *place = value });
        // ORDER: Release: pairs with the Acquires below; needed.
        self.full.store(1, Ordering::Release);
    }

    /// Reads the value if it is there.
    pub(crate) fn take(&self) -> Option<u64> {
        // ORDER: Acquire: pairs with the Release of `put`; needed.
        if self.full.load(Ordering::Acquire) == 0 {
            return None;
        }
        // ORDER: AcqRel: too strong: nothing is read or written because of the count.
        self.takes.fetch_add(1, Ordering::AcqRel);
        Some(self.read())
    }

    /// Reads the value if it is there, else closes the slot.
    pub(crate) fn take_or_close(&self) -> Option<u64> {
        // ORDER: Relaxed on success: nothing is read. Acquire on failure: pairs with the Release of
        // `put`; needed.
        let closed = self.full.compare_exchange(0, 2, Ordering::Relaxed, Ordering::Acquire);
        closed.is_err().then(|| self.read())
    }

    /// Never called by a model.
    pub(crate) fn forget(&self) {
        // ORDER: SeqCst: not reached.
        Mem::fence(Ordering::SeqCst);
    }

    fn read(&self) -> u64 {
        // SAFETY: `full` was seen to be set, and the value is not written after that.
        self.value.with(|place| unsafe { *place })
    }
}

/// Store mine, fence, look at yours, with the full fence.
pub(crate) fn announce<Mem: Memory>(mine: &Mem::AtomicU32, yours: &Mem::AtomicU32) -> u32 {
    // ORDER: Relaxed: the fence orders it before the load below.
    mine.store(1, Ordering::Relaxed);
    // ORDER: SeqCst: pairs with the other thread's; needed.
    Mem::fence(Ordering::SeqCst);
    // ORDER: Relaxed: as the store.
    yours.load(Ordering::Relaxed)
}

/// As [`announce`], with the light fence, against the full one.
pub(crate) fn announce_often<Mem: Memory>(mine: &Mem::AtomicU32, yours: &Mem::AtomicU32) -> u32 {
    // ORDER: Relaxed: the fence orders it before the load below.
    mine.store(1, Ordering::Relaxed);
    Mem::light_fence();
    // ORDER: Relaxed: as the store.
    yours.load(Ordering::Relaxed)
}

/// As [`announce`], with the heavy fence, against the light one.
pub(crate) fn announce_rarely<Mem: Memory>(mine: &Mem::AtomicU32, yours: &Mem::AtomicU32) -> u32 {
    // ORDER: Relaxed: the fence orders it before the load below.
    mine.store(1, Ordering::Relaxed);
    Mem::heavy_fence();
    // ORDER: Relaxed: as the store.
    yours.load(Ordering::Relaxed)
}
