//! [`Runtime`]: from its start to its end.
//!
//! ```text
//!    build    scheduler, poller, sysmon's thread; no machine yet
//!    run      the main goroutine is injected: the core asks for the first machine
//!    ...      machines are started as there is work, and sleep when there is none
//!    shutdown waits for the goroutines, ends the machines, joins their threads
//! ```

mod builder;
mod shutdown;

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use gosched::scheduler::{ResizeError, StopError};

pub(crate) use self::builder::Settings;
pub use self::builder::{BuildError, Builder};
pub use self::shutdown::{Shutdown, ShutdownError};
use crate::engine::{Engine, Scheduler};
use crate::goroutine::{Kind, WaitReason};
use crate::join::{self, JoinError, JoinHandle};
use crate::park::wait_for;
use crate::resize::SetProcessorsError;
use crate::worker::Worker;
use crate::{dump, spawn};

/// A goroutine runtime. Several may run in one process.
///
/// Dropping it ends its machines without waiting for goroutines; see
/// [`shutdown`](Runtime::shutdown). One of its own goroutines that drops it, or a waker or
/// destructor on one of its threads, leaves that to a new thread.
pub struct Runtime {
    shared: Arc<Shared>,
    sysmon: Mutex<Option<thread::JoinHandle<()>>>,
}

/// What the handle, the machines' threads and sysmon share.
pub(crate) struct Shared {
    scheduler: Scheduler,
}

impl Shared {
    #[inline]
    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Engine {
        self.scheduler.host()
    }
}

/// Why [`Runtime::run`] has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// It was called by a goroutine, which would block its machine. Use [`go`](crate::go).
    Inside,
    /// The main goroutine panicked, or never ran.
    Main(JoinError),
    /// The runtime was [shut down](Runtime::shutdown), and has left the main goroutine in its
    /// middle: all that were left.
    Shutdown(dump::Dump),
    /// All goroutines are asleep, and nothing can wake them: what each of them waits for.
    Deadlock(dump::Dump),
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inside => {
                f.write_str("`run` was called inside a goroutine: start another with `go`")
            }
            Self::Main(error) => write!(f, "the main function: {error}"),
            Self::Shutdown(dump) => {
                write!(f, "the runtime was shut down while the main function ran\n\n{dump}")
            }
            Self::Deadlock(dump) => {
                write!(f, "all goroutines are asleep - deadlock!\n\n{dump}")
            }
        }
    }
}

impl std::error::Error for RunError {}

impl Runtime {
    /// A runtime as [`builder`](Runtime::builder) makes it if nobody says otherwise: goroutines are
    /// pinned.
    ///
    /// # Errors
    ///
    /// If there is no thread for sysmon, or no poller.
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// How a runtime is made.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs `main` as a goroutine, and waits for its end. The others go on after it.
    ///
    /// # Errors
    ///
    /// If it panicked; if all goroutines are asleep, of which no timer, input, output, or thread
    /// that has [announced](Runtime::outside) itself can wake one; if the runtime was shut down,
    /// or is while `main` runs; or if it is called by a goroutine.
    #[track_caller]
    pub fn run<F, T>(&self, main: F) -> Result<T, RunError>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if Worker::here().is_some() {
            return Err(RunError::Inside);
        }
        let engine = self.shared.engine();
        let (body, mut ending) = join::closure(main);
        // While we are announced nobody is told of a deadlock: not of one that was over when this
        // began.
        let outside = self.shared.scheduler.outside();
        let mut seen = engine.asleep.times();
        spawn::start(&self.shared, None, body, Kind::Stackful, Location::caller());
        drop(outside);
        wait_for(WaitReason::Join, |context| {
            let mut ended =
                || ending.poll(context.waker()).map(|result| result.map_err(RunError::Main));
            engine.asleep.listen(context.waker());
            let mut result = ended();
            if result.is_pending() {
                let times = engine.asleep.times();
                let why = self.shared.why_for_ever(times != seen);
                seen = times;
                if let Some(why) = why {
                    // It may have ended since we looked, and the others went to sleep, or were shut
                    // down, after it: then it is seen now.
                    result = ended();
                    if result.is_pending() {
                        result = Poll::Ready(Err(why(dump::of(&self.shared))));
                    }
                }
            }
            if result.is_ready() {
                engine.asleep.forget(context.waker());
            }
            result
        })
    }

    /// Starts a goroutine, from any thread.
    #[track_caller]
    pub fn go<F, T>(&self, function: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (body, ending) = join::closure(function);
        let worker =
            Worker::running().filter(|(worker, _)| Arc::ptr_eq(&worker.shared, &self.shared));
        let worker = worker.map(|(worker, _)| worker);
        let id = spawn::start(&self.shared, worker, body, Kind::Stackful, Location::caller());
        JoinHandle::new(ending, id)
    }

    /// Announces that this thread, or another that runs no goroutine, may wake goroutines: until
    /// the value is dropped, that all are asleep is no deadlock.
    #[must_use = "dropping it takes the announcement back"]
    pub fn outside(&self) -> Outside {
        Outside { _outside: self.shared.scheduler.outside() }
    }

    /// The number of processors: how many goroutines may run at once. Go: `GOMAXPROCS`.
    #[must_use]
    pub fn processors(&self) -> usize {
        self.shared.scheduler.processors()
    }

    /// Changes the number of processors, while the world is stopped for it: waits until every
    /// goroutine that runs has reached a scheduling point. A goroutine of the runtime that calls it
    /// means [`set_processors`](crate::set_processors); one of another runtime is in a system call
    /// meanwhile, as by [`blocking`](crate::blocking).
    ///
    /// # Errors
    ///
    /// If the number is 0 or more than the maximum the runtime was built with, if somebody else
    /// stops the world, or if the runtime was shut down.
    pub fn set_processors(&self, count: usize) -> Result<(), ResizeError> {
        if self.is_inside() {
            return match crate::set_processors(count) {
                Ok(()) => Ok(()),
                Err(SetProcessorsError::Resize(error)) => Err(error),
                // A destructor between two goroutines, whose machine the stop would wait for.
                Err(SetProcessorsError::NoRuntime) => Err(ResizeError::Stop(StopError::Blocked)),
            };
        }
        // A goroutine of another runtime leaves its processor to the others while it waits.
        crate::blocking(|| self.shared.scheduler.set_processors(count))
    }

    /// The core's scheduler state, as of now.
    #[must_use]
    pub fn snapshot(&self) -> gosched::scheduler::Snapshot {
        self.shared.scheduler.snapshot()
    }

    /// All goroutines of this runtime. Takes no lock: it can be asked for while everything hangs.
    #[must_use]
    pub fn dump(&self) -> dump::Dump {
        dump::of(&self.shared)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// Why a goroutine that has not ended never will; `told` that all were asleep.
    fn why_for_ever(&self, told: bool) -> Option<fn(dump::Dump) -> RunError> {
        let engine = self.engine();
        if engine.asleep.is_closed() {
            Some(RunError::Shutdown)
        } else if told && self.is_stuck() {
            Some(RunError::Deadlock)
        } else {
            None
        }
    }

    /// Whether nothing moves: asked for after the core has said that all is asleep, which it may
    /// have said of a moment that has passed.
    fn is_stuck(&self) -> bool {
        let sums = self.engine().counters.sums();
        let snapshot = self.scheduler.snapshot();
        snapshot.idle == snapshot.processors.len()
            && snapshot.sleeping == snapshot.machines
            && snapshot.searching == 0
            && snapshot.global == 0
            && !gosched::Host::has_poller(self.engine())
            && self.engine().counters.sums() == sums
    }
}

/// An announcement; see [`Runtime::outside`].
pub struct Outside {
    _outside: gosched::scheduler::Outside<Engine>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("name", &self.shared.engine().settings.name)
            .field("processors", &self.processors())
            .field("goroutines", &self.shared.engine().counters.alive())
            .finish_non_exhaustive()
    }
}
