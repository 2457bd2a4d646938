//! System calls: of a machine that comes back and whoever takes its processor, one gets it.

use gosched::Pace;
use gosched::scheduler::Exit;

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::a_system_call_keeps_its_processor_or_loses_it_whole",
        sentence: "Of a machine that comes out of a system call, a monitor that takes its \
                   processor, and a stopper of the world, exactly one gets the processor, with all \
                   that was left in it; and the tasks in its queue are run.",
        cases: vec![
            Case::new(
                "exit_or_retake",
                "1 machine, 1 monitor, 1 task",
                SMALL,
                ExitOrRetake { calls: 1 },
            ),
            Case::new(
                "next_call_or_retake",
                "1 machine with 2 calls, 1 monitor",
                SMALL,
                ExitOrRetake { calls: 2 },
            ),
            Case::new(
                "exit_retake_or_take",
                "2 machines, 1 monitor, 1 processor",
                SMALL,
                ExitRetakeOrTake,
            ),
            Case::new(
                "enter_or_stop",
                "1 machine, 1 stopper, 1 task",
                SMALL,
                CallOrStop { enters: true },
            ),
            Case::new(
                "exit_or_stop",
                "1 machine, 1 stopper, 1 task",
                SMALL,
                CallOrStop { enters: false },
            ),
            Case::new(
                "enter_enter_or_resize",
                "2 machines, 2 processors, then 1",
                SMALL,
                EnterEnterOrResize,
            ),
        ],
        properties: vec![],
    }]
}

/// Takes the processor out of any system call that it sees twice.
fn monitor_once<W: World>(bench: &Bench<W>) -> usize {
    let mut monitor = bench.scheduler.monitor_with(Pace { slice: 1, ..Pace::default() });
    let first = monitor.step(10).retaken;
    first + monitor.step(20).retaken
}

/// A machine with a task in its queue makes system calls; a monitor looks twice, and takes the
/// processor if it finds it in the same call.
struct ExitOrRetake {
    calls: u32,
}

impl Model for ExitOrRetake {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let mut machine = bench.machine();
        machine.spawn(bench.task(1)).expect("it is open");
        machine.enter_blocking().expect("it has a processor");
        let watch = W::spawn({
            let bench = bench.clone();
            move || monitor_once(&bench)
        });
        let mut exits = vec![machine.exit_blocking().expect("it is in a call")];
        for _ in 1..self.calls {
            if machine.enter_blocking().is_ok() {
                exits.push(machine.exit_blocking().expect("it is in a call"));
            }
        }
        let retaken = W::join(watch);
        let kept = exits.iter().all(|exit| *exit == Exit::Kept);
        assert_eq!(kept, retaken == 0, "both have the processor, or none: {exits:?}");
        let ran = bench.settle([&mut machine]);
        assert_eq!(ran, [1], "the task in the queue is lost");
        format!("{exits:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "kept", seen_in: |outcome| !outcome.contains("NoProcessor") },
            Witness { name: "lost", seen_in: |outcome| outcome.contains("NoProcessor") },
        ]
    }
}

/// As above, with an empty queue, so that the processor goes idle; and another machine that comes
/// out of a call wants one.
struct ExitRetakeOrTake;

impl Model for ExitRetakeOrTake {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let mut other = bench.machine();
        other.enter_long_blocking().expect("it has a processor");
        let mut machine = bench.machine();
        machine.enter_blocking().expect("the processor was handed off");
        let watch = W::spawn({
            let bench = bench.clone();
            move || monitor_once(&bench)
        });
        let wants = W::spawn(move || {
            let exit = other.exit_blocking().expect("it is in a call");
            (other, exit)
        });
        let exit = machine.exit_blocking().expect("it is in a call");
        let retaken = W::join(watch);
        let (other, others) = W::join(wants);
        let have = [&machine, &other].iter().filter(|one| one.processor().is_some()).count();
        assert!(have <= 1, "two machines have the one processor");
        if retaken == 0 {
            assert_eq!(have, 1, "nobody has the processor, and nobody took it");
        }
        bench.end([machine, other]);
        bench.assert_at_rest();
        format!("{exit:?}, {others:?}, {retaken} retaken")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "kept", seen_in: |outcome| outcome.starts_with("Kept") },
            Witness { name: "the other got it", seen_in: |outcome| outcome.contains(", Got, 1") },
        ]
    }
}

/// A machine enters or leaves a system call while another thread stops the world.
struct CallOrStop {
    enters: bool,
}

impl Model for CallOrStop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 1));
        let mut machine = bench.machine();
        machine.spawn(bench.task(1)).expect("it is open");
        if !self.enters {
            machine.enter_blocking().expect("it has a processor");
        }
        let stopper = W::spawn({
            let bench = bench.clone();
            move || {
                let world = bench.scheduler.stop_the_world().expect("nobody else stops it");
                let now = bench.scheduler.snapshot();
                let state = now.processors[0].state;
                assert_eq!(state, gosched::ProcessorState::Stopped, "the world runs");
                drop(world);
            }
        });
        if self.enters {
            machine.enter_blocking().expect("it has a processor");
        }
        let exit = machine.exit_blocking().expect("it is in a call");
        // A machine that has kept its processor is waited for until its next scheduling point.
        let mut ran = bench.run_until_asleep(&mut machine);
        W::join(stopper);
        ran.extend(bench.settle([&mut machine]));
        assert_eq!(ran, [1], "the task in the queue is lost");
        format!("{exit:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "kept", seen_in: |outcome| outcome == "Kept" },
            Witness { name: "taken or too late", seen_in: |outcome| outcome != "Kept" },
        ]
    }
}

/// Two machines enter system calls while the number of processors is changed: whoever comes second
/// wakes the one who waits, and passes on what the first has left.
struct EnterEnterOrResize;

impl Model for EnterEnterOrResize {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(2, 0));
        let entering = [bench.machine(), bench.machine()].map(|mut machine| {
            W::spawn(move || {
                machine.enter_blocking().expect("it has a processor");
                machine
            })
        });
        bench.scheduler.set_processors(1).expect("nobody else stops it");
        bench.end(entering.map(W::join));
        bench.assert_at_rest();
        String::new()
    }
}
