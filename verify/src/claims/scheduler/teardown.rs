//! After a shutdown the host may take its poller apart.

use gosched::{Batch, Host, Step};

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::a_shutdown_waits_for_those_who_poll",
        sentence: "When a shutdown returns, nobody polls, neither a machine nor the monitor, and all \
                   that the last poll did is visible.",
        cases: vec![
            Case::new("poll_or_shutdown", "1 machine", SMALL, Polls { monitor: false }),
            Case::new("look_or_shutdown", "1 monitor", SMALL, Polls { monitor: true }),
        ],
        properties: vec![],
    }]
}

/// A machine or the monitor polls while the scheduler shuts down; then the poller is used by the
/// one who has shut down.
struct Polls {
    monitor: bool,
}

impl Model for Polls {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 0);
        setup.poller = true;
        // Nobody need come in place of the machine that polls.
        setup.refuses = usize::MAX;
        let bench = Bench::<W>::new(setup);
        let machine = (!self.monitor).then(|| bench.machine());
        let poller = W::spawn({
            let bench = bench.clone();
            move || {
                let Some(mut machine) = machine else {
                    // So late that the last poll was long ago.
                    let _ = bench.scheduler.monitor().step(u64::MAX);
                    return false;
                };
                let step = machine.step();
                if let Step::Poll(deadline) = step {
                    let mut ready = Batch::with_memory();
                    bench.scheduler.host().poll(Some(deadline), &mut ready);
                    machine.polled(ready);
                    return true;
                }
                false
            }
        });
        let left = bench.scheduler.shutdown().expect("it was not shut down before");
        bench.scheduler.host().poll(None, &mut Batch::with_memory());
        assert_eq!(left.len(), 0, "there was no task");
        format!("{}", W::join(poller))
    }

    fn witnesses(&self) -> Vec<Witness> {
        if self.monitor {
            return vec![];
        }
        vec![
            Witness { name: "it waited in the poller", seen_in: |outcome| outcome == "true" },
            Witness { name: "it was stopped before", seen_in: |outcome| outcome == "false" },
        ]
    }
}
