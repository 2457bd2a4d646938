//! The asymmetric fence in the fallback: both sides are `fence(SeqCst)`, whoever meets whom.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test of the memory itself, on the hardware"
)]

mod litmus;

use core::time::Duration;

use gosched::memory::{FenceMode, Hardware, Memory};
use litmus::store_buffering;

const LIMIT: Duration = Duration::from_millis(400);

fn enter_fallback() {
    assert_eq!(Hardware::choose_fence_mode(FenceMode::SeqCst), FenceMode::SeqCst);
}

#[test]
fn a_light_and_a_heavy_fence_forbid_that_both_sides_miss_the_other() {
    enter_fallback();
    let seen = store_buffering(Hardware::light_fence, Hardware::heavy_fence, LIMIT, |_| false);
    assert_eq!(seen.neither, 0, "{seen:?}");
    assert_eq!(Hardware::fence_mode(), Some(FenceMode::SeqCst), "a heavy fence moved the mode");
}

/// True of this mode alone, and nothing to build on: see `fence_membarrier.rs`.
#[test]
fn in_the_fallback_two_light_fences_are_seq_cst_fences() {
    enter_fallback();
    let light = Hardware::light_fence;
    let seen = store_buffering(light, light, LIMIT, |_| false);
    assert_eq!(seen.neither, 0, "{seen:?}");
}
