//! Blocking on [`Hardware`](super::Hardware): a mutex and a parker.
//!
//! With the feature `std` both stand on std's primitives, which are futexes on Linux. Without it
//! there is no operating system to sleep with, and both **spin**: correct everywhere, but a thread
//! that waits burns its core, and a waiter of higher priority than the holder may wait for ever.
//! Hosts without std should give a parker of their own to [`Note`](crate::Note) and keep the
//! sections under [`GlobalQueue`](crate::GlobalQueue)'s lock, which are a few dozen instructions
//! long, free of interruption.

#[cfg(feature = "std")]
pub use blocking::{HardwareMutex, HardwareParker};
#[cfg(not(feature = "std"))]
pub use spinning::{HardwareMutex, HardwareParker};

#[cfg(feature = "std")]
mod blocking {
    use std::sync::{Condvar, Mutex, PoisonError};

    use crate::memory::{Lock, Park};

    /// [`Memory::Mutex`](crate::memory::Memory::Mutex) of [`Hardware`](crate::memory::Hardware):
    /// std's mutex, without poisoning.
    #[derive(Debug, Default)]
    pub struct HardwareMutex<T>(Mutex<T>);

    impl<T: Send> Lock<T> for HardwareMutex<T> {
        fn new(value: T) -> Self {
            Self(Mutex::new(value))
        }
        #[inline]
        fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
        }
        fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// [`Memory::Parker`](crate::memory::Memory::Parker) of
    /// [`Hardware`](crate::memory::Hardware): a token under std's mutex and condition variable.
    #[derive(Debug, Default)]
    pub struct HardwareParker {
        state: Mutex<State>,
        deposited: Condvar,
    }

    #[derive(Debug, Default)]
    struct State {
        token: bool,
        /// Somebody is in `park`: only then does `unpark` make a system call.
        waiting: bool,
    }

    impl Park for HardwareParker {
        fn new() -> Self {
            Self::default()
        }

        fn park(&self) {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.waiting = true;
            while !state.token {
                state = self.deposited.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            *state = State::default();
        }

        fn unpark(&self) {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.token = true;
            let wake = state.waiting;
            drop(state);
            if wake {
                self.deposited.notify_one();
            }
        }
    }
}

#[cfg(not(feature = "std"))]
mod spinning {
    use core::cell::UnsafeCell;
    use core::fmt;
    use core::sync::atomic::{AtomicBool, Ordering};

    use crate::memory::{Lock, Park};

    /// [`Memory::Mutex`](crate::memory::Memory::Mutex) of [`Hardware`](crate::memory::Hardware)
    /// without std: a test-and-test-and-set spin lock. Not fair.
    pub struct HardwareMutex<T> {
        locked: AtomicBool,
        value: UnsafeCell<T>,
    }

    // SAFETY: `value` is reached through `with` by the one thread that set `locked`, or through
    // `&mut self`; so sharing the mutex sends the value from thread to thread.
    unsafe impl<T: Send> Sync for HardwareMutex<T> {}

    /// Unlocks when dropped, so that a panic of the closure does not leave the lock held.
    struct Unlock<'a>(&'a AtomicBool);

    impl Drop for Unlock<'_> {
        fn drop(&mut self) {
            // ORDER: Release: pairs with the Acquire of the next `with`'s swap; without it the next
            // holder may miss our writes to the value.
            self.0.store(false, Ordering::Release);
        }
    }

    impl<T: Send> Lock<T> for HardwareMutex<T> {
        fn new(value: T) -> Self {
            Self { locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }

        fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            // ORDER: Acquire: pairs with the Release in `Unlock`; without it we may miss the last
            // holder's writes to the value.
            while self.locked.swap(true, Ordering::Acquire) {
                // ORDER: Relaxed: only decides when to try the swap again.
                while self.locked.load(Ordering::Relaxed) {
                    core::hint::spin_loop();
                }
            }
            let _unlock = Unlock(&self.locked);
            // SAFETY: we hold the lock, so no other reference to the value exists.
            f(unsafe { &mut *self.value.get() })
        }

        fn get_mut(&mut self) -> &mut T {
            self.value.get_mut()
        }
    }

    impl<T> fmt::Debug for HardwareMutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("HardwareMutex(..)")
        }
    }

    /// [`Memory::Parker`](crate::memory::Memory::Parker) of
    /// [`Hardware`](crate::memory::Hardware) without std: it spins until the token is there.
    #[derive(Debug, Default)]
    pub struct HardwareParker {
        token: AtomicBool,
    }

    impl Park for HardwareParker {
        fn new() -> Self {
            Self::default()
        }

        fn park(&self) {
            // ORDER: Acquire: pairs with the Release of `unpark`; the `Park` contract.
            while !self.token.swap(false, Ordering::Acquire) {
                core::hint::spin_loop();
            }
        }

        fn unpark(&self) {
            // ORDER: Release: pairs with the Acquire of `park`; the `Park` contract.
            self.token.store(true, Ordering::Release);
        }
    }
}
