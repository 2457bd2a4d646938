//! A spin lock, explored: the shortest complete model there is.
//!
//! Run it with `cargo run --release -p gosched-verify --example explore_spin_lock`.
//!
//! Threads add one to a counter under the lock. With `Release` on unlocking every execution is
//! right; with `Relaxed` the next owner may miss what the last one did, and the explorer reports
//! the two accesses. The third model shows how a loop that waits must be written.

use gosched::memory::{Atomic, Memory, Ordering, RaceCell, Shared};
use gosched_verify::explore::{Builder, Explored, Report, thread};

// ANCHOR: names
// The explorer's types, under short names.
type Word = <Explored as Memory>::AtomicU32;
type Cell<T> = <Explored as Memory>::Cell<T>;
type Arc<T> = <Explored as Memory>::Arc<T>;
// ANCHOR_END: names

/// What differs between the right lock and the wrong ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The ordering of the store that unlocks.
    pub(crate) unlock: Ordering,
    /// Whether the loop tells the explorer that it waits.
    pub(crate) says_it_waits: bool,
}

/// The lock as it should be.
pub(crate) const CORRECT: Variant = Variant { unlock: Ordering::Release, says_it_waits: true };
/// Unlocking publishes nothing.
pub(crate) const RELAXED: Variant = Variant { unlock: Ordering::Relaxed, ..CORRECT };
/// The loop looks endless.
pub(crate) const SILENT: Variant = Variant { says_it_waits: false, ..CORRECT };

// ANCHOR: lock
/// A counter behind a spin lock.
struct Counter {
    held: Word,
    value: Cell<u32>,
    variant: Variant,
}

impl Counter {
    fn increment(&self) {
        // ORDER: Acquire pairs with the store below: the new owner sees what the last one wrote.
        // Relaxed on failure: nothing is done with what was read.
        while self.held.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_err() {
            if self.variant.says_it_waits {
                // The attempt changed nothing and will be repeated as it was: go on only where
                // `held` has another value.
                Explored::retry_pure();
            }
        }
        // SAFETY: we hold the lock. (That is the claim: the cell reports an access that races.)
        self.value.with_mut(|value| unsafe { *value += 1 });
        // ORDER: Release pairs with the exchange above. Relaxed: a data race on `value`.
        self.held.store(0, self.variant.unlock);
    }
}
// ANCHOR_END: lock

// ANCHOR: model
/// `threads` threads increment the counter once each.
fn model(variant: Variant, threads: u32) -> String {
    // All state is made in the model: it runs once for every execution.
    let counter = Counter { held: Word::new(0), value: Cell::new(0), variant };
    let counter = <Arc<Counter> as Shared<Counter>>::new(counter);
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let counter = counter.clone();
            thread::spawn(move || counter.increment())
        })
        .collect();
    counter.increment();
    others.into_iter().for_each(thread::JoinHandle::join);
    // SAFETY: all others have ended.
    let value = counter.value.with(|value| unsafe { *value });
    assert_eq!(value, threads, "an increment was lost");
    format!("the counter is {value}")
}

/// Explores a variant.
pub(crate) fn explore(variant: Variant, threads: u32) -> Report {
    // No thread needs more than ten events: at 20 of them a loop is taken for endless.
    let builder = Builder { events_max: 20, ..Builder::default() };
    builder.explore(move || model(variant, threads))
}
// ANCHOR_END: model

pub(crate) fn main() {
    for threads in 2..=4 {
        println!("{threads} threads: {}", line(&explore(CORRECT, threads)));
    }
    println!("unlock Relaxed: {}", line(&explore(RELAXED, 2)));
    println!("a silent loop: {}", line(&explore(SILENT, 2)));
}

/// What came out, in a line.
fn line(report: &Report) -> String {
    let counts = format!("{} executions, {} blocked", report.complete, report.blocked);
    match &report.failure {
        Some(failure) => format!("{counts}, then {failure}"),
        None => format!("{counts}, exhaustive: {}", report.exhaustive),
    }
}
