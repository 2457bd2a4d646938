//! A program's code that runs where nobody could take its panic.
//!
//! Destructors and wakers run in the middle of the runtime's own work: at a goroutine's end, under
//! a poll. A panic there must end neither that work nor the machine. Whoever wanted to know has
//! been told by the panic's message.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// A panic's payload may panic when it is dropped, with a payload that does so, too. At some point
/// that is on purpose.
const PATIENCE: usize = 8;

/// Runs `code`, whose panic ends here.
pub(crate) fn contained(code: impl FnOnce()) {
    let Err(mut payload) = catch_unwind(AssertUnwindSafe(code)) else { return };
    for _ in 0..PATIENCE {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(next) => payload = next,
        }
    }
    mem::forget(payload);
}

/// Somebody's waker. It may panic when it wakes or is dropped; that ends here.
pub(crate) struct Stranger(Option<Waker>);

impl Stranger {
    /// A copy of `waker`. A panic of its `clone` is the caller's.
    pub(crate) fn of(waker: &Waker) -> Self {
        Self(Some(waker.clone()))
    }

    pub(crate) fn will_wake(&self, waker: &Waker) -> bool {
        self.0.as_ref().is_some_and(|kept| kept.will_wake(waker))
    }

    pub(crate) fn wake(mut self) {
        if let Some(waker) = self.0.take() {
            contained(|| waker.wake());
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            contained(|| drop(waker));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::resume_unwind;

    use super::*;

    /// Panics with itself when it is dropped, for ever.
    struct Hydra;

    impl Drop for Hydra {
        fn drop(&mut self) {
            resume_unwind(Box::new(Self));
        }
    }

    #[test]
    fn a_payload_that_panics_for_ever_is_forgotten() {
        contained(|| drop(Hydra));
        contained(|| resume_unwind(Box::new(Hydra)));
    }
}
