//! The right to run a goroutine: what stands in the queues.

use std::mem::ManuallyDrop;
use std::panic::Location;
use std::ptr::{self, NonNull, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gosched::Task;

use super::{Body, Goroutine, Kind, Status, UNLOCKED, WaitReason};
use crate::counters::Count;
use crate::fiber::Fiber;
use crate::join::Cancelled;
use crate::locals::Locals;
use crate::pinned::Carrier;
use crate::runtime::Shared;

/// Numbers are given out in blocks, or every `go` would write this word.
const BLOCK: u64 = 1 << 10;
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Numbers for new goroutines.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    next: u64,
    end: u64,
}

impl Ids {
    pub(crate) fn next(&mut self) -> u64 {
        if self.next == self.end {
            // ORDER: Relaxed: the number tells itself alone.
            self.next = NEXT_ID.fetch_add(BLOCK, Ordering::Relaxed);
            self.end = self.next + BLOCK;
        }
        self.next += 1;
        self.next - 1
    }
}

/// One number, for somebody who makes few.
pub(crate) fn single_id() -> u64 {
    // ORDER: Relaxed: as above.
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// The right to run a goroutine, and one reference to it.
pub(crate) struct Runnable(&'static Goroutine);

// SAFETY: the word is the descriptor's address, and a descriptor is never freed.
unsafe impl Task for Runnable {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        NonNull::from(ManuallyDrop::new(self).0).cast()
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: by the caller's promise the word is a descriptor's.
        Self(unsafe { word.cast().as_ref() })
    }
}

impl Runnable {
    /// Makes a goroutine of a free descriptor. One without a location is no goroutine to anybody
    /// who asks for all. `home` is null, or the carrier it is pinned to.
    pub(crate) fn new(
        goroutine: &'static Goroutine,
        id: u64,
        runtime: &Shared,
        location: Option<&'static Location<'static>>,
        body: Arc<dyn Body>,
        kind: Kind,
        home: *mut Carrier,
    ) -> Self {
        // ORDER: Relaxed, all: whoever may touch the goroutine gets it by a queue, after this.
        goroutine.references.store(1, Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        goroutine.runtime.store(ptr::from_ref(runtime).cast_mut(), Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        goroutine.location.store(
            location.map_or(null_mut(), |place| ptr::from_ref(place).cast_mut()),
            Ordering::Relaxed,
        );
        // ORDER: Relaxed: as above.
        goroutine.home.store(home, Ordering::Relaxed);
        goroutine.set_status(Status::Runnable, WaitReason::None);
        // ORDER: Release: pairs with the Acquire in `picture`: who sees the number sees the rest.
        goroutine.id.store(id, Ordering::Release);
        goroutine.owned.guard.set(0);
        goroutine.owned.kind.set(kind);
        goroutine.owned.body.set(Some(body));
        Self(goroutine)
    }

    /// Takes the right back that was given up to the permit.
    ///
    /// # Safety
    ///
    /// The permit said that the goroutine was parked, and that the caller is to make it runnable.
    pub(crate) unsafe fn of_parked(goroutine: &'static Goroutine) -> Self {
        Self(goroutine)
    }

    /// The descriptor. The right stays with the caller.
    #[inline]
    pub(crate) fn goroutine(&self) -> &'static Goroutine {
        self.0
    }

    /// The runtime.
    pub(crate) fn runtime(&self) -> &Shared {
        // SAFETY: we hold the run right.
        unsafe { self.0.runtime() }
    }

    /// Gives the right up to the goroutine's permit. False if there was one: the goroutine goes on.
    pub(crate) fn park(self) -> Result<(), Self> {
        let right = ManuallyDrop::new(self);
        if right.0.permit.park() { Ok(()) } else { Err(ManuallyDrop::into_inner(right)) }
    }

    /// The fiber it stopped on. `None` if it has not run yet.
    #[inline]
    pub(crate) fn take_fiber(&self) -> Option<Box<Fiber>> {
        self.0.owned.fiber.take()
    }

    /// Keeps the fiber on which it stopped.
    #[inline]
    pub(crate) fn set_fiber(&self, fiber: Box<Fiber>) {
        self.0.owned.fiber.set(Some(fiber));
    }

    /// The goroutine has ended, or will never begin. The descriptor, if nobody else refers to it.
    #[must_use]
    pub(crate) fn end(self) -> Option<&'static Goroutine> {
        let goroutine = ManuallyDrop::new(self).0;
        goroutine.set_status(Status::Dead, WaitReason::None);
        goroutine.owned.locks.set(0);
        goroutine.owned.calls_last.set(false);
        // ORDER: Relaxed: nobody but the holder of the right reads it.
        goroutine.locked.store(UNLOCKED, Ordering::Relaxed);
        goroutine.release().then(|| goroutine.free())
    }

    /// Says that it will never begin.
    pub(crate) fn cancel(&self, why: Cancelled) {
        if let Some(body) = self.0.owned.body.take() {
            body.cancel(why);
        }
    }

    /// Leaves it where it is for ever, in the list of all.
    pub(crate) fn leave(self) {
        self.0.set_status(Status::Runnable, WaitReason::None);
        let _ = ManuallyDrop::new(self);
    }

    /// The runtime has shut down. One that never ran is cancelled; one in the middle of its body
    /// stays where it is for ever, with its stack: its destructors cannot run, as they may need the
    /// runtime. It stays in the list of all.
    pub(crate) fn abandon(self) {
        let fiber = self.take_fiber();
        if let Some(fiber) = fiber {
            self.set_fiber(fiber);
            return self.leave();
        }
        self.cancel(Cancelled::Shutdown);
        // A future that was polled may have some.
        // SAFETY: we hold the run right, and the reference ends with the take.
        Locals::end(|| unsafe { self.0.locals() }.take());
        if self.0.kind() != Kind::Carrier {
            self.runtime().engine().counters.add_outside(Count::Ended);
        }
        if let Some(goroutine) = self.end() {
            super::Free::default().push(goroutine);
        }
    }
}

impl Goroutine {
    /// The last reference is gone: makes the descriptor ready for the next goroutine.
    pub(crate) fn free(&'static self) -> &'static Self {
        self.set_status(Status::Free, WaitReason::None);
        // ORDER: Relaxed: a reader of the list sees a free one, or the one that was.
        self.id.store(0, Ordering::Relaxed);
        // A permit that came too late is not the next goroutine's.
        let _ = self.permit.take();
        self
    }
}

impl Drop for Runnable {
    /// A queue that is dropped drops its tasks.
    fn drop(&mut self) {
        Self(self.0).abandon();
    }
}
