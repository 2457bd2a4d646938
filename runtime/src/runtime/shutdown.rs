//! The end of a runtime.
//!
//! Goroutines end by themselves: their destructors may need the runtime, so nobody ends them. A
//! shutdown waits for them as long as it is told, then ends the machines, and says what was left.

use std::fmt;
use std::mem;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Runtime, Shared};
use crate::dump::{self, Dump};
use crate::worker::Worker;

/// How long the threads' ends are waited for if all that have not ended run goroutines, in system
/// calls.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long they are waited for at most: a thread on its way out may not be scheduled for a while.
const LONGEST: Duration = Duration::from_secs(10);

/// What a shutdown has found.
#[derive(Debug)]
#[must_use = "it says which goroutines were left"]
pub struct Shutdown {
    /// Goroutines that had not ended. Those that never ran were cancelled, as were futures that
    /// were runnable, whether or not they had been polled; the others stay where they are, with
    /// their stacks or as futures that nobody polls, and what these hold is leaked.
    pub left: Dump,
    /// Threads that had not ended: goroutines that were left are in system calls on them, or wait
    /// with them, and they end when these come to a scheduling point.
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
    /// It was called by one of its goroutines, or on one of its threads, which would wait for
    /// itself.
    Inside,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Already => "the runtime has been shut down before",
            Self::Inside => {
                "a runtime cannot be shut down by one of its goroutines or on one of its threads: \
                 it would wait for itself"
            }
        })
    }
}

impl std::error::Error for ShutdownError {}

impl Runtime {
    /// Waits until all goroutines have ended, but not longer than `patience`; then ends the
    /// machines and joins their threads, but for those that goroutines are in system calls on. It
    /// also waits until each goroutine that runs has reached a scheduling point, and for the
    /// destructors of the threads' thread-locals. A goroutine of another runtime that calls it is
    /// in a system call meanwhile, as by [`blocking`](crate::blocking).
    ///
    /// What was left never ends. A [`run`](Runtime::run) that waits for it returns an error;
    /// whoever [joins](crate::JoinHandle::join) it waits for ever.
    ///
    /// # Errors
    ///
    /// If it was shut down before, or is called by one of its goroutines, or by a waker or a
    /// destructor on one of its threads. Nothing is changed then.
    pub fn shutdown(&self, patience: Duration) -> Result<Shutdown, ShutdownError> {
        if self.shared.engine().threads.is_here() {
            return Err(ShutdownError::Inside);
        }
        crate::blocking(|| self.shut_down(patience))
    }

    fn shut_down(&self, patience: Duration) -> Result<Shutdown, ShutdownError> {
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
        let threads = self.shared.join_threads();
        self.shared.engine().threads.template.end();
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
        self.shared.engine().asleep.close();
        Ok(Shutdown { left, threads })
    }

    pub(super) fn is_inside(&self) -> bool {
        Worker::here().is_some_and(|worker| Arc::ptr_eq(&worker.shared, &self.shared))
    }
}

impl Shared {
    /// Joins the machines' threads. How many are left.
    fn join_threads(&self) -> usize {
        let (engine, begin) = (self.engine(), Instant::now());
        loop {
            let left = engine.threads.join_some();
            let waited = begin.elapsed();
            let is_over =
                waited > LONGEST || waited > PATIENCE && left == self.threads_with_goroutines();
            if left == 0 || is_over {
                engine.threads.let_go();
                return left;
            }
        }
    }

    /// How many threads have goroutines on them. After the scheduler's end nobody has a processor:
    /// these are in system calls, wait with their threads, or have come back and run to their next
    /// scheduling points.
    fn threads_with_goroutines(&self) -> usize {
        let has = self.engine().seats.look(|seat| seat.current().is_some());
        has.into_iter().filter(|has| *has).count()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.shared.engine().threads.is_here() {
            // Its own goroutine or waker drops it: somebody else must do it.
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
