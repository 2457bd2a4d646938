//! Claims that a structure does exactly what its sequential reference does.
//!
//! The operations, the references and the drivers are those of [`ops`](crate::ops), which the
//! fuzzers use as well.

use crate::claim::{Claim, Property};
use crate::ops::global::Global;
use crate::ops::local::Local;
use crate::ops::ownership::Ownership;
use crate::ops::{Language, Seen};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim::<Local>(
            "local_queue::matches_the_reference",
            "In one thread, two local queues that steal from each other and overflow into a \
             global queue give the same tasks in the same order, the same errors and the same \
             lengths as the plain lists of the reference, wherever their counters stand.",
            16_000,
        ),
        claim::<Global>(
            "global_queue::matches_the_reference",
            "In one thread, the global queue and batches give the same tasks in the same order \
             and the same lengths as plain lists, whatever the size of their blocks.",
            16_000,
        ),
        claim::<Ownership>(
            "task::ownership_matches_the_reference",
            "Every task, of any kind, is dropped exactly once, by whoever the reference says and \
             in its order, also when handles, queues and batches are dropped with tasks in them \
             and when a task's drop or a batch's iterator panics.",
            16_000,
        ),
    ]
}

fn claim<L: Language>(name: &'static str, sentence: &'static str, cases: u32) -> Claim {
    let known = Property {
        name: "known_programs",
        shape: "the lists that people and testers wrote down",
        cases: 1,
        run: |_| run_known::<L>(),
    };
    let properties = vec![
        known,
        #[cfg(feature = "proptest")]
        Property {
            name: "random_programs",
            shape: "random lists of up to 120 operations, shrunk when they fail",
            cases,
            run: crate::ops::random::check::<L>,
        },
    ];
    // Without proptest nobody makes programs at random.
    let _ = cases;
    Claim { name, sentence, cases: vec![], properties }
}

/// Runs the known programs, which together must show everything that random ones must.
fn run_known<L: Language>() -> Result<u64, String> {
    let mut seen = Seen::default();
    let mut count = 0;
    for (name, program) in L::known() {
        let saw = program.run().map_err(|mismatch| format!("{name}: {mismatch}\n{program:?}"))?;
        seen.merge(saw);
        count += 1;
    }
    match (seen.missing::<L>(), seen.unlisted::<L>()) {
        (missing, unlisted) if missing.is_empty() && unlisted.is_empty() => Ok(count),
        (missing, unlisted) => {
            Err(format!("no known program shows that {missing:?}; not in the list: {unlisted:?}"))
        }
    }
}
