//! Claims about the global queue and the batch.

mod costs;
mod length;
mod ownership;
mod scenario;
mod share;

use self::length::{AtRest, Fenced, OwnPush};
use self::ownership::LastOwnerDrops;
use self::scenario::Op::{Batch, Pop, PopAll, Push, PushFront, Share};
use self::scenario::{Contiguous, Scenario};
use self::share::TwoTakers;
use crate::claim::{Bounds, Case, Claim, Model, Property, Witness};

pub(crate) fn claims() -> Vec<Claim> {
    vec![no_task_is_lost(), fifo(), batches(), shares(), length(), nothing_leaks(), costs()]
}

/// Two threads, loom without a bound.
fn two(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "2 threads, blocks of 1 or 2 tasks", Bounds::TWO_THREADS, model)
}

/// Three threads, loom with two preemptions.
fn three(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "3 threads, blocks of 1 or 2 tasks", Bounds::THREE_THREADS, model)
}

fn property(
    name: &'static str,
    shape: &'static str,
    run: fn(u32) -> Result<u64, String>,
) -> Property {
    Property { name, shape, cases: 1, run }
}

const ONE_LEFT: Witness = Witness {
    name: "the taker came too early for a task",
    seen_in: |outcome| !outcome.ends_with("left"),
};
const NONE_LEFT: Witness =
    Witness { name: "every task was taken", seen_in: |outcome| outcome.ends_with("left") };

fn no_task_is_lost() -> Claim {
    Claim {
        name: "global_queue::no_task_is_lost",
        sentence: "Whatever threads push and pop at once, singly, in batches, at either end or in \
                   shares, each task is taken exactly once, with what its pusher wrote, and the \
                   length is exact once all have ended.",
        cases: pairs().into_iter().chain(triples()).collect(),
        properties: vec![],
    }
}

/// The cases of two threads in which no task is lost.
fn pairs() -> Vec<Case> {
    vec![
        two(
            "push_against_pop",
            Scenario {
                block: 1,
                before: &[],
                threads: &[&[Push(1), Push(2)], &[Pop, Pop]],
                witnesses: &[ONE_LEFT, NONE_LEFT],
            },
        ),
        two(
            "both_push_and_pop",
            Scenario {
                block: 2,
                before: &[Push(1)],
                threads: &[&[Push(2), Pop, Push(3)], &[PushFront(4), Pop]],
                witnesses: &[ONE_LEFT],
            },
        ),
        two(
            "the_last_block_drains_while_it_is_filled",
            Scenario {
                block: 2,
                before: &[Push(1), Push(2)],
                threads: &[&[Push(3), Push(4)], &[Pop, Pop, Pop]],
                witnesses: &[ONE_LEFT],
            },
        ),
        two(
            "batch_against_share",
            Scenario {
                block: 1,
                before: &[Push(1)],
                threads: &[&[Batch(&[2, 3]), Push(4)], &[Share(2), Share(1)]],
                witnesses: &[ONE_LEFT, NONE_LEFT],
            },
        ),
        two(
            "batch_against_taking_all",
            Scenario {
                block: 2,
                before: &[Push(1)],
                threads: &[&[Batch(&[2, 3]), PushFront(4)], &[PopAll, Pop]],
                witnesses: &[ONE_LEFT],
            },
        ),
    ]
}

/// Those of three.
fn triples() -> Vec<Case> {
    vec![
        three(
            "two_pushers_one_popper",
            Scenario {
                block: 1,
                before: &[],
                threads: &[&[Pop, Pop], &[Push(1)], &[Batch(&[2, 3])]],
                witnesses: &[ONE_LEFT],
            },
        ),
        three(
            "one_pusher_two_poppers",
            Scenario {
                block: 2,
                before: &[Push(1)],
                threads: &[&[Push(2), Push(3)], &[Pop, Pop], &[Share(2)]],
                witnesses: &[ONE_LEFT, NONE_LEFT],
            },
        ),
    ]
}

fn fifo() -> Claim {
    Claim {
        name: "global_queue::fifo",
        sentence: "Of two tasks that one thread pushed, the first is taken first, whoever takes \
                   them; a task pushed at the front is taken before all that are there.",
        cases: vec![
            two(
                "one_pusher",
                Scenario {
                    block: 2,
                    before: &[],
                    threads: &[&[Push(1), Batch(&[2, 3]), Push(4)], &[Pop, Pop, Pop]],
                    witnesses: &[ONE_LEFT],
                },
            ),
            two(
                "two_takers",
                Scenario {
                    block: 2,
                    before: &[Push(1), Push(2), Push(3)],
                    threads: &[&[Pop, Push(4), Pop], &[Pop, Pop]],
                    witnesses: &[NONE_LEFT],
                },
            ),
            two(
                "at_the_front",
                Scenario {
                    block: 1,
                    before: &[Push(2)],
                    threads: &[&[PushFront(1), Push(3)], &[Pop, Pop]],
                    witnesses: &[
                        Witness {
                            name: "the task at the front came first",
                            seen_in: |outcome| outcome.contains("took 1 2"),
                        },
                        Witness {
                            name: "it came too late to be first",
                            seen_in: |outcome| outcome.contains("took 2 1"),
                        },
                    ],
                },
            ),
        ],
        properties: vec![],
    }
}

fn batches() -> Claim {
    let both = &[
        Witness {
            name: "this batch came first",
            seen_in: |outcome| outcome.contains("left 1 2 3"),
        },
        Witness {
            name: "that batch came first",
            seen_in: |outcome| outcome.contains("left 4 5 1"),
        },
    ];
    Claim {
        name: "global_queue::batch_is_contiguous",
        sentence: "No task of another thread comes between the tasks of a batch.",
        cases: vec![
            two(
                "two_batches",
                Contiguous(Scenario {
                    block: 1,
                    before: &[],
                    threads: &[&[Batch(&[1, 2, 3])], &[Batch(&[4, 5])]],
                    witnesses: both,
                }),
            ),
            three(
                "while_one_pushes_and_one_pops",
                Contiguous(Scenario {
                    block: 2,
                    before: &[],
                    threads: &[&[Batch(&[1, 2])], &[Push(3), Push(4)], &[Pop, Pop]],
                    witnesses: &[
                        Witness {
                            name: "the batch was taken apart",
                            seen_in: |outcome| outcome.contains("1; left 2"),
                        },
                        Witness {
                            name: "a task was pushed before the batch",
                            seen_in: |outcome| outcome.contains("left 3 1 2 4"),
                        },
                    ],
                }),
            ),
        ],
        properties: vec![],
    }
}

fn shares() -> Claim {
    Claim {
        name: "global_queue::share_is_fair",
        sentence: "A share is min(max, len, len / processors + 1) tasks, the oldest, in order; two \
                   processors that take theirs at once get what they would get in turn.",
        cases: vec![two("two_takers", TwoTakers)],
        properties: vec![property(
            "gos_rule",
            "up to 40 tasks, 1 to 8 processors, every max",
            share::gos_rule,
        )],
    }
}

fn length() -> Claim {
    Claim {
        name: "global_queue::length_does_not_lie",
        sentence: "A thread that pushed and then reads \"empty\" knows that its task was taken; \
                   with a SeqCst fence on both sides, a pusher sees the sleeper or the sleeper \
                   sees the task; and the length is exact once all have ended.",
        cases: vec![
            two("own_push", OwnPush),
            two("fences_on_both_sides", Fenced),
            three("at_rest", AtRest),
        ],
        properties: vec![],
    }
}

fn nothing_leaks() -> Claim {
    Claim {
        name: "global_queue::drop_frees_every_task",
        sentence: "When the last owner drops the queue, each task still in it is dropped once, \
                   those of a batch and those in a hand too.",
        cases: vec![two("last_owner_drops", LastOwnerDrops)],
        properties: vec![],
    }
}

fn costs() -> Claim {
    Claim {
        name: "global_queue::batch_link_is_constant",
        sentence: "Under its lock the queue makes as many accesses to link a batch of a thousand \
                   tasks, or to hand out all of them, as for one; a push or a pop touches one \
                   slot, and a look at the length takes no lock.",
        cases: vec![],
        properties: vec![
            property("link", "batches of 1 to 1,000 tasks", costs::link),
            property("operations", "every operation, at both ends of a block", costs::operations),
        ],
    }
}
