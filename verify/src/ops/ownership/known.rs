//! Programs of owned tasks that people wrote down, or that a tester found and shrank.
//!
//! Add one by pasting the `Debug` form of a failing program and naming it by what went wrong.

use super::literal::*;

pub(super) fn programs() -> Vec<(&'static str, Program<Ownership>)> {
    let kinds = [
        ("boxes_through_every_structure", Boxed),
        ("pinned_boxes_through_every_structure", Pinned),
        ("arcs_through_every_structure", Counted),
        ("references_through_every_structure", Borrowed),
        ("indices_through_every_structure", Index),
    ];
    let mut programs: Vec<_> =
        kinds.into_iter().map(|(name, kind)| (name, through_every_structure(kind))).collect();
    let boxes = |ops| Program { setup: Ownership { kind: Boxed, block: 2 }, ops };
    programs.extend([
        ("local_queue_dropped_full", boxes(vec![PushNext, PushBatch(6), RenewLocal])),
        (
            "stealer_drops_what_the_owner_left",
            boxes(vec![PushBatch(3), DropOwner, Steal(Leave), DropStealer, DropHeld]),
        ),
        (
            "owner_drops_what_nobody_can_steal",
            boxes(vec![PushBatch(3), PushNext, DropStealer, Pop, DropOwner, DropHeld]),
        ),
        (
            "panic_in_a_ring",
            boxes(vec![PushNext, Push, Arm, Push, Push, RenewLocal, Push, RenewLocal]),
        ),
        ("panic_in_the_slot", boxes(vec![Arm, PushNext, PushBatch(4), RenewLocal])),
        (
            "panic_in_a_global_queue",
            boxes(vec![Submit, Submit, Arm, Submit, Submit, Submit, RenewGlobal]),
        ),
        (
            "panic_in_a_batch",
            boxes(vec![Submit, Arm, Submit, Submit, Submit, PopAll, DropHand, Submit]),
        ),
        (
            "panic_in_a_batch_iterator",
            boxes(vec![Submit, Submit, Arm, Submit, Submit, PopAll, Iterate(1), DropHeld]),
        ),
        ("panic_without_room", boxes(vec![PushBatch(4), Arm, Push, Arm, PushNext, PushNext])),
        ("panic_in_the_iterator", boxes(vec![Push, PushBatchThenPanic(2), Pop, Pop, Pop, Pop])),
        ("no_panic_beyond_the_room", boxes(vec![PushBatchThenPanic(4), PushBatchThenPanic(9)])),
    ]);
    programs
}

fn through_every_structure(kind: TaskKind) -> Program<Ownership> {
    Program {
        setup: Ownership { kind, block: 3 },
        ops: vec![
            PushBatch(3),
            PushNext,
            PushNextOrOverflow,
            PushOrOverflow,
            Submit,
            SubmitFront,
            Steal(Leave),
            ThiefPop,
            TakeShare(2),
            Drain,
            SubmitHand,
            PopShare(2, 3),
            Iterate(2),
            PopGlobal,
            DropHeld,
            PushNext,
            Steal(Take),
            PopAll,
            DropHand,
        ],
    }
}
