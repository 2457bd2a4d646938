//! M, the machines: who sleeps, who is on its way, and how many there are.
//!
//! A machine is a thread that runs tasks. One without a processor sleeps on its [`Note`] in the
//! pool, or waits in the poller. Whoever has a processor to give away takes a sleeper out of the
//! pool, lays the processor into its record, and wakes it: a machine that was taken out of the pool
//! is woken exactly once.
//!
//! The pool counts every machine from the moment the host is asked for it. Were one counted only
//! when it runs, there would be an instant in which all the counted ones sleep while work is on its
//! way to the new one, and the program would be declared dead (golang/go#40368).
//!
//! A machine that a task has [locked](crate::Machine::lock) to itself sleeps apart from the
//! pool: it is woken by whoever is about to run that task, and gets the task together with the
//! processor to run it on.
//!
//= go1.27:src/runtime/proc.go#mput
//= go1.27:src/runtime/proc.go#mget
//= go1.27:src/runtime/proc.go#stoplockedm

use alloc::vec::Vec;

use crate::host::Host;
use crate::memory::{Atomic, Lock, Memory, Ordering, Park, RaceCell, Shared, invariant};
use crate::processor::OwnedProcessor;
use crate::Note;

/// The processors' tokens of a host's scheduler.
pub(crate) type Token<H, const CAP: usize> =
    OwnedProcessor<<H as Host<CAP>>::Task, CAP, <H as Host<CAP>>::Memory>;
/// A shared record of a machine.
pub(crate) type SharedRecord<H, const CAP: usize> =
    <<H as Host<CAP>>::Memory as Memory>::Arc<Record<H, CAP>>;

/// What a sleeper is given when it is woken.
pub(crate) enum Given<H: Host<CAP>, const CAP: usize> {
    /// A processor; for a machine that a task is locked to, with the task.
    Processor { token: Token<H, CAP>, searching: bool, task: Option<H::Task> },
    /// Nothing: it was dismissed, or the scheduler has shut down.
    Leave,
}

/// The part of a machine that others can reach.
pub(crate) struct Record<H: Host<CAP>, const CAP: usize> {
    pub(crate) id: usize,
    note: Note<H::Memory, H::Parker>,
    /// Written by the one who took the machine out of the pool, before it wakes the note.
    given: <H::Memory as Memory>::Cell<Option<Given<H, CAP>>>,
}

impl<H: Host<CAP>, const CAP: usize> Record<H, CAP> {
    pub(crate) fn new(id: usize) -> SharedRecord<H, CAP> {
        Shared::new(Self {
            id,
            note: Note::with_memory_and_parker(H::Parker::new()),
            given: RaceCell::new(None),
        })
    }

    /// Wakes the machine. The caller took it out of the pool, and so is the only one to do so.
    pub(crate) fn give(&self, given: Given<H, CAP>) {
        self.given.with_mut(|slot| {
            // SAFETY: the machine sleeps, or is about to, until the note is woken below, and does
            // not touch the cell before; and nobody else has taken it out of the pool.
            let before = unsafe { slot.replace(Some(given)) };
            invariant!(H::Memory, before.is_none(), "a machine is woken twice");
        });
        self.note.wake();
    }

    /// Sleeps until somebody gives something.
    pub(crate) fn sleep(&self) -> Given<H, CAP> {
        self.note.sleep();
        self.received()
    }

    /// What was given, if somebody has.
    pub(crate) fn try_sleep(&self) -> Option<Given<H, CAP>> {
        self.note.try_sleep().then(|| self.received())
    }

    fn received(&self) -> Given<H, CAP> {
        let given = self.given.with_mut(|slot| {
            // SAFETY: the note was woken, which the giver did after its last access.
            unsafe { slot.replace(None) }
        });
        given.expect("whoever wakes a machine has given it something")
    }
}

/// Every machine that is counted, and those of them that sleep.
pub(crate) struct Pool<H: Host<CAP>, const CAP: usize> {
    state: <H::Memory as Memory>::Mutex<PoolState<H, CAP>>,
    /// How many machines there are and how many of them sleep, for whoever does not take the lock.
    counts: <H::Memory as Memory>::AtomicU64,
    most: usize,
}

struct PoolState<H: Host<CAP>, const CAP: usize> {
    sleeping: Vec<SharedRecord<H, CAP>>,
    locked: Vec<Locked<H, CAP>>,
    /// How many of them sleep.
    locked_sleeping: usize,
    machines: usize,
    next_id: usize,
    /// Whether it was told that all sleep, since one was last awake.
    told: bool,
    closed: bool,
}

/// A machine that a task is locked to.
struct Locked<H: Host<CAP>, const CAP: usize> {
    record: SharedRecord<H, CAP>,
    waits: Waits,
}

/// How a machine and the task that is locked to it come together: the two may come in either order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// Nobody waits, or both have come.
    Neither,
    /// The machine sleeps until the task is brought.
    Machine,
    /// The task was brought, or is about to be; the machine has not gone to sleep yet.
    Task,
}

/// What [`Pool::take`] found.
pub(crate) enum Taken<H: Host<CAP>, const CAP: usize> {
    /// A sleeper, who sleeps no more.
    Sleeper(SharedRecord<H, CAP>),
    /// Nobody sleeps; a new machine with this number was counted.
    Reserved(usize),
    /// Nobody sleeps, and there are as many machines as there may be.
    Exhausted,
}

impl<H: Host<CAP>, const CAP: usize> Pool<H, CAP> {
    pub(crate) fn new(most: usize) -> Self {
        let state = PoolState {
            sleeping: Vec::new(),
            locked: Vec::new(),
            locked_sleeping: 0,
            machines: 0,
            next_id: 0,
            told: false,
            closed: false,
        };
        Self { state: Lock::new(state), counts: Atomic::new(0), most }
    }

    fn with<R>(&self, f: impl FnOnce(&mut PoolState<H, CAP>) -> R) -> R {
        self.state.with(|state| {
            let result = f(state);
            let sleeping = state.sleeping.len() + state.locked_sleeping;
            // ORDER: Relaxed: a statistic, written under the lock so that the last one stays.
            self.counts.store((state.machines as u64) << 32 | sleeping as u64, Ordering::Relaxed);
            result
        })
    }

    /// The machines, and those of them that sleep, at one instant.
    pub(crate) fn counts(&self) -> (usize, usize) {
        // ORDER: Relaxed: a statistic.
        let counts = self.counts.load(Ordering::Relaxed);
        ((counts >> 32) as usize, counts as u32 as usize)
    }

    /// Takes a sleeper, or counts a new machine.
    pub(crate) fn take(&self) -> Taken<H, CAP> {
        self.with(|state| {
            match state.sleeping.pop() {
                Some(sleeper) => {
                    state.told = false;
                    Taken::Sleeper(sleeper)
                }
                None => match state.reserve(self.most) {
                    Some(id) => Taken::Reserved(id),
                    None => Taken::Exhausted,
                },
            }
        })
    }

    /// Takes the machine out that has slept longest, if more than `keep` sleep. The caller gives it
    /// its leave.
    pub(crate) fn dismiss(&self, keep: usize) -> Option<SharedRecord<H, CAP>> {
        self.with(|state| (state.sleeping.len() > keep).then(|| state.sleeping.remove(0)))
    }

    /// How many machines sleep that could be given a processor.
    pub(crate) fn sleepers(&self) -> usize {
        self.with(|state| state.sleeping.len())
    }

    /// Counts a machine that the host has brought by itself. `None` if there are too many or the
    /// scheduler has shut down.
    pub(crate) fn reserve(&self) -> Option<usize> {
        self.with(|state| if state.closed { None } else { state.reserve(self.most) })
    }

    /// A machine goes to sleep. False if the scheduler has shut down: it must leave.
    pub(crate) fn sleep(&self, record: &SharedRecord<H, CAP>) -> bool {
        let record = record.clone();
        self.with(|state| {
            if !state.closed {
                // There is room: see `reserve`.
                state.sleeping.push(record);
            }
            !state.closed
        })
    }

    /// A machine leaves for good. If it sleeps, it is taken out of the pool; false if somebody was
    /// faster and is about to give it something, which it must take, and then leave again.
    pub(crate) fn leave(&self, record: &SharedRecord<H, CAP>, sleeping: bool) -> bool {
        self.with(|state| {
            if let Some(locked) = state.locked.iter_mut().find(|other| other.record.id == record.id)
            {
                let waits = core::mem::replace(&mut locked.waits, Waits::Neither);
                if waits == Waits::Task || sleeping && waits == Waits::Neither {
                    return false;
                }
                state.locked_sleeping -= usize::from(waits == Waits::Machine);
            } else if sleeping {
                let Some(at) = state.sleeping.iter().position(|other| other.id == record.id) else {
                    return false;
                };
                state.sleeping.remove(at);
            }
            state.locked.retain(|other| other.record.id != record.id);
            state.machines -= 1;
            true
        })
    }

    /// A machine that was counted has never begun.
    pub(crate) fn cancel(&self) {
        self.with(|state| state.machines -= 1);
    }

    /// A task locks itself to a machine, or unlocks itself.
    pub(crate) fn lock(&self, record: &SharedRecord<H, CAP>, locked: bool) {
        let record = record.clone();
        self.with(|state| {
            state.locked.retain(|other| other.record.id != record.id);
            if locked {
                state.locked.push(Locked { record, waits: Waits::Neither });
            }
        });
    }

    /// A machine that a task is locked to waits for the task. False if it must leave.
    pub(crate) fn sleep_locked(&self, record: &SharedRecord<H, CAP>) -> bool {
        self.with(|state| {
            let mut all = state.locked.iter_mut();
            if let Some(locked) = all.find(|other| other.record.id == record.id && !state.closed) {
                if locked.waits == Waits::Task {
                    locked.waits = Waits::Neither;
                } else {
                    locked.waits = Waits::Machine;
                    state.locked_sleeping += 1;
                }
            }
            !state.closed
        })
    }

    /// The machine that a task is locked to, which the caller is about to wake.
    pub(crate) fn take_locked(&self, id: usize) -> Option<SharedRecord<H, CAP>> {
        self.with(|state| {
            let locked = state.locked.iter_mut().find(|other| other.record.id == id)?;
            state.told = false;
            if locked.waits == Waits::Machine {
                locked.waits = Waits::Neither;
                state.locked_sleeping -= 1;
            } else {
                locked.waits = Waits::Task;
            }
            Some(locked.record.clone())
        })
    }

    /// Whether every machine sleeps, which was not told before. `tell` notes that it is told now.
    pub(crate) fn all_asleep(&self, tell: bool) -> bool {
        self.with(|state| {
            let sleeping = state.sleeping.len() + state.locked_sleeping;
            let asleep = !state.told && !state.closed && sleeping == state.machines;
            state.told |= asleep && tell;
            asleep
        })
    }

    /// No machine may sleep from now on. Those that do are given their leave.
    pub(crate) fn close(&self) {
        let leave = self.with(|state| {
            state.closed = true;
            let mut leave = core::mem::take(&mut state.sleeping);
            for locked in &mut state.locked {
                if core::mem::replace(&mut locked.waits, Waits::Neither) == Waits::Machine {
                    leave.push(locked.record.clone());
                }
            }
            state.locked_sleeping = 0;
            leave
        });
        for record in leave {
            record.give(Given::Leave);
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> PoolState<H, CAP> {
    fn reserve(&mut self, most: usize) -> Option<usize> {
        if self.machines >= most {
            return None;
        }
        self.told = false;
        self.machines += 1;
        self.next_id += 1;
        // So that no machine allocates under the lock when it goes to sleep.
        self.sleeping.reserve(self.machines - self.sleeping.len());
        Some(self.next_id - 1)
    }
}
