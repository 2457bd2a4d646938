//! The world of [loom](https://docs.rs/loom): small models, every interleaving it finds, C11
//! reorderings.
//!
//! What it cannot see, so that nobody takes a pass for more than it is:
//!
//! * its reduction forgets a thread's earlier load of an atomic once another load came
//!   (tokio-rs/loom#392), so reachable outcomes may be missed even without a preemption bound;
//! * `SeqCst` *accesses* count as `AcqRel` (fences do not: write `fence(SeqCst)`);
//! * no load buffering, no spurious failure of a weak compare-exchange, no stale read by a failing
//!   one, at most four spawned threads;
//! * both asymmetric fences are `fence(SeqCst)`: a mistaken light-light pair passes.

use core::ops::Deref;
use std::sync::PoisonError;

use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};

use super::delegate::{delegate_atomic, delegate_atomic_int};
use super::{Lock, Memory, Ordering, Park, RaceCell, Shared};

/// loom's memory. Its types work inside `loom::model` alone and panic elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loom;

// SAFETY: loom explores a subset of the executions that the C++ memory model allows, never one
// beyond it, and its mutex, `Arc` and `Notify` synchronise as theirs do.
unsafe impl Memory for Loom {
    const NAME: &'static str = "loom";
    const CHECKED: bool = true;

    type AtomicU32 = AtomicU32;
    type AtomicU64 = AtomicU64;
    type AtomicUsize = AtomicUsize;
    type AtomicPtr<T: 'static> = AtomicPtr<T>;
    type Cell<T: Send> = LoomCell<T>;
    type Mutex<T: Send> = LoomMutex<T>;
    type Arc<T: Send + Sync> = LoomArc<T>;
    type Parker = LoomParker;

    #[track_caller]
    fn fence(order: Ordering) {
        fence(order);
    }
    #[track_caller]
    fn light_fence() {
        fence(Ordering::SeqCst);
    }
    #[track_caller]
    fn heavy_fence() {
        fence(Ordering::SeqCst);
    }
    #[track_caller]
    fn spin_loop() {
        loom::hint::spin_loop();
    }
}

delegate_atomic_int!(AtomicU32, u32, |word: &mut AtomicU32| word.with_mut(|value| *value));
delegate_atomic_int!(AtomicU64, u64, |word: &mut AtomicU64| word.with_mut(|value| *value));
delegate_atomic_int!(AtomicUsize, usize, |word: &mut AtomicUsize| word.with_mut(|value| *value));
delegate_atomic!(AtomicPtr<T>, *mut T, |word: &mut AtomicPtr<T>| word.with_mut(|value| *value), T);

/// [`Memory::Cell`] of [`Loom`]: loom's `UnsafeCell`, which reports a race.
#[derive(Debug)]
pub struct LoomCell<T>(loom::cell::UnsafeCell<T>);

// SAFETY: as for `HardwareCell`: shared access yields raw pointers only.
unsafe impl<T: Send> Sync for LoomCell<T> {}

impl<T: Send> RaceCell<T> for LoomCell<T> {
    #[track_caller]
    fn new(value: T) -> Self {
        Self(loom::cell::UnsafeCell::new(value))
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.0.with(f)
    }
    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.0.with_mut(f)
    }
}

/// [`Memory::Mutex`] of [`Loom`].
#[derive(Debug)]
pub struct LoomMutex<T>(loom::sync::Mutex<T>);

impl<T: Send> Lock<T> for LoomMutex<T> {
    fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`Memory::Arc`] of [`Loom`]: loom's `Arc`, which sees who dropped last and reports a leak.
#[derive(Debug)]
pub struct LoomArc<T>(loom::sync::Arc<T>);

impl<T: Send + Sync> Shared<T> for LoomArc<T> {
    fn new(value: T) -> Self {
        Self(loom::sync::Arc::new(value))
    }
}

impl<T> Clone for LoomArc<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for LoomArc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// [`Memory::Parker`] of [`Loom`]: loom's `Notify`, which also explores a spurious wake-up.
#[derive(Debug)]
pub struct LoomParker(loom::sync::Notify);

impl Park for LoomParker {
    fn new() -> Self {
        Self(loom::sync::Notify::new())
    }
    #[track_caller]
    fn park(&self) {
        self.0.wait();
    }
    #[track_caller]
    fn unpark(&self) {
        self.0.notify();
    }
}
