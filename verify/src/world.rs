//! A [`Memory`] one can start threads in: what a model runs on.

use core::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gosched::memory::{Hardware, Memory};

/// A memory with threads. Models are generic over it, so that one model runs under every engine
/// and, as a stress test, on the hardware.
pub trait World: Memory {
    /// A running thread that will yield a `T`.
    type JoinHandle<T: Send + 'static>: Send;

    /// Starts a thread. loom allows four beside the main one.
    #[track_caller]
    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T>;

    /// Waits for a thread to end and returns what it yielded.
    ///
    /// # Panics
    ///
    /// If the thread panicked.
    #[track_caller]
    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T;

    /// Lets another thread run.
    fn yield_now();
}

impl World for Hardware {
    type JoinHandle<T: Send + 'static> = std::thread::JoinHandle<T>;

    /// As `std::thread::spawn`, but so that the two threads meet: see `jitter`.
    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T> {
        let running = Arc::new(AtomicBool::new(false));
        let delay = jitter();
        let handle = std::thread::spawn({
            let running = Arc::clone(&running);
            move || {
                // ORDER: Relaxed: a matter of timing alone; `spawn` itself orders the two threads.
                running.store(true, Ordering::Relaxed);
                spin(delay);
                f()
            }
        });
        // ORDER: Relaxed: as above.
        while !running.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        spin(jitter());
        handle
    }

    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T {
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn yield_now() {
        std::thread::yield_now();
    }
}

/// A random delay, in spins.
///
/// A new thread takes some ten microseconds to start, and a model's part is over in one: left
/// alone, the spawning thread is nearly always done before the other begins. So it waits for the
/// other to run, and then either waits a little: as often for up to one spin as for up to two, four
/// and so on to four thousand, because nobody knows beforehand which delay makes two threads meet.
fn jitter() -> u32 {
    std::thread_local! {
        /// The state of an xorshift generator; any start but 0 will do.
        static STATE: Cell<u32> = const { Cell::new(0x9e37_79b9) };
    }
    STATE.with(|state| {
        let mut bits = state.get();
        bits ^= bits << 13;
        bits ^= bits >> 17;
        bits ^= bits << 5;
        state.set(bits);
        let scale = bits % 13;
        (bits >> 8) % (1 << scale)
    })
}

fn spin(count: u32) {
    (0..count).for_each(|_| core::hint::spin_loop());
}

#[cfg(feature = "loom")]
impl World for gosched::memory::Loom {
    type JoinHandle<T: Send + 'static> = LoomJoinHandle<T>;

    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T> {
        LoomJoinHandle(loom::thread::spawn(f))
    }

    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T {
        handle.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn yield_now() {
        loom::thread::yield_now();
    }
}

/// loom's join handle.
#[cfg(feature = "loom")]
#[derive(Debug)]
pub struct LoomJoinHandle<T>(loom::thread::JoinHandle<T>);

#[cfg(feature = "shuttle")]
impl World for gosched::memory::Shuttle {
    type JoinHandle<T: Send + 'static> = shuttle::thread::JoinHandle<T>;

    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T> {
        shuttle::thread::spawn(f)
    }

    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T {
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn yield_now() {
        shuttle::thread::yield_now();
    }
}
