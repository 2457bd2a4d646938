//! The host of the core's scheduler: what a runtime gives it, and is asked by it.
//!
//! The core decides; here are threads for its machines, a clock, timers and a poller. The methods
//! of [`Host`] may be called in the middle of the machine's own operations, so none of them may use
//! the machine of the thread it is called on: what they make runnable they put into the batch they
//! are given.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use gosched::memory::{Hardware, HardwareParker};
use gosched::scheduler::StartMachine;
use gosched::{Deadline, Host};

use crate::counters::{AllCounters, Rare};
use crate::deadlock::Asleep;
use crate::goroutine::Runnable;
use crate::netpoll::{Netpoll, wake_due};
use crate::observer::Watcher;
use crate::pinned::Carriers;
use crate::runtime::{Settings, Shared};
use crate::schedtrace::Printer;
use crate::seat::Seats;
use crate::stack::FiberPool;
use crate::sysmon::Bell;
use crate::threads::Threads;
use crate::timers::Timers;
use crate::trace::{Trace, Tracer};
use crate::watch::Watching;
use crate::worker::Worker;

/// The core's types, for this host.
pub(crate) type Scheduler = gosched::Scheduler<Engine>;
pub(crate) type Machine = gosched::Machine<Engine>;
pub(crate) type Batch = gosched::Batch<Runnable>;

/// What a runtime's machines share.
pub(crate) struct Engine {
    pub(crate) settings: Settings,
    pub(crate) start: Instant,
    pub(crate) fibers: FiberPool,
    pub(crate) timers: Timers,
    pub(crate) netpoll: Netpoll,
    pub(crate) counters: Arc<AllCounters>,
    pub(crate) tracer: Arc<Tracer>,
    pub(crate) observer: Watcher,
    pub(crate) seats: Seats,
    /// Prints the scheduler's state, if the environment asks for it.
    pub(crate) printer: OnceLock<Printer>,
    /// A trace from the beginning, and where it is to be written.
    pub(crate) trace_file: Mutex<Option<(Trace, File)>>,
    /// While latency is measured.
    pub(crate) _measuring: Option<Watching>,
    pub(crate) carriers: Carriers,
    pub(crate) bell: Bell,
    pub(crate) asleep: Asleep,
    pub(crate) threads: Arc<Threads>,
    /// The runtime, for the threads that are started. Set once, before there is a goroutine.
    pub(crate) shared: OnceLock<Weak<Shared>>,
}

impl Engine {
    /// The runtime's clock, in nanoseconds.
    pub(crate) fn clock(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The runtime has shut down: writes the trace, and ends the printer.
    pub(crate) fn end_watching(&self) {
        if let Some(printer) = self.printer.get() {
            printer.stop();
        }
        let traced = self.trace_file.lock().unwrap_or_else(PoisonError::into_inner).take();
        let written = traced.map(|(trace, file)| trace.write_json(file));
        if let Some(Err(error)) = written {
            let _ = writeln!(std::io::stderr(), "the trace was not written: {error}");
        }
    }

    /// A goroutine is being locked to its thread: see [`template`](crate::template).
    pub(crate) fn make_template(&self) {
        let threads = Arc::clone(&self.threads);
        let name = format!("{}-template", self.settings.name);
        self.threads.template.make(name, move || threads.belong());
    }

    /// When that is on the runtime's clock. Before its start is at its start.
    pub(crate) fn time_of(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.start).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX)
    }

    /// Whether that time has come. The clock is not read if it never comes.
    #[inline]
    pub(crate) fn is_over(&self, when: u64) -> bool {
        when != u64::MAX && when <= self.clock()
    }
}

impl Host for Engine {
    type Task = Runnable;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = Watcher;

    #[inline(always)]
    fn observer(&self) -> &Watcher {
        &self.observer
    }

    fn start_machine(&self, start: StartMachine<Self>) {
        let Some(shared) = self.shared.get().and_then(Weak::upgrade) else { return };
        let name = format!("{}-m{}", self.settings.name, start.id());
        let threads = Arc::clone(&self.threads);
        self.threads.template.start(move || {
            // A thread that cannot be started drops `start`, which refuses.
            let _ = threads.start(start.id(), name, move || {
                shared.engine().tracer.begin_machine(start.id());
                Worker::run(start.begin(), shared);
            });
        });
    }

    /// Sleeps, which takes about 60 us with Linux's usual timer slack, rather than spin for 3 us:
    /// as long as it lasts the thief is counted as searching, and nobody wakes another. Two
    /// goroutines that wake each other in turn would otherwise have a thief woken, disappointed
    /// and put to sleep all the time: 20,000 switches of threads in a million hand-offs, against
    /// 300 (two processors).
    fn back_off(&self) {
        thread::sleep(Duration::from_micros(3));
    }

    fn has_poller(&self) -> bool {
        self.netpoll.has_waiters() || self.timers.any()
    }

    fn now(&self) -> u64 {
        self.clock()
    }

    fn poll(&self, wait: Option<Deadline>, ready: &mut Batch) {
        let here = Worker::here().and_then(|worker| worker.seat.processor());
        self.counters.of(here).add_rare(Rare::Polls, 1);
        self.netpoll.poll(wait, self, ready);
    }

    fn break_poll(&self) {
        self.netpoll.wake();
    }

    fn take_due(&self, processor: usize, ready: &mut Batch) {
        let before = ready.len();
        self.timers.take_due(processor, || self.clock(), |waker| wake_due(self, waker, ready));
        if ready.len() > before {
            let fired = (ready.len() - before) as u64;
            self.counters.of(Some(processor)).add_rare(Rare::TimersFired, fired);
        }
    }

    fn has_due(&self, processor: usize) -> bool {
        self.timers.has_due(processor, || self.clock())
    }

    fn next_deadline(&self) -> Option<u64> {
        self.timers.next_deadline()
    }

    fn resized(&self, from: usize, to: usize) {
        self.timers.resized(from, to);
    }

    fn locked_to(&self, runnable: &Runnable) -> Option<usize> {
        runnable.goroutine().locked()
    }

    fn all_asleep(&self) {
        if self.settings.detect_deadlock {
            self.asleep.tell();
        }
    }
}
