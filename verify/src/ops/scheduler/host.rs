//! The host: what it is asked for stays in the simulation until an operation does it.
//!
//! Its memory checks the invariants of the core in release builds as well.

use core::fmt;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gosched::memory::{Hardware, Park};
use gosched::{Batch, Deadline, Event, Host, Observer, StartMachine, TaskState};

use super::world::Sim;
use crate::instrument::Counted;
use crate::ops::tracked::Id;

/// The capacity of the rings.
pub(super) const CAP: usize = 4;

pub(super) type Mem = Counted<Hardware>;
pub(super) type Ready = Batch<Task, Mem>;

/// What a task is. The simulation keeps a count of its own, with which it tries to wake tasks that
/// do not wait.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) id: Id,
    pub(super) state: TaskState<Mem>,
    /// The machine it is locked to, and one; 0 for none.
    pub(super) locked: AtomicUsize,
}

pub(super) type Task = Arc<Work>;

pub(super) struct Simulated {
    pub(super) sim: Arc<Sim>,
}

impl Host<CAP> for Simulated {
    type Task = Task;
    type Memory = Mem;
    type Parker = Interlude;
    type Observer = Self;

    fn observer(&self) -> &Self {
        self
    }

    fn start_machine(&self, start: StartMachine<Self, CAP>) {
        self.sim.asked_for(start);
    }

    fn random(&self) -> u32 {
        1
    }

    fn back_off(&self) {}

    fn has_poller(&self) -> bool {
        self.sim.with(|world| world.has_poller())
    }

    fn now(&self) -> u64 {
        self.sim.with(|world| world.now)
    }

    fn poll(&self, _wait: Option<Deadline>, ready: &mut Ready) {
        self.sim.hand_out(ready, |world| core::mem::take(&mut world.input).into());
    }

    fn break_poll(&self) {
        self.sim.break_poll();
    }

    fn take_due(&self, processor: usize, ready: &mut Ready) {
        self.sim.hand_out(ready, |world| world.take_due(processor));
    }

    fn has_due(&self, processor: usize) -> bool {
        self.sim.with(|world| {
            world.count_call();
            world.has_due(processor)
        })
    }

    fn next_deadline(&self) -> Option<u64> {
        self.sim.with(|world| world.next_deadline())
    }

    fn resized(&self, _from: usize, to: usize) {
        self.sim.with(|world| {
            world.mirror.resize(to);
            for (processor, ..) in &mut world.timers {
                *processor %= to;
            }
        });
    }

    fn state<'a>(&self, task: &'a Task) -> Option<&'a TaskState<Mem>> {
        Some(&task.state)
    }

    fn locked_to(&self, task: &Task) -> Option<usize> {
        task.locked.load(Ordering::Relaxed).checked_sub(1)
    }

    fn all_asleep(&self) {
        self.sim.told_of_death();
    }
}

impl Observer for Simulated {
    fn observe(&self, machine: Option<usize>, event: Event) {
        self.sim.observed(machine, event);
    }
}

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Simulated")
    }
}

thread_local! {
    /// The simulation that runs in this thread, for the parkers.
    pub(super) static CURRENT: RefCell<Option<Arc<Sim>>> = const { RefCell::new(None) };
}

/// Who would block runs the other machines meanwhile.
#[derive(Debug)]
pub(super) struct Interlude;

impl Park for Interlude {
    fn new() -> Self {
        Self
    }

    fn park(&self) {
        let sim = CURRENT.with_borrow(Clone::clone).expect("a simulation runs");
        sim.interlude();
    }

    fn unpark(&self) {}
}
