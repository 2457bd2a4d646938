//! Programs of the global queue that people wrote down, or that a tester found and shrank.
//!
//! Add one by pasting the `Debug` form of a failing program and naming it by what went wrong.

use super::literal::*;

pub(super) fn programs() -> Vec<(&'static str, Program<Global>)> {
    let program = |block, ops| Program { setup: Global { block }, ops };
    vec![
        ("fifo", program(1, vec![Push, Push, Push, Push, Push, Pop, Pop, Pop, Push, Pop])),
        ("front", program(1, vec![Push, PushFront, PushFront, Pop, PushFront, Pop, Pop, Pop, Pop])),
        ("batch_stays_together", program(3, vec![Push, PushBatch(5), Push, PushBatch(0), PopAll])),
        (
            "share",
            program(3, vec![PushBatch(20), PopShare(4, 255), PopShare(4, 2), PopShare(0, 255)]),
        ),
        (
            "share_of_nothing",
            program(64, vec![PopShare(1, 255), Push, PopShare(255, 0), PopShare(255, 255), Pop]),
        ),
        (
            "share_behind_the_hand",
            program(2, vec![HandExtend(3), PushBatch(9), PopShare(2, 255), HandIterate(5)]),
        ),
        (
            "hand_to_queue_and_back",
            program(4, vec![HandPush, Push, HandPushFront, PushHand, PopAll, PushHand, PopAll]),
        ),
        (
            "append_and_swap",
            program(
                4,
                vec![HandExtend(9), Swap, HandReserve(3), HandPush, HandAppend, Swap, HandAppend],
            ),
        ),
        (
            "reused_room",
            program(
                4,
                vec![HandReserve(4), HandPush, HandPop, HandPush, HandPop, HandExtend(4), HandPop],
            ),
        ),
        (
            "dropped_full",
            program(3, vec![PushBatch(7), Renew, Push, HandExtend(5), HandIterate(2), Renew]),
        ),
    ]
}
