//! The explorer's memory without its knowledge of retries.
//!
//! Where a loop says that an iteration failed and will be repeated as it was, the explorer waits
//! for a change instead. That must lose nothing. The witness is to run the loops as they stand,
//! which explores more executions, and to compare the outcomes. A loop that may read the same old
//! values for ever says so by a spin hint, and that one must wait here too.

use gosched::memory::{Memory, Ordering};
use gosched_verify::explore::Explored;

/// [`Explored`], with loops that run natively.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Native;

// SAFETY: every operation is `Explored`'s; `retry_pure` may do nothing.
unsafe impl Memory for Native {
    const NAME: &'static str = "explored, native loops";
    const CHECKED: bool = true;

    type AtomicU32 = <Explored as Memory>::AtomicU32;
    type AtomicU64 = <Explored as Memory>::AtomicU64;
    type AtomicUsize = <Explored as Memory>::AtomicUsize;
    type AtomicPtr<T: 'static> = <Explored as Memory>::AtomicPtr<T>;
    type Cell<T: Send> = <Explored as Memory>::Cell<T>;
    type Mutex<T: Send> = <Explored as Memory>::Mutex<T>;
    type Arc<T: Send + Sync> = <Explored as Memory>::Arc<T>;
    type Parker = <Explored as Memory>::Parker;

    fn fence(order: Ordering) {
        Explored::fence(order);
    }
    fn light_fence() {
        Explored::light_fence();
    }
    fn heavy_fence() {
        Explored::heavy_fence();
    }
    fn spin_loop() {
        Explored::spin_loop();
    }
    fn iteration() {
        Explored::iteration();
    }
}
