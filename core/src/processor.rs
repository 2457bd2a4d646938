//! P, a processor: the right to run tasks, with a queue of its own.
//!
//! At each instant exactly one of these owns a processor: a machine that runs tasks with it, the
//! [idle word](crate::IdleProcessors), a system call (which whoever changes the status word may
//! end), somebody who carries it from one to another, or the one who has stopped the world.
//! Ownership is a value, [`OwnedProcessor`], which moves and cannot be copied. Where no machine
//! holds it, it lies in its processor's cell, and the word through which the processor is passed on
//! orders the accesses to that cell.
//!
//! # The status word
//!
//! ```text
//!     63                        5        4        3    2       0
//!    +---------------------------+---------+------+---------+
//!    |  tick: system calls begun | preempt | stop |  state  |
//!    +---------------------------+---------+------+---------+
//! ```
//!
//! | from | to | by | operation |
//! |---|---|---|---|
//! | idle, stopped | running | whoever owns it and will run with it | `run` |
//! | running, stopped | idle | its owner, who then puts it into the idle word | `rest` |
//! | running | in a system call | its owner, unless asked to stop | `enter` |
//! | in a system call | running | the machine that entered, or a taker: one of them | `exit`, `take` |
//! | idle, running | stopped | its owner | `stop` |
//! | stopped, dead | dead, stopped | the one who has stopped the world | `retire` |
//!
//! The two requests may be set by anybody at any time; every change of state keeps them.
//!
//! DIFF: Go 1.26 leaves a processor's status at running while its machine is in a system call, and
//! arbitrates by a lock bit in the goroutine's status; before, it had a state as we do. One word
//! with state and tick needs no lock, no second look, and no goroutine.
//!
//= go1.27:src/runtime/proc.go#acquirep
//= go1.27:src/runtime/proc.go#releasep
//= go1.27:src/runtime/proc.go#reentersyscall

use core::fmt;

use crossbeam_utils::CachePadded;

use crate::memory::{Atomic, AtomicInt, Memory, Ordering, RaceCell, invariant};
use crate::{LocalQueue, Owner, Stealer, Task};

/// What a processor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum ProcessorState {
    /// In the idle word, or on its way there.
    Idle = 0,
    /// Owned by a machine, or on its way to one.
    Running = 1,
    /// Its machine is in a system call, and anybody may take it.
    InSystemCall = 2,
    /// Owned by the one who stops the world.
    Stopped = 3,
    /// Not among the processors at the moment: their number was reduced.
    Dead = 4,
}

impl ProcessorState {
    /// Every transition there is: from, operation, to. What the operations assert, and what the
    /// book draws.
    #[doc(hidden)]
    pub const TRANSITIONS: [(Self, &'static str, Self); 10] = [
        (Self::Idle, "run", Self::Running),
        (Self::Stopped, "run", Self::Running),
        (Self::Running, "rest", Self::Idle),
        (Self::Stopped, "rest", Self::Idle),
        (Self::Running, "enter", Self::InSystemCall),
        (Self::InSystemCall, "exit, take", Self::Running),
        (Self::Idle, "stop", Self::Stopped),
        (Self::Running, "stop", Self::Stopped),
        (Self::Stopped, "retire", Self::Dead),
        (Self::Dead, "return", Self::Stopped),
    ];

    fn may(self, operation: &'static str, to: Self) -> bool {
        Self::TRANSITIONS.contains(&(self, operation, to))
    }
}

const STATES: u64 = 0b111;
const STOP: u64 = 1 << 3;
const PREEMPT: u64 = 1 << 4;
const TICK: u64 = 1 << 5;

/// A value of the status word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(u64);

impl Status {
    pub(crate) fn state(self) -> ProcessorState {
        match self.0 & STATES {
            0 => ProcessorState::Idle,
            1 => ProcessorState::Running,
            2 => ProcessorState::InSystemCall,
            3 => ProcessorState::Stopped,
            _ => ProcessorState::Dead,
        }
    }

    pub(crate) fn must_stop(self) -> bool {
        self.0 & STOP != 0
    }

    pub(crate) fn must_yield(self) -> bool {
        self.0 & PREEMPT != 0
    }

    /// How many system calls were begun on the processor.
    pub(crate) fn system_calls(self) -> u64 {
        self.0 / TICK
    }

    fn with(self, state: ProcessorState) -> Self {
        Self(self.0 & !STATES | state as u64)
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({} system calls", self.state(), self.system_calls())?;
        f.write_str(if self.must_stop() { ", to stop" } else { "" })?;
        f.write_str(if self.must_yield() { ", to yield)" } else { ")" })
    }
}

/// The part of a processor that everybody can see.
pub(crate) struct Processor<T: Task, const CAP: usize, Mem: Memory> {
    status: CachePadded<Mem::AtomicU64>,
    /// How many time slices were begun, for the monitor.
    slices: CachePadded<Mem::AtomicU64>,
    pub(crate) stealer: Stealer<T, CAP, Mem>,
    /// Holds the token while no machine does.
    resting: Mem::Cell<Option<OwnedProcessor<T, CAP, Mem>>>,
}

/// The right to run tasks on one processor, and what only its owner may touch.
pub(crate) struct OwnedProcessor<T: Task, const CAP: usize, Mem: Memory> {
    pub(crate) id: usize,
    pub(crate) queue: Owner<T, CAP, Mem>,
    /// Time slices begun: Go's `schedtick`.
    pub(crate) slices: u64,
    /// How many tasks from the slot have run in the slice of another, in a row.
    pub(crate) inherited: u32,
}

impl<T: Task, const CAP: usize, Mem: Memory> Processor<T, CAP, Mem> {
    /// Processor `id`, whose token lies in its cell.
    pub(crate) fn new(id: usize, state: ProcessorState) -> Self {
        let queue = LocalQueue::<T, CAP, Mem>::with_memory();
        Self {
            status: CachePadded::new(Mem::AtomicU64::new(state as u64)),
            slices: CachePadded::new(Mem::AtomicU64::new(0)),
            stealer: queue.stealer(),
            resting: Mem::Cell::new(Some(OwnedProcessor { id, queue, slices: 0, inherited: 0 })),
        }
    }

    /// Lays the token down, for whoever is given the processor next. The caller passes the
    /// processor on afterwards, by a word that releases.
    pub(crate) fn lay_down(&self, token: OwnedProcessor<T, CAP, Mem>) {
        self.resting.with_mut(|resting| {
            // SAFETY: the caller owns the processor (it has the token), and so the cell; whoever
            // had the processor before passed it on through a word that orders the accesses.
            let before = unsafe { resting.replace(Some(token)) };
            invariant!(Mem, before.is_none(), "a processor has two tokens");
        });
    }

    /// Takes the token.
    ///
    /// # Safety
    ///
    /// The caller must own the processor: it took its bit out of the idle word, ended its system
    /// call by a change of the status word, or has stopped the world.
    pub(crate) unsafe fn pick_up(&self) -> OwnedProcessor<T, CAP, Mem> {
        let token = self.resting.with_mut(|resting| {
            // SAFETY: the caller owns the processor, and so the cell.
            unsafe { resting.replace(None) }
        });
        token.expect("a processor that was passed on has its token in its cell")
    }

    /// As it is now. Relaxed: to act on it, change it.
    #[inline]
    pub(crate) fn status(&self) -> Status {
        // ORDER: Relaxed: for requests, which are only ever late; and for the monitor, which takes
        // a processor by a change that acquires.
        Status(self.status.load(Ordering::Relaxed))
    }

    /// The slices begun, as last told.
    pub(crate) fn slices(&self) -> u64 {
        // ORDER: Relaxed: a statistic; the monitor compares it with an earlier one.
        self.slices.load(Ordering::Relaxed)
    }

    /// Tells the monitor of a new slice.
    #[inline]
    pub(crate) fn tell_slices(&self, slices: u64) {
        // ORDER: Relaxed: as above. Only the owner writes it.
        self.slices.store(slices, Ordering::Relaxed);
    }

    /// Idle or stopped to running. The caller owns the processor.
    pub(crate) fn run(&self) {
        self.set("run", ProcessorState::Running);
    }

    /// Running or stopped to idle. The caller owns the processor, and passes it on afterwards.
    pub(crate) fn rest(&self) {
        self.set("rest", ProcessorState::Idle);
    }

    /// To stopped. The caller owns the processor, and hands it to the stopper afterwards.
    pub(crate) fn stop(&self) {
        self.set("stop", ProcessorState::Stopped);
    }

    /// Stopped to dead or dead to stopped, by the one who has stopped the world.
    pub(crate) fn retire(&self, dead: bool) {
        if dead {
            self.set("retire", ProcessorState::Dead);
        } else {
            self.set("return", ProcessorState::Stopped);
        }
    }

    /// Changes the state, which the caller alone may, and keeps the requests, which others set.
    fn set(&self, operation: &'static str, state: ProcessorState) {
        let mut seen = self.status();
        loop {
            // ORDER: Relaxed, both: the state tells itself alone; the processor is passed on by
            // another word.
            match self.status.compare_exchange(
                seen.0,
                seen.with(state).0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(newer) => seen = Status(newer),
            }
        }
        invariant!(Mem, seen.state().may(operation, state), "{operation} while {seen:?}");
    }

    /// Running to in a system call, from which anybody may [take](Processor::take) the processor:
    /// its token must lie in its cell. Returns what to [exit](Processor::exit) with; `None` if the
    /// processor must stop, and nothing is done.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Status> {
        let mut seen = self.status();
        while !seen.must_stop() {
            let call = ProcessorState::InSystemCall;
            invariant!(Mem, seen.state().may("enter", call), "enters while {seen:?}");
            let inside = Status(seen.with(call).0.wrapping_add(TICK));
            // ORDER: Release: pairs with the Acquire of `take`; without it the taker may miss what
            // was left in the processor. Relaxed on failure: a request came; look again.
            match self.status.compare_exchange(
                seen.0,
                inside.0,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(inside),
                Err(newer) => seen = Status(newer),
            }
        }
        None
    }

    /// Ends the system call that began with `inside`, if nobody has taken the processor since. True
    /// if it is still the caller's.
    #[inline]
    pub(crate) fn exit(&self, inside: Status) -> bool {
        let mut seen = inside;
        // Requests may have come meanwhile; another state or tick means that somebody took it.
        while seen.0 & !(STOP | PREEMPT) == inside.0 & !(STOP | PREEMPT) {
            // ORDER: Relaxed, both: the token in the cell was laid there by this very thread, and
            // nobody else has touched it.
            match self.status.compare_exchange(
                seen.0,
                seen.with(ProcessorState::Running).0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(newer) => seen = Status(newer),
            }
        }
        false
    }

    /// Takes the processor out of the system call that `seen` shows. True if the caller owns it
    /// now; it is running then, in the caller's hands.
    pub(crate) fn take(&self, seen: Status) -> bool {
        let may = seen.state().may("exit, take", ProcessorState::Running);
        invariant!(Mem, may, "takes while {seen:?}");
        // ORDER: Acquire: pairs with the Release of `enter`; without it the taker may miss what was
        // left in the processor. Relaxed on failure: nothing was taken.
        self.status
            .compare_exchange(
                seen.0,
                seen.with(ProcessorState::Running).0,
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .is_ok()
    }

    /// Asks the owner to stop at the next scheduling point. Returns the status afterwards.
    pub(crate) fn ask_to_stop(&self) -> Status {
        // ORDER: Relaxed: a request; the stop itself is handed over by other words.
        Status(self.status.fetch_or(STOP, Ordering::Relaxed) | STOP)
    }

    /// Asks the owner to let others run at the next scheduling point.
    pub(crate) fn ask_to_yield(&self) {
        // ORDER: Relaxed: a request.
        self.status.fetch_or(PREEMPT, Ordering::Relaxed);
    }

    /// Takes the request to stop back, by the one who stopped the world.
    pub(crate) fn may_go_on(&self) {
        // ORDER: Relaxed: a request.
        self.status.fetch_and(!STOP, Ordering::Relaxed);
    }

    /// Takes note of the request to yield.
    pub(crate) fn yields(&self) {
        // ORDER: Relaxed: a request.
        self.status.fetch_and(!PREEMPT, Ordering::Relaxed);
    }
}

impl<T: Task, const CAP: usize, Mem: Memory> fmt::Debug for OwnedProcessor<T, CAP, Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedProcessor")
            .field("id", &self.id)
            .field("slices", &self.slices)
            .finish_non_exhaustive()
    }
}
