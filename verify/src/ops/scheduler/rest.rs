//! What holds whenever no operation is under way.

use std::sync::Arc;

use gosched::{ProcessorState, TaskStatus};

use super::Polling;
use super::events::Frame;
use super::mirror::{At, Being};
use super::world::{Sim, World};

impl Sim {
    /// Between two operations: the scheduler's picture of itself is the reference's, and nobody
    /// sleeps while there is work.
    pub(super) fn check_rest(&self) {
        let scheduler = self.scheduler();
        let (snapshot, sleeping) = (scheduler.snapshot(), scheduler.sleeping());
        self.with(|world| {
            let mirror = &mut world.mirror;
            mirror.agree("idle processors", snapshot.idle, mirror.idle());
            mirror.agree("searchers", snapshot.searching, mirror.searching);
            mirror.agree("tasks in the global queue", snapshot.global, mirror.global.len());
            mirror.agree("whether the world stands still", snapshot.stopped, mirror.stopping);
            let (machines, asleep) = mirror.count();
            if !mirror.closed {
                mirror.agree("machines", snapshot.machines, machines);
                mirror.agree("machines that sleep", snapshot.sleeping, asleep);
            }
            mirror.agree("who can be sent home", sleeping, mirror.sleepers.len());
            let polls = mirror.machines.values().any(|machine| machine.being == Being::Polling);
            mirror.agree("whether a machine polls", snapshot.polling, polls);
            mirror.agree("processors", snapshot.processors.len(), mirror.active);
            for (id, processor) in snapshot.processors.iter().enumerate() {
                mirror.agree("the queue's length", processor.queued, mirror.queues[id].len());
                mirror.agree("slices", processor.slices, mirror.slices[id]);
                let state = match mirror.processors[id] {
                    At::Idle => ProcessorState::Idle,
                    At::With(_) | At::Carried(_) => ProcessorState::Running,
                    At::Inside(_) => ProcessorState::InSystemCall,
                    At::Stopped => ProcessorState::Stopped,
                    At::Dead => ProcessorState::Dead,
                };
                mirror.agree("the processor's state", processor.state, state);
            }
            world.mirror.see_requests(&snapshot);
            world.check_searchers();
            world.check_tasks();
            world.check_sleep();
        });
    }

    /// After the last operation: every task has run as often as it was made runnable, or was given
    /// back.
    pub(super) fn check_end(&self) {
        self.with(|world| {
            let mut lost = Vec::new();
            for (task, record) in world.tasks.iter().zip(&world.mirror.tasks) {
                let kept = world.mirror.closed && record.status == TaskStatus::Waiting;
                let ran = record.ran + u32::from(record.returned) == record.readied;
                let rests = matches!(record.status, TaskStatus::Dead | TaskStatus::New);
                if !ran || !(rests || kept || record.returned) {
                    lost.push(task.id);
                }
            }
            world.mirror.agree("tasks that were lost", lost, Vec::new());
            world.timers.clear();
            world.input.clear();
            let held = world.tasks.iter().filter(|task| Arc::strong_count(task) != 1);
            let held: Vec<usize> = held.map(|task| task.id).collect();
            world.mirror.agree("tasks that somebody still holds", held, Vec::new());
        });
    }

    /// A task that waits is made ready.
    pub(super) fn ready_number(&self, index: usize) {
        let task = self.with(|world| world.tasks[index].clone());
        let (scheduler, id) = (self.scheduler(), task.id);
        let frame: Frame = self.publishing(id);
        let (result, _) = self.within(frame, || scheduler.ready(task));
        let result = result.map_err(|error| gosched::scheduler::Closed(error.into_task()));
        self.submitted(id, result);
    }
}

impl World {
    /// Whether every machine sleeps, polls or has left.
    pub(super) fn bodies_rest(&self) -> bool {
        self.bodies.iter().all(|body| {
            let being = self.mirror.machines.get(&body.id).map(|machine| machine.being);
            let rests = matches!(being, Some(Being::Asleep | Being::Polling | Being::Left) | None);
            body.machine.is_none() || body.task.is_none() && rests
        })
    }

    /// Searchers are the machines that search, and those to come for whom one is counted.
    fn check_searchers(&mut self) {
        let machines = self.mirror.machines.values().filter(|machine| machine.searching).count();
        let carried = self.mirror.processors.iter().filter(|at| **at == At::Carried(true)).count();
        let searching = self.mirror.searching;
        self.mirror.agree("searchers that are counted", searching, machines + carried);
    }

    fn check_tasks(&mut self) {
        for task in &self.tasks {
            let expected = self.mirror.tasks[task.id - 1].status;
            self.mirror.agree("the status of a task", task.state.status(), expected);
        }
    }

    /// L1, and that it was told if everybody sleeps.
    fn check_sleep(&mut self) {
        let going = |body: &super::world::Body| {
            let being = self.mirror.machines.get(&body.id).map(|machine| machine.being);
            let asleep = matches!(being, Some(Being::Asleep | Being::Polling));
            body.machine.is_some() && body.task.is_none() && !asleep
        };
        let at_rest = self.asked.is_empty() && !self.bodies.iter().any(going);
        let runs = !self.mirror.is_closed_or_stopping() && !self.mirror.refused;
        if !at_rest || !runs {
            return;
        }
        let (idle, work) = (self.mirror.idle(), self.mirror.has_work());
        self.mirror.require(idle == 0 || !work, || {
            format!("{idle} processors are idle, nobody searches, and there is work")
        });
        self.mirror.agree("searchers at rest", self.mirror.searching, 0);
        let overdue = self.any_due() && !self.broken && self.polling_body().is_none();
        self.mirror.require(idle == 0 || !overdue, || "a timer is due, and nobody knows".into());
        let pending = self.polling != Polling::Never && !self.timers.is_empty();
        let dead = self.mirror.is_dead(self.outsiders.len(), pending);
        let machines = self.mirror.count().0;
        let told = self.mirror.told || machines == 0;
        self.mirror.require(!dead || told, || "nobody was told that all sleep".into());
    }
}
