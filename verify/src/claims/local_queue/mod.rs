//! Claims about the local run queue.

mod costs;
mod emptiness;
mod exact;
mod long;
mod ownership;
mod scenario;
mod together;

use gosched::NextSlot;

use self::emptiness::{Displaced, Emptied, Look, OneAtATime, Replaced, Robbed};
use self::exact::{
    BatchAtOnce, HalfAgainstPop, HalfAgainstPushAndPop, OverflowAgainstThief, SlotFirst,
};
use self::long::Long;
use self::ownership::OwnerLeaves;
use self::scenario::{ROBS_THE_THIEF, STEALS, STEALS_RING, STEALS_TWICE, Scenario, Thief};
use crate::claim::{Bounds, Case, Claim, Model, Property, Witness};

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        no_task_is_lost(),
        long_runs(),
        thieves_can_be_robbed(),
        counters_may_wrap(),
        overflow(),
        thieves_take_the_older_half(),
        next_runs_first(),
        a_batch_appears_at_once(),
        emptiness(),
        length(),
        nothing_leaks(),
        together::claim(),
        costs(),
    ]
}

/// Two threads, loom without a bound.
fn two(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "2 threads, capacity 4", Bounds::TWO_THREADS, model)
}

/// Two threads with too many executions for the ordinary run: three preemptions.
fn two_large(name: &'static str, model: impl Model) -> Case {
    let bounds = Bounds { loom_fast: Some(3), ..Bounds::TWO_THREADS };
    Case::new(name, "2 threads, capacity 4", bounds, model)
}

/// Two threads on the smallest ring there is.
fn two_tiny(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "2 threads, capacity 2", Bounds::TWO_THREADS, model)
}

/// Three threads, loom with two preemptions.
fn three(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "3 threads, capacity 4", Bounds::THREE_THREADS, model)
}

const A_STEAL: Witness = Witness {
    name: "the thief stole",
    seen_in: |outcome| outcome.contains("thief ") && !outcome.contains("thief -"),
};
const NO_STEAL: Witness =
    Witness { name: "the thief found nothing", seen_in: |outcome| outcome.contains("thief -") };
const A_STEAL_OF_TWO: Witness =
    Witness { name: "one steal took two tasks", seen_in: |outcome| outcome.contains("thief 2,1") };
const SLOT_STOLEN: Witness = Witness {
    name: "the thief took the slot's task",
    seen_in: |outcome| outcome.split("thief").skip(1).any(|thief| thief.contains('+')),
};
const SLOT_POPPED: Witness = Witness {
    name: "the owner popped the slot's task",
    seen_in: |outcome| outcome.split("thief").next().is_some_and(|owner| owner.contains('+')),
};
const OVERFLOWED: Witness =
    Witness { name: "the ring overflowed", seen_in: |outcome| outcome.contains("global") };
const ROOM_WAS_MADE: Witness =
    Witness { name: "the thief made room", seen_in: |outcome| !outcome.contains("global") };
const ROBBED: Witness = Witness {
    name: "the second thief took what the first had stolen",
    seen_in: |outcome| outcome.split("thief").nth(2).is_some_and(|thief| thief.contains(" 1")),
};
const DRAINED: Witness =
    Witness { name: "the drain took two", seen_in: |outcome| outcome.matches(" d").count() == 2 };
const SHARED: Witness = Witness {
    name: "the thief took a task of the owner's share",
    seen_in: |outcome| outcome.contains("s1") && outcome.contains("thief 2"),
};

fn no_task_is_lost() -> Claim {
    Claim {
        name: "local_queue::no_task_is_lost",
        sentence: "Every task that was pushed is taken by exactly one thread, the owner or a \
                   thief, which sees everything that was written to it before the push.",
        cases: vec![
            two("push", Scenario::<4>::new("p", &[STEALS]).showing(&[A_STEAL, NO_STEAL])),
            two("push_push", Scenario::<4>::new("pp", &[STEALS]).showing(&[A_STEAL, NO_STEAL])),
            two("push_x3", Scenario::<4>::new("ppp", &[STEALS]).showing(&[A_STEAL_OF_TWO])),
            two("push_pop_push", Scenario::<4>::new("pgp", &[STEALS_TWICE]).showing(&[A_STEAL])),
            two("next", Scenario::<4>::new("n", &[STEALS]).showing(&[SLOT_STOLEN, SLOT_POPPED])),
            two(
                "next_pop_push",
                Scenario::<4>::new("ngp", &[STEALS_TWICE]).showing(&[SLOT_STOLEN]),
            ),
            two("next_next", Scenario::<4>::new("nn", &[STEALS]).showing(&[A_STEAL])),
            two("next_push_pop", Scenario::<4>::new("npg", &[STEALS]).showing(&[A_STEAL])),
            two_large("next_push_next", Scenario::<4>::new("npn", &[STEALS]).showing(&[A_STEAL])),
            two_large("next_x3", Scenario::<4>::new("nn", &[STEALS_TWICE]).before("n")),
            two("drain", Scenario::<4>::new("d", &[STEALS]).before("ppn").showing(&[DRAINED])),
            two("share", Scenario::<4>::new("s", &[STEALS]).before("uuu").showing(&[SHARED])),
            two_tiny("tiny_reuse", Scenario::<2>::new("pgpgp", &[STEALS]).showing(&[A_STEAL])),
            two_tiny("tiny_next", Scenario::<2>::new("npnp", &[STEALS]).showing(&[OVERFLOWED])),
            three("two_thieves", Scenario::<4>::new("pp", &[STEALS, STEALS])),
            three("two_thieves_next", Scenario::<4>::new("np", &[STEALS, STEALS])),
            three("two_thieves_x4", Scenario::<4>::new("g", &[STEALS_RING; 2]).before("pppp")),
            Case::new(
                "four_thieves",
                "5 threads, capacity 4",
                Bounds::MANY_THREADS,
                Scenario::<4>::new("npppgpnbpgpppnp", &[STEALS_TWICE; 4]).showing(&[OVERFLOWED]),
            ),
            Case::new(
                "eight_thieves",
                "9 threads, capacity 256",
                Bounds::MANY_THREADS,
                Scenario::<256>::new("nnpbgpnbpgpppnpgbbbbnnpg", &[STEALS_TWICE; 8]),
            ),
        ],
        properties: vec![],
    }
}

fn long_runs() -> Claim {
    const LONG: Bounds = Bounds { shuttle: 0, stress: 20, ..Bounds::MANY_THREADS };
    Claim {
        name: "local_queue::no_task_is_lost_in_long_runs",
        sentence: "Of fifty thousand tasks, pushed and popped at random while thieves steal \
                   without a pause, each is taken once.",
        cases: vec![
            Case::new(
                "one_thief",
                "2 threads, capacity 4",
                LONG,
                Long::<4> { tasks: 50_000, thieves: 1 },
            ),
            Case::new(
                "three_thieves",
                "4 threads, capacity 256",
                LONG,
                Long::<256> { tasks: 50_000, thieves: 3 },
            ),
        ],
        properties: vec![],
    }
}

fn thieves_can_be_robbed() -> Claim {
    const CHAIN: [Thief; 2] = [STEALS_RING, ROBS_THE_THIEF];
    Claim {
        name: "local_queue::thieves_can_be_robbed",
        sentence: "What a thief has stolen can be stolen from the thief, with everything that the \
                   first owner wrote to it.",
        cases: vec![
            three("idle_owner", Scenario::<4>::new("", &CHAIN).before("ppp").showing(&[ROBBED])),
            three("busy_owner", Scenario::<4>::new("g", &CHAIN).before("pppp").showing(&[ROBBED])),
        ],
        properties: vec![],
    }
}

fn counters_may_wrap() -> Claim {
    const U32: u64 = u32::MAX as u64;
    Claim {
        name: "local_queue::counters_may_wrap",
        sentence: "No claim depends on where the counters stand: not beyond 2^32, not beyond 2^64.",
        cases: vec![
            two("u64", Scenario::<4>::new("pp", &[STEALS]).starting_at(u64::MAX - 1).before("p")),
            two("u32", Scenario::<4>::new("pp", &[STEALS]).starting_at(U32 - 1).before("p")),
            two_tiny("u64_reuse", Scenario::<2>::new("pgp", &[STEALS]).starting_at(u64::MAX)),
            two(
                "u64_overflow",
                Scenario::<4>::new("p", &[STEALS])
                    .starting_at(u64::MAX - 2)
                    .before("pppp")
                    .showing(&[OVERFLOWED, ROOM_WAS_MADE]),
            ),
        ],
        properties: vec![],
    }
}

fn overflow() -> Claim {
    Claim {
        name: "local_queue::overflow_moves_the_older_half",
        sentence: "A push into a full ring moves its older half and the new task, in this order \
                   and as one batch, to the global queue; or a thief has made room, and nothing \
                   is moved.",
        cases: vec![
            two("against_a_thief", OverflowAgainstThief::<4>),
            two_tiny("against_a_thief_tiny", OverflowAgainstThief::<2>),
            two(
                "pushed_on",
                Scenario::<4>::new("pp", &[STEALS])
                    .before("ppp")
                    .showing(&[OVERFLOWED, ROOM_WAS_MADE]),
            ),
            two(
                "displaced",
                Scenario::<4>::new("n", &[STEALS]).before("ppppn").showing(&[OVERFLOWED]),
            ),
            two("batch", Scenario::<4>::new("b", &[STEALS]).before("ppp").showing(&[OVERFLOWED])),
            three(
                "two_thieves",
                Scenario::<4>::new("p", &[STEALS_RING; 2])
                    .before("pppp")
                    .showing(&[OVERFLOWED, ROOM_WAS_MADE]),
            ),
        ],
        properties: vec![],
    }
}

fn thieves_take_the_older_half() -> Claim {
    Claim {
        name: "local_queue::thieves_take_the_older_half",
        sentence: "A steal takes exactly the older half, rounded up, of the ring as it was at one \
                   instant: the newest of it to run, the others in their order.",
        cases: vec![
            two("of_two", HalfAgainstPop { len: 2 }),
            two("of_three", HalfAgainstPop { len: 3 }),
            two("of_four", HalfAgainstPop { len: 4 }),
            two("while_it_changes", HalfAgainstPushAndPop),
        ],
        properties: vec![],
    }
}

fn next_runs_first() -> Claim {
    Claim {
        name: "local_queue::next_runs_first",
        sentence: "The slot's task is popped first and alone inherits the time slice; thieves \
                   take it last, and only when asked to.",
        cases: vec![
            two("taken_last", SlotFirst { slot: NextSlot::Take }),
            two("left_alone", SlotFirst { slot: NextSlot::Leave }),
        ],
        properties: vec![],
    }
}

fn a_batch_appears_at_once() -> Claim {
    Claim {
        name: "local_queue::a_batch_appears_at_once",
        sentence: "Thieves see all tasks of a pushed batch or none.",
        cases: vec![two("batch_of_three", BatchAtOnce)],
        properties: vec![],
    }
}

fn emptiness() -> Claim {
    Claim {
        name: "local_queue::empty_is_never_a_lie",
        sentence: "A queue is called empty only if it was empty at some instant of the call, not \
                   while a task moved from the slot to the ring or was replaced.",
        cases: vec![
            two("displaced", Displaced(Look::IsEmpty)),
            two("replaced", Replaced(Look::IsEmpty)),
            three("robbed", Robbed),
            two("emptied", Emptied),
        ],
        properties: vec![],
    }
}

fn length() -> Claim {
    Claim {
        name: "local_queue::length_is_never_a_lie",
        sentence: "The length is that of some instant of the call.",
        cases: vec![
            two("displaced", Displaced(Look::Len)),
            two("replaced", Replaced(Look::Len)),
            two("one_at_a_time", OneAtATime),
        ],
        properties: vec![],
    }
}

fn nothing_leaks() -> Claim {
    Claim {
        name: "local_queue::nothing_leaks",
        sentence: "The last handle of a queue drops the tasks that are left in it, each once; a \
                   stealer may be that handle.",
        cases: vec![two("owner_leaves", OwnerLeaves)],
        properties: vec![],
    }
}

fn costs() -> Claim {
    let fixed = |name, shape, run| Property { name, shape, cases: 1, run };
    Claim {
        name: "local_queue::costs_are_what_the_book_says",
        sentence: "Without a thief in the way, a push costs no read-modify-write and no fence, a \
                   pop or a steal costs one read-modify-write, and a push into an empty slot none.",
        cases: vec![],
        properties: vec![
            fixed("shipped", "each operation once, counted", costs::shipped),
            fixed("plain_port", "each operation of Go's queue once, counted", costs::plain),
        ],
    }
}
