//! The monitor's deep sleep: it ends when anything happens.

use gosched::Nap;

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::the_monitor_sleeps_only_while_nothing_happens",
        sentence: "When a machine takes a processor up, or the host refuses one, while the monitor \
                   goes into its deep sleep, the monitor stays awake or is woken.",
        cases: vec![
            Case::new("take_up_or_sleep", "1 machine, 1 monitor", SMALL, TakeUpOrSleep),
            Case::new("refused_or_sleep", "1 task, 1 monitor", SMALL, RefusedOrSleep),
        ],
        properties: vec![],
    }]
}

/// Steps and sleeps until it is told to come back soon. How often it was to sleep deeply.
fn watch<W: World>(bench: &Bench<W>) -> usize {
    let mut monitor = bench.scheduler.monitor();
    let mut deep = 0;
    while monitor.step(1).nap == Nap::Deep {
        deep += 1;
        monitor.sleep();
    }
    deep
}

fn slept_or_not() -> Vec<Witness> {
    vec![
        Witness { name: "it was to sleep", seen_in: |outcome| outcome != "0" },
        Witness { name: "it came too late for that", seen_in: |outcome| outcome == "0" },
    ]
}

/// A machine takes a processor, and keeps it. A monitor that sleeps on is a deadlock.
struct TakeUpOrSleep;

impl Model for TakeUpOrSleep {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(Setup::new(1, 0));
        let taker = W::spawn({
            let bench = bench.clone();
            move || bench.machine()
        });
        let deep = watch(&bench);
        bench.end([W::join(taker)]);
        format!("{deep}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        slept_or_not()
    }
}

/// A task comes, and the host refuses the machine: the monitor has to try again. One that sleeps
/// on is a deadlock.
struct RefusedOrSleep;

impl Model for RefusedOrSleep {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.refuses = usize::MAX;
        let bench = Bench::<W>::new(setup);
        let injector = W::spawn({
            let bench = bench.clone();
            move || bench.scheduler.inject(bench.task(1)).is_ok()
        });
        let deep = watch(&bench);
        assert!(W::join(injector), "nobody has shut down");
        format!("{deep}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        slept_or_not()
    }
}
