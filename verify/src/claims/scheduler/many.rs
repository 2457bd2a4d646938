//! Many machines, many tasks, all operations at once: for shuttle and the hardware.
//!
//! Each machine is a thread that turns the real loop, [`next`](gosched::Machine::next); each task
//! does something of everything. When all have run, the scheduler is shut down, and nothing may be
//! left.

use core::num::NonZeroUsize;

use gosched::memory::{Atomic, AtomicInt, Lock, Ordering, Shared};
use gosched::{Batch, Config, Host, Machine, NoObserver, Pace, Scheduler, StartMachine};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let bounds = Bounds { shuttle: 3_000, stress: 500, ..Bounds::MANY_THREADS };
    let case = |name, shape, what| Case::new(name, shape, bounds, what);
    vec![Claim {
        name: "scheduler::every_task_runs_once_among_many_machines",
        sentence: "With many machines, whatever tasks do (spawn, yield, park and wake each other, \
                   lock themselves to a machine, block in system calls that a monitor takes \
                   processors out of, while the world is stopped and resized), each of them runs \
                   exactly as often as it was submitted, and nothing is left at the end.",
        cases: vec![
            case("spawn_and_yield", "2 to 4 machines, 14 tasks", NOTHING),
            case("park", "2 to 4 machines, 14 tasks", Everything { parks: true, ..NOTHING }),
            case("lock", "2 to 8 machines, 14 tasks", Everything { locks: true, ..NOTHING }),
            case(
                "system_calls",
                "2 to 8 machines, 14 tasks, 1 monitor",
                Everything { blocks: true, ..NOTHING },
            ),
            case(
                "everything",
                "2 to 8 machines, 14 tasks, 1 monitor, 1 to 4 processors",
                Everything { parks: true, locks: true, blocks: true, resizes: 4 },
            ),
        ],
        properties: vec![],
    }]
}

/// Two trees of tasks. Each runs twice: first it spawns its children and stops, in one way or
/// another; then it ends.
#[derive(Clone, Copy)]
struct Everything {
    /// Some stop by parking, until another that ends wakes them.
    parks: bool,
    /// Some lock themselves to a machine.
    locks: bool,
    /// Some block before they stop.
    blocks: bool,
    /// How often the number of processors is changed meanwhile.
    resizes: usize,
}

/// Tasks only spawn and yield.
const NOTHING: Everything = Everything { parks: false, locks: false, blocks: false, resizes: 0 };

/// How many tasks there are: two roots, with the children `2 * id + 1` and `2 * id + 2`.
const TASKS: usize = 14;

type Task = NonZeroUsize;
const CAP: usize = 2;

/// A host that starts a thread for each machine.
struct Threads<W: World> {
    work: W::Arc<Work<W>>,
    threads: W::Mutex<Vec<W::JoinHandle<()>>>,
}

/// What the tasks do.
struct Work<W: World> {
    what: Everything,
    tasks: Tasks<W>,
    /// How often each has run.
    runs: Vec<W::AtomicU32>,
    /// The machine that each is locked to, and one; or 0.
    locks: Vec<W::AtomicUsize>,
    parked: W::Mutex<Vec<Task>>,
    left: W::AtomicUsize,
}

impl<W: World> Host<CAP> for Threads<W> {
    type Task = Task;
    type Memory = W;
    type Parker = W::Parker;
    type Observer = NoObserver;

    fn observer(&self) -> &NoObserver {
        &NoObserver
    }

    fn start_machine(&self, start: StartMachine<Self, CAP>) {
        let work = self.work.clone();
        let thread = W::spawn(move || {
            let mut machine = start.begin();
            while let Some(task) = machine.next() {
                work.run(task, &mut machine);
            }
        });
        self.threads.with(|threads| threads.push(thread));
    }

    fn back_off(&self) {
        W::yield_now();
    }

    fn locked_to(&self, task: &Task) -> Option<usize> {
        // ORDER: Relaxed: written by the task itself, before it stops.
        self.work.locks[task.get() - 1].load(Ordering::Relaxed).checked_sub(1)
    }
}

impl<W: World> Work<W> {
    fn new(what: Everything) -> Self {
        Self {
            what,
            tasks: Tasks::new(TASKS),
            runs: (0..TASKS).map(|_| Atomic::new(0)).collect(),
            locks: (0..TASKS).map(|_| Atomic::new(0)).collect(),
            parked: Lock::new(Vec::new()),
            left: Atomic::new(TASKS),
        }
    }

    fn run(&self, task: Task, machine: &mut Machine<Threads<W>, CAP>) {
        let id = task.get();
        // ORDER: Relaxed: the task has one runner at a time; its payload checks that.
        if self.runs[id - 1].fetch_add(1, Ordering::Relaxed) == 0 {
            self.begin(task, machine);
        } else {
            self.end(task, machine);
        }
    }

    fn begin(&self, task: Task, machine: &mut Machine<Threads<W>, CAP>) {
        let (id, what) = (task.get(), self.what);
        for child in [2 * id + 1, 2 * id + 2] {
            if child <= TASKS {
                self.tasks.create(child);
                let child = Task::new(child).expect("tasks count from 1");
                machine.spawn(child).expect("it is open while tasks are left");
            }
        }
        if what.locks && id % 4 == 1 {
            // ORDER: Relaxed: read by whoever is given the task later.
            self.locks[id - 1].store(machine.lock() + 1, Ordering::Relaxed);
        }
        if what.blocks && id % 3 == 0 {
            machine.block(W::yield_now);
        }
        if what.parks && id % 5 == 2 {
            let parked = machine.park(task, |task| {
                self.parked.with(|parked| parked.push(task));
                Ok(())
            });
            assert!(parked.is_ok(), "the commit took it");
        } else {
            machine.yield_now(task).expect("it is open while tasks are left");
        }
    }

    fn end(&self, task: Task, machine: &mut Machine<Threads<W>, CAP>) {
        let id = task.get();
        // ORDER: Relaxed: the task has stored it itself.
        if let Some(own) = self.locks[id - 1].load(Ordering::Relaxed).checked_sub(1) {
            assert_eq!(machine.id(), own, "the locked task runs on another machine");
            // ORDER: Relaxed: as above.
            self.locks[id - 1].store(0, Ordering::Relaxed);
            machine.unlock();
        }
        if let Some(woken) = self.parked.with(Vec::pop) {
            machine.ready(woken).expect("it is open while tasks are left");
        }
        self.tasks.run(id);
        // ORDER: Release: pairs with the Acquire of the one who waits for all.
        self.left.fetch_sub(1, Ordering::Release);
    }
}

impl Model for Everything {
    fn run<W: World>(&self) -> Outcome {
        let work = W::Arc::new(Work::new(*self));
        let host = Threads { work: work.clone(), threads: W::Mutex::new(Vec::new()) };
        let mut config = Config::new(2);
        config.max_processors = 4;
        let scheduler = Scheduler::<_, CAP>::new(host, config).expect("the numbers make sense");
        let monitor = self.blocks.then(|| watch::<W>(&scheduler, &work));
        let mut roots = Batch::with_memory();
        for root in 1..=2 {
            work.tasks.create(root);
            roots.push(Task::new(root).expect("tasks count from 1"));
        }
        scheduler.inject_batch(roots).expect("it is open");
        for resize in 0..self.resizes {
            scheduler.set_processors(1 + (resize * 3 + 2) % 4).expect("nobody else stops it");
            W::yield_now();
        }
        // ORDER: Acquire: pairs with the Release of the last task.
        while work.left.load(Ordering::Acquire) > 0 {
            // The last tasks may have parked when nobody was left to wake them.
            if let Some(woken) = work.parked.with(Vec::pop) {
                scheduler.ready(woken).expect("it is open");
            }
            W::yield_now();
        }
        let machines = scheduler.snapshot().machines;
        let left = scheduler.shutdown().expect("it was not shut down before");
        assert_eq!(left.len(), 0, "tasks are left");
        if let Some(monitor) = monitor {
            W::join(monitor);
        }
        loop {
            let threads = scheduler.host().threads.with(core::mem::take);
            if threads.is_empty() {
                break;
            }
            threads.into_iter().for_each(W::join);
        }
        work.tasks.assert_ran(TASKS);
        for runs in &work.runs {
            // ORDER: Relaxed: all threads are joined.
            assert_eq!(runs.load(Ordering::Relaxed), 2, "a task ran once too often, or too seldom");
        }
        format!("{machines} machines")
    }

    fn witnesses(&self) -> Vec<Witness> {
        if !self.blocks {
            return vec![];
        }
        vec![Witness {
            name: "more machines than the two processors of the beginning",
            seen_in: |outcome| {
                let machines = outcome.split(' ').next().and_then(|count| count.parse().ok());
                machines.is_some_and(|machines: usize| machines > 2)
            },
        }]
    }
}

/// A monitor with a clock of its own, as long as tasks are left.
fn watch<W: World>(
    scheduler: &Scheduler<Threads<W>, CAP>,
    work: &W::Arc<Work<W>>,
) -> W::JoinHandle<()> {
    let mut monitor = scheduler.monitor_with(Pace { slice: 30, ..Pace::default() });
    let work = work.clone();
    W::spawn(move || {
        let mut now = 0;
        // ORDER: Relaxed: it ends a moment later otherwise.
        while work.left.load(Ordering::Relaxed) > 0 {
            now += 10;
            let _ = monitor.step(now);
            W::yield_now();
        }
    })
}
