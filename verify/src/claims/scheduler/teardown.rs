//! After a shutdown the host may take its poller apart.

use gosched::{Batch, Host};

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::a_shutdown_waits_for_a_monitor_that_polls",
        sentence: "When a shutdown returns, the monitor does not poll, and \
                   all that the last poll did is visible.",
        cases: vec![Case::new("look_or_shutdown", "1 monitor", SMALL, Polls)],
        properties: vec![],
    }]
}

/// The monitor polls while the scheduler shuts down; then the poller is used by the one who has
/// shut down.
struct Polls;

impl Model for Polls {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 0);
        setup.poller = true;
        let bench = Bench::<W>::new(setup);
        let monitor = W::spawn({
            let bench = bench.clone();
            move || {
                // So late that the last poll was long ago.
                let _ = bench.scheduler.monitor().step(u64::MAX);
            }
        });
        let left = bench.scheduler.shutdown().expect("it was not shut down before");
        bench.scheduler.host().poll(None, &mut Batch::with_memory());
        assert_eq!(left.len(), 0, "there was no task");
        W::join(monitor);
        String::new()
    }
}
