//! Nobody sleeps while there is work: submitting against going idle.

use super::host::Bench;
use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::work_is_conserved",
        sentence: "A task that was submitted while a processor went idle is run there, however the \
                   steps of the two machines interleave.",
        cases: vec![
            Case::new("spawn_or_drop", "2 machines, A1-A4 against D1-D5", Bounds::TWO_THREADS, SpawnOrDrop),
        ],
        properties: vec![],
    }]
}

/// One machine spawns and runs on for ever; the other finds nothing and goes idle, or finds it.
struct SpawnOrDrop;

impl Model for SpawnOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(2, 1);
        let (mut busy, mut idle) = (bench.machine(), bench.machine());
        let dropper = W::spawn({
            let bench = bench.clone();
            move || {
                let ran = bench.run_until_asleep(&mut idle);
                (idle, ran)
            }
        });
        busy.spawn(bench.task(1)).expect("it is open");
        let (mut idle, at_once) = W::join(dropper);
        let woken = bench.run_until_asleep(&mut idle);
        let started = bench.run_asked();
        assert_eq!(at_once.len() + woken.len() + started.len(), 1, "the task is stranded");
        format!("{} at once, {} woken, {} started", at_once.len(), woken.len(), started.len())
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "stolen", seen_in: |outcome| outcome.starts_with("1 at once") },
            Witness { name: "a sleeper was woken", seen_in: |outcome| outcome.contains("1 woken") },
            Witness { name: "a machine was asked for", seen_in: |outcome| outcome.contains("1 started") },
        ]
    }
}
