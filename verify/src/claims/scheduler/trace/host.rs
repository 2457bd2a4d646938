//! The host of the trace models, and the tasks: a program's, carried out.
//!
//! A task is a word: the point of its program at which it goes on, its payload's number, and the
//! number that the next task it submits will have. So no thread needs a counter that others see.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gosched::memory::{Atomic, AtomicInt, Lock, Ordering};
use gosched::scheduler::Exit;
use gosched::{Config, Host, Machine, Pace, Scheduler, StartMachine};

use crate::claim::Outcome;
use crate::specification::Model;
use crate::specification::catalogue::{On, model};
use crate::specification::program::{Operation, Program};
use crate::specification::settings::Design;
use crate::tasks::Tasks;
use crate::trace::{Kind, Recorder, Seen, picture, remembered};
use crate::world::World;

/// The capacity of the rings.
pub(super) const CAP: usize = 4;

/// The times of the monitors, whose clocks go in steps of ten.
pub(super) const PACE: Pace =
    Pace { nap: 1, longest_nap: 1, patience: 1, slice: 1, poll: u64::MAX };

pub(super) type Task = NonZeroUsize;

/// A task as it is written into its word.
#[derive(Clone, Copy)]
struct Written {
    point: u8,
    id: usize,
    child: usize,
}

impl Written {
    fn word(self) -> Task {
        let Self { point, id, child } = self;
        Task::new(id | child << 8 | usize::from(point) << 16).expect("tasks count from 1")
    }

    fn of(task: Task) -> Self {
        let word = task.get();
        Self { point: (word >> 16) as u8, id: word & 0xff, child: word >> 8 & 0xff }
    }
}

/// How many tasks `task` is, those that it submits included.
fn size(program: &Program, task: u8) -> usize {
    match program.next(task) {
        (Operation::End, _) => 1,
        (Operation::Submit(new), after) => size(program, new) + size(program, after),
        (_, after) => size(program, after),
    }
}

/// Where machines go that the scheduler asks for.
pub(super) type Starts<W> = fn(&TraceHost<W>, StartMachine<TraceHost<W>, CAP>);

/// A host that records.
pub(super) struct TraceHost<W: World> {
    pub(super) model: Arc<Model>,
    recorder: Recorder,
    starts: Starts<W>,
    pub(super) asked: W::Mutex<Vec<StartMachine<Self, CAP>>>,
    pub(super) threads: W::Mutex<Vec<W::JoinHandle<()>>>,
    tasks: Tasks<W>,
    /// Whether somebody waits for all tasks, and calls take their time.
    large: bool,
    /// How many tasks have not ended.
    pub(super) left: W::AtomicUsize,
}

impl<W: World> Host<CAP> for TraceHost<W> {
    type Task = Task;
    type Memory = W;
    type Parker = W::Parker;
    type Observer = Recorder;

    fn observer(&self) -> &Recorder {
        &self.recorder
    }

    fn start_machine(&self, start: StartMachine<Self, CAP>) {
        (self.starts)(self, start);
    }

    fn random(&self) -> u32 {
        1
    }

    fn back_off(&self) {}
}

pub(super) type Traced<W> = Scheduler<TraceHost<W>, CAP>;
pub(super) type TracedMachine<W> = Machine<TraceHost<W>, CAP>;

/// What runs when a program begins: its machines, each with its task, and the tasks from outside.
pub(super) struct Begun<W: World> {
    pub(super) scheduler: Traced<W>,
    pub(super) running: Vec<(TracedMachine<W>, Task)>,
    pub(super) injected: Vec<Task>,
}

/// Sets a program up.
pub(super) fn begin<W: World>(on: On, large: bool, starts: Starts<W>) -> Begun<W> {
    let model = Arc::new(model(Design::Word, &[], on));
    let program = &model.program;
    let outsiders = program.injections.len() + usize::from(program.monitor);
    assert!(outsiders <= 1, "the events of two outsiders stand in one list: {on:?}");
    let mut ids = 1;
    let mut running = Vec::new();
    for &point in &program.running {
        running.push(Written { point, id: ids, child: ids + 1 }.word());
        ids += size(program, point);
    }
    let leaves = program.injections.iter().map(|&count| usize::from(count)).sum::<usize>();
    let point = crate::specification::program::LEAF;
    let injected: Vec<_> =
        (ids..ids + leaves).map(|id| Written { point, id, child: id + 1 }.word()).collect();
    let count = ids + leaves - 1;
    let mut config = Config::new(program.processors);
    config.steal_rounds = 1;
    let host = TraceHost {
        model: Arc::clone(&model),
        recorder: Recorder::default(),
        starts,
        asked: W::Mutex::new(Vec::new()),
        threads: W::Mutex::new(Vec::new()),
        tasks: Tasks::new(count),
        large,
        left: Atomic::new(count),
    };
    running.iter().chain(&injected).for_each(|task| host.tasks.create(Written::of(*task).id));
    let scheduler = Scheduler::new(host, config).expect("the numbers make sense");
    let with_machine = |task| (scheduler.machine().expect("there is room for it"), task);
    let running = running.into_iter().map(with_machine).collect();
    Begun { scheduler, running, injected }
}

/// Runs `task` on `machine` as its program says, until it ends or stops.
pub(super) fn run<W: World>(machine: &mut TracedMachine<W>, task: Task) {
    let scheduler = machine.scheduler().clone();
    let host = scheduler.host();
    let mut me = Written::of(task);
    loop {
        let (operation, after) = host.model.program.next(me.point);
        let point = core::mem::replace(&mut me.point, after);
        match operation {
            Operation::End => {
                host.tasks.run(me.id);
                if host.large {
                    // ORDER: Release: pairs with the Acquire of the one who waits for all.
                    host.left.fetch_sub(1, Ordering::Release);
                }
                return;
            }
            Operation::Submit(new) => {
                let id = me.child;
                me.child += size(&host.model.program, new);
                host.tasks.create(id);
                let new = Written { point: new, id, child: id + 1 };
                machine.spawn(new.word()).expect("it is open");
            }
            Operation::Lock | Operation::Free => unreachable!("no program here locks its machine"),
            Operation::Yield => return machine.yield_now(me.word()).expect("it is open"),
            Operation::YieldLocally => return machine.yield_local(me.word()).expect("it is open"),
            Operation::Call | Operation::BlockingCall => {
                let entered = if operation == Operation::Call {
                    machine.enter_blocking()
                } else {
                    machine.enter_long_blocking()
                };
                entered.unwrap_or_else(|error| panic!("point {point}: {error}"));
                (0..3).filter(|_| host.large).for_each(|_| W::yield_now());
                let exit = machine.exit_blocking().expect("it is in a call");
                if exit == Exit::NoProcessor {
                    return machine.yield_now(me.word()).expect("it is open");
                }
            }
        }
    }
}

/// Compares what was recorded with the specification, when all threads are joined and all machines
/// sleep or have left. Which kinds of events there were, for the outcome.
///
/// # Panics
///
/// If it is no run of the specification, with a picture.
pub(super) fn check<W: World>(scheduler: &Traced<W>) -> Outcome {
    let host = scheduler.host();
    let mut lists = host.recorder.lists();
    for list in &mut lists {
        while list.last().is_some_and(|seen| matches!(seen.kind, Kind::Exited | Kind::Stopped)) {
            list.pop();
        }
    }
    if let Err(refusal) = remembered(&host.model, &lists) {
        panic!("{}", picture::draw(&host.model, &refusal));
    }
    let mut kinds: Vec<_> = lists.iter().flatten().filter_map(interesting).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.join(" ")
}

/// The name of what not every run shows.
fn interesting(seen: &Seen) -> Option<&'static str> {
    Some(match seen.kind {
        Kind::Woke => "Woke",
        Kind::Roused => "Roused",
        Kind::TookShare => "TookShare",
        Kind::Stole => "Stole",
        Kind::TookForWork => "TookForWork",
        Kind::HandsOff => "HandsOff",
        Kind::Kept => "Kept",
        Kind::Got => "Got",
        Kind::NoProcessor => "NoProcessor",
        Kind::Retaken => "Retaken",
        Kind::Parked => "Parked",
        Kind::Looked if seen.flag => "Found",
        Kind::Looked => "Looked",
        _ => return None,
    })
}

impl<W: World> TraceHost<W> {
    /// Keeps the machine for whoever is done first.
    pub(super) fn keep(&self, start: StartMachine<Self, CAP>) {
        self.asked.with(|asked| asked.push(start));
    }
}
