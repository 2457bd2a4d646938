//! The number of processors, changed while goroutines run.
//!
//! The world is stopped for it: every machine that runs goroutines comes to a scheduling point
//! first. A thread that is no machine waits for all of them. A goroutine's machine cannot wait for
//! itself; it lays its own processor down, stops the others, and takes a processor back:
//!
//! ```text
//!    goroutine on M1                      M2
//!    stop the world: lays P0 down         runs until its next scheduling point
//!    waits                                lays P1 down, sleeps
//!    the number is changed
//!    the world goes on: takes P0          takes P1, if there is one still
//! ```
//!
//! Two that do so at a time would wait for each other. So the second is refused by the core, goes
//! to a scheduling point, where it lays its processor down for the first, and tries again.
//!
//= go1.27:src/runtime/debug.go#GOMAXPROCS

use std::fmt;
use std::thread;

use gosched::scheduler::{ResizeError, StopError};

use crate::park::can_switch;
use crate::spawn::NoRuntime;
use crate::trace::{What, Without};
use crate::watch;
use crate::worker::Worker;
use crate::yield_now;

/// Why the number of processors was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetProcessorsError {
    /// This thread runs no goroutine, so it is nobody's number. See
    /// [`Runtime::set_processors`](crate::Runtime::set_processors).
    NoRuntime,
    /// The number cannot be, or somebody else has stopped the world, or the runtime was shut down.
    Resize(ResizeError),
}

impl fmt::Display for SetProcessorsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRuntime => NoRuntime.fmt(f),
            Self::Resize(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SetProcessorsError {}

/// Changes the number of processors of the runtime that this goroutine is of, while the world is
/// stopped for it: waits until every other goroutine that runs has reached a scheduling point. It
/// is a scheduling point itself.
///
/// # Errors
///
/// If the number is 0 or more than the maximum the runtime was built with; if the runtime was shut
/// down; on a thread that runs no goroutine. And, only where the goroutine cannot leave its stack
/// (in a future's poll, or while it unwinds), if somebody else stops the world.
//= go1.27:src/runtime/debug.go#GOMAXPROCS
pub fn set_processors(count: usize) -> Result<(), SetProcessorsError> {
    loop {
        let (worker, goroutine) = Worker::running().ok_or(SetProcessorsError::NoRuntime)?;
        match worker.set_processors(count) {
            Err(ResizeError::Stop(StopError::AlreadyStopped)) => {
                if can_switch(worker, goroutine) {
                    yield_now();
                } else if worker.inside.get() {
                    thread::yield_now();
                } else {
                    return Err(SetProcessorsError::Resize(ResizeError::Stop(
                        StopError::AlreadyStopped,
                    )));
                }
            }
            result => return result.map_err(SetProcessorsError::Resize),
        }
    }
}

impl Worker {
    /// Changes the number of processors. By the running goroutine.
    fn set_processors(&self, count: usize) -> Result<(), ResizeError> {
        if self.inside.get() {
            // A machine in a system call is waited for by nobody.
            return self.shared.scheduler().set_processors(count);
        }
        // SAFETY: the running goroutine, which does not switch before the last use: the calls wait
        // for others, and tell the engine, which uses no machine.
        let machine = unsafe { self.machine() };
        if watch::is(watch::TRACE) {
            self.tell_of_call(What::Enter(Without::StoppedWorld));
        }
        let resized = machine.stop_the_world().map_err(ResizeError::Stop).and_then(|mut world| {
            let resized = world.set_processors(count).map_err(ResizeError::Config);
            machine.resume(world);
            resized
        });
        if watch::is(watch::TRACE) {
            // Its own processor may have gone out of service: then it has another now.
            self.tell_of_call(What::Exit { processor: machine.processor() });
        }
        resized
    }
}
