//! Programs of local queues that people wrote down, or that a tester found and shrank.
//!
//! Add one by pasting the `Debug` form of a failing program and naming it by what went wrong.

use super::literal::*;

const ZERO: Start = Start { wrap: Bits64, before: 0 };

/// A program on queues whose counters start at zero.
fn from_zero(capacity: super::Capacity, ops: Vec<super::LocalOp>) -> Program<Local> {
    Program { setup: Local { capacity, left: ZERO, right: ZERO }, ops }
}

pub(super) fn programs() -> Vec<(&'static str, Program<Local>)> {
    [of_one_queue(), of_thieves(), of_shares_and_handles(), of_wraps()]
        .into_iter()
        .flatten()
        .collect()
}

/// What the owner does alone.
fn of_one_queue() -> Vec<(&'static str, Program<Local>)> {
    vec![
        (
            "half_is_rounded_up",
            from_zero(Four, vec![PushBatch(Left, 3), Steal(Right, Leave), Pop(Right), Pop(Left)]),
        ),
        (
            "displaced_to_the_tail",
            from_zero(
                Four,
                vec![Push(Left), PushNext(Left), PushNext(Left), Pop(Left), Pop(Left), Pop(Left)],
            ),
        ),
        (
            "displaced_without_room",
            from_zero(
                Two,
                vec![PushNext(Left), PushBatch(Left, 2), PushNext(Left), Push(Left), Drain(Left)],
            ),
        ),
        (
            "overflow_by_push",
            from_zero(
                Eight,
                vec![Submit(1), PushBatch(Left, 8), PushOrOverflow(Left), Overflow(Left)],
            ),
        ),
        (
            "overflow_by_the_slot",
            from_zero(
                Four,
                vec![PushNext(Left), PushBatch(Left, 4), PushNextOrOverflow(Left), Push(Left)],
            ),
        ),
        (
            "overflow_of_a_full_ring",
            from_zero(Four, vec![PushBatch(Left, 9), Overflow(Left), Overflow(Left), Drain(Left)]),
        ),
    ]
}

/// What thieves do.
fn of_thieves() -> Vec<(&'static str, Program<Local>)> {
    vec![
        (
            "slot_stolen_when_asked",
            from_zero(
                Four,
                vec![PushNext(Left), Steal(Right, Leave), Steal(Right, Take), Steal(Right, Take)],
            ),
        ),
        (
            "ring_stolen_before_the_slot",
            from_zero(
                Four,
                vec![PushNext(Left), Push(Left), Steal(Right, Take), Steal(Right, Take)],
            ),
        ),
        (
            "thief_without_room",
            from_zero(
                Eight,
                vec![PushBatch(Left, 8), PushBatch(Right, 7), Steal(Right, Leave), Drain(Right)],
            ),
        ),
        (
            "stolen_back_and_forth",
            from_zero(
                Full,
                vec![
                    PushBatch(Left, 255),
                    Push(Left),
                    Steal(Right, Leave),
                    Steal(Left, Leave),
                    Steal(Right, Take),
                    PushBatch(Left, 255),
                ],
            ),
        ),
        (
            "not_from_itself",
            from_zero(
                Four,
                vec![Push(Left), StealFromItself(Left, Take), StealFromItself(Right, Leave)],
            ),
        ),
    ]
}

/// Shares of the global queue, and handles that go away.
fn of_shares_and_handles() -> Vec<(&'static str, Program<Local>)> {
    vec![
        (
            "share_cut_by_half_and_by_room",
            from_zero(
                Eight,
                vec![Submit(20), TakeShare(Left, 4), TakeShare(Left, 1), TakeShare(Left, 1)],
            ),
        ),
        (
            "share_of_nothing",
            from_zero(Two, vec![TakeShare(Left, 0), Submit(1), TakeShare(Right, 255), PopGlobal]),
        ),
        (
            "owner_leaves",
            from_zero(
                Four,
                vec![
                    PushBatch(Left, 4),
                    PushNext(Left),
                    OwnerLeaves(Left),
                    Push(Left),
                    Steal(Right, Take),
                    Renew(Left),
                    Push(Left),
                    OwnerLeaves(Left),
                ],
            ),
        ),
    ]
}

/// Counters that wrap.
fn of_wraps() -> Vec<(&'static str, Program<Local>)> {
    vec![
        (
            "wrap_between_head_and_tail",
            Program {
                setup: Local {
                    capacity: Eight,
                    left: Start { wrap: Bits64, before: 2 },
                    right: Start { wrap: Bits64, before: 1 },
                },
                ops: vec![PushBatch(Left, 5), Pop(Left), Steal(Right, Leave), Drain(Left)],
            },
        ),
        (
            "wraps_of_64_and_32_bits",
            Program {
                setup: Local {
                    capacity: Four,
                    left: Start { wrap: Bits64, before: 2 },
                    right: Start { wrap: Bits32, before: 1 },
                },
                ops: vec![
                    PushBatch(Left, 4),
                    Steal(Right, Leave),
                    PushBatch(Right, 4),
                    Steal(Left, Leave),
                    PushOrOverflow(Left),
                    PushOrOverflow(Right),
                ],
            },
        ),
        (
            "wraps_of_signed_counters",
            Program {
                setup: Local {
                    capacity: Two,
                    left: Start { wrap: Bits63, before: 1 },
                    right: Start { wrap: Bits31, before: 1 },
                },
                ops: vec![
                    PushBatch(Left, 2),
                    PushOrOverflow(Left),
                    Steal(Right, Leave),
                    PushBatch(Right, 2),
                    Submit(3),
                    TakeShare(Left, 1),
                    Drain(Right),
                ],
            },
        ),
    ]
}
