//! The host of the models: it starts nothing by itself.
//!
//! A machine that the scheduler asks for is kept until the model begins it, in whichever thread it
//! chooses, or refuses it. So a model has exactly the threads that it made.

use core::num::NonZeroUsize;

use gosched::memory::Lock;
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine, Step};

use crate::tasks::Tasks;
use crate::world::World;

/// Tasks are numbers; what they carry stands in [`Tasks`].
pub(super) type Task = NonZeroUsize;

/// The capacity of the models' rings.
pub(super) const CAP: usize = 2;

/// A host for models.
pub(super) struct ModelHost<W: World> {
    /// Machines that were asked for and not begun.
    asked: W::Mutex<Vec<StartMachine<Self, CAP>>>,
    refuses: bool,
    told: W::Mutex<u32>,
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
        if !self.refuses {
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
}

impl<W: World> ModelHost<W> {
    pub(super) fn new() -> Self {
        Self { asked: W::Mutex::new(Vec::new()), refuses: false, told: W::Mutex::new(0) }
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
    pub(super) fn new(processors: usize, tasks: usize) -> Self {
        let mut config = Config::new(processors);
        config.steal_rounds = 1;
        let scheduler = Scheduler::new(ModelHost::new(), config).expect("the numbers make sense");
        Self { scheduler, tasks: Tasks::new(tasks) }
    }

    pub(super) fn machine(&self) -> ModelMachine<W> {
        self.scheduler.machine().expect("there is room for it")
    }

    /// Begins the machines that were asked for.
    fn begin_asked(&self) -> Vec<ModelMachine<W>> {
        let asked = self.scheduler.host().asked.with(core::mem::take);
        asked.into_iter().map(StartMachine::begin).collect()
    }

    /// Begins the machines that were asked for, and runs them until nothing is left. What they ran.
    pub(super) fn run_asked(&self) -> Vec<usize> {
        let mut ran = Vec::new();
        for mut machine in self.begin_asked() {
            ran.extend(self.run_until_asleep(&mut machine));
        }
        ran
    }

    /// A new task, with its payload.
    pub(super) fn task(&self, id: usize) -> Task {
        self.tasks.create(id);
        Task::new(id).expect("tasks count from 1")
    }

    /// Takes steps until there is nothing more to run without a wait. Returns what it ran.
    pub(super) fn run_until_asleep(&self, machine: &mut ModelMachine<W>) -> Vec<usize> {
        let mut ran = Vec::new();
        while let Step::Run(task) = machine.step() {
            self.tasks.run(task.get());
            ran.push(task.get());
        }
        ran
    }
}
