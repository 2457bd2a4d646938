//! The world of [shuttle](https://docs.rs/shuttle): larger models, random schedules.
//!
//! Every atomic is sequentially consistent here, whatever ordering the caller asked for, and
//! fences do nothing: shuttle finds wrong interleavings and never a missing ordering. It is the
//! witness that a checker of orderings reached every sequentially consistent outcome.

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::fmt;
use core::ops::Deref;
use std::sync::PoisonError;

use shuttle::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};
use shuttle::sync::{Condvar, Mutex};

use super::delegate::{delegate_atomic, delegate_atomic_int};
use super::{Lock, Memory, Ordering, Park, RaceCell, Shared};

/// shuttle's memory. Its types work inside a shuttle check alone and panic elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shuttle;

// SAFETY: sequential consistency is stronger than every ordering asked for.
unsafe impl Memory for Shuttle {
    const NAME: &'static str = "shuttle";
    const CHECKED: bool = true;

    type AtomicU32 = AtomicU32;
    type AtomicU64 = AtomicU64;
    type AtomicUsize = AtomicUsize;
    type AtomicPtr<T: 'static> = AtomicPtr<T>;
    type Cell<T: Send> = ShuttleCell<T>;
    type Mutex<T: Send> = ShuttleMutex<T>;
    type Arc<T: Send + Sync> = ShuttleArc<T>;
    type Parker = ShuttleParker;

    fn fence(order: Ordering) {
        fence(order);
    }
    fn light_fence() {
        fence(Ordering::SeqCst);
    }
    fn heavy_fence() {
        fence(Ordering::SeqCst);
    }
    fn spin_loop() {
        shuttle::hint::spin_loop();
    }
}

delegate_atomic_int!(AtomicU32, u32, |word: &mut AtomicU32| *word.get_mut());
delegate_atomic_int!(AtomicU64, u64, |word: &mut AtomicU64| *word.get_mut());
delegate_atomic_int!(AtomicUsize, usize, |word: &mut AtomicUsize| *word.get_mut());
delegate_atomic!(AtomicPtr<T>, *mut T, |word: &mut AtomicPtr<T>| *word.get_mut(), T);

/// [`Memory::Cell`] of [`Shuttle`]: an `UnsafeCell`. shuttle does not look for races.
#[repr(transparent)]
pub struct ShuttleCell<T>(UnsafeCell<T>);

// SAFETY: as for `HardwareCell`: shared access yields raw pointers only.
unsafe impl<T: Send> Sync for ShuttleCell<T> {}

impl<T: Send> RaceCell<T> for ShuttleCell<T> {
    fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

impl<T> fmt::Debug for ShuttleCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShuttleCell(..)")
    }
}

/// [`Memory::Mutex`] of [`Shuttle`].
#[derive(Debug)]
pub struct ShuttleMutex<T>(Mutex<T>);

impl<T: Send> Lock<T> for ShuttleMutex<T> {
    fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// [`Memory::Arc`] of [`Shuttle`]: std's `Arc`, which shuttle uses too.
pub struct ShuttleArc<T>(Arc<T>);

impl<T: Send + Sync> Shared<T> for ShuttleArc<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for ShuttleArc<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for ShuttleArc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for ShuttleArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// [`Memory::Parker`] of [`Shuttle`]: a token under shuttle's mutex and condition variable.
#[derive(Debug)]
pub struct ShuttleParker {
    token: Mutex<bool>,
    deposited: Condvar,
}

impl Park for ShuttleParker {
    fn new() -> Self {
        Self { token: Mutex::new(false), deposited: Condvar::new() }
    }
    fn park(&self) {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        while !*token {
            token = self.deposited.wait(token).unwrap_or_else(PoisonError::into_inner);
        }
        *token = false;
    }
    fn unpark(&self) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.deposited.notify_one();
    }
}
