//! The timed section, less the cost of timing it.

use core::hint::black_box;
use core::time::Duration;
use std::sync::OnceLock;
use std::time::Instant;

/// Runs `section` and returns, beside its result, the time it took; what an empty section takes is
/// subtracted, so that short sections (a steal is some 50 ns) do not all look alike.
#[inline(always)]
pub fn timed<R>(section: impl FnOnce() -> R) -> (R, Duration) {
    let cost = *CLOCK_COST.get_or_init(clock_cost);
    let (result, time) = with_clock(section);
    (result, time.saturating_sub(cost))
}

/// The time of an empty section, on this machine.
static CLOCK_COST: OnceLock<Duration> = OnceLock::new();

fn clock_cost() -> Duration {
    let mut costs: Vec<_> = (0..1001).map(|_| with_clock(|| black_box(())).1).collect();
    costs.sort_unstable();
    costs[costs.len() / 2]
}

#[inline(always)]
fn with_clock<R>(section: impl FnOnce() -> R) -> (R, Duration) {
    let begin = Instant::now();
    let result = measured_section(section);
    (result, begin.elapsed())
}

/// A function of its own so that callgrind can be told to count inside it alone, by this name.
#[inline(never)]
fn measured_section<R>(section: impl FnOnce() -> R) -> R {
    section()
}
