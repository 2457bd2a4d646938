//! The report that everybody sleeps: never a false one, and never none.

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::all_asleep_is_told_when_it_is_so",
        sentence: "The host is told that everybody sleeps when the last machine goes to sleep, or \
                   the last outsider leaves, with nothing queued; and not while a task is queued, \
                   running or on its way, or an outsider is left.",
        cases: vec![
            Case::new("leave_or_sleep", "1 machine, 1 outsider", SMALL, LeaveOrSleep),
            Case::new("inject_or_sleep", "1 machine, 1 outsider with a task", SMALL, InjectOrSleep),
            Case::new(
                "inject_or_go_on",
                "2 outsiders, 1 task, 1 who starts the world",
                SMALL,
                InjectOrGoOn,
            ),
            Case::new("sleep_or_sleep", "2 machines", SMALL, SleepOrSleep),
        ],
        properties: vec![],
    }]
}

/// An outsider leaves while the machine goes to sleep: one of them notices.
struct LeaveOrSleep;

impl Model for LeaveOrSleep {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 0));
        let mut machine = bench.machine();
        let outsider = bench.scheduler.outside();
        let leaver = W::spawn(move || drop(outsider));
        bench.run_until_asleep(&mut machine);
        W::join(leaver);
        assert_eq!(bench.told(), 1, "times that it was told");
        String::new()
    }
}

/// An outsider submits a task and leaves while the machine goes to sleep: a report before the task
/// has run is false.
struct InjectOrSleep;

impl Model for InjectOrSleep {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let mut machine = bench.machine();
        let outsider = bench.scheduler.outside();
        let injector = W::spawn({
            let bench = bench.clone();
            move || {
                bench.scheduler.inject(bench.task(1)).expect("it is open");
                drop(outsider);
            }
        });
        let ran = bench.run_until_asleep(&mut machine).len();
        W::join(injector);
        if ran == 0 {
            assert_eq!(bench.told(), 0, "it was told, and a task is queued");
        }
        // A wake may be under way although the task was found.
        assert_eq!(ran + bench.settle([&mut machine]).len(), 1, "the task is stranded");
        assert_eq!(bench.told(), 1, "times that it was told");
        format!("{ran}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "found", seen_in: |outcome| outcome == "1" },
            Witness { name: "woken", seen_in: |outcome| outcome == "0" },
        ]
    }
}

/// An outsider submits a task and leaves while the world is stopped and goes on; then another
/// outsider leaves. The task has woken nobody, and whoever lets the world go on has yet to look.
struct InjectOrGoOn;

impl Model for InjectOrGoOn {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let world = bench.scheduler.stop_the_world().expect("nobody else stops it");
        let (one, two) = (bench.scheduler.outside(), bench.scheduler.outside());
        let injector = W::spawn({
            let bench = bench.clone();
            move || {
                bench.scheduler.inject(bench.task(1)).expect("it is open");
                drop(one);
            }
        });
        let starter = W::spawn(move || drop(world));
        drop(two);
        W::join(injector);
        W::join(starter);
        assert_eq!(bench.settle([]), [1], "the task is stranded");
        assert_eq!(bench.told(), 1, "times that it was told");
        String::new()
    }
}

/// Two machines go to sleep: the last one notices.
struct SleepOrSleep;

impl Model for SleepOrSleep {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(2, 0));
        let (mut one, mut two) = (bench.machine(), bench.machine());
        let sleeper = W::spawn({
            let bench = bench.clone();
            move || {
                bench.run_until_asleep(&mut two);
                two
            }
        });
        bench.run_until_asleep(&mut one);
        let two = W::join(sleeper);
        assert_eq!(bench.told(), 1, "times that it was told");
        drop((one, two));
        String::new()
    }
}
