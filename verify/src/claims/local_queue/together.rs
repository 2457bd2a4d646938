//! Every mechanism of the queue against every other: an owner, two thieves, capacity 4.
//!
//! A ring that overflows, counters that wrap, a slot that is stolen, a thief that is robbed: each
//! has models of its own above. Bugs like to live where two of them meet, so here is each pair, and
//! all four at once. For the explorer alone: three threads without a bound are beyond loom.

use super::scenario::{ROBS_THE_THIEF, STEALS, STEALS_RING, STEALS_TWICE, Scenario, Thief};
use super::{OVERFLOWED, ROBBED, SLOT_STOLEN};
use crate::claim::{Bounds, Case, Claim};

/// One task is in the ring when the counters are about to wrap.
const WRAPS: u64 = u64::MAX - 1;
/// Both steal from the owner, the slot included.
const TWO: [Thief; 2] = [STEALS, STEALS];
/// Both steal from the owner's ring.
const TWO_RING: [Thief; 2] = [STEALS_RING, STEALS_RING];
/// The second robs the first.
const CHAIN: [Thief; 2] = [STEALS_RING, ROBS_THE_THIEF];
/// The second robs the first, which steals until it comes to the slot.
const SLOT_CHAIN: [Thief; 2] = [Thief { steals: 3, ..STEALS }, ROBS_THE_THIEF];
/// Both steal until they come to the slot.
const TWO_EAGER: [Thief; 2] = [STEALS_TWICE, STEALS_TWICE];

pub(super) fn claim() -> Claim {
    let bounds = Bounds { loom: false, stress: 2_000, ..Bounds::THREE_THREADS };
    let case =
        |name, scenario: Scenario<4>| Case::new(name, "3 threads, capacity 4", bounds, scenario);
    let new = Scenario::<4>::new;
    Claim {
        name: "local_queue::mechanisms_do_not_interfere",
        sentence: "No task is lost or run twice where the ring overflows, the counters wrap, the \
                   slot is stolen and a thief is robbed: one by one, two at a time, and all at \
                   once.",
        cases: vec![
            case("overflow", new("pp", &TWO_RING).before("ppp").showing(&[OVERFLOWED])),
            case("wrap", new("ppg", &TWO_RING).starting_at(WRAPS)),
            case("slot", new("npn", &TWO).showing(&[SLOT_STOLEN])),
            case("chain", new("pg", &CHAIN).before("pp").showing(&[ROBBED])),
            case(
                "overflow_wrap",
                new("pp", &TWO_RING).before("ppp").starting_at(WRAPS).showing(&[OVERFLOWED]),
            ),
            case(
                "overflow_slot",
                new("nn", &TWO_EAGER).before("pppp").showing(&[OVERFLOWED, SLOT_STOLEN]),
            ),
            case("overflow_chain", new("pp", &CHAIN).before("ppp").showing(&[OVERFLOWED, ROBBED])),
            case("wrap_slot", new("npn", &TWO).starting_at(WRAPS).showing(&[SLOT_STOLEN])),
            case(
                "wrap_chain",
                new("pg", &CHAIN).before("pp").starting_at(WRAPS).showing(&[ROBBED]),
            ),
            case(
                "slot_chain",
                new("np", &SLOT_CHAIN).before("ppp").showing(&[SLOT_STOLEN, ROBBED]),
            ),
            case(
                "all",
                new("nn", &SLOT_CHAIN).before("pppp").starting_at(WRAPS).showing(&[
                    OVERFLOWED,
                    SLOT_STOLEN,
                    ROBBED,
                ]),
            ),
        ],
        properties: vec![],
    }
}
