//! What goes wrong if the promise of [`Migrating`] is broken: a thread-local's address that was
//! kept across a scheduling point is another thread's afterwards.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example broken_promise
//! ```
//!
//! And what goes wrong without any promise, where a library takes it that the scopes of a thread
//! are nested.
//!
//! The program compares addresses alone. To read through one of them would be what the promise
//! rules out: two threads at one `Cell`.

use std::cell::Cell;
use std::hint::black_box;
use std::ptr::null;
use std::time::Duration;

use gosched_runtime::time::sleep;
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

/// Lets the processors run dry, so that they take goroutines from each other: those that only yield
/// stay where they are.
fn now_and_then_rest(round: usize) {
    if round.is_multiple_of(100) {
        sleep(Duration::from_micros(50));
    }
}

// ANCHOR: borrow
/// **The broken promise**: inside `with` the slot is borrowed, and the goroutine yields. How often
/// in so many yields the borrow was of a slot that is not this thread's any more.
fn borrow_across_yields(rounds: usize) -> usize {
    let yields = |round| {
        now_and_then_rest(round);
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
    let yields = |round| {
        now_and_then_rest(round);
        let before = SLOT.with(|slot| std::ptr::from_ref(slot).addr());
        yield_now();
        let after = SLOT.with(|slot| std::ptr::from_ref(slot).addr());
        black_box(before);
        after != address()
    };
    (0..rounds).map(yields).filter(|stale| *stale).count()
}
// ANCHOR_END: ask

// ANCHOR: scopes
thread_local! {
    /// What is in scope on this thread: a scoped thread-local, by hand.
    static SCOPED: Cell<*const u64> = const { Cell::new(null()) };
}

/// Runs `inside` while `value` is in scope. What was in scope before is again afterwards: right,
/// as long as a scope that begins later on this thread ends earlier.
fn scope(value: &u64, inside: impl FnOnce()) {
    let before = SCOPED.replace(value);
    inside();
    SCOPED.set(before);
}

/// Two scopes of one thread: the one that began first ends first. Whether something is in scope
/// after both have ended.
fn scopes_that_are_not_nested(runtime: &Runtime) -> bool {
    let outlives = runtime.run(|| {
        let first = go(|| scope(&1, yield_now));
        let second = go(|| scope(&2, || (0..3).for_each(|_| yield_now())));
        first.join().unwrap();
        second.join().unwrap();
        go(|| !SCOPED.get().is_null()).join().unwrap()
    });
    outlives.unwrap()
}
// ANCHOR_END: scopes

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
    let pinned = Runtime::builder().processors(1).build().unwrap();
    println!("two scopes of one thread, pinned goroutines:");
    println!(
        "    something is in scope after their end:    {}",
        if scopes_that_are_not_nested(&pinned) { "yes, and dangles" } else { "no" }
    );
}
