//! Nobody sleeps while there is work: submitting, in each of its ways, against going idle.
//!
//! In every model some machine goes idle in one thread while another thread makes work. A machine
//! that has run its task is taken to run on for ever. When the threads are joined, the wakes that
//! are under way are carried out, and then no task may be queued while a processor is idle.

use gosched::Batch;

use super::host::{Bench, ModelMachine, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let two = "2 machines, 1 task";
    let case = |name, shape, how, many_words| {
        Case::new(name, shape, SMALL, SubmitOrDrop { how, many_words })
    };
    let found = |name, searches, many_words| {
        Case::new(name, "3 processors, 3 tasks", SMALL, FoundOrDrop { searches, many_words })
    };
    vec![
        Claim {
            name: "scheduler::work_is_conserved",
            sentence: "When a task is submitted while a processor goes idle, either the one who \
                       submits wakes a machine, or the one who goes idle finds the task.",
            cases: vec![
                case("spawn_or_drop", two, Submit::Spawn, false),
                case("spawn_or_drop_in_many_words", two, Submit::Spawn, true),
                case("submit_or_drop", two, Submit::Ring, false),
                case("yield_or_drop", two, Submit::Yield, false),
                case("inject_or_drop", two, Submit::Inject, false),
                case("inject_batch_or_drop", "1 machine, 2 tasks", Submit::Batch, false),
                Case::new(
                    "overflow_or_hand_off",
                    "2 processors, 6 tasks, capacity 4",
                    SMALL,
                    HandOffOr { spawned: 6 },
                ),
                Case::new(
                    "hand_off_or_spawn",
                    "2 processors: one is handed off",
                    SMALL,
                    HandOffOr { spawned: 1 },
                ),
                Case::new(
                    "no_processor_or_drop",
                    "2 machines, one comes out of a system call",
                    SMALL,
                    NoProcessorOrDrop,
                ),
            ],
            properties: vec![],
        },
        Claim {
            name: "scheduler::a_found_task_leaves_a_successor",
            sentence: "A searcher that finds work, and a machine that takes more from the global \
                       queue than it can run at once, leave nothing behind that an idle processor \
                       could run.",
            cases: vec![
                found("found_or_hand_off", false, false),
                found("found_or_hand_off_in_many_words", false, true),
                found("found_or_drop", true, false),
                Case::new("share_or_drop", "2 machines, 2 tasks", SMALL, ShareOrDrop),
                Case::new(
                    "spawn_search_and_drop",
                    "3 machines, 2 tasks",
                    SMALL,
                    SpawnSearchAndDrop,
                ),
            ],
            properties: vec![],
        },
        refused(),
    ]
}

fn refused() -> Claim {
    let two = "2 machines, 1 task";
    Claim {
        name: "scheduler::a_refused_machine_loses_nothing",
        sentence: "When the host cannot start a machine, the processor goes idle again, and \
                   the next machine that looks for work finds what it had to do.",
        cases: vec![
            Case::new("refused_or_drop", two, SMALL, RefusedOrDrop),
            Case::new(
                "refused_or_retried",
                "1 task from outside, 1 monitor",
                SMALL,
                RefusedOrRetried,
            ),
        ],
        properties: vec![],
    }
}

/// How a task is submitted.
#[derive(Clone, Copy)]
enum Submit {
    Spawn,
    Ring,
    Yield,
    Inject,
    Batch,
}

/// One thread submits and goes on for ever; another machine finds nothing and goes idle, or finds
/// it.
struct SubmitOrDrop {
    how: Submit,
    many_words: bool,
}

impl Model for SubmitOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let outside = matches!(self.how, Submit::Inject | Submit::Batch);
        let count = if matches!(self.how, Submit::Batch) { 2 } else { 1 };
        let mut setup = Setup::new(if outside { 1 } else { 2 }, count);
        setup.many_words = self.many_words;
        let bench = Bench::<W>::new(setup);
        let mut idle = bench.machine();
        let mut busy = (!outside).then(|| bench.machine());
        let dropper = drop_in_a_thread(&bench, idle);
        let tasks: Vec<_> = (1..=count).map(|id| bench.task(id)).collect();
        let submitted = match (self.how, &mut busy) {
            (Submit::Spawn, Some(busy)) => busy.spawn(tasks[0]).is_ok(),
            (Submit::Ring, Some(busy)) => busy.submit(tasks[0]).is_ok(),
            (Submit::Yield, Some(busy)) => busy.yield_now(tasks[0]).is_ok(),
            (Submit::Batch, _) => {
                let mut batch = Batch::with_memory_and_capacity(2);
                tasks.iter().for_each(|&task| batch.push(task));
                bench.scheduler.inject_batch(batch).is_ok()
            }
            _ => bench.scheduler.inject(tasks[0]).is_ok(),
        };
        assert!(submitted, "nobody has shut down");
        let at_once;
        (idle, at_once) = W::join(dropper);
        told(at_once, bench.settle([&mut idle]), count)
    }

    fn witnesses(&self) -> Vec<Witness> {
        found_or_woken()
    }
}

/// Runs `machine` in a thread of its own until it has nothing more to do.
fn drop_in_a_thread<W: World>(
    bench: &Bench<W>,
    mut machine: ModelMachine<W>,
) -> W::JoinHandle<(ModelMachine<W>, Vec<usize>)> {
    let bench = bench.clone();
    W::spawn(move || {
        let ran = bench.run_until_asleep(&mut machine);
        (machine, ran)
    })
}

/// The outcome: how many tasks the machine found by itself, and how many after a wake.
fn told(at_once: Vec<usize>, later: Vec<usize>, count: usize) -> Outcome {
    assert_eq!(at_once.len() + later.len(), count, "not every task was run");
    format!("{} at once, {} later", at_once.len(), later.len())
}

fn found_or_woken() -> Vec<Witness> {
    vec![
        Witness { name: "the machine found it", seen_in: |outcome| !outcome.starts_with("0 at") },
        Witness { name: "a machine was woken", seen_in: |outcome| outcome.starts_with("0 at") },
    ]
}

/// A machine hands its processor off, with nothing in its queue, while another machine spawns: one
/// task, or as many as overflow into the global queue.
struct HandOffOr {
    spawned: usize,
}

impl Model for HandOffOr {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(2, self.spawned));
        let (mut busy, mut leaving) = (bench.machine(), bench.machine());
        for id in 2..=self.spawned {
            busy.spawn(bench.task(id)).expect("it is open");
        }
        let leaver = W::spawn(move || {
            leaving.enter_long_blocking().expect("it has a processor");
            leaving
        });
        busy.spawn(bench.task(1)).expect("it is open");
        let leaving = W::join(leaver);
        let asked = bench.asked().len();
        assert_eq!(asked, 1, "a machine is asked for, by the one or the other");
        bench.end([busy, leaving]);
        format!("{asked} asked")
    }
}

/// A machine comes out of a system call, without a processor, while the only one goes idle.
struct NoProcessorOrDrop;

impl Model for NoProcessorOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let mut caller = bench.machine();
        caller.enter_long_blocking().expect("it has a processor");
        let mut other = bench.machine();
        assert!(other.processor().is_some(), "the processor was handed off");
        let dropper = drop_in_a_thread(&bench, other);
        let exit = caller.exit_blocking().expect("it is in a call");
        if exit == gosched::scheduler::Exit::NoProcessor {
            caller.yield_now(bench.task(1)).expect("it is open");
        }
        let at_once;
        (other, at_once) = W::join(dropper);
        let later = bench.settle([&mut other, &mut caller]);
        format!("{exit:?}, {} at once, {} later", at_once.len(), later.len())
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "its task was found",
                seen_in: |outcome| outcome == "NoProcessor, 1 at once, 0 later",
            },
            Witness {
                name: "its task was run after a wake",
                seen_in: |outcome| outcome == "NoProcessor, 0 at once, 1 later",
            },
        ]
    }
}

/// A searcher steals two of three tasks, and runs on with the first, while another processor goes
/// idle: F5 against D1 to D5. That one is handed off, or its machine has searched.
struct FoundOrDrop {
    searches: bool,
    many_words: bool,
}

impl Model for FoundOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(3, 3);
        setup.many_words = self.many_words;
        let bench = Bench::<W>::new(setup);
        let (mut busy, mut thief, mut idle) = (bench.machine(), bench.machine(), bench.machine());
        for id in 1..=3 {
            busy.submit(bench.task(id)).expect("it is open");
        }
        let searches = self.searches;
        let other = W::spawn({
            let bench = bench.clone();
            move || {
                if searches {
                    let ran = bench.run_until_asleep(&mut idle);
                    return (idle, ran);
                }
                idle.enter_long_blocking().expect("it has a processor");
                (idle, vec![])
            }
        });
        let found = bench.run_one(&mut thief);
        let (mut idle, at_once) = W::join(other);
        // A thief that has found something runs on for ever.
        let mut waiting = vec![&mut idle];
        if found.is_none() {
            waiting.push(&mut thief);
        }
        let later = bench.settle(waiting);
        let all = usize::from(found.is_some()) + at_once.len() + later.len();
        assert_eq!(all, 3, "not every task was run");
        format!("thief {}, {} at once, {} later", found.is_some(), at_once.len(), later.len())
    }

    fn witnesses(&self) -> Vec<Witness> {
        if self.searches {
            return vec![Witness {
                name: "both found something",
                seen_in: |outcome| outcome == "thief true, 2 at once, 0 later",
            }];
        }
        vec![Witness {
            name: "the rest was left to others",
            seen_in: |outcome| outcome == "thief true, 0 at once, 2 later",
        }]
    }
}

/// A machine takes two tasks from the global queue, and runs on with the first, while another goes
/// idle: F2 against D1 to D5.
struct ShareOrDrop;

impl Model for ShareOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(2, 2));
        let (mut taker, mut idle) = (bench.machine(), bench.machine());
        let mut batch = Batch::with_memory_and_capacity(2);
        (1..=2).for_each(|id| batch.push(bench.task(id)));
        bench.scheduler.inject_batch(batch).expect("it is open");
        let dropper = drop_in_a_thread(&bench, idle);
        let first = bench.run_one(&mut taker);
        let at_once;
        (idle, at_once) = W::join(dropper);
        let later = bench.settle([&mut idle]);
        let all = usize::from(first.is_some()) + at_once.len() + later.len();
        assert_eq!(all, 2, "not every task was run");
        format!("taker {}, {} at once, {} later", first.is_some(), at_once.len(), later.len())
    }
}

/// One spawns two tasks, one searches, one goes idle without having searched: the shape in which
/// Go needs `needspinning`.
struct SpawnSearchAndDrop;

impl Model for SpawnSearchAndDrop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(3, 2));
        let (mut busy, thief, idle) = (bench.machine(), bench.machine(), bench.machine());
        let searcher = W::spawn({
            let bench = bench.clone();
            let mut thief = thief;
            move || {
                let ran = bench.run_one(&mut thief);
                (thief, ran)
            }
        });
        let dropper = drop_in_a_thread(&bench, idle);
        for id in 1..=2 {
            busy.spawn(bench.task(id)).expect("it is open");
        }
        let (mut thief, found) = W::join(searcher);
        let (mut idle, at_once) = W::join(dropper);
        // A thief that has found something runs on for ever.
        let mut waiting = vec![&mut idle];
        if found.is_none() {
            waiting.push(&mut thief);
        }
        let later = bench.settle(waiting);
        let all = usize::from(found.is_some()) + at_once.len() + later.len();
        assert_eq!(all, 2, "not every task was run");
        format!("thief {}, {} at once, {} later", found.is_some(), at_once.len(), later.len())
    }
}

/// The host refuses; the machine that goes idle finds the task, or its next step does.
struct RefusedOrDrop;

impl Model for RefusedOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(3, 1);
        setup.refuses = usize::MAX;
        let bench = Bench::<W>::new(setup);
        let (mut busy, mut idle) = (bench.machine(), bench.machine());
        let dropper = drop_in_a_thread(&bench, idle);
        busy.spawn(bench.task(1)).expect("it is open");
        let at_once;
        (idle, at_once) = W::join(dropper);
        // The busy machine looks for work when its task has stopped.
        let own = bench.run_until_asleep(&mut busy);
        let later = bench.settle([&mut idle, &mut busy]);
        assert_eq!(at_once.len() + own.len() + later.len(), 1, "not every task was run");
        format!("{} at once, {} by its own, {} later", at_once.len(), own.len(), later.len())
    }
}

/// The host refuses once, while the monitor tries again for what was refused before: its next step
/// must make up for it. (Found by the specification: a retry between the note of the refusal and
/// the step that puts the processor down forgot it.)
struct RefusedOrRetried;

impl Model for RefusedOrRetried {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.refuses = 1;
        let bench = Bench::<W>::new(setup);
        let mut monitor = bench.scheduler.monitor();
        let watch = W::spawn(move || {
            let _ = monitor.step(10);
            monitor
        });
        bench.scheduler.inject(bench.task(1)).expect("it is open");
        let mut monitor = W::join(watch);
        let at_once = bench.settle_refused();
        let _ = monitor.step(20);
        let later = bench.settle([]).len();
        assert_eq!(at_once + later, 1, "the refusal is forgotten");
        format!("{at_once} at once")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the monitor came later", seen_in: |outcome| outcome == "1 at once" },
            Witness { name: "the monitor came first", seen_in: |outcome| outcome == "0 at once" },
        ]
    }
}
