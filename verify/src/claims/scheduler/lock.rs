//! Tasks that are locked to a machine.

use gosched::Step;

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::a_locked_task_runs_on_its_machine_alone",
        sentence: "A task that is locked to a machine runs on no other, and the machine runs \
                   nothing else, also when the task is made runnable while the machine goes to \
                   sleep.",
        cases: vec![Case::new("yield_or_find", "2 machines, 1 locked task", SMALL, YieldOrFind)],
        properties: vec![],
    }]
}

/// The locked task yields, and its machine goes to sleep, while another machine finds it.
struct YieldOrFind;

impl Model for YieldOrFind {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(2, 1);
        setup.locks = true;
        let bench = Bench::<W>::new(setup);
        let (mut own, mut other) = (bench.machine(), bench.machine());
        own.spawn(bench.task(1)).expect("it is open");
        let Step::Run(task) = own.step() else { panic!("the task is there") };
        bench.lock(1, &mut own);
        let finder = W::spawn({
            let bench = bench.clone();
            move || {
                let ran = bench.run_until_asleep(&mut other);
                assert!(ran.is_empty(), "another machine runs the locked task");
                other
            }
        });
        own.yield_now(task).expect("it is open");
        let at_once = bench.run_one(&mut own);
        let mut other = W::join(finder);
        // Any other machine passes it on, in the end.
        for _ in 0..3 {
            bench.begin_and_pass_on();
            assert!(bench.run_until_asleep(&mut other).is_empty(), "another machine runs it");
        }
        let later = if at_once.is_none() { bench.run_one(&mut own) } else { None };
        assert!(at_once.or(later) == Some(1), "the locked task is stranded");
        own.unlock();
        bench.end([own, other]);
        format!("{}", at_once.is_some())
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![Witness { name: "its machine slept", seen_in: |outcome| outcome == "false" }]
    }
}
