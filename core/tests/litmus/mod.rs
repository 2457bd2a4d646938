//! Store buffering, the litmus test that the asymmetric fence exists for:
//!
//! ```text
//!    left                     right
//!    x = 1                    y = 1
//!    left_fence()             right_fence()
//!    r0 = y                   r1 = x
//! ```
//!
//! Real processors hold a store back while later loads go ahead, so without fences both sides may
//! read 0. One round of that is over in nanoseconds; so two threads meet at a spin barrier before
//! each round, wait a few pseudo-random cycles more, and count what they saw.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// What the rounds showed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Rounds run.
    pub(crate) rounds: usize,
    /// Both sides read 0: the outcome that fences forbid.
    pub(crate) neither: usize,
    /// One side read 0, the other 1: one went first.
    pub(crate) one: usize,
    /// Both sides read 1: they overlapped.
    pub(crate) both: usize,
}

/// The words of one round, far from each other and from the next round's.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Word(AtomicU32);

#[derive(Debug, Default)]
struct Round {
    x: Word,
    y: Word,
    r0: Word,
    r1: Word,
}

/// Tests run side by side; two litmus tests on two cores would only keep each other from meeting.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Rounds between two looks at the clock.
const BATCH: usize = if cfg!(miri) { 16 } else { 512 };

/// Runs rounds until `enough` says so or `limit` is over.
pub(crate) fn store_buffering(
    left_fence: fn(),
    right_fence: fn(),
    limit: Duration,
    enough: fn(&Seen) -> bool,
) -> Seen {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let start = Instant::now();
    let mut seen = Seen::default();
    while start.elapsed() < limit && !enough(&seen) {
        batch(left_fence, right_fence, &mut seen);
    }
    println!("{seen:?} in {:?}", start.elapsed());
    seen
}

fn batch(left_fence: fn(), right_fence: fn(), seen: &mut Seen) {
    let rounds: Vec<Round> = (0..BATCH).map(|_| Round::default()).collect();
    let arrived = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            for (number, round) in rounds.iter().enumerate() {
                meet(&arrived, number, 7);
                round.x.0.store(1, Ordering::Relaxed);
                left_fence();
                let r0 = round.y.0.load(Ordering::Relaxed);
                round.r0.0.store(r0, Ordering::Relaxed);
            }
        });
        for (number, round) in rounds.iter().enumerate() {
            meet(&arrived, number, 13);
            round.y.0.store(1, Ordering::Relaxed);
            right_fence();
            let r1 = round.x.0.load(Ordering::Relaxed);
            round.r1.0.store(r1, Ordering::Relaxed);
        }
    });
    for round in &rounds {
        seen.rounds += 1;
        match (round.r0.0.load(Ordering::Relaxed), round.r1.0.load(Ordering::Relaxed)) {
            (0, 0) => seen.neither += 1,
            (1, 1) => seen.both += 1,
            _ => seen.one += 1,
        }
    }
}

/// Waits until both threads came to round `number`, then a few cycles that differ from round to
/// round and, by `stride`, from side to side, so that every alignment of the two comes up.
fn meet(arrived: &AtomicUsize, number: usize, stride: usize) {
    arrived.fetch_add(1, Ordering::AcqRel);
    let mut spins = 0_u32;
    while arrived.load(Ordering::Acquire) < 2 * (number + 1) {
        spins += 1;
        if spins % 1024 == 0 {
            // The other thread may not be running at all.
            thread::yield_now();
        }
        core::hint::spin_loop();
    }
    for cycle in 0..number * stride % 31 {
        core::hint::black_box(cycle);
    }
}
