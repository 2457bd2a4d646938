//! The asymmetric fence in the mode `Membarrier`: what it orders, and what it does not.
//!
//! The mode belongs to the process, so each mode has a test binary of its own. Where the system has
//! no `membarrier` these tests run in the fallback and say so.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test of the memory itself, on the hardware"
)]

mod litmus;

use core::time::Duration;
use std::thread;

use gosched::memory::{FenceMode, Hardware, Memory};
use litmus::store_buffering;

const LIMIT: Duration = Duration::from_millis(600);

/// Whether the process is in the mode under test.
fn in_mode_membarrier() -> bool {
    let chosen = Hardware::choose_fence_mode(FenceMode::Membarrier);
    if chosen != FenceMode::Membarrier {
        println!("this system has no membarrier: running in {chosen:?}");
    }
    chosen == FenceMode::Membarrier
}

#[test]
fn a_light_and_a_heavy_fence_forbid_that_both_sides_miss_the_other() {
    in_mode_membarrier();
    let seen = store_buffering(Hardware::light_fence, Hardware::heavy_fence, LIMIT, |_| false);
    assert_eq!(seen.neither, 0, "{seen:?}");
}

#[test]
fn two_heavy_fences_forbid_that_both_sides_miss_the_other() {
    in_mode_membarrier();
    let seen = store_buffering(Hardware::heavy_fence, Hardware::heavy_fence, LIMIT / 3, |_| false);
    assert_eq!(seen.neither, 0, "{seen:?}");
}

/// The control: were the forbidden outcome impossible on this machine anyway, the tests above would
/// show nothing.
#[test]
fn two_light_fences_order_nothing_between_them() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if !in_mode_membarrier() || cores < 2 {
        println!("not tested: needs membarrier and two cores");
        return;
    }
    let light = Hardware::light_fence;
    let seen = store_buffering(light, light, 3 * LIMIT, |seen| seen.neither >= 10);
    if seen.neither == 0 {
        println!("this machine never showed the outcome: the tests beside this one prove little");
    }
}
