//! The machine's handle: the schedule loop, one step at a time.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

use super::Scheduler;
use crate::Batch;
use crate::host::{Deadline, Host};
use crate::machine::{Given, SharedRecord, Token};
use crate::memory::invariant;
use crate::observe::Event;
use crate::processor::Status;

/// One machine: the thread that owns this handle.
///
/// [`next`](Machine::next) gives it task after task. A host that owns its loop calls
/// [`step`](Machine::step) instead. It can be sent to another thread, not shared.
///
/// Dropping it, in a panic too, hands its processor to another machine: nothing is lost.
pub struct Machine<H: Host<CAP>, const CAP: usize = 256> {
    pub(super) scheduler: Scheduler<H, CAP>,
    pub(super) record: SharedRecord<H, CAP>,
    pub(super) place: Place<H, CAP>,
    /// Whether it is counted as a searcher. Only with a processor.
    pub(super) searching: bool,
    /// How many locks the task that is locked to this machine holds.
    pub(super) locks: u32,
    /// What runs next, before anything else: the task that came with the processor.
    pub(super) ahead: Option<H::Task>,
    seed: u32,
    one_thread: PhantomData<Cell<()>>,
}

/// Where a machine stands.
pub(super) enum Place<H: Host<CAP>, const CAP: usize> {
    /// It has a processor.
    With(Token<H, CAP>),
    /// It is in a system call, which began on this processor; `None` if that one was given up.
    Inside(usize, Option<Status>),
    /// It has no processor, and nobody knows yet.
    Without,
    /// It has no processor and is in the pool, or waits for the task that is locked to it.
    Asleep,
    /// It has no processor and polls.
    Polling,
    /// It has left.
    Left,
}

/// Every transition of a machine's place there is: from, operation, to. What the operations assert,
/// and what the book draws.
#[doc(hidden)]
pub const MACHINE_TRANSITIONS: [(&str, &str, &str); 12] = [
    (WITH, "let go", WITHOUT),
    (WITHOUT, "hold", WITH),
    (WITHOUT, "sleep", ASLEEP),
    (ASLEEP, "hold", WITH),
    (WITHOUT, "poll", POLLING),
    (POLLING, "return", WITHOUT),
    (WITHOUT, "enter", INSIDE),
    (INSIDE, "exit", WITHOUT),
    (INSIDE, "keep", WITH),
    (INSIDE, "hold", WITH),
    (WITHOUT, "depart", LEFT),
    (ASLEEP, "depart", LEFT),
];

const WITH: &str = "with a processor";
const INSIDE: &str = "in a system call";
const WITHOUT: &str = "without a processor";
const ASLEEP: &str = "asleep";
const POLLING: &str = "polling";
const LEFT: &str = "left";

impl<H: Host<CAP>, const CAP: usize> Place<H, CAP> {
    fn name(&self) -> &'static str {
        match self {
            Self::With(_) => WITH,
            Self::Inside(..) => INSIDE,
            Self::Without => WITHOUT,
            Self::Asleep => ASLEEP,
            Self::Polling => POLLING,
            Self::Left => LEFT,
        }
    }
}

/// What a machine is to do next: see [`Machine::step`].
#[must_use = "a task that is dropped here is lost"]
#[derive(Debug)]
pub enum Step<T> {
    /// Run this task.
    Run(T),
    /// Poll until the deadline, and hand what became runnable to [`Machine::polled`].
    Poll(Deadline),
    /// Sleep: [`Machine::sleep`]. A host that must not block here does something else for a while,
    /// and steps again: nobody tells it that there is work, as it has not gone to sleep.
    Sleep,
    /// The scheduler has shut down, or the machine was [dismissed](Scheduler::dismiss): drop it and
    /// end the thread.
    Exit,
}

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    pub(super) fn new(
        scheduler: Scheduler<H, CAP>,
        record: SharedRecord<H, CAP>,
        token: Option<Token<H, CAP>>,
        searching: bool,
    ) -> Self {
        let seed = (record.id as u32).wrapping_mul(0x9e37_79b9) | 1;
        let mut machine = Self {
            scheduler,
            record,
            place: Place::Without,
            searching: false,
            locks: 0,
            ahead: None,
            seed,
            one_thread: PhantomData,
        };
        if let Some(token) = token {
            machine.hold(token, searching);
        }
        machine
    }

    /// The machine's number. No two machines of a scheduler ever have the same.
    #[must_use]
    pub fn id(&self) -> usize {
        self.record.id
    }

    /// The scheduler.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler<H, CAP> {
        &self.scheduler
    }

    /// The number of the processor that it holds.
    #[must_use]
    pub fn processor(&self) -> Option<usize> {
        match &self.place {
            Place::With(token) => Some(token.id),
            _ => None,
        }
    }

    /// The next task to run; sleeps and polls until there is one. `None` when the scheduler has
    /// shut down.
    #[expect(clippy::should_implement_trait, reason = "a machine is no iterator: it is its loop")]
    pub fn next(&mut self) -> Option<H::Task> {
        loop {
            match self.step() {
                Step::Run(task) => return Some(task),
                Step::Sleep => self.sleep(),
                Step::Poll(deadline) => {
                    let mut ready = Batch::with_memory();
                    self.scheduler.host().poll(Some(deadline), &mut ready);
                    self.polled(ready);
                }
                Step::Exit => return None,
            }
        }
    }

    /// One step of the schedule loop: finds a task, or says what to wait for. Never blocks.
    ///
    /// A machine that is in a system call [leaves](Machine::exit_blocking) it by this.
    //= go1.27:src/runtime/proc.go#schedule
    pub fn step(&mut self) -> Step<H::Task> {
        loop {
            match self.place {
                Place::With(_) => {
                    if let Some(task) = self.find() {
                        return Step::Run(task);
                    }
                }
                Place::Inside(..) => {
                    let _ = self.exit_blocking();
                }
                Place::Without => return self.rest(),
                Place::Asleep => match self.record.try_sleep() {
                    Some(given) => self.receive(given),
                    None => return Step::Sleep,
                },
                Place::Polling => self.polled(Batch::with_memory()),
                Place::Left => return Step::Exit,
            }
        }
    }

    /// Blocks until the machine is given something, after [`Step::Sleep`]. Does nothing if the
    /// machine was not told to sleep.
    pub fn sleep(&mut self) {
        if let Place::Asleep = self.place {
            let given = self.record.sleep();
            self.receive(given);
        }
    }

    fn receive(&mut self, given: Given<H, CAP>) {
        match given {
            Given::Processor { token, searching, task } => {
                self.hold(token, searching);
                self.ahead = task;
            }
            Given::Leave => self.depart(),
        }
    }

    /// Begins to hold a processor.
    pub(super) fn hold(&mut self, token: Token<H, CAP>, searching: bool) {
        self.tell(Event::Began { processor: token.id, searching });
        self.searching = searching;
        self.go("hold", Place::With(token));
    }

    /// Changes the place, and returns what it was.
    pub(super) fn go(&mut self, operation: &'static str, to: Place<H, CAP>) -> Place<H, CAP> {
        let step = (self.place.name(), operation, to.name());
        invariant!(H::Memory, MACHINE_TRANSITIONS.contains(&step), "a machine's step: {step:?}");
        core::mem::replace(&mut self.place, to)
    }

    /// Stops holding it.
    ///
    /// # Panics
    ///
    /// If it holds none: a bug of this crate.
    pub(super) fn let_go(&mut self) -> (Token<H, CAP>, bool) {
        let searching = core::mem::take(&mut self.searching);
        match self.go("let go", Place::Without) {
            Place::With(token) => (token, searching),
            _ => unreachable!("the machine holds a processor"),
        }
    }

    /// The processor it holds.
    ///
    /// # Panics
    ///
    /// As [`let_go`](Machine::let_go).
    #[inline]
    pub(super) fn held(&mut self) -> &mut Token<H, CAP> {
        match &mut self.place {
            Place::With(token) => token,
            _ => unreachable!("the machine holds a processor"),
        }
    }

    /// Leaves for good: the machine counts no more.
    pub(super) fn depart(&mut self) {
        if !self.scheduler.shared.pool.leave(&self.record, false) {
            // The task that is locked to it is on its way, with a processor.
            let given = self.record.sleep();
            self.receive(given);
            return drop_rest(self);
        }
        self.tell(Event::Exited);
        self.go("depart", Place::Left);
        self.scheduler.check_asleep();
    }

    /// A random number: the host's, or one of xorshift's.
    pub(super) fn random(&mut self) -> u32 {
        let random = self.scheduler.host().random();
        if random != 0 {
            return random;
        }
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        self.seed
    }

    #[inline(always)]
    pub(super) fn tell(&self, event: Event) {
        self.scheduler.tell(Some(self.record.id), event);
    }
}

impl<H: Host<CAP>, const CAP: usize> Drop for Machine<H, CAP> {
    fn drop(&mut self) {
        if let Place::Inside(..) = self.place {
            let _ = self.exit_blocking();
        }
        match self.place {
            Place::With(_) => self.leave_processor(),
            Place::Polling => self.stop_polling(),
            Place::Asleep if !self.scheduler.shared.pool.leave(&self.record, true) => {
                // Somebody is about to give it something.
                let given = self.record.sleep();
                self.receive(given);
                return drop_rest(self);
            }
            Place::Asleep => return self.tell(Event::Exited),
            Place::Left => return,
            Place::Without | Place::Inside(..) => {}
        }
        self.depart();
    }
}

/// After a machine that was dropped asleep has been given something.
fn drop_rest<H: Host<CAP>, const CAP: usize>(machine: &mut Machine<H, CAP>) {
    if let Place::With(_) = machine.place {
        machine.leave_processor();
        machine.depart();
    }
}

impl<H: Host<CAP>, const CAP: usize> fmt::Debug for Machine<H, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("id", &self.id())
            .field("place", &self.place.name())
            .field("searching", &self.searching)
            .finish_non_exhaustive()
    }
}
