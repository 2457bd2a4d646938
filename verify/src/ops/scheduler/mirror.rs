//! The reference: every queue as a list, every processor with its owner, every task with its place.
//!
//! It is plain data. `events` changes it, and objects where a change cannot be.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;

use gosched::scheduler::Snapshot;
use gosched::{Config, TaskStatus};

use super::host::CAP;
use crate::ops::reference::LocalReference;
use crate::ops::tracked::Id;

/// Who owns a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    /// The idle word.
    Idle,
    /// A machine.
    With(usize),
    /// Somebody who gives it to a machine; whether a searcher is counted for it.
    Carried(bool),
    /// The system call of a machine.
    Inside(usize),
    /// Whoever has stopped the world.
    Stopped,
    /// Nobody: it is out of service.
    Dead,
}

/// What a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Being {
    /// The host was asked for it.
    Asked,
    /// It runs, or is in a system call, or is about to look for work.
    Going,
    /// It sleeps, and was given something.
    Roused,
    Asleep,
    /// It slept, and was sent home.
    Dismissed,
    Polling,
    Left,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct MachineMirror {
    pub(super) being: Being,
    pub(super) at: Option<usize>,
    pub(super) searching: bool,
    /// It sleeps until the task that is locked to it comes.
    pub(super) locked: bool,
    /// The task that comes with the processor it was given.
    pub(super) ahead: Option<Id>,
}

impl MachineMirror {
    /// A processor was given to it, which it does not hold yet. It may not even sleep yet, if the
    /// task came with it that is locked to it.
    pub(super) fn is_given(&self) -> bool {
        self.at.is_none() && (self.being == Being::Roused || self.ahead.is_some())
    }
}

/// A task: what it should say of itself, and how often it was made runnable and has begun to run.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskMirror {
    pub(super) status: TaskStatus,
    pub(super) readied: u32,
    pub(super) ran: u32,
    /// It was given back by the scheduler, which had shut down.
    pub(super) returned: bool,
}

/// What there is to poll for.
#[derive(Clone, Copy)]
pub(super) struct Outlook {
    pub(super) has_poller: bool,
    /// Some timer is pending.
    pub(super) timers: bool,
    /// Some timer is due.
    pub(super) due: bool,
}

#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) interval: u64,
    pub(super) chain: u32,
    pub(super) most_machines: usize,
    pub(super) active: usize,
    pub(super) queues: Vec<LocalReference>,
    pub(super) global: VecDeque<Id>,
    pub(super) processors: Vec<At>,
    pub(super) slices: Vec<u64>,
    /// How many tasks in a row ran in the slice of another.
    pub(super) inherited: Vec<u32>,
    pub(super) must_yield: Vec<bool>,
    /// How many slices each processor has begun while the same task was first in the global queue.
    pub(super) passed_over: Vec<u64>,
    pub(super) searching: usize,
    pub(super) machines: BTreeMap<usize, MachineMirror>,
    /// Those that sleep and that no task is locked to: who has slept longest comes first.
    pub(super) sleepers: Vec<usize>,
    pub(super) tasks: Vec<TaskMirror>,
    pub(super) stopping: bool,
    /// The processor that goes back to the machine that has stopped the world.
    pub(super) own: Option<usize>,
    pub(super) closed: bool,
    /// The host has refused a machine, and nobody has tried again.
    pub(super) refused: bool,
    /// The host is about to refuse one.
    pub(super) refusing: bool,
    /// It was told that everybody sleeps, and nobody has woken since.
    pub(super) told: bool,
    fault: Option<String>,
}

impl Mirror {
    pub(super) fn new(config: &Config) -> Self {
        let count = config.max_processors;
        let at = |id| if id < config.processors { At::Idle } else { At::Dead };
        Self {
            interval: config.global_interval.into(),
            chain: config.slot_chain.get(),
            most_machines: config.max_machines,
            active: config.processors,
            queues: vec![LocalReference::new(CAP); count],
            global: VecDeque::new(),
            processors: (0..count).map(at).collect(),
            slices: vec![0; count],
            inherited: vec![0; count],
            must_yield: vec![false; count],
            passed_over: vec![0; count],
            searching: 0,
            machines: BTreeMap::new(),
            sleepers: Vec::new(),
            tasks: Vec::new(),
            stopping: false,
            own: None,
            closed: false,
            refused: false,
            refusing: false,
            told: false,
            fault: None,
        }
    }

    /// Objects. The first objection stands; what comes later may follow from it.
    pub(super) fn object(&mut self, what: impl Into<String>) {
        self.fault.get_or_insert_with(|| what.into());
    }

    /// Objects unless it holds.
    pub(super) fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.object(what());
        }
    }

    /// Objects unless both are the same.
    pub(super) fn agree<T: PartialEq + Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.object(format!("{what}: found {found:?}, the reference says {expected:?}"));
        }
    }

    pub(super) fn fault(&self) -> Option<&String> {
        self.fault.as_ref()
    }

    pub(super) fn idle(&self) -> usize {
        self.processors.iter().filter(|at| **at == At::Idle).count()
    }

    pub(super) fn is_closed_or_stopping(&self) -> bool {
        self.closed || self.stopping
    }

    /// How many machines there are, those that were asked for included, and how many of them sleep.
    pub(super) fn count(&self) -> (usize, usize) {
        let beings = || self.machines.values().map(|machine| machine.being);
        let there = beings().filter(|being| *being != Being::Left).count();
        (there, beings().filter(|being| *being == Being::Asleep).count())
    }

    /// A machine that has said so falls asleep: from now on it can be found.
    pub(super) fn falls_asleep(&mut self, id: usize) {
        if !self.closed && !self.machine(id).locked {
            self.sleepers.push(id);
        }
    }

    /// Who has slept longest is sent home, if more than `keep` sleep. Whether one was.
    pub(super) fn dismiss(&mut self, keep: usize) -> bool {
        let dismisses = self.sleepers.len() > keep;
        if dismisses {
            let longest = self.sleepers.remove(0);
            self.machine(longest).being = Being::Dismissed;
        }
        dismisses
    }

    /// Whether a task is queued anywhere.
    pub(super) fn has_work(&self) -> bool {
        !self.global.is_empty() || self.queues.iter().any(|queue| !queue.is_empty())
    }

    /// A new task; returns its number, from 1.
    pub(super) fn create(&mut self) -> Id {
        let status = TaskStatus::New;
        self.tasks.push(TaskMirror { status, readied: 0, ran: 0, returned: false });
        self.tasks.len()
    }

    pub(super) fn task(&mut self, id: Id) -> &mut TaskMirror {
        &mut self.tasks[id - 1]
    }

    /// A task is runnable from now on.
    pub(super) fn readied(&mut self, id: Id) {
        let task = self.task(id);
        task.status = TaskStatus::Runnable;
        task.readied += 1;
    }

    pub(super) fn machine(&mut self, id: usize) -> &mut MachineMirror {
        self.machines.entry(id).or_insert(MachineMirror {
            being: Being::Going,
            at: None,
            searching: false,
            locked: false,
            ahead: None,
        })
    }

    pub(super) fn push_global(&mut self, ids: impl IntoIterator<Item = Id>) {
        self.global.extend(ids);
    }

    /// A task begins. If a slice does, too, whoever is first in the global queue was passed over.
    pub(super) fn begins(&mut self, at: usize, inherited: bool) {
        if inherited {
            self.inherited[at] += 1;
            return;
        }
        self.slices[at] += 1;
        self.inherited[at] = 0;
        let waits = !self.global.is_empty();
        self.passed_over[at] = if waits { self.passed_over[at] + 1 } else { 0 };
        let (passed_over, most) = (self.passed_over[at], self.interval);
        self.require(passed_over <= most, || {
            format!("processor {at} passed over the first in the global queue {passed_over} times")
        });
    }

    /// The number of processors changes: what goes out of service leaves its tasks in front.
    pub(super) fn resize(&mut self, to: usize) {
        for id in (to..self.active).rev() {
            for task in self.queues[id].drain().into_iter().rev() {
                self.global.push_front(task);
            }
            self.processors[id] = At::Dead;
        }
        for id in self.active..to {
            self.processors[id] = At::Stopped;
        }
        self.own = self.own.map(|own| if own < to { own } else { 0 });
        self.passed_over.fill(0);
        self.active = to;
    }

    /// The world stops, as far as one step can: what is idle or in a system call is taken, and what
    /// the stopper itself holds.
    pub(super) fn stop(&mut self, by: Option<usize>) {
        self.stopping = true;
        for at in &mut self.processors {
            if matches!(at, At::Idle | At::Inside(_)) {
                *at = At::Stopped;
            }
        }
        self.own = None;
        let Some(by) = by else { return };
        let machine = self.machine(by);
        let searching = std::mem::take(&mut machine.searching);
        if let Some(own) = machine.at.take() {
            self.processors[own] = At::Stopped;
            self.own = Some(own);
        }
        self.searching -= usize::from(searching);
    }

    /// All tasks, in the order in which a shutdown returns them.
    pub(super) fn take_all(&mut self) -> Vec<Id> {
        let active = self.active;
        let local = self.queues[..active].iter_mut().flat_map(LocalReference::drain);
        let mut all: Vec<Id> = local.collect();
        all.extend(self.global.drain(..));
        all
    }

    /// Which processors are asked to yield. They take note of it without a word.
    pub(super) fn see_requests(&mut self, snapshot: &Snapshot) {
        for (asked, processor) in self.must_yield.iter_mut().zip(&snapshot.processors) {
            *asked = processor.must_yield;
        }
    }

    /// If the machine polls, its poll is over.
    pub(super) fn stops_polling(&mut self, id: usize) {
        let machine = self.machine(id);
        if machine.being == Being::Polling {
            machine.being = Being::Going;
        }
    }

    /// Whether nothing can happen any more.
    pub(super) fn is_dead(&self, announced: usize, pending: bool) -> bool {
        let (there, asleep) = self.count();
        announced == 0
            && there == asleep
            && self.idle() == self.active
            && self.searching == 0
            && !self.is_closed_or_stopping()
            && !self.has_work()
            && !pending
    }
}
