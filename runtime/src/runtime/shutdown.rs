//! The end of a runtime.
//!
//! Goroutines end by themselves: their destructors may need the runtime, so nobody ends them. A
//! shutdown waits for them as long as it is told, then ends the machines, and says what was left.

use std::fmt;
use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Runtime, Shared};
use crate::dump::{self, Dump};
use crate::worker::Worker;

/// How long the end of threads that are in a system call is waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a shutdown has found.
#[derive(Debug)]
#[must_use = "it says which goroutines were left"]
pub struct Shutdown {
    /// Goroutines that had not ended. Those that never ran were cancelled; the others stay where
    /// they are, with their stacks, and what these hold is leaked.
    pub left: Dump,
    /// Threads that had not ended: they are in system calls, and end when these do.
    pub threads: usize,
}

impl Shutdown {
    /// Whether all goroutines and threads have ended.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.left.goroutines.is_empty() && self.threads == 0
    }
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("all goroutines and threads have ended");
        }
        let left = self.left.goroutines.len();
        write!(f, "{left} goroutines and {} threads were left\n{}", self.threads, self.left)
    }
}

/// Why a runtime was not shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShutdownError {
    /// It has been shut down before.
    Already,
    /// It was called by one of its goroutines, which would wait for itself.
    Inside,
    /// Somebody has stopped the world.
    Stopped,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Already => "the runtime has been shut down before",
            Self::Inside => {
                "a goroutine cannot shut its own runtime down: it would wait for itself"
            }
            Self::Stopped => "somebody has stopped the world",
        })
    }
}

impl std::error::Error for ShutdownError {}

impl Runtime {
    /// Waits until all goroutines have ended, but not longer than `patience`; then ends the
    /// machines and joins the threads. It also waits until each goroutine that runs has reached a
    /// scheduling point.
    ///
    /// # Errors
    ///
    /// If it was shut down before, or is called by one of its goroutines. Nothing is changed then.
    pub fn shutdown(&self, patience: Duration) -> Result<Shutdown, ShutdownError> {
        if self.is_inside() {
            return Err(ShutdownError::Inside);
        }
        let sysmon = self.sysmon.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(sysmon) = sysmon else { return Err(ShutdownError::Already) };
        self.shared.engine().counters.wait_for_none(patience);
        let queued = loop {
            match self.shared.scheduler.shutdown() {
                Ok(queued) => break queued,
                Err(gosched::scheduler::StopError::Closed) => return Err(ShutdownError::Already),
                // Whoever has stopped the world lets it go on: a resize, say.
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        };
        for runnable in queued {
            runnable.abandon();
        }
        let threads = self.shared.wait_for_threads();
        self.shared.engine().end_watching();
        for runnable in self.shared.engine().carriers.drain() {
            runnable.abandon();
        }
        // It ends with its next step: the scheduler has shut down.
        let _ = sysmon.join();
        self.shared.engine().timers.close();
        let left = dump::of(&self.shared);
        self.shared.engine().netpoll.close();
        if !left.goroutines.is_empty() || threads > 0 {
            // Wakers of what was left point to it.
            mem::forget(Arc::clone(&self.shared));
        }
        Ok(Shutdown { left, threads })
    }

    pub(super) fn is_inside(&self) -> bool {
        Worker::here().is_some_and(|worker| Arc::ptr_eq(&worker.shared, &self.shared))
    }
}

impl Shared {
    /// Waits for the ends of the machines' threads. How many are left.
    fn wait_for_threads(&self) -> usize {
        let begin = Instant::now();
        loop {
            // ORDER: Acquire: pairs with the Release of each thread's end.
            let threads = self.engine().threads.load(Ordering::Acquire);
            if threads == 0 || begin.elapsed() > PATIENCE {
                return threads;
            }
            thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.is_inside() {
            // Its own goroutine drops it: somebody else must do it.
            let handle = Self {
                shared: Arc::clone(&self.shared),
                sysmon: std::sync::Mutex::new(
                    self.sysmon.lock().unwrap_or_else(PoisonError::into_inner).take(),
                ),
            };
            // If there is no thread for it, it is left as it is: dropped here it would come here.
            let handle = mem::ManuallyDrop::new(handle);
            let _ =
                thread::Builder::new().spawn(move || drop(mem::ManuallyDrop::into_inner(handle)));
        } else {
            let _ = self.shutdown(Duration::ZERO);
        }
    }
}
