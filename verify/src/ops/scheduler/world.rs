//! What the simulation knows, and what the host, the observer and the parkers do to it.
//!
//! The world lies under a lock that is never held while the scheduler is called: nothing but one
//! thread takes it, and a second lock would mean that the simulation calls itself by mistake.

use core::fmt;
use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use gosched::scheduler::{Outside, StoppedWorld};
use gosched::{Batch, Event, Machine, Monitor, Scheduler, StartMachine, TaskState};

use super::events::{DEAD, Frame, may_interrupt, note_interrupt};
use super::host::{CAP, Ready, Simulated, Task, Work};
use super::mirror::{Mirror, Outlook};
use super::{Polling, SchedulerOp};
use crate::ops::Seen;

/// How often a host may be asked within one operation before that counts as endless.
const ENDLESS: u32 = 100_000;

/// A machine of the simulation.
pub(super) struct Body {
    pub(super) id: usize,
    /// `None` while one of its operations is under way, and after it has left.
    pub(super) machine: Option<Machine<Simulated, CAP>>,
    /// The task that it runs, and whether that is in a system call.
    pub(super) task: Option<Task>,
    pub(super) inside: bool,
    pub(super) locks: u32,
    /// It was last told to sleep or to poll.
    pub(super) waits: bool,
}

impl Body {
    pub(super) fn new(machine: Machine<Simulated, CAP>) -> Self {
        let id = machine.id();
        Self { id, machine: Some(machine), task: None, inside: false, locks: 0, waits: false }
    }
}

/// A world that is stopped, and the machine that has stopped it.
pub(super) type Stopped = (StoppedWorld<Simulated, CAP>, Option<usize>);

pub(super) struct World {
    pub(super) mirror: Mirror,
    pub(super) polling: Polling,
    pub(super) scheduler: Option<Scheduler<Simulated, CAP>>,
    pub(super) monitor: Option<Monitor<Simulated, CAP>>,
    pub(super) bodies: Vec<Body>,
    pub(super) asked: Vec<StartMachine<Simulated, CAP>>,
    pub(super) refuse_next: u8,
    pub(super) tasks: Vec<Task>,
    /// Processor, time, task.
    pub(super) timers: Vec<(usize, u64, Task)>,
    pub(super) input: VecDeque<Task>,
    pub(super) now: u64,
    pub(super) outsiders: Vec<Outside<Simulated, CAP>>,
    pub(super) stopped: Option<Stopped>,
    /// Operations that are under way, the innermost last.
    pub(super) frames: Vec<Frame>,
    /// What is still to come of the program, and the steps until an operation of it interrupts.
    pub(super) ops: VecDeque<SchedulerOp>,
    pub(super) armed: Option<u8>,
    /// A shutdown waits for whoever polls.
    pub(super) shutting_down: bool,
    /// The poll that is under way ought to end.
    pub(super) broken: bool,
    calls: u32,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn new(mirror: Mirror, polling: Polling, ops: &[SchedulerOp]) -> Self {
        Self {
            mirror,
            polling,
            scheduler: None,
            monitor: None,
            bodies: Vec::new(),
            asked: Vec::new(),
            refuse_next: 0,
            tasks: Vec::new(),
            timers: Vec::new(),
            input: VecDeque::new(),
            now: 0,
            outsiders: Vec::new(),
            stopped: None,
            frames: Vec::new(),
            ops: ops.iter().copied().collect(),
            armed: None,
            shutting_down: false,
            broken: false,
            calls: 0,
            seen: Seen::default(),
        }
    }

    pub(super) fn has_poller(&self) -> bool {
        match self.polling {
            Polling::Never => false,
            Polling::Sometimes => !self.timers.is_empty() || !self.input.is_empty(),
            Polling::Always => true,
        }
    }

    pub(super) fn has_due(&self, processor: usize) -> bool {
        self.timers.iter().any(|&(at, when, _)| at == processor && when <= self.now)
    }

    pub(super) fn any_due(&self) -> bool {
        self.has_poller() && (0..self.mirror.active).any(|processor| self.has_due(processor))
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.timers.iter().map(|&(_, when, _)| when).min()
    }

    pub(super) fn take_due(&mut self, processor: usize) -> Vec<Task> {
        let now = self.now;
        let due = |(at, when, _): &mut (usize, u64, Task)| *at == processor && *when <= now;
        self.timers.extract_if(.., due).map(|(.., task)| task).collect()
    }

    /// The host was asked something.
    ///
    /// # Panics
    ///
    /// If that happens too often within one operation.
    pub(super) fn count_call(&mut self) {
        self.calls += 1;
        assert!(self.calls < ENDLESS, "an operation does not come to an end");
    }

    pub(super) fn frame(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("an operation is under way")
    }

    /// A new task.
    pub(super) fn create(&mut self) -> Task {
        let id = self.mirror.create();
        let state = TaskState::with_memory();
        let task = Arc::new(Work { id, state, locked: AtomicUsize::new(0) });
        self.tasks.push(task.clone());
        task
    }
}

/// A simulation, which its host, its observer and its parkers share.
pub(super) struct Sim {
    world: Mutex<World>,
}

impl Sim {
    pub(super) fn new(world: World) -> Self {
        Self { world: Mutex::new(world) }
    }

    /// Looks at the world or changes it, without a call of the scheduler in between.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        f(&mut self.world.try_lock().expect("the simulation does not call itself"))
    }

    pub(super) fn scheduler(&self) -> Scheduler<Simulated, CAP> {
        self.with(|world| world.scheduler.clone()).expect("the simulation has begun")
    }

    /// Performs one operation of the scheduler, with a frame of its own.
    pub(super) fn within<R>(&self, frame: Frame, f: impl FnOnce() -> R) -> (R, Frame) {
        self.with(|world| {
            if world.frames.is_empty() {
                world.calls = 0;
            }
            world.frames.push(frame);
        });
        let result = f();
        let frame = self.with(|world| world.frames.pop()).expect("the frame was just pushed");
        self.with(|world| {
            let what = || "tasks were published, and nobody was to be woken for them".into();
            let over = world.mirror.closed || world.shutting_down;
            world.mirror.require(!frame.owes || over, what);
        });
        (result, frame)
    }

    pub(super) fn asked_for(self: &Arc<Self>, start: StartMachine<Simulated, CAP>) {
        let refused = self.with(|world| {
            world.count_call();
            if world.refuse_next == 0 {
                world.asked.push(start);
                return None;
            }
            world.refuse_next -= 1;
            Some(start)
        });
        if let Some(start) = refused {
            self.refuse(start);
        }
    }

    /// The machine that was asked for is not to be.
    pub(super) fn refuse(&self, start: StartMachine<Simulated, CAP>) {
        self.with(|world| {
            world.mirror.machines.remove(&start.id());
            world.mirror.refusing = true;
        });
        drop(start);
    }

    /// Hands tasks out that have become runnable.
    pub(super) fn hand_out(
        &self,
        ready: &mut Ready,
        take: impl FnOnce(&mut super::world::World) -> Vec<Task>,
    ) {
        self.with(|world| {
            world.count_call();
            for task in take(world) {
                task.state.start();
                world.mirror.readied(task.id);
                world.frame().hand.push(task.id);
                ready.push(task);
            }
        });
    }

    pub(super) fn break_poll(self: &Arc<Self>) {
        let polling = self.with(|world| {
            world.count_call();
            world.broken = true;
            world.shutting_down.then(|| world.polling_body()).flatten()
        });
        if let Some(index) = polling {
            self.end_poll(index);
        }
    }

    pub(super) fn told_of_death(&self) {
        self.with(|world| {
            world.seen.note(true, DEAD);
            let pending = world.has_poller() && !world.timers.is_empty();
            let dead = world.mirror.is_dead(world.outsiders.len(), pending);
            let told = core::mem::replace(&mut world.mirror.told, true);
            world.mirror.require(dead, || "it was told that everybody sleeps".into());
            world.mirror.require(!told, || "it was told twice that everybody sleeps".into());
        });
    }

    pub(super) fn observed(self: &Arc<Self>, by: Option<usize>, event: Event) {
        let interrupts = self.with(|world| {
            let (has_poller, timers) = (world.has_poller(), !world.timers.is_empty());
            let outlook = Outlook { has_poller, timers, due: world.any_due() };
            let mut frame = world.frames.pop().expect("an operation is under way");
            world.mirror.hear(by, event, &mut frame, outlook, &mut world.seen);
            world.frames.push(frame);
            let armed = world.armed.filter(|_| may_interrupt(event) && world.frames.len() == 1);
            match armed {
                None => None,
                Some(0) => {
                    world.armed = None;
                    note_interrupt(&mut world.seen);
                    world.ops.pop_front()
                }
                Some(steps) => {
                    world.armed = Some(steps - 1);
                    None
                }
            }
        });
        if let Some(op) = interrupts {
            self.act(op, true);
        }
        if let (Some(id), Event::Parked) = (by, event) {
            // Until now, nobody could find it.
            self.with(|world| world.mirror.falls_asleep(id));
        }
    }

    /// A batch of tasks.
    pub(super) fn batch(tasks: impl IntoIterator<Item = Task>) -> Ready {
        let mut batch = Batch::with_memory();
        batch.extend(tasks);
        batch
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sim(..)")
    }
}
