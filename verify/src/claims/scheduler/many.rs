//! Many machines, many tasks, all operations at once: for shuttle and the hardware.
//!
//! Each machine is a thread that turns the real loop, [`next`](gosched::Machine::next); each task
//! does something of everything. When all have run, the scheduler is shut down, and nothing may be
//! left.

use core::num::NonZeroUsize;

use gosched::memory::{Atomic, AtomicInt, Lock, Ordering, Shared};
use gosched::{Config, Host, Machine, NoObserver, Pace, Scheduler, StartMachine};

use crate::claim::{Bounds, Case, Claim, Model, Outcome};
use crate::tasks::Tasks;
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let bounds = Bounds { shuttle: 500, stress: 200, ..Bounds::MANY_THREADS };
    let case = |name, shape, what| Case::new(name, shape, bounds, what);
    vec![Claim {
        name: "scheduler::every_task_runs_once_among_many_machines",
        sentence: "With many machines, whatever tasks do (spawn, yield, block in system calls that \
                   a monitor takes processors out of, while others stop the world, resize it and \
                   inject), each of them runs exactly as often as it was submitted, and nothing is \
                   left at the end.",
        cases: vec![
            case(
                "spawn_and_yield",
                "4 machines, 14 tasks",
                Everything { depth: 2, blocks: false, resizes: 0 },
            ),
            case(
                "system_calls",
                "4 to 8 machines, 14 tasks, 1 monitor",
                Everything { depth: 2, blocks: true, resizes: 0 },
            ),
            case(
                "resize",
                "4 to 8 machines, 14 tasks, 1 monitor, 1 to 4 processors",
                Everything { depth: 2, blocks: true, resizes: 4 },
            ),
        ],
        properties: vec![],
    }]
}

/// A tree of tasks, each of which yields, and some of which block.
struct Everything {
    depth: u32,
    blocks: bool,
    resizes: usize,
}

type Task = NonZeroUsize;
const CAP: usize = 2;

/// A host that starts a thread for each machine.
struct Threads<W: World> {
    work: W::Arc<Work<W>>,
    threads: W::Mutex<Vec<W::JoinHandle<()>>>,
}

/// What the tasks do.
struct Work<W: World> {
    tasks: Tasks<W>,
    /// How often each has run.
    runs: Vec<W::AtomicU32>,
    left: W::AtomicUsize,
    blocks: bool,
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
}

impl<W: World> Work<W> {
    /// A task runs twice: first it spawns its children and yields, then it ends.
    fn run(&self, task: Task, machine: &mut Machine<Threads<W>, CAP>) {
        let id = task.get();
        // ORDER: Relaxed: the task has one runner at a time; its payload checks that.
        if self.runs[id - 1].fetch_add(1, Ordering::Relaxed) == 0 {
            for child in [2 * id, 2 * id + 1] {
                if child <= self.runs.len() {
                    self.tasks.create(child);
                    let child = Task::new(child).expect("tasks count from 1");
                    machine.spawn(child).expect("it is open while tasks are left");
                }
            }
            if self.blocks && id % 3 == 0 {
                machine.block(W::yield_now);
            }
            machine.yield_now(task).expect("it is open while tasks are left");
        } else {
            self.tasks.run(id);
            // ORDER: Release: pairs with the Acquire of the one who waits for all.
            self.left.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Model for Everything {
    fn run<W: World>(&self) -> Outcome {
        let count = (1 << (self.depth + 1)) - 1;
        let work = W::Arc::new(Work {
            tasks: Tasks::new(count),
            runs: (0..count).map(|_| Atomic::new(0)).collect(),
            left: Atomic::new(count),
            blocks: self.blocks,
        });
        let host = Threads { work: work.clone(), threads: W::Mutex::new(Vec::new()) };
        let mut config = Config::new(2);
        config.max_processors = 4;
        let scheduler = Scheduler::<_, CAP>::new(host, config).expect("the numbers make sense");
        let monitor = self.blocks.then(|| watch::<W>(&scheduler, &work));
        work.tasks.create(1);
        scheduler.inject(Task::MIN).expect("it is open");
        for resize in 0..self.resizes {
            scheduler.set_processors(1 + (resize * 3 + 2) % 4).expect("nobody else stops it");
            W::yield_now();
        }
        // ORDER: Acquire: pairs with the Release of the last task.
        while work.left.load(Ordering::Acquire) > 0 {
            W::yield_now();
        }
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
        work.tasks.assert_ran(count);
        for runs in &work.runs {
            // ORDER: Relaxed: all threads are joined.
            assert_eq!(runs.load(Ordering::Relaxed), 2, "a task ran once too often, or too seldom");
        }
        String::new()
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
