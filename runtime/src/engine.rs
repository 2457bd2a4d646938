//! The host of the core's scheduler: what a runtime gives it, and is asked by it.
//!
//! The core decides; here are threads for its machines, a clock, timers and a poller. The methods
//! of [`Host`] may be called in the middle of the machine's own operations, so none of them may use
//! the machine of the thread it is called on: what they make runnable they put into the batch they
//! are given.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::{Duration, Instant};

use gosched::memory::{Hardware, HardwareParker};
use gosched::scheduler::StartMachine;
use gosched::{Deadline, Host, NoObserver};

use crate::counters::AllCounters;
use crate::deadlock::Asleep;
use crate::goroutine::Runnable;
use crate::netpoll::Netpoll;
use crate::pinned::Carriers;
use crate::runtime::{Settings, Shared};
use crate::stack::FiberPool;
use crate::timers::Timers;
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
    pub(crate) counters: AllCounters,
    pub(crate) carriers: Carriers,
    pub(crate) asleep: Asleep,
    /// How many threads run machines now.
    pub(crate) threads: AtomicUsize,
    /// The runtime, for the threads that are started. Set once, before there is a goroutine.
    pub(crate) shared: OnceLock<Weak<Shared>>,
}

impl Engine {
    /// The runtime's clock, in nanoseconds.
    pub(crate) fn clock(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Host for Engine {
    type Task = Runnable;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = NoObserver;

    fn observer(&self) -> &NoObserver {
        &NoObserver
    }

    fn start_machine(&self, start: StartMachine<Self>) {
        let Some(shared) = self.shared.get().and_then(Weak::upgrade) else { return };
        let name = format!("{}-m{}", self.settings.name, start.id());
        // A thread that cannot be started drops `start`, which refuses.
        let _ = thread::Builder::new().name(name).spawn(move || {
            let alive = Alive::new(&shared);
            Worker::run(start.begin(), Arc::clone(&shared));
            drop(alive);
        });
    }

    /// Sleeps, which takes about 60 us with Linux's usual timer slack, rather than spin for 3 us: as
    /// long as it lasts the thief is counted as searching, and nobody wakes another. Two goroutines
    /// that wake each other in turn would otherwise have a thief woken, disappointed and put to sleep
    /// all the time: 20,000 switches of threads in a million hand-offs, against 300 (two processors).
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
        self.netpoll.poll(wait, || self.clock(), ready);
    }

    fn break_poll(&self) {
        self.netpoll.wake();
    }

    fn take_due(&self, processor: usize, ready: &mut Batch) {
        self.timers.take_due(processor, || self.clock(), ready);
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
        self.asleep.tell();
    }
}

/// Counts a thread while it runs a machine.
struct Alive<'a>(&'a Shared);

impl<'a> Alive<'a> {
    fn new(shared: &'a Shared) -> Self {
        // ORDER: Relaxed: see `drop`.
        shared.engine().threads.fetch_add(1, Ordering::Relaxed);
        Self(shared)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        // ORDER: Release: pairs with the Acquire of the one who waits for the threads' ends.
        self.0.engine().threads.fetch_sub(1, Ordering::Release);
    }
}
