//! The numbers of a runtime.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gosched::{Config, ConfigError, Pace};

use super::{Runtime, Shared};
use crate::counters::AllCounters;
use crate::engine::{Engine, Scheduler};
use crate::netpoll::Netpoll;
use crate::observer::Watcher;
use crate::pinned::Carriers;
use crate::schedtrace::Printer;
use crate::stack::{DEFAULT_STACK_SIZE, FiberPool, MAX_STACK_SIZE, MIN_STACK_SIZE};
use crate::sysmon::Bell;
use crate::threads::Threads;
use crate::timers::Timers;
use crate::token::Migrating;
use crate::trace::{self, Trace, Tracer};
use crate::watch::{self, Watching};

/// The form of the core's idle word that takes one word has room for so many.
const ONE_WORD: usize = 48;

/// More processors than any machine has: whoever asks for more has confused something.
const MOST_PROCESSORS: usize = 1 << 12;

/// How a [`Runtime`] is made.
#[derive(Clone, Debug)]
#[must_use = "a builder builds nothing until `build`"]
pub struct Builder {
    settings: Settings,
    processors: Option<usize>,
    max_processors: Option<usize>,
    max_machines: usize,
    stack_size: usize,
    protect: bool,
    dump_on_signal: bool,
    trace: Option<PathBuf>,
}

/// What the engine keeps of them.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) migrating: bool,
    pub(crate) detect_deadlock: bool,
    pub(crate) pace: Pace,
    pub(crate) linger: Duration,
    pub(crate) latency: bool,
}

/// Why there is no runtime.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A number that the core's scheduler cannot work with.
    Config(ConfigError),
    /// A stack must have at least [`MIN_STACK_SIZE`] bytes, and at most [`MAX_STACK_SIZE`].
    StackSize(usize),
    /// Each processor needs a machine, at least. Where goroutines are pinned there must be one
    /// more: each of the others waits for its own goroutines, and somebody has to bring them
    /// there.
    FewMachines {
        /// How many machines there may be.
        machines: usize,
        /// How many processors there are to be.
        processors: usize,
    },
    /// A name of threads cannot contain a NUL.
    Name,
    /// The operating system has no thread, or no poller.
    Os(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::StackSize(size) => write!(
                f,
                "a stack of {size} bytes: it must have at least {MIN_STACK_SIZE}, and at most {MAX_STACK_SIZE}"
            ),
            Self::FewMachines { machines, processors } => {
                write!(
                    f,
                    "{machines} machines cannot run {processors} processors: each needs one, and there must \
                 be one more where goroutines are pinned"
                )
            }
            Self::Name => f.write_str("the name of a runtime's threads must not contain a NUL"),
            Self::Os(error) => write!(f, "the operating system refuses: {error}"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings {
                name: "gosched".to_owned(),
                migrating: false,
                detect_deadlock: true,
                pace: Pace::default(),
                linger: Duration::from_secs(2),
                latency: false,
            },
            processors: None,
            max_processors: None,
            max_machines: 10_000,
            stack_size: DEFAULT_STACK_SIZE,
            protect: false,
            dump_on_signal: false,
            trace: None,
        }
    }

    /// How many goroutines may run at once. The default is what the process may use of the machine,
    /// its affinity and its cgroup's quota considered.
    pub fn processors(mut self, count: usize) -> Self {
        self.processors = Some(count);
        self
    }

    /// How many processors there may ever be; see [`Runtime::set_processors`]. The default is 48,
    /// or as many as there are if they are more.
    pub fn max_processors(mut self, count: usize) -> Self {
        self.max_processors = Some(count);
        self
    }

    /// How many threads there may be that run goroutines or block in system calls. 10,000 by
    /// default, as in Go. Where there are as many, processors wait for one to come back. A
    /// goroutine that is [locked](crate::lock_os_thread) to its thread keeps it from all others:
    /// if all threads are kept, nothing runs. So there must be more of them than locked
    /// goroutines.
    pub fn max_machines(mut self, count: usize) -> Self {
        self.max_machines = count;
        self
    }

    /// How large a goroutine's stack is, in bytes: [`MIN_STACK_SIZE`] to [`MAX_STACK_SIZE`]. It
    /// does not grow, and costs memory only as far as it is used. 256 KiB by default.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = bytes;
        self
    }

    /// What the threads' names begin with. `gosched` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// Lets goroutines move between threads. Without it each stays on the thread that it begins on.
    pub fn migrating(mut self, _promise: Migrating) -> Self {
        self.settings.migrating = true;
        self
    }

    /// Whether [`Runtime::run`] ends with an error when all goroutines are asleep. It does by
    /// default. Turn it off where threads that run no goroutine wake goroutines and cannot be
    /// [announced](Runtime::outside).
    pub fn detect_deadlock(mut self, detect: bool) -> Self {
        self.settings.detect_deadlock = detect;
        self
    }

    /// sysmon's times; Go's by default.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.settings.pace = pace;
        self
    }

    /// How long threads sleep that are more than the processors before they end: those that a burst
    /// of system calls has left behind. 2 seconds by default.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.settings.linger = linger;
        self
    }

    /// Whether to measure how long goroutines are runnable before they run; see
    /// [`Runtime::metrics`]. It reads the clock whenever a goroutine becomes runnable, and whenever
    /// one runs: about 50 ns for each switch. Off by default.
    pub fn latency(mut self, measure: bool) -> Self {
        self.settings.latency = measure;
        self
    }

    /// Traces the run from the beginning, and writes the trace to this file at the shutdown; see
    /// [`Trace::write_json`](crate::Trace::write_json). The file is made by
    /// [`build`](Builder::build); if it cannot be written in the end, that is told on the standard
    /// error.
    pub fn trace(mut self, path: impl Into<PathBuf>) -> Self {
        self.trace = Some(path.into());
        self
    }

    /// Has a dump of all goroutines written to the standard error whenever the process is sent
    /// `SIGQUIT`, as Ctrl-\\ does on a terminal. The process goes on. What the signal did before,
    /// the end of the process if nobody has changed it, it does no more.
    pub fn dump_on_signal(mut self) -> Self {
        self.dump_on_signal = true;
        self
    }

    /// Guards stacks by `mprotect` even where the kernel has a better way. For tests.
    #[doc(hidden)]
    pub fn protected_guards(mut self) -> Self {
        self.protect = true;
        self
    }

    /// Makes the runtime, and starts sysmon's thread. Machines are started when there is work.
    ///
    /// # Errors
    ///
    /// If a number makes no sense, or there is no thread or poller.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let processors = self.processors.unwrap_or_else(available);
        let max_processors = self.max_processors.unwrap_or(processors.max(ONE_WORD));
        if !(MIN_STACK_SIZE..=MAX_STACK_SIZE).contains(&self.stack_size) {
            return Err(BuildError::StackSize(self.stack_size));
        }
        if max_processors > MOST_PROCESSORS {
            return Err(BuildError::Config(ConfigError::Processors { most: MOST_PROCESSORS }));
        }
        if processors > max_processors {
            return Err(BuildError::Config(ConfigError::Processors { most: max_processors }));
        }
        let pinned = !self.settings.migrating;
        if self.max_machines < processors + usize::from(pinned && processors > 0) {
            let machines = self.max_machines;
            return Err(BuildError::FewMachines { machines, processors });
        }
        if self.settings.name.contains('\0') {
            return Err(BuildError::Name);
        }
        let mut config = Config::new(processors);
        (config.max_processors, config.max_machines) = (max_processors, self.max_machines);
        let file = self.trace.map(File::create).transpose().map_err(BuildError::Os)?;
        crate::overflow::install();
        let start = Instant::now();
        let (counters, tracer) =
            (Arc::new(AllCounters::new(max_processors)), Arc::new(Tracer::new(start)));
        let observer = Watcher { counters: Arc::clone(&counters), tracer: Arc::clone(&tracer) };
        let engine = Engine {
            _measuring: self.settings.latency.then(|| Watching::new(watch::LATENCY)),
            settings: self.settings,
            start,
            fibers: FiberPool::new(self.stack_size, self.protect),
            timers: Timers::new(processors, max_processors),
            netpoll: Netpoll::new().map_err(BuildError::Os)?,
            counters,
            tracer,
            observer,
            seats: Default::default(),
            printer: OnceLock::new(),
            trace_file: Default::default(),
            bell: Bell::default(),
            carriers: Carriers::new(if pinned {
                max_processors.min(self.max_machines.saturating_sub(1))
            } else {
                0
            }),
            asleep: Default::default(),
            threads: Threads::new(),
            shared: OnceLock::new(),
        };
        let scheduler = Scheduler::new(engine, config).map_err(BuildError::Config)?;
        let shared = Arc::new(Shared { scheduler });
        let _ = shared.engine().shared.set(Arc::downgrade(&shared));
        let watch = watch_from_the_start(&shared, file, self.dump_on_signal);
        watch.map_err(BuildError::Os)?;
        let sysmon = crate::sysmon::start(&shared).map_err(BuildError::Os)?;
        Ok(Runtime { shared, sysmon: Mutex::new(Some(sysmon)) })
    }
}

/// Begins what the builder and the environment want to see.
fn watch_from_the_start(
    shared: &Arc<Shared>,
    file: Option<File>,
    dump_on_signal: bool,
) -> io::Result<()> {
    if let Some(file) = file {
        let trace = Trace::start(shared, trace::RECORDS).expect("a new runtime is not traced");
        *shared.engine().trace_file.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((trace, file));
    }
    if dump_on_signal {
        crate::signal::dump_on_quit(shared)?;
    }
    if let Some(printer) = Printer::start(shared)? {
        let _ = shared.engine().printer.set(printer);
    }
    Ok(())
}

/// What the process may use of the machine.
fn available() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
