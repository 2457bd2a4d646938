#![doc = include_str!("README.md")]

mod blocking;
mod deadlock;
mod dismiss;
mod find;
mod give;
mod local;
mod machine;
mod park;
mod poll;
mod shutdown;
mod snapshot;
mod stop;
mod submit;
mod watch;

use alloc::boxed::Box;
use core::fmt;

use crossbeam_utils::CachePadded;

use crate::config::{Config, ConfigError};
use crate::host::Host;
use crate::idle::IdleProcessors;
use crate::machine::{Pool, Token};
use crate::memory::{Atomic, Memory, Ordering, RaceCell, invariant};
use crate::observe::{Event, Observer};
use crate::processor::{Processor, ProcessorState};
use crate::{GlobalQueue, StealOrder};

pub use self::blocking::{Exit, NotBlocked, NotRunning};
pub use self::deadlock::Outside;
pub use self::give::{StartMachine, TooManyMachines};
#[doc(hidden)]
pub use self::machine::MACHINE_TRANSITIONS;
pub use self::machine::{Machine, Step};
pub use self::snapshot::{ProcessorSnapshot, Snapshot};
pub use self::stop::{ResizeError, StopError, StoppedWorld};
pub use self::submit::{Closed, ReadyError};

/// Joins the structures into Go's schedule loop. See the [module](self).
///
/// A handle: clones share one scheduler. The last handle, machines included, that goes drops the
/// tasks that are still queued; [`shutdown`](Scheduler::shutdown) returns them instead.
pub struct Scheduler<H: Host<CAP>, const CAP: usize = 256> {
    shared: <H::Memory as Memory>::Arc<Shared<H, CAP>>,
}

/// What all handles share.
struct Shared<H: Host<CAP>, const CAP: usize> {
    host: H,
    config: Config,
    idle: IdleProcessors<H::Memory>,
    processors: Box<[Processor<H::Task, CAP, H::Memory>]>,
    /// How many of the processors take part now. Changed while the world is stopped.
    active: <H::Memory as Memory>::AtomicUsize,
    global: GlobalQueue<H::Task, H::Memory>,
    pool: Pool<H, CAP>,
    /// Whether the host has refused a machine since somebody last tried.
    refused: CachePadded<<H::Memory as Memory>::AtomicU32>,
    poller: poll::Poller<H::Memory>,
    outside: deadlock::Outsiders<H::Memory>,
    stop: stop::Stop<H, CAP>,
    monitor: crate::monitor::Sleep<H, CAP>,
    /// Read by whoever owns a processor, written while the world is stopped.
    order: <H::Memory as Memory>::Cell<StealOrder>,
}

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// A scheduler whose processors are all idle, without a machine.
    ///
    /// The first task that is [injected](Scheduler::inject) has the host start one; a thread that
    /// is there already becomes one by [`machine`](Scheduler::machine).
    ///
    /// Allocates all it will ever need for its processors: `max_processors` queues of `CAP` tasks.
    ///
    /// # Errors
    ///
    /// If the configuration makes no sense; see [`ConfigError`].
    pub fn new(host: H, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let idle = if config.many_words {
            IdleProcessors::with_memory_in_many_words(config.max_processors)
        } else {
            IdleProcessors::with_memory(config.max_processors)
        };
        // All processors begin in the hands of one who has stopped the world, and starts it.
        let stopped = idle.stop(|_| {});
        invariant!(H::Memory, stopped, "a new idle word is not stopping");
        idle.resume(0..config.processors);
        let state = |id| {
            if id < config.processors { ProcessorState::Idle } else { ProcessorState::Dead }
        };
        let shared = Shared {
            processors: (0..config.max_processors).map(|id| Processor::new(id, state(id))).collect(),
            idle,
            active: Atomic::new(config.processors),
            global: GlobalQueue::with_memory(),
            pool: Pool::new(config.max_machines),
            refused: CachePadded::new(Atomic::new(0)),
            poller: poll::Poller::new(),
            outside: deadlock::Outsiders::new(),
            stop: stop::Stop::new(),
            monitor: crate::monitor::Sleep::new(),
            order: RaceCell::new(StealOrder::new(config.processors)),
            host,
            config,
        };
        Ok(Self { shared: crate::memory::Shared::new(shared) })
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &H {
        &self.shared.host
    }

    /// The configuration it was made with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The number of processors now.
    #[must_use]
    pub fn processors(&self) -> usize {
        // ORDER: Relaxed: it changes while the world is stopped; whoever owns a processor was given
        // it after the change, and for others it is a hint.
        self.shared.active.load(Ordering::Relaxed)
    }

    fn processor(&self, id: usize) -> &Processor<H::Task, CAP, H::Memory> {
        &self.shared.processors[id]
    }

    /// Takes up a processor that the caller owns, to run with it or to pass it on to somebody who
    /// will.
    ///
    /// # Safety
    ///
    /// As [`Processor::pick_up`].
    unsafe fn take_up(&self, id: usize) -> Token<H, CAP> {
        self.processor(id).run();
        // SAFETY: the caller's promise.
        unsafe { self.processor(id).pick_up() }
    }

    #[inline(always)]
    fn tell(&self, machine: Option<usize>, event: Event) {
        if H::Observer::ENABLED {
            self.shared.host.observer().observe(machine, event);
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> Clone for Scheduler<H, CAP> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<H: Host<CAP>, const CAP: usize> fmt::Debug for Scheduler<H, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("processors", &self.processors())
            .field("idle", &self.shared.idle)
            .field("global", &self.shared.global)
            .finish_non_exhaustive()
    }
}
