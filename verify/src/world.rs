//! A [`Memory`] one can start threads in: what a model runs on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gosched::memory::{Hardware, Memory};

/// A memory with threads. Models are generic over it, so that one model runs under every engine
/// and, as a stress test, on the hardware.
pub trait World: Memory {
    /// A running thread that will yield a `T`.
    type JoinHandle<T: Send + 'static>: Send;

    /// Starts a thread. loom allows four beside the main one.
    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T>;

    /// Waits for a thread to end and returns what it yielded.
    ///
    /// # Panics
    ///
    /// If the thread panicked.
    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T;

    /// Lets another thread run.
    fn yield_now();
}

impl World for Hardware {
    type JoinHandle<T: Send + 'static> = std::thread::JoinHandle<T>;

    /// Returns when the thread runs. A model is over in less time than a thread takes to start, so
    /// without the wait the threads of a model would seldom meet.
    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T> {
        let running = Arc::new(AtomicBool::new(false));
        let handle = std::thread::spawn({
            let running = Arc::clone(&running);
            move || {
                // ORDER: Relaxed: it says that the thread runs, and publishes nothing: the model's
                // own orderings are under test.
                running.store(true, Ordering::Relaxed);
                f()
            }
        });
        for spins in 0_u32.. {
            // ORDER: Relaxed: as above.
            if running.load(Ordering::Relaxed) {
                break;
            }
            if spins % 64 == 63 { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        handle
    }

    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T {
        handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn yield_now() {
        std::thread::yield_now();
    }
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
