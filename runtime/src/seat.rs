//! A machine as others see it: its number, its processor, the goroutine that runs on it.
//!
//! A worker is its thread's own; this is the part of it that `schedtrace` and the observer may look
//! at while the worker runs. Every field is atomic, and true of some instant.

use std::ptr::{from_ref, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::goroutine::Goroutine;

/// No processor.
const NONE: usize = usize::MAX;

/// What others see of a machine.
#[derive(Debug)]
pub(crate) struct Seat {
    /// The machine's number.
    pub(crate) machine: usize,
    processor: AtomicUsize,
    current: AtomicPtr<Goroutine>,
}

impl Seat {
    /// The seat of a machine that begins.
    pub(crate) fn new(machine: usize, processor: Option<usize>) -> Self {
        let processor = AtomicUsize::new(processor.unwrap_or(NONE));
        Self { machine, processor, current: AtomicPtr::new(null_mut()) }
    }

    /// The processor that it holds, or held until just now.
    pub(crate) fn processor(&self) -> Option<usize> {
        // ORDER: Relaxed: a picture of one instant.
        let processor = self.processor.load(Ordering::Relaxed);
        (processor != NONE).then_some(processor)
    }

    pub(crate) fn set_processor(&self, processor: Option<usize>) {
        // ORDER: Relaxed: nobody acts on it.
        self.processor.store(processor.unwrap_or(NONE), Ordering::Relaxed);
    }

    /// The goroutine that runs on it.
    #[inline]
    pub(crate) fn current(&self) -> Option<&'static Goroutine> {
        // ORDER: Relaxed: written by the machine's thread; others take a picture.
        let current = self.current.load(Ordering::Relaxed);
        // SAFETY: null, or a descriptor, which is never freed.
        unsafe { current.as_ref() }
    }

    #[inline]
    pub(crate) fn set_current(&self, goroutine: Option<&'static Goroutine>) {
        let current = goroutine.map_or(null_mut(), |goroutine| from_ref(goroutine).cast_mut());
        // ORDER: Relaxed: as above.
        self.current.store(current, Ordering::Relaxed);
    }
}

/// The machines of a runtime that have threads.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<Vec<Pointer>>);

/// To a seat in the frame of its worker's thread.
#[derive(Debug, PartialEq, Eq)]
struct Pointer(*const Seat);

// SAFETY: it is followed under the list's lock alone, which its owner takes before it ends.
unsafe impl Send for Pointer {}

/// A seat in the list, until this is dropped.
pub(crate) struct Taken<'a> {
    seats: &'a Seats,
    seat: &'a Seat,
}

impl Seats {
    fn all(&self) -> MutexGuard<'_, Vec<Pointer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a seat into the list.
    pub(crate) fn take<'a>(&'a self, seat: &'a Seat) -> Taken<'a> {
        self.all().push(Pointer(seat));
        Taken { seats: self, seat }
    }

    /// Looks at every seat, by the machines' numbers. The list is locked meanwhile, so that a
    /// machine may wait with its end.
    pub(crate) fn look<T>(&self, mut look: impl FnMut(&Seat) -> T) -> Vec<T> {
        let all = self.all();
        // SAFETY: each is in the list, and so lives as long as we have the lock.
        let mut seats: Vec<&Seat> = all.iter().map(|seat| unsafe { &*seat.0 }).collect();
        seats.sort_by_key(|seat| seat.machine);
        seats.into_iter().map(&mut look).collect()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.seats.all().retain(|seat| !std::ptr::eq(seat.0, self.seat));
    }
}
