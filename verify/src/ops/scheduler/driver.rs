//! Performs the operations, one by one, and at the end lets everything come to its end.

use core::num::NonZeroU32;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gosched::{Config, Scheduler, TaskStatus};

use super::host::{CURRENT, Simulated};
use super::mirror::Mirror;
use super::world::{Sim, World};
use super::{Form, Numbers, SchedulerOp, Simulation};
use crate::ops::{Mismatch, Seen};

/// How many rounds of all machines the end of a program may take.
const ROUNDS: usize = 2_000;

pub(super) fn perform(setup: &Simulation, ops: &[SchedulerOp]) -> Result<Seen, Mismatch> {
    let config = config(setup);
    let world = World::new(Mirror::new(&config), setup.polling, ops);
    let sim = Arc::new(Sim::new(world));
    CURRENT.set(Some(sim.clone()));
    let performed = catch_unwind(AssertUnwindSafe(|| {
        let scheduler =
            Scheduler::new(Simulated { sim: sim.clone() }, config).expect("the numbers make sense");
        sim.with(|world| {
            world.monitor = Some(scheduler.monitor());
            world.scheduler = Some(scheduler);
        });
        run(&sim)
    }));
    CURRENT.set(None);
    let what = match performed {
        Ok(Ok(())) => return Ok(sim.with(|world| world.seen.clone())),
        Ok(Err(mismatch)) => mismatch,
        Err(panic) => Mismatch { at: None, what: format!("a panic: {}", message(&*panic)) },
    };
    // What is broken is left alone: its drop might wait or panic.
    core::mem::forget(sim);
    Err(what)
}

fn config(setup: &Simulation) -> Config {
    let processors = usize::from(setup.processors % 4) + 1;
    let mut config = Config::new(processors);
    config.max_processors = if setup.form == Form::Fifty { 50 } else { 4 };
    config.many_words = setup.form == Form::Many;
    if setup.numbers != Numbers::Go {
        config.global_interval = 3;
        config.slot_chain = NonZeroU32::MIN.saturating_add(1);
        config.steal_rounds = 1;
    }
    if setup.numbers == Numbers::Few {
        config.max_machines = processors + 1;
    }
    config
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn run(sim: &Arc<Sim>) -> Result<(), Mismatch> {
    let mut index = 0;
    let total = sim.with(|world| world.ops.len());
    while let Some(op) = sim.with(|world| world.ops.pop_front()) {
        sim.act(op, false);
        sim.check_rest();
        sim.judge().map_err(|mismatch| mismatch.at(index, op))?;
        index = total - sim.with(|world| world.ops.len());
    }
    sim.finish();
    sim.judge()
}

impl Sim {
    /// Performs one operation.
    pub(super) fn act(self: &Arc<Self>, op: SchedulerOp, interrupts: bool) {
        use SchedulerOp as Op;
        match op {
            Op::Interrupt(steps) => self.with(|world| world.armed = Some(steps % 16)),
            Op::Resize(_)
            | Op::Stop
            | Op::StopBy(_)
            | Op::Resume
            | Op::ShutDown
            | Op::ShutDownBy(_) => {
                if !interrupts {
                    self.standstill(op);
                }
            }
            _ => self.turn(op),
        }
    }

    fn judge(&self) -> Result<(), Mismatch> {
        self.with(|world| match world.mirror.fault() {
            Some(what) => Err(Mismatch { at: None, what: what.clone() }),
            None => Ok(()),
        })
    }

    /// Everything comes to its end: tasks that wait are made ready, all run and end, and the
    /// scheduler shuts down.
    fn finish(self: &Arc<Self>) {
        self.with(|world| {
            world.armed = None;
            world.refuse_next = 0;
        });
        self.resume();
        let count = self.with(|world| world.tasks.len());
        for task in 0..count {
            let waits = |world: &mut World| world.mirror.tasks[task].status == TaskStatus::Waiting;
            if self.with(waits) {
                self.ready_number(task);
            }
        }
        self.settle();
        self.check_rest();
        let closed = self.with(|world| world.mirror.closed);
        if !closed {
            let scheduler = self.scheduler();
            self.shut_down(None, || scheduler.shutdown());
        }
        self.depart();
        self.check_end();
    }

    /// All machines run until there is nothing to run.
    fn settle(self: &Arc<Self>) {
        for _ in 0..ROUNDS {
            let mut busy = false;
            while self.with(|world| !world.asked.is_empty()) {
                busy = true;
                self.begin(0);
            }
            for index in 0..self.with(|world| world.bodies.len()) {
                if self.with(|world| world.bodies[index].machine.is_none()) {
                    continue;
                }
                if self.with(|world| world.bodies[index].task.is_some()) {
                    busy = true;
                    self.end(index);
                } else if self.with(|world| world.polling_body()) == Some(index) {
                    busy |= self.with(|world| !world.input.is_empty() || world.any_due());
                    self.end_poll(index);
                } else {
                    busy |= self.step(index);
                }
            }
            self.with(|world| world.now = world.now.max(world.next_deadline().unwrap_or(0)));
            if !busy {
                self.monitor(8);
            }
            let done = |world: &mut World| {
                let (mirror, quiet) = (&world.mirror, world.asked.is_empty());
                mirror.fault().is_some() || !busy && quiet && world.bodies_rest()
            };
            if self.with(done) {
                return;
            }
        }
        self.with(|world| world.mirror.object("the machines do not come to rest"));
    }

    /// Every machine leaves, and then everything goes.
    fn depart(self: &Arc<Self>) {
        for index in 0..self.with(|world| world.bodies.len()) {
            if self.with(|world| world.bodies[index].machine.is_some()) {
                if self.with(|world| world.bodies[index].task.is_some()) {
                    self.end(index);
                }
                self.step(index);
            }
        }
        let (scheduler, monitor, outsiders) = self.with(|world| {
            let left = world.bodies.iter().all(|body| body.machine.is_none());
            world.mirror.require(left, || "a machine stays after the shutdown".into());
            let outsiders = core::mem::take(&mut world.outsiders);
            (world.scheduler.take(), world.monitor.take(), outsiders)
        });
        if self.with(|world| world.mirror.fault().is_none()) {
            self.within(super::events::Frame::default(), || drop((outsiders, monitor, scheduler)));
        }
    }
}
