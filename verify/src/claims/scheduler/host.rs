//! The host of the models: it starts nothing by itself.
//!
//! A machine that the scheduler asks for is kept until the model begins it, in whichever thread it
//! chooses. So a model has exactly the threads that it made, and its last one can finish what the
//! others left: begin the machines that were asked for, run all that sleep, and then judge.

use core::num::NonZeroUsize;

use gosched::memory::{Atomic, Lock, Ordering, RaceCell};
use gosched::{
    Batch, Config, Deadline, Host, Machine, NoObserver, Scheduler, StartMachine, Step, TaskState,
};

use crate::claim::Bounds;
use crate::tasks::Tasks;
use crate::world::World;

/// Tasks are numbers; what they carry stands in [`Tasks`].
pub(super) type Task = NonZeroUsize;

/// The capacity of the models' rings: the smallest from which a thief takes more than one task.
pub(super) const CAP: usize = 4;

/// The bounds of most models here: they have many more steps than those of a queue.
pub(super) const SMALL: Bounds = Bounds {
    loom_fast: Some(2),
    loom_thorough: Some(3),
    shuttle: 2_000,
    stress: 500,
    ..Bounds::TWO_THREADS
};

/// A host for models.
pub(super) struct ModelHost<W: World> {
    /// Machines that were asked for and not begun.
    asked: W::Mutex<Vec<StartMachine<Self, CAP>>>,
    /// How many machines it still refuses.
    refuses: W::AtomicUsize,
    /// How often it was told that all sleep.
    told: W::Mutex<u32>,
    states: Option<Vec<TaskState<W>>>,
    /// Each task's machine and one, or 0.
    locks: Vec<W::AtomicUsize>,
    timer: Option<Timer<W>>,
    /// What a poll uses, one at a time.
    poller: Option<W::Cell<u32>>,
}

/// One timer, which makes one task runnable; the poller waits for it alone.
struct Timer<W: World> {
    /// When it is due; 0: it was not set, or has gone off.
    due: W::AtomicU64,
    /// The time.
    now: W::AtomicU64,
    /// Whether a poll was called back since the last.
    broken: W::AtomicU32,
    task: Task,
}

impl<W: World> Host<CAP> for ModelHost<W> {
    type Task = Task;
    type Memory = W;
    type Parker = W::Parker;
    type Observer = NoObserver;

    fn observer(&self) -> &NoObserver {
        &NoObserver
    }

    fn start_machine(&self, start: StartMachine<Self, CAP>) {
        // ORDER: Relaxed: the host's own count; one thread at a time refuses.
        let refuses = self.refuses.load(Ordering::Relaxed);
        if refuses > 0 {
            // ORDER: Relaxed: as above.
            self.refuses.store(refuses - 1, Ordering::Relaxed);
        } else {
            self.asked.with(|asked| asked.push(start));
        }
    }

    fn random(&self) -> u32 {
        1
    }

    fn back_off(&self) {}

    fn all_asleep(&self) {
        self.told.with(|told| *told += 1);
    }

    fn state<'a>(&'a self, task: &'a Task) -> Option<&'a TaskState<W>> {
        Some(&self.states.as_ref()?[task.get() - 1])
    }

    fn locked_to(&self, task: &Task) -> Option<usize> {
        // ORDER: Relaxed: written by the task itself, before it stops.
        self.locks.get(task.get() - 1)?.load(Ordering::Relaxed).checked_sub(1)
    }

    fn has_poller(&self) -> bool {
        self.timer.is_some() || self.poller.is_some()
    }

    fn now(&self) -> u64 {
        // ORDER: Relaxed: a clock.
        self.timer.as_ref().map_or(0, |timer| timer.now.load(Ordering::Relaxed))
    }

    fn poll(&self, _wait: Option<Deadline>, _ready: &mut Batch<Task, W>) {
        if let Some(polls) = &self.poller {
            polls.with_mut(|polls| {
                // SAFETY: in the models with such a poller one thread polls at a time: that is what
                // they check.
                unsafe { *polls += 1 };
            });
        }
    }

    fn break_poll(&self) {
        if let Some(timer) = &self.timer {
            // ORDER: Release: as the eventfd of a real poller.
            timer.broken.store(1, Ordering::Release);
        }
    }

    fn take_due(&self, processor: usize, ready: &mut Batch<Task, W>) {
        let Some(timer) = &self.timer else { return };
        // ORDER: Acquire: pairs with the Release of `set_timer`. Relaxed on failure.
        if processor == 0 && self.has_due(0) && timer.due.swap(0, Ordering::Acquire) != 0 {
            ready.push(timer.task);
        }
    }

    fn has_due(&self, processor: usize) -> bool {
        processor == 0 && self.next_deadline().is_some_and(|due| due <= self.now())
    }

    fn next_deadline(&self) -> Option<u64> {
        let timer = self.timer.as_ref()?;
        // ORDER: Acquire: pairs with the Release of `set_timer`.
        Some(timer.due.load(Ordering::Acquire)).filter(|&due| due != 0)
    }
}

/// What a model needs of its scheduler.
#[derive(Clone, Copy)]
pub(super) struct Setup {
    pub(super) processors: usize,
    /// The most processors there may be.
    pub(super) most: usize,
    /// The most machines there may be.
    pub(super) machines: usize,
    pub(super) tasks: usize,
    pub(super) many_words: bool,
    /// How many machines the host refuses before it starts one.
    pub(super) refuses: usize,
    /// Whether tasks carry a status.
    pub(super) states: bool,
    /// Whether tasks may lock themselves to a machine.
    pub(super) locks: bool,
    /// Whether there is a poller with a timer, which makes the last task runnable.
    pub(super) timer: bool,
    /// Whether there is a poller that nobody may use twice at a time.
    pub(super) poller: bool,
}

impl Setup {
    pub(super) const fn new(processors: usize, tasks: usize) -> Self {
        Self {
            processors,
            most: processors,
            machines: 10_000,
            tasks,
            many_words: false,
            refuses: 0,
            states: false,
            locks: false,
            timer: false,
            poller: false,
        }
    }
}

/// A scheduler under check, and the payloads of its tasks.
pub(super) struct Bench<W: World> {
    pub(super) scheduler: Scheduler<ModelHost<W>, CAP>,
    pub(super) tasks: Tasks<W>,
}

impl<W: World> Clone for Bench<W> {
    fn clone(&self) -> Self {
        Self { scheduler: self.scheduler.clone(), tasks: self.tasks.clone() }
    }
}

pub(super) type ModelMachine<W> = Machine<ModelHost<W>, CAP>;

impl<W: World> Bench<W> {
    pub(super) fn new(setup: Setup) -> Self {
        let mut config = Config::new(setup.processors);
        config.max_processors = setup.most;
        config.max_machines = setup.machines;
        config.steal_rounds = 1;
        config.many_words = setup.many_words;
        let tasks = 0..setup.tasks;
        let host = ModelHost {
            asked: W::Mutex::new(Vec::new()),
            refuses: Atomic::new(setup.refuses),
            told: W::Mutex::new(0),
            states: setup.states.then(|| tasks.clone().map(|_| TaskState::with_memory()).collect()),
            locks: tasks.take_while(|_| setup.locks).map(|_| Atomic::new(0)).collect(),
            timer: setup.timer.then(|| Timer {
                due: Atomic::new(0),
                now: Atomic::new(1),
                broken: Atomic::new(0),
                task: Task::new(setup.tasks).expect("there is a task for the timer"),
            }),
            poller: setup.poller.then(|| RaceCell::new(0)),
        };
        let scheduler = Scheduler::new(host, config).expect("the numbers make sense");
        Self { scheduler, tasks: Tasks::new(setup.tasks) }
    }

    pub(super) fn machine(&self) -> ModelMachine<W> {
        self.scheduler.machine().expect("there is room for it")
    }

    /// A new task, with its payload.
    pub(super) fn task(&self, id: usize) -> Task {
        self.tasks.create(id);
        Task::new(id).expect("tasks count from 1")
    }

    /// Takes one step. What it ran, if anything.
    pub(super) fn run_one(&self, machine: &mut ModelMachine<W>) -> Option<usize> {
        match machine.step() {
            Step::Run(task) => {
                self.tasks.run(task.get());
                Some(task.get())
            }
            _ => None,
        }
    }

    /// Takes steps until there is nothing more to run without a wait. What it ran.
    pub(super) fn run_until_asleep(&self, machine: &mut ModelMachine<W>) -> Vec<usize> {
        core::iter::from_fn(|| self.run_one(machine)).collect()
    }

    /// Finishes what the threads have left, when all are joined: wakes and machines that are under
    /// way. `machines` are those that run no task for ever. Returns what was run, and asserts that
    /// no task is queued while a processor is idle.
    ///
    /// # Panics
    ///
    /// If work is stranded, or a searcher is counted that is none.
    pub(super) fn settle<'a>(
        &self,
        machines: impl IntoIterator<Item = &'a mut ModelMachine<W>>,
    ) -> Vec<usize> {
        let mut machines: Vec<_> = machines.into_iter().collect();
        let mut begun = Vec::new();
        let mut ran = Vec::new();
        loop {
            let before = ran.len();
            ran.extend(self.begin_asked(&mut begun));
            for machine in &mut machines {
                ran.extend(self.run_until_asleep(machine));
            }
            if ran.len() == before && self.scheduler.host().asked.with(|asked| asked.is_empty()) {
                break;
            }
        }
        self.assert_at_rest();
        ran
    }

    /// Begins the machines that were asked for, behind `begun`, and runs them until nothing is
    /// left. What they ran. For a thread on which another waits.
    pub(super) fn begin_asked(&self, begun: &mut Vec<ModelMachine<W>>) -> Vec<usize> {
        begun.extend(self.asked().into_iter().map(StartMachine::begin));
        begun.iter_mut().flat_map(|machine| self.run_until_asleep(machine)).collect()
    }

    /// How many tasks the machines ran that were asked for, while a refusal may be to be made up
    /// for.
    pub(super) fn settle_refused(&self) -> usize {
        let mut begun = Vec::new();
        self.begin_asked(&mut begun).len()
    }

    /// The machines that were asked for, to begin or to drop.
    pub(super) fn asked(&self) -> Vec<StartMachine<ModelHost<W>, CAP>> {
        self.scheduler.host().asked.with(core::mem::take)
    }

    /// Begins the machines that were asked for, none of which may find a task of its own, and ends
    /// them when they have passed on what they found.
    pub(super) fn begin_and_pass_on(&self) {
        for mut machine in self.asked().into_iter().map(StartMachine::begin) {
            assert!(self.run_until_asleep(&mut machine).is_empty(), "another machine runs it");
        }
    }

    /// L1, when no machine is between two steps.
    ///
    /// # Panics
    ///
    /// If it does not hold.
    pub(super) fn assert_at_rest(&self) {
        let now = self.scheduler.snapshot();
        let queued = now.global + now.processors.iter().map(|one| one.queued).sum::<usize>();
        assert!(now.idle == 0 || queued == 0, "work is stranded: {now:?}");
        assert_eq!(now.searching, 0, "a searcher is counted that is none: {now:?}");
    }

    /// Ends machines that may have tasks, and refuses those that are asked for in their place, so
    /// that the host does not keep the scheduler.
    pub(super) fn end(&self, machines: impl IntoIterator<Item = ModelMachine<W>>) {
        machines.into_iter().for_each(drop);
        drop(self.asked());
    }

    /// How often the host was told that all sleep.
    pub(super) fn told(&self) -> u32 {
        self.scheduler.host().told.with(|told| *told)
    }

    /// The task locks itself to the machine it runs on.
    pub(super) fn lock(&self, task: usize, machine: &mut ModelMachine<W>) {
        let id = machine.lock();
        // ORDER: Relaxed: read by whoever is given the task later.
        self.scheduler.host().locks[task - 1].store(id + 1, Ordering::Relaxed);
    }

    /// Sets the timer to go off at `due`.
    pub(super) fn set_timer(&self, due: u64) {
        let timer = self.scheduler.host().timer.as_ref().expect("the model has a timer");
        // ORDER: Release: whoever sees it due may take the task.
        timer.due.store(due, Ordering::Release);
        self.scheduler.timer_added(due);
    }

    /// Whether a poll that waits was called back, or will be.
    pub(super) fn poll_is_broken(&self) -> bool {
        let timer = self.scheduler.host().timer.as_ref().expect("the model has a timer");
        // ORDER: Acquire: as the eventfd of a real poller.
        timer.broken.load(Ordering::Acquire) != 0
    }
}
