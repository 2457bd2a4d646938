//! What a machine does when it is its turn, and what the task does that runs on it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gosched::scheduler::{Closed, Exit, NotBlocked, NotRunning, ReadyError};
use gosched::{Batch, Machine, Step, TaskStatus};

use super::SchedulerOp;
use super::events::{Frame, NOT_WAITING};
use super::host::{CAP, Simulated, Task};
use super::mirror::Being;
use super::world::{Sim, World};

/// How a task parks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parking {
    Waits,
    IsReady,
    InVain,
}

impl Sim {
    /// An operation of a machine.
    pub(super) fn turn(self: &Arc<Self>, op: SchedulerOp) {
        use SchedulerOp as Op;
        match op {
            Op::End(machine) => self.on(machine, |index| self.end(index)),
            Op::Work(machine, times) => (0..times).for_each(|_| {
                self.on(machine, |index| self.end(index));
            }),
            Op::Chain(machine, times) => (0..times).for_each(|_| {
                self.on(machine, |index| {
                    self.spawn(index, 1, true);
                    self.end(index);
                });
            }),
            Op::Spawn(machine, count) => self.on(machine, |at| self.spawn(at, count % 8, true)),
            Op::Submit(machine, count) => self.on(machine, |at| self.spawn(at, count % 8, false)),
            Op::Yield(machine) => self.on(machine, |index| self.requeue(index, Machine::yield_now)),
            Op::YieldLocal(machine) => {
                self.on(machine, |index| self.requeue(index, Machine::yield_local));
            }
            Op::Park(machine) => self.on(machine, |index| self.park(index, Parking::Waits)),
            Op::ParkAndReady(machine) => {
                self.on(machine, |index| self.park(index, Parking::IsReady));
            }
            Op::ParkInVain(machine) => self.on(machine, |index| self.park(index, Parking::InVain)),
            Op::Ready(machine, task) => self.on(machine, |index| self.ready(Some(index), task)),
            Op::Enter(machine) => self.on(machine, |index| self.enter(index, false)),
            Op::EnterLong(machine) => self.on(machine, |index| self.enter(index, true)),
            Op::Exit(machine) => self.on(machine, |index| self.exit_or_not(index)),
            Op::Lock(machine) => self.on(machine, |index| self.lock(index)),
            Op::Unlock(machine) => self.on(machine, |index| self.unlock(index)),
            _ => self.outside(op),
        }
    }

    /// If the machine runs a task, `act`; else it takes a step.
    fn on(self: &Arc<Self>, machine: u8, act: impl FnOnce(usize)) {
        let Some(index) = self.with(|world| world.body(machine)) else { return };
        if self.with(|world| world.bodies[index].task.is_some()) {
            act(index);
        } else {
            self.step(index);
        }
    }

    /// Performs an operation of a machine.
    pub(super) fn operate<R>(
        &self,
        index: usize,
        frame: Frame,
        f: impl FnOnce(&mut Machine<Simulated, CAP>) -> R,
    ) -> (R, Frame) {
        let mut machine = self
            .with(|world| world.bodies[index].machine.take())
            .expect("nobody else operates the machine");
        let result = self.within(frame, || f(&mut machine));
        self.with(|world| world.bodies[index].machine = Some(machine));
        result
    }

    /// The machine takes a step. Whether it found a task.
    pub(super) fn step(self: &Arc<Self>, index: usize) -> bool {
        if self.with(|world| world.mirror.must_yield.contains(&true)) {
            // Some processors may have taken note of it.
            let snapshot = self.scheduler().snapshot();
            self.with(|world| world.mirror.see_requests(&snapshot));
        }
        let (frame, dismissed) = self.with(|world| {
            let dismissed = world.being(index) == Being::Dismissed;
            (world.before_step(index), dismissed)
        });
        let (step, frame) = self.operate(index, frame, Machine::step);
        self.with(|world| {
            let id = world.bodies[index].id;
            let being = world.being(index);
            world.bodies[index].waits = matches!(step, Step::Sleep | Step::Poll(_));
            let leaves = matches!(step, Step::Exit);
            world.mirror.require(leaves || !dismissed, || format!("machine {id} is to leave"));
            let (found, may) = match step {
                Step::Run(task) => {
                    world.runs(index, task, frame);
                    (true, being == Being::Going)
                }
                Step::Sleep => (false, sleeps(being)),
                Step::Poll(_) => {
                    world.broken = false;
                    (false, being == Being::Polling)
                }
                Step::Exit => (false, being == Being::Left && (dismissed || world.mirror.closed)),
            };
            if step_is_last(being) {
                world.bodies[index].machine = None;
            }
            world.mirror.require(may, || format!("machine {id} is {being:?}"));
            found
        })
    }

    pub(super) fn end(self: &Arc<Self>, index: usize) {
        if !self.leave_call(index) {
            return;
        }
        while self.with(|world| world.bodies[index].locks > 0) {
            self.unlock(index);
        }
        self.with(|world| {
            let Some(task) = world.bodies[index].task.take() else { return };
            task.state.end();
            world.mirror.task(task.id).status = TaskStatus::Dead;
        });
    }

    fn spawn(&self, index: usize, count: u8, slot: bool) {
        for _ in 0..count {
            let task = self.with(World::create);
            let id = task.id;
            let frame = self.publishing(id);
            let (result, _) = self.operate(index, frame, |machine| {
                if slot { machine.spawn(task) } else { machine.submit(task) }
            });
            self.submitted(id, result);
        }
    }

    /// The task is runnable from now on, and about to be published.
    pub(super) fn publishing(&self, id: usize) -> Frame {
        self.with(|world| world.mirror.readied(id));
        Frame { pending: vec![id], ..Frame::default() }
    }

    /// What came of it: it fails when the scheduler has shut down, and then alone.
    pub(super) fn submitted(&self, id: usize, result: Result<(), Closed<Task>>) {
        self.with(|world| {
            let closed = world.mirror.closed;
            world.mirror.agree("whether a submit succeeds", result.is_ok(), !closed);
            if let Err(Closed(task)) = result {
                world.mirror.agree("the task that came back", task.id, id);
                world.mirror.task(id).returned = true;
            }
        });
    }

    /// The task stops, by `put`.
    pub(super) fn requeue(
        self: &Arc<Self>,
        index: usize,
        put: impl FnOnce(&mut Machine<Simulated, CAP>, Task) -> Result<(), Closed<Task>>,
    ) {
        if self.leave_call(index) {
            self.requeue_now(index, put);
        }
    }

    fn requeue_now(
        self: &Arc<Self>,
        index: usize,
        put: impl FnOnce(&mut Machine<Simulated, CAP>, Task) -> Result<(), Closed<Task>>,
    ) {
        let Some(task) = self.with(|world| world.bodies[index].task.take()) else { return };
        let id = task.id;
        let frame = Frame { requeues: true, ..self.publishing(id) };
        let (result, _) = self.operate(index, frame, |machine| put(machine, task));
        self.submitted(id, result);
    }

    fn park(self: &Arc<Self>, index: usize, parking: Parking) {
        if !self.leave_call(index) {
            return;
        }
        let Some(task) = self.with(|world| world.bodies[index].task.take()) else { return };
        let id = task.id;
        self.with(|world| world.mirror.task(id).status = TaskStatus::Waiting);
        let scheduler = self.scheduler();
        let (result, _) = self.operate(index, Frame::default(), |machine| {
            machine.park(task, |task| match parking {
                Parking::Waits => {
                    drop(task);
                    Ok(())
                }
                Parking::InVain => Err(task),
                Parking::IsReady => {
                    let (result, _) = self.within(self.publishing(id), || scheduler.ready(task));
                    self.submitted(id, only_closed(result));
                    Ok(())
                }
            })
        });
        self.with(|world| {
            let back = parking == Parking::InVain;
            world.mirror.agree("whether a park is refused", result.is_err(), back);
            if let Err(task) = result {
                world.mirror.task(id).status = TaskStatus::Running;
                world.bodies[index].task = Some(task);
            }
        });
    }

    /// Some task is made ready, by a machine or from outside, rightly or wrongly.
    pub(super) fn ready(&self, index: Option<usize>, task: u8) {
        let Some((task, status)) = self.with(|world| world.task(task)) else { return };
        let id = task.id;
        let frame = match status {
            TaskStatus::Waiting => self.publishing(id),
            _ => Frame::default(),
        };
        let (result, _) = match index {
            Some(index) => self.operate(index, frame, |machine| machine.ready(task)),
            None => {
                let scheduler = self.scheduler();
                self.within(frame, || scheduler.ready(task))
            }
        };
        if status == TaskStatus::Waiting {
            return self.submitted(id, only_closed(result));
        }
        self.with(|world| {
            world.seen.note(true, NOT_WAITING);
            let refused = match result {
                Err(ReadyError::NotWaiting { task, status }) => Some((task.id, status)),
                _ => None,
            };
            world.mirror.agree("why it was not made ready", refused, Some((id, status)));
        });
    }

    fn enter(&self, index: usize, long: bool) {
        if self.with(|world| world.bodies[index].inside) {
            return;
        }
        let (result, _) = self.operate(index, Frame::default(), |machine| {
            if long { machine.enter_long_blocking() } else { machine.enter_blocking() }
        });
        self.with(|world| {
            if result == Err(NotRunning) {
                let held = world.holds(index);
                return world.mirror.agree("what a machine holds that cannot enter", held, None);
            }
            let body = &mut world.bodies[index];
            body.inside = true;
            if let Some(task) = &body.task {
                task.state.enter();
                world.mirror.task(task.id).status = TaskStatus::InSystemCall;
            }
        });
    }

    fn exit_or_not(self: &Arc<Self>, index: usize) {
        if self.with(|world| world.bodies[index].inside) {
            self.leave_call(index);
            return;
        }
        let (result, _) = self.operate(index, Frame::default(), Machine::exit_blocking);
        self.with(|world| world.mirror.agree("an exit from no call", result, Err(NotBlocked)));
    }

    /// Ends the system call, if the task is in one. Whether the task goes on.
    pub(super) fn leave_call(self: &Arc<Self>, index: usize) -> bool {
        if !self.with(|world| core::mem::take(&mut world.bodies[index].inside)) {
            return true;
        }
        let (result, _) = self.operate(index, Frame::default(), Machine::exit_blocking);
        let goes_on = matches!(result, Ok(Exit::Kept | Exit::Got));
        self.with(|world| {
            let held = world.holds(index).is_some();
            world.mirror.agree("whether a system call ends with a processor", goes_on, held);
            if let (true, Some(task)) = (goes_on, &world.bodies[index].task) {
                task.state.exit();
                world.mirror.task(task.id).status = TaskStatus::Running;
            }
        });
        if !goes_on {
            self.requeue_now(index, Machine::yield_now);
        }
        goes_on
    }

    fn lock(&self, index: usize) {
        let (number, _) = self.operate(index, Frame::default(), Machine::lock);
        self.with(|world| {
            let body = &mut world.bodies[index];
            body.locks += 1;
            let id = body.id;
            if let Some(task) = &body.task {
                task.locked.store(number + 1, Ordering::Relaxed);
            }
            world.mirror.agree("the machine that a task is locked to", number, id);
        });
    }

    fn unlock(&self, index: usize) {
        let (last, _) = self.operate(index, Frame::default(), Machine::unlock);
        self.with(|world| {
            let body = &mut world.bodies[index];
            let expected = body.locks == 1;
            body.locks = body.locks.saturating_sub(1);
            if let (true, Some(task)) = (last, &body.task) {
                task.locked.store(0, Ordering::Relaxed);
            }
            world.mirror.agree("whether the last lock was taken back", last, expected);
        });
    }

    /// The machine's poll is over, and brings what input there is.
    pub(super) fn end_poll(&self, index: usize) {
        let frame = Frame { to_global: true, goes_idle: true, ..Frame::default() };
        self.with(|world| world.mirror.stops_polling(world.bodies[index].id));
        self.operate(index, frame, |machine| {
            let mut ready = Batch::with_memory();
            self.hand_out(&mut ready, |world| core::mem::take(&mut world.input).into());
            machine.polled(ready);
        });
    }
}

fn step_is_last(being: Being) -> bool {
    being == Being::Left
}

/// Whether that is what a machine does that was told to sleep: it may have been given something
/// before its step was over.
fn sleeps(being: Being) -> bool {
    matches!(being, Being::Asleep | Being::Roused | Being::Dismissed)
}

/// A task that waits is made ready unless the scheduler has shut down.
fn only_closed(result: Result<(), ReadyError<Task>>) -> Result<(), Closed<Task>> {
    result.map_err(|error| Closed(error.into_task()))
}

impl World {
    /// The machine of that number, if one can be operated.
    pub(super) fn body(&self, number: u8) -> Option<usize> {
        let there = |index: &usize| self.bodies[*index].machine.is_some();
        let indices: Vec<usize> = (0..self.bodies.len()).filter(there).collect();
        (!indices.is_empty()).then(|| indices[usize::from(number) % indices.len()])
    }

    /// The machine that polls, if it can be operated.
    pub(super) fn polling_body(&self) -> Option<usize> {
        self.bodies.iter().position(|body| {
            let being = self.mirror.machines.get(&body.id).map(|machine| machine.being);
            body.machine.is_some() && being == Some(Being::Polling)
        })
    }

    /// What a machine is doing.
    fn being(&mut self, index: usize) -> Being {
        let id = self.bodies[index].id;
        self.mirror.machine(id).being
    }

    /// The processor that a machine holds.
    pub(super) fn holds(&mut self, index: usize) -> Option<usize> {
        let id = self.bodies[index].id;
        self.mirror.machine(id).at
    }

    fn task(&self, number: u8) -> Option<(Task, TaskStatus)> {
        let count = self.tasks.len();
        let task = (count > 0).then(|| self.tasks[usize::from(number) % count].clone())?;
        let status = self.mirror.tasks[task.id - 1].status;
        Some((task, status))
    }

    /// A machine without a task is about to take a step. If it gets as far as to look for work, it
    /// tries again what the host has refused.
    fn before_step(&mut self, index: usize) -> Frame {
        let body = &self.bodies[index];
        let (id, locks) = (body.id, body.locks);
        let stopping = self.mirror.stopping;
        self.mirror.stops_polling(id);
        let machine = *self.mirror.machine(id);
        let will_hold = machine.at.is_some() || machine.being == Being::Roused;
        if will_hold && machine.ahead.is_none() && locks == 0 && !stopping {
            self.mirror.refused = false;
        }
        let must_yield = machine.at.is_some_and(|at| self.mirror.must_yield[at]);
        Frame { must_yield, goes_idle: locks == 0, ..Frame::default() }
    }

    /// The machine was told to run this task.
    fn runs(&mut self, index: usize, task: Task, frame: Frame) {
        let (id, locks) = (self.bodies[index].id, self.bodies[index].locks);
        let Some(at) = self.holds(index) else {
            return self.mirror.object("a machine without a processor runs a task");
        };
        let mirror = &mut self.mirror;
        let (expected, inherited) = match (frame.found, mirror.machine(id).ahead.take()) {
            (Some(found), _) => found,
            (None, Some(ahead)) => {
                // The look at the global queue has its turn after this task.
                mirror.passed_over[at] = 0;
                (ahead, false)
            }
            (None, None) => (0, false),
        };
        mirror.agree("the task that runs", task.id, expected);
        mirror.begins(at, inherited);
        let record = mirror.task(task.id);
        let runnable = record.status == TaskStatus::Runnable;
        record.status = TaskStatus::Running;
        record.ran += 1;
        let often = record.ran == record.readied;
        mirror.require(runnable && often, || format!("task {} runs unasked", task.id));
        let locked = task.locked.load(Ordering::Relaxed);
        let lives = locked > 0
            && mirror.machines.get(&(locked - 1)).is_some_and(|it| it.being != Being::Left);
        let own = locked == id + 1;
        self.mirror
            .require(own == (locks > 0) || own, || "a locked machine runs a stranger".into());
        self.mirror.require(own || !lives, || "a locked task runs elsewhere".into());
        self.bodies[index].task = Some(task);
    }
}
