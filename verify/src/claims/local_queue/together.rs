//! Every mechanism of the queue against every other: an owner, two thieves, capacity 4.
//!
//! A ring that overflows, counters that wrap, a slot that is stolen, a thief that is robbed: each
//! has models of its own above. Bugs like to live where two of them meet, so here is each pair, and
//! all four at once. For the explorer alone: three threads without a bound are beyond loom.

use gosched::NextSlot;

use super::scenario::{ROBS_THE_THIEF, STEALS, STEALS_RING, Scenario, Thief};
use crate::claim::{Bounds, Case, Claim};

/// One task is in the ring when the counters are about to wrap.
const WRAPS: u64 = u64::MAX - 1;
/// Both steal from the owner, the slot included.
const TWO: [Thief; 2] = [STEALS, STEALS];
/// Both steal from the owner's ring.
const TWO_RING: [Thief; 2] = [STEALS_RING, STEALS_RING];
/// The second robs the first.
const CHAIN: [Thief; 2] = [STEALS_RING, ROBS_THE_THIEF];
/// The second robs the first, which may take the slot.
const SLOT_CHAIN: [Thief; 2] = [STEALS, Thief { slot: NextSlot::Leave, ..ROBS_THE_THIEF }];

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
            case("overflow", new("p", &TWO_RING).before("pppp")),
            case("wrap", new("pp", &TWO_RING).before("p").starting_at(WRAPS)),
            case("slot", new("ng", &TWO).before("p")),
            case("chain", new("pg", &CHAIN).before("ppp")),
            case("overflow_wrap", new("p", &TWO_RING).before("pppp").starting_at(WRAPS)),
            case("overflow_slot", new("n", &TWO).before("ppppn")),
            case("overflow_chain", new("p", &CHAIN).before("pppp")),
            case("wrap_slot", new("np", &TWO).before("p").starting_at(WRAPS)),
            case("wrap_chain", new("pg", &CHAIN).before("ppp").starting_at(WRAPS)),
            case("slot_chain", new("ng", &SLOT_CHAIN).before("pp")),
            case("all", new("n", &SLOT_CHAIN).before("ppppn").starting_at(WRAPS)),
        ],
        properties: vec![],
    }
}
