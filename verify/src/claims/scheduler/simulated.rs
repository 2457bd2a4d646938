//! Random programs on a simulated host, in one thread: who runs what, when, and who is left.
//!
//! The programs, the host and the reference are those of [`ops::scheduler`](crate::ops::scheduler).
//! One driver checks everything in every program. The claims differ in the programs: all
//! operations; tasks that feed each other, for the bounds on waiting; and a shutdown in the middle.

use crate::claim::{Claim, Property};
use crate::ops::Language;
use crate::ops::Seen;
use crate::ops::scheduler::Simulation;

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            name: "scheduler::every_task_runs_as_often_as_it_was_ready",
            sentence: "On a simulated host, whatever machines, tasks, system calls, timers, stops, \
                       dismissals and refusals do in whatever order, every task runs exactly as \
                       often as it was made runnable and in the order of its queue, every \
                       processor has one owner, and none is idle while work is queued and nobody \
                       is under way.",
            cases: vec![],
            properties: vec![
                Property {
                    name: "known_programs",
                    shape: "the lists that people and testers wrote down",
                    cases: 1,
                    run: |_| run_known(),
                },
                #[cfg(feature = "proptest")]
                Property {
                    name: "random_programs",
                    shape: "random lists of up to 120 operations, shrunk when they fail",
                    cases: 16_000,
                    run: crate::ops::random::check::<Simulation>,
                },
            ],
        },
        Claim {
            name: "scheduler::fairness_bounds_hold",
            sentence: "The first task in the global queue is passed over by no more than 61 slices \
                       of any one processor, a chain of tasks in the slot is cut at its bound, and \
                       the ring is first in, first out.",
            cases: vec![],
            properties: vec![
                #[cfg(feature = "proptest")]
                Property {
                    name: "tasks_that_feed_each_other",
                    shape: "random lists of chains, submits and yields on few machines",
                    cases: 1_500,
                    run: shaped::fair,
                },
            ],
        },
        Claim {
            name: "scheduler::nothing_is_left_at_shutdown",
            sentence: "A shutdown, wherever it comes, returns every task that is queued, in the \
                       order of the queues; what is submitted later comes back; every machine \
                       leaves, and nobody keeps a task.",
            cases: vec![],
            properties: vec![
                #[cfg(feature = "proptest")]
                Property {
                    name: "shutdown_anywhere",
                    shape: "random lists with a shutdown in the middle",
                    cases: 1_500,
                    run: shaped::shut_down,
                },
            ],
        },
    ]
}

/// Runs the known programs, which together must show everything that random ones must.
fn run_known() -> Result<u64, String> {
    let mut seen = Seen::default();
    let mut count = 0;
    for (name, program) in Simulation::known() {
        let saw = program.run().map_err(|mismatch| format!("{name}: {mismatch}\n{program:?}"))?;
        seen.merge(saw);
        count += 1;
    }
    let (missing, unlisted) = (seen.missing::<Simulation>(), seen.unlisted::<Simulation>());
    if missing.is_empty() && unlisted.is_empty() {
        return Ok(count);
    }
    Err(format!("no known program shows that {missing:?}; not in the list: {unlisted:?}"))
}

/// Random programs of a certain shape.
#[cfg(feature = "proptest")]
mod shaped {
    use proptest::test_runner::{
        Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
    };

    use crate::ops::Program;
    use crate::ops::random::{LONGEST, programs};
    use crate::ops::scheduler::{SchedulerOp as Op, Simulation};

    /// The two machines' tasks feed each other, and nothing else happens.
    pub(super) fn fair(cases: u32) -> Result<u64, String> {
        check(cases, |mut program| {
            program.setup.processors %= 2;
            for (index, op) in program.ops.iter_mut().enumerate() {
                let (machine, count) = match *op {
                    Op::Work(machine, count) | Op::Chain(machine, count) => (machine, count),
                    Op::Spawn(machine, count) | Op::Submit(machine, count) => (machine, count),
                    Op::Inject | Op::Begin(_) | Op::Yield(_) | Op::YieldLocal(_) => continue,
                    _ => (0, index as u8),
                };
                *op = match count % 5 {
                    0 => Op::Work(machine, count),
                    1 | 2 => Op::Chain(machine, count),
                    3 => Op::Submit(machine, count),
                    _ => Op::Inject,
                };
            }
            program.ops.splice(0..0, [Op::Inject, Op::Begin(0)]);
            program
        })
    }

    /// A shutdown takes the place of the operation in the middle.
    pub(super) fn shut_down(cases: u32) -> Result<u64, String> {
        check(cases, |mut program| {
            let middle = program.ops.len() / 2;
            if let Some(op) = program.ops.get_mut(middle) {
                *op = if middle % 2 == 0 { Op::ShutDown } else { Op::ShutDownBy(middle as u8) };
            }
            program
        })
    }

    fn check(
        cases: u32,
        shape: fn(Program<Simulation>) -> Program<Simulation>,
    ) -> Result<u64, String> {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let result = TestRunner::new_with_rng(config, rng).run(&programs(LONGEST), |program| {
            let result = shape(program).run();
            result.map(drop).map_err(|mismatch| TestCaseError::fail(mismatch.to_string()))
        });
        match result {
            Ok(()) => Ok(u64::from(cases)),
            Err(TestError::Fail(reason, program)) => {
                let program = shape(program);
                Err(format!("{reason}\nthe smallest program that fails:\n{program:?}"))
            }
            Err(TestError::Abort(reason)) => Err(format!("proptest gave up: {reason}")),
        }
    }
}
