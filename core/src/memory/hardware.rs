//! The world that ships: `core::sync::atomic`, every method an inlined call of the method it is
//! named after. That this costs nothing is shown by identical assembly
//! (`cargo run -p gosched-benches --bin zero-cost`).

use alloc::sync::Arc;
use core::cell::UnsafeCell;
use core::fmt;
use core::ops::Deref;
#[cfg(not(feature = "portable-atomic"))]
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
#[cfg(feature = "portable-atomic")]
use portable_atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};

use super::delegate::{delegate_atomic, delegate_atomic_int};
use super::membarrier;
use super::sync::{HardwareMutex, HardwareParker};
use super::{FenceMode, Memory, RaceCell, Shared};

/// The real machine: `core::sync::atomic`, `UnsafeCell`, `Arc`; with the feature `std`, std's
/// mutex and a parker on it, and on Linux `membarrier` for the heavy fence.
///
/// ```
/// use gosched::memory::{Atomic, Hardware, Memory, Ordering};
///
/// let word = <Hardware as Memory>::AtomicU64::new(7);
/// assert_eq!(word.swap(8, Ordering::AcqRel), 7);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Hardware;

// SAFETY: every operation is the operation of `core` (or `alloc`, `std`) with the same name and
// the same guarantee; the two asymmetric fences are argued in `membarrier`.
unsafe impl Memory for Hardware {
    const NAME: &'static str = "hardware";
    const CHECKED: bool = false;

    type AtomicU32 = AtomicU32;
    type AtomicU64 = AtomicU64;
    type AtomicUsize = AtomicUsize;
    type AtomicPtr<T: 'static> = AtomicPtr<T>;
    type Cell<T: Send> = HardwareCell<T>;
    type Mutex<T: Send> = HardwareMutex<T>;
    type Arc<T: Send + Sync> = HardwareArc<T>;
    type Parker = HardwareParker;

    #[inline(always)]
    fn fence(order: Ordering) {
        fence(order);
    }

    #[inline(always)]
    fn light_fence() {
        membarrier::light();
    }

    #[inline]
    fn heavy_fence() {
        membarrier::heavy();
    }

    #[inline(always)]
    fn spin_loop() {
        core::hint::spin_loop();
    }
}

impl Hardware {
    /// How the asymmetric fences of this process work by now; `None` until the first
    /// [`heavy_fence`](Memory::heavy_fence) or [`choose_fence_mode`](Hardware::choose_fence_mode).
    #[must_use]
    pub fn fence_mode() -> Option<FenceMode> {
        membarrier::mode()
    }

    /// Decides how the asymmetric fences of this process work, once and for all, and returns what
    /// they do from now on. Asking for [`FenceMode::Membarrier`] where the system has none gives
    /// the fallback; asking for anything after the choice was made gives the choice that was made.
    ///
    /// Nobody has to call this: the first heavy fence chooses `membarrier` where it works. A
    /// sandbox that kills a process for an unknown system call should choose
    /// [`FenceMode::SeqCst`] at start.
    pub fn choose_fence_mode(wish: FenceMode) -> FenceMode {
        membarrier::choose(wish)
    }
}

delegate_atomic_int!(AtomicU32, u32, |word: &mut AtomicU32| *word.get_mut());
delegate_atomic_int!(AtomicU64, u64, |word: &mut AtomicU64| *word.get_mut());
delegate_atomic_int!(AtomicUsize, usize, |word: &mut AtomicUsize| *word.get_mut());
delegate_atomic!(AtomicPtr<T>, *mut T, |word: &mut AtomicPtr<T>| *word.get_mut(), T);

/// [`Memory::Cell`] of [`Hardware`]: an `UnsafeCell`.
#[repr(transparent)]
pub struct HardwareCell<T>(UnsafeCell<T>);

// SAFETY: shared access yields raw pointers only; dereferencing them is the caller's `unsafe`.
// `T: Send` because whoever is sent the cell may move the value out through such a pointer.
unsafe impl<T: Send> Sync for HardwareCell<T> {}

impl<T: Send> RaceCell<T> for HardwareCell<T> {
    #[inline(always)]
    fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }
    #[inline(always)]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

impl<T> fmt::Debug for HardwareCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HardwareCell(..)")
    }
}

/// [`Memory::Arc`] of [`Hardware`]: an `alloc::sync::Arc`.
pub struct HardwareArc<T>(Arc<T>);

impl<T: Send + Sync> Shared<T> for HardwareArc<T> {
    fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Clone for HardwareArc<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for HardwareArc<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for HardwareArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
