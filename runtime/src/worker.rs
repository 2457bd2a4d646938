//! M's thread: the worker, g0's loop, and where the running goroutine finds its machine.
//!
//! A worker is the thread-bound part of a machine: the handle of the core's [`Machine`], caches of
//! free fibers and descriptors, and the goroutine that runs now. Its loop runs on the thread's own
//! stack, which Go calls g0:
//!
//! ```text
//!    loop {
//!        machine.next()      a goroutine; sleeps, polls, steals meanwhile
//!        execute             its fiber is resumed; it stops for one of five reasons
//!    }                       yield, preempted, park, no processor, done
//! ```
//!
//! The running goroutine reaches the worker by a thread-local. A goroutine that stops may go on in
//! another thread, so the rule is: **nothing read from a thread-local lives across a switch.** The
//! compiler must not do it for us either: it may take the address of a thread-local to be the same
//! throughout a function. So the one function that reads it is never inlined, and returns a value.
//!
//! The machine is used in two ways that never overlap: by g0, between goroutines, and by the
//! running goroutine, in short calls that do not switch. A host's method that is called by either
//! never uses it; see [`Engine`].
//!
//= go1.27:src/runtime/proc.go#schedule
//= go1.27:src/runtime/proc.go#execute
//= go1.27:src/runtime/proc.go#goexit0

use std::cell::{Cell, RefCell, UnsafeCell};
use std::io;
use std::ops::ControlFlow;
use std::ptr::null;
use std::sync::Arc;

use gosched::scheduler::{Closed, Exit};

use crate::counters::{AllCounters, Count, Counters};
use crate::engine::{Engine, Machine};
use crate::fiber::{Fiber, Stop, Switch};
use crate::goroutine::{Free, Goroutine, Ids, Kind, Runnable, Status, WaitReason};
use crate::join::Cancelled;
use crate::overflow::SignalStack;
use crate::runtime::Shared;
use crate::seat::Seat;
use crate::stack::Fibers;
use crate::trace::{What, Why, Without};
use crate::watch;

thread_local! {
    /// The worker of this thread.
    static WORKER: Cell<*const Worker> = const { Cell::new(null()) };
}

/// Whom a goroutine lets go first that gives up its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// The others in its processor's queue. DIFF: Go's `Gosched` uses the global queue, under the
    /// scheduler's lock. Once in 61 slices that one has its turn either way.
    Local,
    /// All that are runnable: it has run for long, or has no processor.
    All,
}

/// The thread-bound part of a machine.
pub(crate) struct Worker {
    machine: UnsafeCell<Machine>,
    pub(crate) shared: Arc<Shared>,
    /// What others see: the goroutine that runs now, `None` while g0 does.
    pub(crate) seat: Seat,
    /// Whether that goroutine is in a system call.
    pub(crate) inside: Cell<bool>,
    fibers: RefCell<Fibers>,
    free: RefCell<Free>,
    ids: RefCell<Ids>,
    counters: Arc<AllCounters>,
    /// The counts of the processor that it has held last.
    held: Cell<*const Counters>,
    /// The same, while a goroutine that runs here owns the processor; else null.
    active: Cell<*const Counters>,
}

impl Worker {
    /// The worker of this thread. Not to be kept across a switch.
    #[inline(never)]
    pub(crate) fn here<'a>() -> Option<&'a Self> {
        let worker = WORKER.get();
        // SAFETY: the thread's loop keeps the worker while the pointer is set, and the reference is
        // used by code of this thread that does not outlive the loop.
        unsafe { std::hint::black_box(worker).as_ref() }
    }

    /// The goroutine that runs here, with its worker. Not to be kept across a switch.
    #[inline]
    pub(crate) fn running<'a>() -> Option<(&'a Self, &'static Goroutine)> {
        let worker = Self::here()?;
        Some((worker, worker.seat.current()?))
    }

    /// Runs a machine until its scheduler shuts down.
    pub(crate) fn run(machine: Machine, shared: Arc<Shared>) {
        let _signal_stack = SignalStack::new();
        let counters = Arc::clone(&shared.engine().counters);
        let seat = Seat::new(machine.id(), machine.processor());
        let worker = Self {
            machine: UnsafeCell::new(machine),
            shared,
            seat,
            inside: Cell::new(false),
            fibers: RefCell::default(),
            free: RefCell::default(),
            ids: RefCell::default(),
            counters,
            held: Cell::new(null()),
            active: Cell::new(null()),
        };
        if let Some(processor) = worker.seat.processor() {
            worker.hold(processor);
        }
        let taken = worker.shared.engine().seats.take(&worker.seat);
        WORKER.set(&raw const worker);
        // SAFETY: g0 runs: no goroutine uses the machine.
        while let Some(runnable) = unsafe { worker.machine() }.next() {
            if worker.execute(runnable).is_break() {
                break;
            }
        }
        WORKER.set(null());
        drop(taken);
        worker.fibers.borrow_mut().give_back(&worker.engine().fibers);
    }

    /// The machine.
    ///
    /// # Safety
    ///
    /// The caller is g0, or the running goroutine, and uses it for one call that neither switches
    /// nor calls code of the user.
    #[expect(clippy::mut_from_ref, reason = "the caller promises to be the only one")]
    #[inline]
    pub(crate) unsafe fn machine(&self) -> &mut Machine {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.machine.get() }
    }

    /// A goroutine begins on a fiber: which, where its code will suspend, and the guard of the
    /// stack.
    pub(crate) fn begin(&self, switch: *const Switch, guard: usize) -> &'static Goroutine {
        let goroutine = self.seat.current().expect("a fiber is resumed for a goroutine");
        goroutine.switch().set(switch);
        goroutine.guard().set(guard);
        goroutine
    }

    /// The machine has begun to hold a processor. Whatever gives it one tells so, but for the end
    /// of a system call whose processor nobody took.
    pub(crate) fn hold(&self, processor: usize) {
        self.seat.set_processor(Some(processor));
        let counters = std::ptr::from_ref(self.counters.of(Some(processor)));
        self.held.set(counters);
        self.active.set(counters);
    }

    /// A processor is somebody else's now: it may be the one that the machine held.
    pub(crate) fn lose(&self, processor: usize) {
        if self.seat.processor() == Some(processor) {
            self.seat.set_processor(None);
            self.active.set(null());
        }
    }

    /// Counts something that happens here.
    #[inline]
    pub(crate) fn count(&self, count: Count) {
        // SAFETY: null, or of our counters.
        match unsafe { self.active.get().as_ref() } {
            // The machine owns the processor: it is the only writer.
            Some(counters) => counters.add(count),
            None => self.counters.add_outside(count),
        }
    }

    /// The runtime's clock, as somebody has lately read it.
    #[inline]
    pub(crate) fn coarse_time(&self) -> u64 {
        self.counters.coarse()
    }

    /// Runs a part of a goroutine.
    #[inline]
    fn part<T>(&self, goroutine: &'static Goroutine, part: impl FnOnce() -> T) -> T {
        goroutine.set_status(Status::Running, WaitReason::None);
        self.count(Count::Switches);
        self.seat.set_current(Some(goroutine));
        let stop = part();
        self.seat.set_current(None);
        stop
    }

    /// The same, while somebody watches.
    #[cold]
    fn watched<T>(
        &self,
        goroutine: &'static Goroutine,
        part: impl FnOnce() -> T,
        why: impl FnOnce(&T) -> Why,
    ) -> T {
        self.tell_begin(goroutine);
        let stop = self.part(goroutine, part);
        let (engine, now, why) = (self.engine(), self.engine().clock(), why(&stop));
        engine.tracer.record(now, goroutine.id(), What::Stop(why));
        if matches!(why, Why::Yield | Why::Preempted | Why::NoProcessor) {
            goroutine.set_runnable_since(now);
        } else if matches!(why, Why::Park(_)) {
            goroutine.set_stopped_since(now);
        }
        stop
    }

    /// Measures how long it was runnable, and tells the trace.
    fn tell_begin(&self, goroutine: &'static Goroutine) {
        let engine = self.engine();
        // SAFETY: g0 runs.
        let processor = unsafe { self.machine() }.processor();
        let (runnable, is_told) = goroutine.take_runnable_since();
        if !is_told {
            engine.tracer.record(engine.clock(), goroutine.id(), What::Ready);
        }
        let now = engine.clock();
        if let (true, Some(since), Some(_)) = (engine.settings.latency, runnable, processor) {
            engine.counters.of(processor).latency.add(now.saturating_sub(since));
        }
        let location = goroutine.location();
        engine.tracer.record(now, goroutine.id(), What::Run { processor, location });
    }

    /// Runs a goroutine until it stops, and does what it stopped for. Breaks when the thread must
    /// end, since a goroutine that was locked to it has ended without unlocking.
    pub(crate) fn execute(&self, runnable: Runnable) -> ControlFlow<()> {
        match runnable.goroutine().kind() {
            Kind::Stackful => self.execute_stackful(runnable),
            Kind::Future => self.execute_future(runnable),
            Kind::Carrier => crate::pinned::run(self, runnable),
        }
    }

    fn execute_stackful(&self, mut runnable: Runnable) -> ControlFlow<()> {
        let goroutine = runnable.goroutine();
        loop {
            let mut fiber = match runnable.take_fiber().map_or_else(|| self.new_fiber(), Ok) {
                Ok(fiber) => fiber,
                Err(error) => return self.no_stack(runnable, &error),
            };
            match self.resume(goroutine, &mut fiber) {
                Stop::Done => return self.done(runnable, fiber),
                Stop::Yield => {
                    runnable.set_fiber(fiber);
                    self.requeue(runnable, Behind::Local);
                    return ControlFlow::Continue(());
                }
                Stop::Preempted | Stop::NoProcessor => {
                    runnable.set_fiber(fiber);
                    self.requeue(runnable, Behind::All);
                    return ControlFlow::Continue(());
                }
                Stop::Park => {
                    runnable.set_fiber(fiber);
                    match runnable.park() {
                        // From here on it may run elsewhere.
                        Ok(()) => return ControlFlow::Continue(()),
                        Err(again) => runnable = again,
                    }
                }
            }
        }
    }

    fn new_fiber(&self) -> io::Result<Box<Fiber>> {
        self.fibers.borrow_mut().pop(&self.engine().fibers)
    }

    fn resume(&self, goroutine: &'static Goroutine, fiber: &mut Fiber) -> Stop {
        if watch::is_any() {
            return self.watched(goroutine, || fiber.resume(self), |stop| stop.why(goroutine));
        }
        self.part(goroutine, || fiber.resume(self))
    }

    fn execute_future(&self, runnable: Runnable) -> ControlFlow<()> {
        let goroutine = runnable.goroutine();
        let waits = goroutine.waits().get();
        let poll = if watch::is_any() {
            self.watched(goroutine, || goroutine.poll_body(), Why::of_poll)
        } else {
            self.part(goroutine, || goroutine.poll_body())
        };
        if poll.is_ready() {
            return self.ended(runnable);
        }
        // A permit that was taken inside the poll may have been meant for the future.
        let again = if goroutine.waits().get() == waits {
            goroutine.set_waiting(WaitReason::Future, self.coarse_time());
            self.count(Count::Parks);
            runnable.park().err()
        } else {
            Some(runnable)
        };
        // One that was woken inside its poll, perhaps by itself, has others take their turn first:
        // the yields of all async libraries are made so.
        if let Some(runnable) = again {
            // SAFETY: g0 runs.
            let asked = unsafe { self.machine() }.should_yield();
            self.requeue(runnable, if asked { Behind::All } else { Behind::Local });
        }
        ControlFlow::Continue(())
    }

    /// The goroutine that ran here goes behind others. Inlined always: called, it makes a yield 2 %
    /// more instructions.
    #[inline(always)]
    pub(crate) fn requeue(&self, runnable: Runnable, behind: Behind) {
        let goroutine = runnable.goroutine();
        goroutine.set_status(Status::Runnable, WaitReason::None);
        if goroutine.kind() != Kind::Carrier {
            self.count(Count::Yields);
        }
        if let Some(home) = runnable.goroutine().home() {
            home.push(runnable);
            return;
        }
        // SAFETY: g0 runs.
        let machine = unsafe { self.machine() };
        let requeued = match behind {
            Behind::Local => machine.yield_local(runnable),
            Behind::All => machine.yield_now(runnable),
        };
        if let Err(closed) = requeued {
            closed.0.abandon();
        }
    }

    fn done(&self, runnable: Runnable, fiber: Box<Fiber>) -> ControlFlow<()> {
        self.fibers.borrow_mut().push(fiber, &self.engine().fibers);
        self.ended(runnable)
    }

    /// The goroutine is no more.
    fn ended(&self, runnable: Runnable) -> ControlFlow<()> {
        let locks = runnable.goroutine().locks().take();
        if let Some(free) = runnable.end() {
            self.free.borrow_mut().push(free);
        }
        self.count(Count::Ended);
        self.counters.tell_ended();
        // DIFF: as Go, the thread of a goroutine that ended while it was locked ends with it: what
        // the goroutine did to the thread goes with the thread.
        if locks > 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    #[cold]
    fn no_stack(&self, runnable: Runnable, error: &io::Error) -> ControlFlow<()> {
        runnable.cancel(Cancelled::NoStack(error.kind()));
        self.ended(runnable)
    }

    /// A free descriptor and a number.
    pub(crate) fn new_descriptor(&self) -> (&'static Goroutine, u64) {
        (self.free.borrow_mut().pop(), self.ids.borrow_mut().next())
    }

    /// Keeps a descriptor whose last reference is gone.
    pub(crate) fn keep(&self, goroutine: &'static Goroutine) {
        self.free.borrow_mut().push(goroutine);
    }

    /// Makes a goroutine that waits runnable, or a new one: it runs next here.
    ///
    /// # Errors
    ///
    /// With the goroutine, if the runtime has shut down.
    pub(crate) fn submit(&self, runnable: Runnable) -> Result<(), Closed<Runnable>> {
        // SAFETY: the caller is the running goroutine.
        unsafe { self.machine() }.spawn(runnable)
    }

    /// The running goroutine enters a system call; one that is `long` gives the processor away at
    /// once. False if it is in one.
    pub(crate) fn enter(&self, long: bool) -> bool {
        if self.inside.replace(true) {
            return false;
        }
        self.count(Count::Blocking);
        if watch::is(watch::TRACE) {
            self.tell_of_call(What::Enter(Without::SystemCall));
        }
        // It fails without a processor; then there is none to be taken.
        // SAFETY: the caller is the running goroutine.
        let machine = unsafe { self.machine() };
        if long {
            let _ = machine.enter_long_blocking();
        } else {
            let _ = machine.enter_blocking();
            self.engine().bell.ring();
        }
        self.active.set(null());
        true
    }

    /// The system call is over. How it found a processor.
    pub(crate) fn exit(&self) -> Exit {
        self.inside.set(false);
        // SAFETY: the caller is the running goroutine.
        let machine = unsafe { self.machine() };
        // It was in none if it had no processor to begin with.
        let exit = machine.exit_blocking().unwrap_or(Exit::Got);
        match exit {
            Exit::Kept => self.active.set(self.held.get()),
            Exit::NoProcessor => self.seat.set_processor(None),
            // It began to hold another one.
            Exit::Got => {}
        }
        if watch::is(watch::TRACE) {
            self.tell_of_call(What::Exit { processor: machine.processor() });
        }
        exit
    }

    #[cold]
    pub(crate) fn tell_of_call(&self, what: What) {
        let goroutine = self.seat.current().map_or(0, Goroutine::id);
        self.engine().tracer.tell(goroutine, what);
    }

    /// The number of the processor that runs the goroutine here; 0 where there is none.
    pub(crate) fn processor_here() -> usize {
        let processor = Self::running().and_then(|(worker, _)| {
            // SAFETY: the running goroutine, and one call.
            unsafe { worker.machine() }.processor()
        });
        processor.unwrap_or(0)
    }

    /// Whether g0 runs on this thread, and not a goroutine.
    pub(crate) fn is_g0(&self) -> bool {
        self.seat.current().is_none()
    }

    /// The engine.
    pub(crate) fn engine(&self) -> &Engine {
        self.shared.engine()
    }
}
