//! The monitor: takes processors out of long system calls, and asks for an end of long slices.
//!
//! Go's `sysmon` is a thread that sleeps, looks, and acts. Here it is a step: the host calls
//! [`Monitor::step`] with the time, and is told how long to sleep. Whoever owns the clock owns the
//! schedule, a simulation included.
//!
//! For each processor the monitor remembers what it saw last and since when:
//!
//! | it sees | and | does |
//! |---|---|---|
//! | the same slice for 10 ms | | asks for a yield; a system call in it is retaken at once |
//! | a system call | for the first time | remembers it |
//! | the same system call again | tasks in the queue, or nobody idle or searching, or for 10 ms | takes the processor and hands it off |
//!
//! It sleeps 20 us; after 50 rounds in which it took nothing, twice as long each time, up to 10 ms.
//! While every processor is idle, or the world is stopped, it sleeps until somebody takes a
//! processor up. That sleep is deep: a program that does nothing wakes nobody.
//!
//! ```text
//!    monitor                          machine
//!    asleep = 1                       takes a processor (idle word)
//!    fence                            fence
//!    all processors idle? sleep       asleep? wake
//! ```
//!
//= go1.27:src/runtime/proc.go#sysmon
//= go1.27:src/runtime/proc.go#retake

use alloc::vec::Vec;
use core::fmt;

use crossbeam_utils::CachePadded;

use crate::Note;
use crate::host::Host;
use crate::memory::{Atomic, Memory, Ordering, Park};
use crate::processor::ProcessorState;
use crate::scheduler::Scheduler;

/// The monitor's times, in nanoseconds. The defaults are Go's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The shortest sleep, and how long a system call keeps its processor at least. 20 us.
    pub nap: u64,
    /// The longest sleep. 10 ms.
    pub longest_nap: u64,
    /// Rounds without work after which the sleep doubles. 50.
    pub patience: u32,
    /// How long a slice may be, and a system call that nobody minds. 10 ms.
    pub slice: u64,
    /// After how long without a poll the monitor polls. 10 ms.
    pub poll: u64,
}

impl Default for Pace {
    fn default() -> Self {
        let millisecond = 1_000_000;
        Self {
            nap: 20_000,
            longest_nap: 10 * millisecond,
            patience: 50,
            slice: 10 * millisecond,
            poll: 10 * millisecond,
        }
    }
}

/// What the monitor does next: see [`Monitor::step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nap {
    /// Sleep this many nanoseconds.
    For(u64),
    /// Call [`Monitor::sleep`]: nothing will happen until a machine takes a processor up.
    Deep,
    /// The scheduler has shut down.
    End,
}

/// What one step of the monitor did.
#[must_use = "it says how long to sleep"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    /// What to do next.
    pub nap: Nap,
    /// How many processors were taken out of system calls.
    pub retaken: usize,
    /// How many were asked to yield.
    pub asked: usize,
}

/// The decisions of Go's `sysmon`, one step at a time. One monitor is enough for a scheduler, and
/// more than one do no harm but for their [deep sleep](Nap::Deep): only one may sleep so.
pub struct Monitor<H: Host<CAP>, const CAP: usize = 256> {
    scheduler: Scheduler<H, CAP>,
    pace: Pace,
    seen: Vec<Seen>,
    nap: u64,
    fruitless: u32,
}

/// What the monitor saw of a processor, and since when.
#[derive(Clone, Copy, Debug)]
struct Seen {
    slices: u64,
    slice_since: u64,
    system_calls: u64,
    call_since: u64,
}

/// A processor, as the monitor sees it now.
#[derive(Clone, Copy, Debug)]
struct Sight {
    state: ProcessorState,
    slices: u64,
    system_calls: u64,
    /// Whether its queue is empty and some processor is idle, or a machine searches.
    unwanted: bool,
}

/// What to do about a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Leave,
    AskToYield,
    Retake,
    /// Its slice is over, and it sits in a system call.
    AskAndRetake,
}

impl Seen {
    /// Nothing yet: whatever is seen next is new.
    const NOTHING: Self =
        Self { slices: u64::MAX, slice_since: 0, system_calls: u64::MAX, call_since: 0 };

    /// The table above.
    fn decide(&mut self, sight: Sight, now: u64, pace: &Pace) -> Action {
        let running =
            matches!(sight.state, ProcessorState::Running | ProcessorState::InSystemCall);
        if !running {
            // A slice that begins later, be it in what is left of an older one, is a new one.
            *self = Self::NOTHING;
            return Action::Leave;
        }
        let mut over = false;
        if self.slices == sight.slices {
            over = now.saturating_sub(self.slice_since) >= pace.slice;
        } else {
            self.slices = sight.slices;
            self.slice_since = now;
        }
        if sight.state == ProcessorState::Running {
            return if over { Action::AskToYield } else { Action::Leave };
        }
        if over {
            return Action::AskAndRetake;
        }
        if self.system_calls != sight.system_calls {
            self.system_calls = sight.system_calls;
            self.call_since = now;
            return Action::Leave;
        }
        if sight.unwanted && now.saturating_sub(self.call_since) < pace.slice {
            return Action::Leave;
        }
        Action::Retake
    }
}

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// A monitor, with Go's times.
    #[must_use]
    pub fn monitor(&self) -> Monitor<H, CAP> {
        self.monitor_with(Pace::default())
    }

    /// A monitor with other times.
    #[must_use]
    pub fn monitor_with(&self, pace: Pace) -> Monitor<H, CAP> {
        let seen = (0..self.config().max_processors).map(|_| Seen::NOTHING).collect();
        Monitor { scheduler: self.clone(), pace, seen, nap: pace.nap, fruitless: 0 }
    }
}

impl<H: Host<CAP>, const CAP: usize> Monitor<H, CAP> {
    /// Looks at every processor at the time `now`, in nanoseconds on a clock that does not go
    /// backwards, and acts. Never blocks, but for what the host does when it starts a machine.
    pub fn step(&mut self, now: u64) -> Round {
        let Self { scheduler, pace, seen, .. } = self;
        let (mut retaken, mut asked) = (0, 0);
        if scheduler.is_closed() {
            return Round { nap: Nap::End, retaken, asked };
        }
        scheduler.retry_refused_by_monitor();
        scheduler.poll_for_monitor(now, pace.poll);
        for (id, seen) in seen.iter_mut().enumerate().take(scheduler.processors()) {
            let status = scheduler.status_of(id);
            let sight = Sight {
                state: status.state(),
                slices: scheduler.slices_of(id),
                system_calls: status.system_calls(),
                unwanted: scheduler.is_unwanted(id),
            };
            let action = seen.decide(sight, now, pace);
            // First of all taken: a request changes the status word, and the taker looks at that.
            let retakes = matches!(action, Action::Retake | Action::AskAndRetake);
            if retakes && scheduler.retake(id, status) {
                retaken += 1;
            } else if matches!(action, Action::AskToYield | Action::AskAndRetake) {
                scheduler.ask_to_yield(id);
                asked += 1;
            }
        }
        Round { nap: self.nap(retaken), retaken, asked }
    }

    fn nap(&mut self, retaken: usize) -> Nap {
        if self.scheduler.is_at_rest() {
            return Nap::Deep;
        }
        if retaken > 0 {
            self.fruitless = 0;
            self.nap = self.pace.nap;
        } else {
            self.fruitless = self.fruitless.saturating_add(1);
            if self.fruitless > self.pace.patience {
                self.nap = (self.nap * 2).min(self.pace.longest_nap);
            }
        }
        Nap::For(self.nap)
    }

    /// Blocks until a machine takes a processor up, after [`Nap::Deep`]; returns at once if one has
    /// meanwhile.
    pub fn sleep(&mut self) {
        let sleep = self.scheduler.monitor_sleep();
        // ORDER: Relaxed: the fence orders it before the look at the idle word.
        sleep.asleep.store(1, Ordering::Relaxed);
        // ORDER: SeqCst: against the fence in `wake`: either we see the processor that was taken
        // up, or the one who took it sees that we sleep.
        H::Memory::fence(Ordering::SeqCst);
        let stays = self.scheduler.is_at_rest() && !self.scheduler.is_closed();
        // ORDER: Relaxed: whoever takes the 1 out decides whether the note is woken.
        if stays || sleep.asleep.swap(0, Ordering::Relaxed) == 0 {
            sleep.note.sleep();
        }
        self.nap = self.pace.nap;
        self.fruitless = 0;
    }
}

impl<H: Host<CAP>, const CAP: usize> fmt::Debug for Monitor<H, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("pace", &self.pace).finish_non_exhaustive()
    }
}

/// Where the monitor sleeps when nothing happens.
pub(crate) struct Sleep<H: Host<CAP>, const CAP: usize> {
    asleep: CachePadded<<H::Memory as Memory>::AtomicU32>,
    note: Note<H::Memory, H::Parker>,
}

impl<H: Host<CAP>, const CAP: usize> Sleep<H, CAP> {
    pub(crate) fn new() -> Self {
        Self {
            asleep: CachePadded::new(Atomic::new(0)),
            note: Note::with_memory_and_parker(H::Parker::new()),
        }
    }

    /// Wakes the monitor if it sleeps. To be called after a processor was taken up.
    pub(crate) fn wake(&self) {
        // ORDER: SeqCst: against the fence in `Monitor::sleep`.
        H::Memory::fence(Ordering::SeqCst);
        // ORDER: Relaxed: after the fence; the swap decides.
        if self.asleep.load(Ordering::Relaxed) != 0
            // ORDER: Relaxed: whoever takes the 1 out wakes; the note orders what came before.
            && self.asleep.swap(0, Ordering::Relaxed) != 0
        {
            self.note.wake();
        }
    }
}
