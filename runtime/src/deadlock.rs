//! All goroutines are asleep: telling whoever waits for one of them.
//!
//! The core finds out that nothing will ever become runnable again. Who needs to know are the
//! threads in [`Runtime::run`](crate::Runtime::run), whose goroutine will never end.
//!
//= go1.27:src/runtime/proc.go#checkdead

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

/// How often it came to that, and who wants to know.
#[derive(Debug, Default)]
pub(crate) struct Asleep {
    times: AtomicU64,
    waits: Mutex<Vec<Waker>>,
}

impl Asleep {
    /// It has come to that.
    pub(crate) fn tell(&self) {
        // ORDER: Release: pairs with the Acquire in `times`.
        self.times.fetch_add(1, Ordering::Release);
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

    /// Wakes when it comes to that. To be followed by a look at [`times`](Asleep::times).
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
