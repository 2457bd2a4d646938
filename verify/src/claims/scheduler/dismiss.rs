//! Sending sleeping machines home, while they are wanted.
//!
//! A machine that leaves is one more that must not be counted on: whoever has a processor to give
//! away either finds it in the pool, and then it stays, or does not, and then it gets nothing.

use gosched::{Nap, Step};

use super::host::{Bench, ModelMachine, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let one = "1 machine, 1 task";
    let case = |name, most, asleep| Case::new(name, one, SMALL, InjectOrDismiss { most, asleep });
    vec![Claim {
        name: "scheduler::a_dismissal_strands_no_task",
        sentence: "When a task is submitted while a machine is sent home, either that machine \
                   stays and runs it, or leaves and another is asked for; where there may be no \
                   other yet, the monitor asks for it later. Nobody is given a processor and its \
                   leave.",
        cases: vec![
            case("inject_or_dismiss", 10, true),
            case("sleep_inject_or_dismiss", 10, false),
            case("inject_or_dismiss_the_last", 1, true),
            Case::new("leave_or_retry", "1 machine, 1 monitor, 1 task", SMALL, LeaveOrRetry),
            Case::new("dismiss_or_dismiss", "2 machines, 1 task", SMALL, DismissOrDismiss),
        ],
        properties: vec![],
    }]
}

/// Whether the machine has left.
fn has_left<W: World>(machine: &mut ModelMachine<W>) -> bool {
    matches!(machine.step(), Step::Exit)
}

/// Somebody submits a task; the machine is sent home, if it sleeps.
struct InjectOrDismiss {
    /// How many machines there may be.
    most: usize,
    /// Whether the machine sleeps beforehand.
    asleep: bool,
}

impl Model for InjectOrDismiss {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.machines = self.most;
        let bench = Bench::<W>::new(setup);
        let mut machine = bench.machine();
        if self.asleep {
            assert!(bench.run_until_asleep(&mut machine).is_empty(), "there is no task");
        }
        let injector = W::spawn({
            let (bench, asleep) = (bench.clone(), self.asleep);
            move || {
                let early = !asleep && bench.scheduler.dismiss(0);
                bench.scheduler.inject(bench.task(1)).expect("it is open");
                early
            }
        });
        let mut ran = Vec::new();
        let late = if self.asleep {
            bench.scheduler.dismiss(0)
        } else {
            ran = bench.run_until_asleep(&mut machine);
            false
        };
        let dismissed = W::join(injector) || late;
        ran.extend(bench.run_until_asleep(&mut machine));
        let by_it = ran.len();
        if self.most == 1 {
            // The task has come while there was no room for a machine, and now there is.
            let _ = bench.scheduler.monitor().step(1);
        }
        ran.extend(bench.settle([&mut machine]));
        assert_eq!(ran, [1], "the task is stranded");
        let left = has_left::<W>(&mut machine);
        assert_eq!(left, dismissed, "it left, and was sent home");
        assert!(!(dismissed && by_it > 0 && self.asleep), "it was sent home, and has run a task");
        format!("dismissed {dismissed}, ran {by_it}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "a new machine runs it",
                seen_in: |outcome| outcome == "dismissed true, ran 0",
            },
            Witness {
                name: "it stays, and runs the task",
                seen_in: |outcome| outcome == "dismissed false, ran 1",
            },
        ]
    }
}

/// The one machine that there may be was sent home, and a task has come since. It leaves while the
/// monitor tries again: too early, or not.
struct LeaveOrRetry;

impl Model for LeaveOrRetry {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.machines = 1;
        let bench = Bench::<W>::new(setup);
        let mut machine = bench.machine();
        assert!(bench.run_until_asleep(&mut machine).is_empty(), "there is no task");
        assert!(bench.scheduler.dismiss(0), "it sleeps");
        bench.scheduler.inject(bench.task(1)).expect("it is open");
        let monitor = W::spawn({
            let bench = bench.clone();
            move || {
                let mut monitor = bench.scheduler.monitor();
                let early = monitor.step(1).nap;
                assert_ne!(early, Nap::Deep, "it sleeps, and a task waits for it");
                monitor
            }
        });
        assert!(has_left::<W>(&mut machine), "it was sent home");
        let mut monitor = W::join(monitor);
        let asked = bench.asked();
        let at_once = !asked.is_empty();
        let mut begun: Vec<_> = asked.into_iter().map(gosched::StartMachine::begin).collect();
        if !at_once {
            assert_ne!(monitor.step(2).nap, Nap::Deep, "it sleeps, and a task waits for it");
        }
        assert_eq!(bench.settle(&mut begun), [1], "the task is stranded");
        format!("{at_once}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "too early", seen_in: |outcome| outcome == "false" },
            Witness { name: "at once", seen_in: |outcome| outcome == "true" },
        ]
    }
}

/// Two send a machine home while two sleep, of whom one is to be kept; then a task comes.
struct DismissOrDismiss;

impl Model for DismissOrDismiss {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(2, 1));
        let mut machines = [bench.machine(), bench.machine()];
        for machine in &mut machines {
            assert!(bench.run_until_asleep(machine).is_empty(), "there is no task");
        }
        let other = W::spawn({
            let bench = bench.clone();
            move || bench.scheduler.dismiss(1)
        });
        let here = bench.scheduler.dismiss(1);
        bench.scheduler.inject(bench.task(1)).expect("it is open");
        let there = W::join(other);
        let ran = bench.settle(&mut machines);
        assert_eq!(ran, [1], "the task is stranded");
        let left = machines.iter_mut().map(has_left::<W>).filter(|left| *left).count();
        assert_eq!(left, 1, "as many have left as were sent home");
        assert!(here != there, "one of them finds one more than are to be kept");
        format!("{here}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the one", seen_in: |outcome| outcome == "true" },
            Witness { name: "the other", seen_in: |outcome| outcome == "false" },
        ]
    }
}
