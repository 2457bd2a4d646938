//! What goes wrong if the promise of [`Migrating`] is broken: a thread-local's address that was
//! kept across a scheduling point is another thread's afterwards.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example broken_promise
//! ```
//!
//! The program compares addresses alone. To read through one of them would be what the promise
//! rules out: two threads at one `Cell`.

use std::cell::Cell;
use std::hint::black_box;

use gosched_runtime::{Migrating, Runtime, go, yield_now};

thread_local! {
    /// What safe code takes for its own as long as it runs.
    static SLOT: Cell<u64> = const { Cell::new(0) };
}

/// Where this thread's slot lies. Not inlined, and so asked anew each time.
#[inline(never)]
fn address() -> usize {
    SLOT.with(|slot| black_box(std::ptr::from_ref(slot).addr()))
}

// ANCHOR: borrow
/// **The broken promise**: inside `with` the slot is borrowed, and the goroutine yields. How often
/// in so many yields the borrow was of a slot that is not this thread's any more.
fn borrow_across_yields(rounds: usize) -> usize {
    let yields = |_| {
        SLOT.with(|slot| {
            yield_now();
            std::ptr::from_ref(slot).addr() != address()
        })
    };
    (0..rounds).map(yields).filter(|stale| *stale).count()
}
// ANCHOR_END: borrow

// ANCHOR: ask
/// No borrow is kept, the source is right: it asks, yields, and asks again. But it is one function,
/// in which a compiler may take a thread-local's address to be the same throughout.
#[inline(never)]
fn ask_again_after_yields(rounds: usize) -> usize {
    let yields = |_| {
        let before = SLOT.with(|slot| std::ptr::from_ref(slot).addr());
        yield_now();
        let after = SLOT.with(|slot| std::ptr::from_ref(slot).addr());
        black_box(before);
        after != address()
    };
    (0..rounds).map(yields).filter(|stale| *stale).count()
}
// ANCHOR_END: ask

/// Runs both on several goroutines that yield to each other.
fn show(kind: &str, runtime: &Runtime) {
    let sum = |look: fn(usize) -> usize| {
        runtime
            .run(move || {
                let all: Vec<_> = (0..8).map(|_| go(move || look(2000))).collect();
                all.into_iter().map(|one| one.join().unwrap()).sum::<usize>()
            })
            .unwrap()
    };
    println!("{kind}:");
    println!(
        "    a borrow that is kept across a yield:     {} of 16000 are stale",
        sum(borrow_across_yields)
    );
    println!(
        "    an address that is asked for once more:   {} of 16000 are stale",
        sum(ask_again_after_yields)
    );
}

fn main() {
    show("pinned goroutines", &Runtime::builder().processors(4).build().unwrap());
    // SAFETY: none. The promise is broken below; no slot is read or written while it is.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(4).migrating(migrating).build().unwrap();
    show("migrating goroutines", &runtime);
}
