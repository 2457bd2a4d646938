//! The whole scheduler, on a simulated host in one thread.
//!
//! A program is a schedule as well: each operation names the machine that goes on, and what the
//! task that runs there does. Nothing happens between operations, and nothing waits: a machine that
//! sleeps is stepped and says that it sleeps; whoever stops the world is run by a parker that runs
//! the other machines. The clock stands still until an operation moves it.
//!
//! Concurrency in one thread comes from [`Interrupt`](SchedulerOp::Interrupt): the scheduler tells
//! its observer of every step that took effect, and there, between two steps of one machine, the
//! next operation of the program is performed.
//!
//! The reference is `mirror::Mirror`: every queue as a plain list, every processor with
//! its owner, the number of searchers. It hears of the same events, and objects to each that its
//! lists say cannot be.
//!
//! | file | has |
//! |---|---|
//! | `host` | the host: clock, timers, input, a parker, an observer |
//! | `world` | what the simulation knows: machines, tasks, processors to be started |
//! | `mirror`, `events` | the reference, and what each event does to it |
//! | `turns` | what a machine and its task do |
//! | `outside` | what everybody else does |
//! | `rest` | what holds whenever nobody is in the middle of something |

mod driver;
mod events;
mod host;
mod known;
mod mirror;
mod outside;
mod rest;
mod turns;
mod world;

use super::encoding::{Argument, SETUP, choice, operations};
use super::{Language, Mismatch, Program, Seen};

/// The names that the `Debug` form of a program of this language uses.
pub mod literal {
    pub use super::Form::*;
    pub use super::Numbers::*;
    pub use super::Polling::*;
    pub use super::SchedulerOp::*;
    pub use super::Simulation;
    pub use crate::ops::Program;
}

/// The form of the idle word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One word.
    One,
    /// Several words, for few processors.
    Many,
    /// Room for fifty processors, which takes several words.
    Fifty,
}

/// What the host says of its poller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// There is none.
    Never,
    /// There is one while a timer is pending or input is to come.
    Sometimes,
    /// There is one.
    Always,
}

/// The configuration's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// The global queue every three slices, chains of two, one round of stealing.
    Small,
    /// The same, and no more than one machine beyond the processors.
    Few,
    /// Go's.
    Go,
}

choice!(Form: One, Many, Fifty);
choice!(Polling: Never, Sometimes, Always);
choice!(Numbers: Small, Few, Go);

operations! {
    /// What happens next. A machine, task, timer or request is named by a number, taken modulo how
    /// many there are. An operation of a task comes when its machine runs one; if the machine runs
    /// none, the machine takes a step instead. What makes no sense at the time does nothing.
    pub enum SchedulerOp {
        /// The task ends.
        End(machine: u8),
        /// So many times: the machine finds a task, and the task ends.
        Work(machine: u8, times: u8),
        /// So many times: the task starts another one, and ends.
        Chain(machine: u8, times: u8),
        /// The task starts so many (modulo 8) new ones, each in the slot.
        Spawn(machine: u8, count: u8),
        /// The task submits so many (modulo 8) new ones behind the others.
        Submit(machine: u8, count: u8),
        /// The task lets others run, behind all.
        Yield(machine: u8),
        /// The task lets others run, behind those of its processor.
        YieldLocal(machine: u8),
        /// The task parks.
        Park(machine: u8),
        /// The task parks, and is made ready before its machine knows.
        ParkAndReady(machine: u8),
        /// The task parks, and what it waits for has come.
        ParkInVain(machine: u8),
        /// The task makes another one ready, whether that one waits or not.
        Ready(machine: u8, task: u8),
        /// The task begins a system call.
        Enter(machine: u8),
        /// The task begins a system call that will block.
        EnterLong(machine: u8),
        /// The task's system call is over.
        Exit(machine: u8),
        /// The task locks itself to the machine.
        Lock(machine: u8),
        /// The task takes one lock back.
        Unlock(machine: u8),
        /// The machine's poll is over.
        PollEnds(machine: u8),
        /// The machine is dropped.
        Drop(machine: u8),
        /// A thread becomes a machine.
        Bring,
        /// A machine that was asked for begins.
        Begin(request: u8),
        /// A machine that was asked for cannot be started.
        Refuse(request: u8),
        /// The next so many (modulo 4) machines are refused as soon as they are asked for.
        RefuseNext(count: u8),
        /// A new task from outside.
        Inject,
        /// So many (modulo 8) new tasks from outside.
        InjectBatch(count: u8),
        /// A task is made ready from outside, whether it waits or not.
        ReadyOutside(task: u8),
        /// Somebody outside announces itself.
        Announce,
        /// Somebody outside leaves.
        Withdraw,
        /// So many (modulo 4) new tasks wait in the poller.
        Input(count: u8),
        /// A timer on this processor, so many units from now, with a new task.
        Timer(processor: u8, delay: u8),
        /// The clock moves on by so many units.
        Advance(units: u8),
        /// The clock moves on, and the monitor makes a step.
        Monitor(units: u8),
        /// The number of processors changes to this one, if it makes sense.
        Resize(processors: u8),
        /// Somebody outside stops the world.
        Stop,
        /// The machine stops the world.
        StopBy(machine: u8),
        /// The world goes on.
        Resume,
        /// The scheduler is shut down from outside.
        ShutDown,
        /// The machine shuts the scheduler down.
        ShutDownBy(machine: u8),
        /// The operation after this one comes in the middle of another: at the so many-th (modulo
        /// 16) step that the scheduler tells of from now on.
        Interrupt(steps: u8),
        /// The machine that has slept longest is sent home, if more than so many (modulo 4) sleep.
        Dismiss(keep: u8),
    }
}

/// The scheduler and its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// How many processors there are to begin with: this, modulo 4, and one.
    pub processors: u8,
    /// The form of the idle word.
    pub form: Form,
    /// The poller.
    pub polling: Polling,
    /// The configuration's numbers.
    pub numbers: Numbers,
}

impl Language for Simulation {
    type Op = SchedulerOp;

    const NAME: &'static str = "scheduler";
    const TARGET: &'static str = "scheduler";
    const MUST_SEE: &'static [&'static str] = events::MUST_SEE;

    fn from_bytes([processors, form, polling, numbers]: [u8; SETUP]) -> Self {
        Self {
            processors,
            form: Form::from_byte(form),
            polling: Polling::from_byte(polling),
            numbers: Numbers::from_byte(numbers),
        }
    }

    fn to_bytes(&self) -> [u8; SETUP] {
        [self.processors, self.form.to_byte(), self.polling.to_byte(), self.numbers.to_byte()]
    }

    fn perform(&self, ops: &[SchedulerOp]) -> Result<Seen, Mismatch> {
        driver::perform(self, ops)
    }

    fn known() -> Vec<(&'static str, Program<Self>)> {
        known::programs()
    }
}
