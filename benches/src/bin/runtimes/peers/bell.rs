//! The outside thread of the workload `wake`, the same for all runtimes.
//!
//! It never spins: on two processors, a spinning thread would take one from the runtime whose
//! wake-up it measures. It writes down the time, wakes the task, and sleeps a millisecond, after
//! which the task has long answered and waits again, and the runtime's workers sleep.
//!
//! ```text
//!    outside thread              the task
//!    pressed = now
//!    wakes it        ────────▶   latencies += now - pressed
//!    sleeps 1 ms                 waits
//! ```

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use crate::sample::nanoseconds;

/// What the outside thread and the task share.
#[derive(Debug)]
pub(super) struct Bell {
    epoch: Instant,
    /// When it was pressed, in nanoseconds since `epoch`.
    pressed: AtomicU64,
    presses: AtomicUsize,
    latencies: Mutex<Vec<u64>>,
}

impl Bell {
    pub(super) fn new(samples: usize) -> Arc<Self> {
        Arc::new(Self {
            epoch: Instant::now(),
            pressed: AtomicU64::new(0),
            presses: AtomicUsize::new(0),
            latencies: Mutex::new(Vec::with_capacity(samples)),
        })
    }

    /// Whether it was pressed more than so many times: for a task that may be woken by nobody.
    pub(super) fn is_pressed(&self, answers: usize) -> bool {
        self.presses.load(Ordering::Acquire) > answers
    }

    /// By the task, as soon as it runs.
    pub(super) fn answer(&self) {
        let now = nanoseconds(self.epoch.elapsed());
        // The runtime's wake-up orders the press before this.
        let pressed = self.pressed.load(Ordering::Relaxed);
        self.latencies.lock().expect("nobody panics with it").push(now - pressed);
    }

    fn answers(&self) -> usize {
        self.latencies.lock().expect("nobody panics with it").len()
    }

    /// Starts the thread, which calls `wake` so many times, and once more only after an answer.
    pub(super) fn press_from_outside(
        self: &Arc<Self>,
        samples: usize,
        wake: impl Fn() + Send + 'static,
    ) -> JoinHandle<()> {
        let bell = Arc::clone(self);
        thread::spawn(move || {
            // Until the task waits for the first time.
            thread::sleep(Duration::from_millis(5));
            for sample in 0..samples {
                bell.pressed.store(nanoseconds(bell.epoch.elapsed()), Ordering::Relaxed);
                bell.presses.store(sample + 1, Ordering::Release);
                wake();
                while {
                    thread::sleep(Duration::from_millis(1));
                    bell.answers() <= sample
                } {}
            }
        })
    }

    /// When all is over: what was measured.
    pub(super) fn latencies(&self) -> Vec<u64> {
        core::mem::take(&mut *self.latencies.lock().expect("nobody panics with it"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn each_press_has_one_answer_that_came_after_it() {
        let bell = Bell::new(3);
        let (press, pressed) = mpsc::channel();
        let outside = bell.press_from_outside(3, move || press.send(()).expect("a listener"));
        for () in pressed {
            thread::sleep(Duration::from_millis(2));
            bell.answer();
        }
        outside.join().expect("the outside thread");
        let latencies = bell.latencies();
        assert_eq!(latencies.len(), 3);
        assert!(latencies.iter().all(|latency| *latency >= 2_000_000), "{latencies:?}");
    }
}
