//! Stopping the world, changing the number of processors, and shutting down.

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            name: "scheduler::a_stopped_world_stands_still",
            sentence: "While the world is stopped the stopper owns every processor, and nobody \
                       runs a task with one; when it goes on, no task is lost and none is stranded.",
            cases: vec![
                Case::new("stop_or_drop", "2 machines, 1 stopper", SMALL, StopOrDrop),
                Case::new(
                    "stop_or_spawn",
                    "1 machine, 1 stopper, 2 tasks",
                    SMALL,
                    StopOrSpawn { resize: None },
                ),
                Case::new("stop_or_stop", "2 stoppers", SMALL, StopOrStop),
                Case::new(
                    "resize_or_spawn",
                    "2 processors, then 1, 2 tasks",
                    SMALL,
                    StopOrSpawn { resize: Some(1) },
                ),
                Case::new(
                    "resize_up_or_spawn",
                    "1 processor, then 2, 2 tasks",
                    SMALL,
                    StopOrSpawn { resize: Some(2) },
                ),
                Case::new("stop_or_inject", "1 stopper, 1 task from outside", SMALL, StopOrInject),
            ],
            properties: vec![],
        },
        Claim {
            name: "scheduler::shutdown_returns_every_task",
            sentence: "A task that is submitted while the scheduler shuts down either comes back \
                       from the submit, or is among those that the shutdown returns, or was run.",
            cases: vec![
                Case::new("shutdown_or_inject", "1 injector, 1 task", SMALL, ShutdownOrInject),
                Case::new("shutdown_or_spawn", "1 machine, 1 task", SMALL, ShutdownOrSpawn),
            ],
            properties: vec![],
        },
    ]
}

/// A machine goes idle while the world is stopped and goes on.
struct StopOrDrop;

impl Model for StopOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 0));
        let mut machine = bench.machine();
        let stopper = W::spawn({
            let bench = bench.clone();
            move || drop(bench.scheduler.stop_the_world().expect("nobody else stops it"))
        });
        bench.run_until_asleep(&mut machine);
        W::join(stopper);
        bench.settle([&mut machine]);
        let now = bench.scheduler.snapshot();
        assert_eq!(now.idle, 1, "the processor is nobody's: {now:?}");
        String::new()
    }
}

/// A machine spawns tasks and runs one while the world is stopped, perhaps with another number of
/// processors, and goes on.
struct StopOrSpawn {
    resize: Option<usize>,
}

impl Model for StopOrSpawn {
    fn run<W: World>(&self) -> Outcome {
        let before = if self.resize == Some(1) { 2 } else { 1 };
        let mut setup = Setup::new(before, 2);
        setup.most = 2;
        let bench = Bench::<W>::new(setup);
        let mut machine = bench.machine();
        if before == 2 {
            // The machine's processor is the one that goes.
            let mut other = bench.machine();
            core::mem::swap(&mut machine, &mut other);
            drop(other);
        }
        let resize = self.resize;
        let stopper = W::spawn({
            let bench = bench.clone();
            move || {
                let mut world = bench.scheduler.stop_the_world().expect("nobody else stops it");
                if let Some(count) = resize {
                    world.set_processors(count).expect("it is from 1 to the maximum");
                }
            }
        });
        machine.submit(bench.task(1)).expect("it is open");
        machine.submit(bench.task(2)).expect("it is open");
        let mut ran: Vec<_> = bench.run_one(&mut machine).into_iter().collect();
        let first = ran.len();
        ran.extend(bench.run_until_asleep(&mut machine));
        // The stopper waits for a processor that is on its way to a machine.
        let mut begun = Vec::new();
        ran.extend(bench.begin_asked(&mut begun));
        W::join(stopper);
        ran.extend(bench.settle(begun.iter_mut().chain([&mut machine])));
        ran.sort_unstable();
        assert_eq!(ran, [1, 2], "not every task was run once");
        format!("{first} before the stop")
    }
}

/// Two threads stop the world: one after the other, or one gets an error.
struct StopOrStop;

impl Model for StopOrStop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(2, 0));
        let stop = |bench: &Bench<W>| bench.scheduler.stop_the_world().map(drop).is_ok();
        let other = W::spawn({
            let bench = bench.clone();
            move || stop(&bench)
        });
        let mine = stop(&bench);
        let theirs = W::join(other);
        assert!(mine || theirs, "nobody has stopped the world");
        let now = bench.scheduler.snapshot();
        assert_eq!((now.idle, now.stopped), (2, false), "the world does not go on: {now:?}");
        format!("{}", usize::from(mine) + usize::from(theirs))
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "both", seen_in: |outcome| outcome == "2" },
            Witness { name: "one", seen_in: |outcome| outcome == "1" },
        ]
    }
}

/// A task comes from outside while the world is stopped and goes on.
struct StopOrInject;

impl Model for StopOrInject {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let stopper = W::spawn({
            let bench = bench.clone();
            move || drop(bench.scheduler.stop_the_world().expect("nobody else stops it"))
        });
        bench.scheduler.inject(bench.task(1)).expect("it is open");
        // The stopper waits for a processor that is on its way to a machine.
        let mut begun = Vec::new();
        let mut ran = bench.begin_asked(&mut begun);
        W::join(stopper);
        ran.extend(bench.settle(&mut begun));
        assert_eq!(ran, [1], "the task is stranded");
        String::new()
    }
}

/// A task comes from outside while the scheduler shuts down.
struct ShutdownOrInject;

impl Model for ShutdownOrInject {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let task = bench.task(1);
        let injector = W::spawn({
            let bench = bench.clone();
            move || {
                let refused = bench.scheduler.inject(task).is_err();
                // The shutdown waits for a processor that is on its way to a machine.
                let mut begun = Vec::new();
                let ran = bench.begin_asked(&mut begun).len();
                (refused, ran, begun)
            }
        });
        let left = bench.scheduler.shutdown().expect("it was not shut down before").len();
        let (refused, ran, begun) = W::join(injector);
        drop(begun);
        assert_eq!(left + usize::from(refused) + ran, 1, "the task is lost, or there twice");
        format!("{left} left, {refused}, {ran} ran")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "returned", seen_in: |outcome| outcome.starts_with("1 left") },
            Witness { name: "refused", seen_in: |outcome| outcome.contains("true") },
        ]
    }
}

/// A machine spawns and runs while the scheduler shuts down.
struct ShutdownOrSpawn;

impl Model for ShutdownOrSpawn {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let mut machine = bench.machine();
        let runner = W::spawn({
            let bench = bench.clone();
            move || {
                machine.spawn(bench.task(1)).expect("it has a processor");
                let ran = bench.run_until_asleep(&mut machine).len();
                (machine, ran)
            }
        });
        let left = bench.scheduler.shutdown().expect("it was not shut down before").len();
        let (mut machine, ran) = W::join(runner);
        assert_eq!(left + ran, 1, "the task is lost, or there twice");
        assert!(matches!(machine.step(), gosched::Step::Exit), "the machine does not leave");
        format!("{left} left")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "returned", seen_in: |outcome| outcome == "1 left" },
            Witness { name: "run", seen_in: |outcome| outcome == "0 left" },
        ]
    }
}
