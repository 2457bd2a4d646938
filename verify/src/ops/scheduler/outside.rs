//! What everybody does who is no machine, and what needs the world to stand still.

use std::sync::Arc;

use gosched::scheduler::{ResizeError, StopError, StoppedWorld};
use gosched::{ConfigError, Nap};

use super::Polling;
use super::SchedulerOp;
use super::events::{DISMISSED, Frame, RESIZED, SHUT_DOWN, STOPPER_WAITED};
use super::host::{CAP, Ready, Simulated};
use super::mirror::{At, Being};
use super::world::{Body, Sim, World};

/// How long a unit of time is: a quarter of the longest slice.
const UNIT: u64 = 2_500_000;

impl Sim {
    /// An operation that is none of a task.
    pub(super) fn outside(self: &Arc<Self>, op: SchedulerOp) {
        use SchedulerOp as Op;
        match op {
            Op::PollEnds(_) => {
                if let Some(index) = self.with(|world| world.polling_body()) {
                    self.end_poll(index);
                }
            }
            Op::Drop(machine) => self.drop_machine(machine),
            Op::Bring => self.bring(),
            Op::Begin(request) => self.begin(request),
            Op::Refuse(request) => {
                let start =
                    self.with(|world| world.request(request).map(|at| world.asked.remove(at)));
                if let Some(start) = start {
                    self.within(Frame::default(), || self.refuse(start));
                }
            }
            Op::RefuseNext(count) => self.with(|world| world.refuse_next = count % 4),
            Op::Inject => {
                let (scheduler, task) = (self.scheduler(), self.with(World::create));
                let id = task.id;
                let (result, _) = self.within(self.publishing(id), || scheduler.inject(task));
                self.submitted(id, result);
            }
            Op::InjectBatch(count) => self.inject_batch(count % 8),
            Op::ReadyOutside(task) => self.ready(None, task),
            Op::Announce => {
                let outsider = self.scheduler().outside();
                self.with(|world| world.outsiders.push(outsider));
            }
            Op::Withdraw => {
                let outsider = self.with(|world| world.outsiders.pop());
                self.within(Frame::default(), || drop(outsider));
            }
            Op::Input(count) => self.with(|world| {
                if world.polling != Polling::Never {
                    let tasks: Vec<_> = (0..count % 4).map(|_| world.create()).collect();
                    world.input.extend(tasks);
                }
            }),
            Op::Timer(processor, delay) if self.with(|it| it.polling != Polling::Never) => {
                self.timer(processor, delay);
            }
            Op::Advance(units) => self.with(|world| world.now += u64::from(units) * UNIT),
            Op::Monitor(units) => self.monitor(units),
            Op::Dismiss(keep) => self.dismiss(usize::from(keep % 4)),
            _ => {}
        }
    }

    fn bring(self: &Arc<Self>) {
        let scheduler = self.scheduler();
        let (result, _) = self.within(Frame::default(), || scheduler.machine());
        self.with(|world| {
            let (count, _) = world.mirror.count();
            let id = result.as_ref().map(gosched::Machine::id).ok();
            let others =
                count - usize::from(id.is_some_and(|id| world.mirror.machines.contains_key(&id)));
            let room = others < world.mirror.most_machines && !world.mirror.closed;
            world.mirror.agree("whether a thread becomes a machine", result.is_ok(), room);
            if let Ok(machine) = result {
                world.mirror.machine(machine.id());
                world.mirror.told = false;
                world.bodies.push(Body::new(machine));
            }
        });
    }

    pub(super) fn begin(&self, request: u8) {
        let Some(start) =
            self.with(|world| world.request(request).map(|at| world.asked.remove(at)))
        else {
            return;
        };
        let (machine, _) = self.within(Frame::default(), || start.begin());
        self.with(|world| world.bodies.push(Body::new(machine)));
    }

    /// The machine goes. A task that it runs has ended, as if it had panicked.
    fn drop_machine(self: &Arc<Self>, machine: u8) {
        let Some(index) = self.with(|world| world.body(machine)) else { return };
        let given = self.with(|world| {
            let id = world.bodies[index].id;
            world.mirror.machine(id).is_given() && !world.frames.is_empty()
        });
        if given {
            // Whoever gives it something is in the middle of that, and it would wait for him.
            return;
        }
        self.with(|world| {
            world.mirror.stops_polling(world.bodies[index].id);
            if let Some(task) = world.bodies[index].task.take() {
                if core::mem::take(&mut world.bodies[index].inside) {
                    task.state.exit();
                }
                task.state.end();
                world.mirror.task(task.id).status = gosched::TaskStatus::Dead;
            }
        });
        let machine = self.with(|world| world.bodies[index].machine.take());
        let frame = Frame { dropping: true, ..Frame::default() };
        self.within(frame, || drop(machine));
        self.with(|world| {
            let id = world.bodies[index].id;
            let being = world.mirror.machine(id).being;
            world.mirror.agree("what a dropped machine does", being, Being::Left);
        });
    }

    fn inject_batch(&self, count: u8) {
        let tasks: Vec<_> = (0..count).map(|_| self.with(World::create)).collect();
        let ids: Vec<usize> = tasks.iter().map(|task| task.id).collect();
        for &id in &ids {
            self.with(|world| world.mirror.readied(id));
        }
        let scheduler = self.scheduler();
        let frame = Frame { pending: ids.clone(), ..Frame::default() };
        let (result, _) = self.within(frame, || scheduler.inject_batch(Self::batch(tasks)));
        let back = match result {
            Ok(()) => Vec::new(),
            Err(closed) => closed.0.into_iter().map(|task| task.id).collect(),
        };
        self.with(|world| {
            let expected = if world.mirror.closed { ids } else { Vec::new() };
            for &id in &expected {
                world.mirror.task(id).returned = true;
            }
            world.mirror.agree("the tasks that came back", back, expected);
        });
    }

    fn timer(&self, processor: u8, delay: u8) {
        let when = self.with(|world| {
            let task = world.create();
            let when = world.now + u64::from(delay) * UNIT;
            let processor = usize::from(processor) % world.mirror.active;
            world.timers.push((processor, when, task));
            when
        });
        let scheduler = self.scheduler();
        self.within(Frame::default(), || scheduler.timer_added(when));
    }

    pub(super) fn monitor(&self, units: u8) {
        let Some(mut monitor) = self.with(|world| world.monitor.take()) else { return };
        let now = self.with(|world| {
            world.mirror.refused = false;
            world.now += u64::from(units) * UNIT;
            world.now
        });
        let frame = Frame { to_global: true, ..Frame::default() };
        let (round, _) = self.within(frame, || monitor.step(now));
        self.with(|world| {
            world.monitor = Some(monitor);
            let mirror = &mut world.mirror;
            let all_idle = mirror.idle() == mirror.active;
            let rests = mirror.stopping || all_idle && !mirror.refused;
            let (deep, end) = (round.nap == Nap::Deep, round.nap == Nap::End);
            let closed = mirror.closed;
            mirror.agree("whether the monitor ends", end, closed);
            if world.frames.is_empty() {
                mirror.agree("whether the monitor sleeps deeply", deep, rests && !closed);
            }
        });
    }

    /// Nobody is told which machine is sent home: it shows when that one leaves.
    fn dismiss(&self, keep: usize) {
        let scheduler = self.scheduler();
        let (dismissed, _) = self.within(Frame::default(), || scheduler.dismiss(keep));
        let sleeping = scheduler.sleeping();
        self.with(|world| {
            let expected = world.mirror.dismiss(keep);
            world.seen.note(expected, DISMISSED);
            world.mirror.agree("whether a machine is sent home", dismissed, expected);
            world.mirror.agree("who can be sent home", sleeping, world.mirror.sleepers.len());
        });
    }

    /// Who stops the world waits: some other machine comes to a scheduling point.
    ///
    /// # Panics
    ///
    /// If none can: the wait has no end.
    pub(super) fn interlude(self: &Arc<Self>) {
        let next = self.with(|world| {
            world.count_call();
            world.seen.note(true, STOPPER_WAITED);
            if !world.asked.is_empty() {
                return None;
            }
            let waited_for = |body: &Body| {
                let machine = world.mirror.machines.get(&body.id);
                let holds = machine.is_some_and(|it| it.at.is_some() || it.is_given());
                body.machine.is_some() && holds && world.mirror.stopping
            };
            let index = world.bodies.iter().position(waited_for);
            Some((index.expect("a thread waits for ever"), ()))
        });
        let Some((index, ())) = next else { return self.begin(0) };
        if self.with(|world| world.bodies[index].task.is_some()) {
            self.requeue(index, gosched::Machine::yield_now);
        } else {
            self.step(index);
        }
    }

    /// An operation that waits for machines, and so comes in no interrupt.
    pub(super) fn standstill(self: &Arc<Self>, op: SchedulerOp) {
        match op {
            SchedulerOp::Resize(count) => self.resize(count),
            SchedulerOp::Stop => {
                let scheduler = self.scheduler();
                self.stop(None, || scheduler.stop_the_world());
            }
            SchedulerOp::StopBy(machine) => {
                let Some((index, id)) = self.with(|world| world.stopper(machine)) else { return };
                self.stop_by(index, id);
            }
            SchedulerOp::Resume => self.resume(),
            SchedulerOp::ShutDown => {
                let scheduler = self.scheduler();
                self.shut_down(None, || scheduler.shutdown());
            }
            SchedulerOp::ShutDownBy(machine) => {
                let Some((index, id)) = self.with(|world| world.stopper(machine)) else { return };
                self.shut_down(Some((index, id)), || unreachable!("the machine does"));
            }
            _ => {}
        }
    }

    /// Why the world cannot be stopped, if so; else the reference stops it.
    fn try_stop(&self, by: Option<(usize, usize)>) -> Option<StopError> {
        self.with(|world| {
            let inside = by.is_some_and(|(index, _)| world.bodies[index].inside);
            let error = match (inside, world.mirror.closed, world.mirror.stopping) {
                (true, ..) => Some(StopError::Blocked),
                (false, true, _) => Some(StopError::Closed),
                (false, false, true) => Some(StopError::AlreadyStopped),
                _ => None,
            };
            if error.is_none() {
                world.mirror.stop(by.map(|(_, id)| id));
            }
            error
        })
    }

    /// The world was stopped, or not.
    fn stopped<T>(&self, result: Result<T, StopError>, expected: Option<StopError>) -> Option<T> {
        self.with(|world| {
            let mirror = &mut world.mirror;
            let all = mirror.processors[..mirror.active].iter().all(|at| *at == At::Stopped);
            mirror.require(result.is_err() || all, || "the world does not stand still".into());
            mirror.agree("why the world was not stopped", result.as_ref().err().copied(), expected);
        });
        result.ok()
    }

    fn stop(
        &self,
        by: Option<usize>,
        call: impl FnOnce() -> Result<StoppedWorld<Simulated, CAP>, StopError>,
    ) {
        let expected = self.try_stop(None);
        let (result, _) = self.within(Frame::default(), call);
        let stopped = self.stopped(result, expected);
        self.with(|world| world.stopped = world.stopped.take().or(stopped.map(|it| (it, by))));
    }

    fn stop_by(&self, index: usize, id: usize) {
        let expected = self.try_stop(Some((index, id)));
        let (result, _) = self.operate(index, Frame::default(), gosched::Machine::stop_the_world);
        let stopped = self.stopped(result, expected);
        self.with(|world| {
            world.stopped = world.stopped.take().or(stopped.map(|it| (it, Some(index))))
        });
    }

    /// The world goes on, if it was stopped.
    pub(super) fn resume(&self) {
        let Some((stopped, by)) = self.with(|world| world.stopped.take()) else { return };
        let by = by.filter(|&index| {
            self.with(|world| {
                let body = &world.bodies[index];
                let there = body.machine.is_some();
                let machine = world.mirror.machines.get(&body.id);
                let runs = machine.is_some_and(|it| it.being == Being::Going);
                world.mirror.own = world.mirror.own.filter(|_| there && runs && !body.inside);
                there
            })
        });
        match by {
            Some(index) => {
                self.operate(index, Frame::default(), |machine| machine.resume(stopped));
            }
            None => {
                self.within(Frame::default(), || drop(stopped));
            }
        }
    }

    fn resize(&self, count: u8) {
        let scheduler = self.scheduler();
        let most = scheduler.config().max_processors;
        let count = usize::from(count) % (most + 2);
        let wrong = (count == 0 || count > most).then_some(ConfigError::Processors { most });
        let held = self.with(|world| {
            let queues = &world.mirror.queues;
            let leaves = queues.iter().skip(count).any(|queue| !queue.is_empty());
            world.seen.note(leaves && wrong.is_none(), RESIZED);
            world.stopped.take()
        });
        if let Some((mut stopped, by)) = held {
            let (result, _) = self.within(Frame::default(), || stopped.set_processors(count));
            return self.with(|world| {
                world.stopped = Some((stopped, by));
                world.mirror.agree("the error of a resize", result.err(), wrong);
            });
        }
        let expected =
            self.try_stop(None).map(ResizeError::Stop).or(wrong.map(ResizeError::Config));
        let (result, _) = self.within(Frame::default(), || scheduler.set_processors(count));
        self.with(|world| world.mirror.agree("the error of a resize", result.err(), expected));
    }

    pub(super) fn shut_down(
        &self,
        by: Option<(usize, usize)>,
        call: impl FnOnce() -> Result<Ready, StopError>,
    ) {
        let expected = self.try_stop(by);
        self.with(|world| world.shutting_down = expected.is_none());
        let (result, _) = match by {
            None => self.within(Frame::default(), call),
            Some((index, _)) => self.operate(index, Frame::default(), gosched::Machine::shutdown),
        };
        self.with(|world| world.shutting_down = false);
        let Some(tasks) = self.stopped(result, expected) else { return };
        let tasks: Vec<usize> = tasks.into_iter().map(|task| task.id).collect();
        self.with(|world| {
            world.seen.note(!tasks.is_empty(), SHUT_DOWN);
            world.mirror.closed = true;
            world.mirror.sleepers.clear();
            let expected = world.mirror.take_all();
            for &id in &expected {
                world.mirror.task(id).returned = true;
            }
            world.mirror.agree("the tasks that a shutdown returns", tasks, expected);
        });
    }
}

impl World {
    fn request(&self, number: u8) -> Option<usize> {
        let count = self.asked.len();
        (count > 0).then(|| usize::from(number) % count)
    }

    /// The machine of that number, if it holds a processor or is in a system call: its index and
    /// its number.
    fn stopper(&self, number: u8) -> Option<(usize, usize)> {
        let index = self.body(number)?;
        let body = &self.bodies[index];
        let holds = self.mirror.machines.get(&body.id).is_some_and(|it| it.at.is_some());
        (holds || body.inside).then_some((index, body.id))
    }
}
