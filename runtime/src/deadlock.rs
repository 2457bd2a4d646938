//! All goroutines are asleep, or the runtime is no more: telling whoever waits for one of them.
//!
//! The core finds out that nothing will ever become runnable again; a shutdown sees to it. Who
//! needs to know are the threads in [`Runtime::run`](crate::Runtime::run), whose goroutine will
//! never end.
//!
//= go1.27:src/runtime/proc.go#checkdead

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

/// How often all were asleep, whether the runtime has shut down, and who wants to know.
#[derive(Debug, Default)]
pub(crate) struct Asleep {
    times: AtomicU64,
    closed: AtomicBool,
    waits: Mutex<Vec<Waker>>,
}

impl Asleep {
    /// It has come to that.
    pub(crate) fn tell(&self) {
        // ORDER: Release: pairs with the Acquire in `times`.
        self.times.fetch_add(1, Ordering::Release);
        self.wake();
    }

    /// The runtime has shut down.
    pub(crate) fn close(&self) {
        // ORDER: Release: pairs with the Acquire in `is_closed`.
        self.closed.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        let waits = std::mem::take(&mut *self.waits.lock().unwrap_or_else(PoisonError::into_inner));
        for waker in waits {
            waker.wake();
        }
    }

    /// How often it came to that.
    pub(crate) fn times(&self) -> u64 {
        // ORDER: Acquire: pairs with the Release in `tell`.
        self.times.load(Ordering::Acquire)
    }

    /// Whether the runtime has shut down: all that it cancels it has cancelled before.
    pub(crate) fn is_closed(&self) -> bool {
        // ORDER: Acquire: pairs with the Release in `close`.
        self.closed.load(Ordering::Acquire)
    }

    /// Wakes when it comes to either. To be followed by a look at [`times`](Asleep::times) and
    /// [`is_closed`](Asleep::is_closed).
    pub(crate) fn listen(&self, waker: &Waker) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if !waits.iter().any(|other| other.will_wake(waker)) {
            waits.push(waker.clone());
        }
    }

    /// Does not want to know any more.
    pub(crate) fn forget(&self, waker: &Waker) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        waits.retain(|other| !other.will_wake(waker));
    }
}
