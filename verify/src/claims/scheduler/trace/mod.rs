//! Runs of the real scheduler are runs of the specification.
//!
//! Each model is one of the specification's programs, run by the real scheduler: the machines, the
//! monitor and the thread outside are threads, and the tasks do what the program says. When all is
//! at rest, the events are compared with the specification by [`crate::trace`], and refused unless
//! they are a run of it.
//!
//! There are two kinds. The small one has one thread for each task that runs when the program
//! begins; machines that are started later are begun by a thread that is done. It is for the
//! explorer and loom. The large one has a thread for each machine, each in the real loop
//! [`next`](gosched::Machine::next); it is for shuttle and the hardware.

mod host;
mod large;
mod small;

use crate::claim::{Bounds, Case, Claim, Witness};

pub(crate) fn claims() -> Vec<Claim> {
    let two = Bounds { shuttle: 2_000, stress: 500, ..Bounds::TWO_THREADS };
    let two = Bounds { loom_fast: Some(2), loom_thorough: Some(3), ..two };
    let many = Bounds { shuttle: 2_000, stress: 1_000, ..Bounds::MANY_THREADS };
    let small = |name, program, must_show| {
        let model = small::Small { program: (program, 2, 6, 2), must_show };
        Case::new(name, "2 Ps, the program's name", two, model)
    };
    let large = |name, program, processors, must_show| {
        let model = large::Large { program: (program, processors, 6, 2), must_show };
        Case::new(name, "a thread for each machine", many, model)
    };
    vec![Claim {
        name: "scheduler::runs_are_runs_of_the_specification",
        sentence: "Whatever the real scheduler does in a run is what the protocol's specification \
                   allows: its events, in the order in which each machine told them, are steps of \
                   the specification in some order.",
        cases: vec![
            small("sub_leaf", "sub+leaf", &SUBMITS),
            small("yield_leaf", "yield+leaf", &SUBMITS),
            small("inj1_leaf", "inj1+leaf", &SUBMITS),
            small("sub_block", "sub+block", &HANDS_OFF),
            small("sys_monitor", "sys+monitor", &CALLS),
            large("sub2", "sub2", 2, &SUBMITS),
            large("sub2_sub_3p", "sub2+sub", 3, &SUBMITS),
            large("tree_2p", "tree+leaf", 2, &SUBMITS),
            large("yield_sub", "yield+sub", 2, &SUBMITS),
            large("inj3_leaf", "inj3+leaf", 2, &SUBMITS),
            large("sub2_block", "sub2+block", 2, &SUBMITS),
            large("sub2_sys_monitor", "sub2sys+leaf+monitor", 2, &CALLS),
            large("yields_sub_3p", "yield+yield+sub", 3, &SUBMITS),
        ],
        properties: vec![],
    }]
}

/// What some execution must show, by the names of the events in its outcome.
pub(super) type MustShow = &'static [Witness];

const SUBMITS: [Witness; 2] = [
    Witness { name: "a machine was woken", seen_in: |outcome| outcome.contains("Woke") },
    Witness { name: "a machine parked", seen_in: |outcome| outcome.contains("Parked") },
];
const CALLS: [Witness; 2] = [
    Witness { name: "a call kept its processor", seen_in: |outcome| outcome.contains("Kept") },
    Witness { name: "a processor was retaken", seen_in: |outcome| outcome.contains("Retaken") },
];
const HANDS_OFF: [Witness; 1] =
    [Witness { name: "a machine looked", seen_in: |outcome| outcome.contains("Looked") }];
