//! Nothing read from a thread-local lives across a switch of stacks: what a goroutine asks after it
//! has moved to another thread, it asks there. In release builds above all, where a compiler keeps
//! addresses in registers.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use gosched_runtime::{
    Handle, block_on, blocking, checkpoint, current, go, go_future, goroutine_local, park,
    yield_now,
};

use crate::kinds::{migrating, thread_number, watch, works_and_ends};

goroutine_local! {
    static MINE: Cell<u64> = Cell::new(0);
}

/// Asks everything that is looked up by a thread-local. Inlined into each loop that switches, so
/// that the compiler may keep what it can.
#[inline(always)]
fn asks(id: u64, round: usize) {
    assert_eq!(current().unwrap().id(), id);
    assert_eq!(MINE.with(Cell::get), id);
    assert!(!std::thread::panicking());
    let thread = thread_number();
    // In a call it stays on its thread; with another worker's mark it would not.
    blocking(|| {
        // There it is the thread that yields, behind all others that are busy.
        if round.is_multiple_of(16) {
            yield_now();
        }
        assert_eq!(thread_number(), thread);
        assert_eq!(current().unwrap().id(), id);
    });
    assert_eq!(current().unwrap().id(), id);
}

/// Goes on in the others' wakes, and asks after each. How often it was on another thread.
#[inline(always)]
fn travels(rounds: usize, switch: impl Fn(usize)) -> usize {
    let id = current().unwrap().id();
    MINE.with(|mine| mine.set(id));
    let (mut moved, mut before) = (0, thread_number());
    for round in 0..rounds {
        switch(round);
        let now = thread_number();
        moved += usize::from(now != before);
        before = now;
        asks(id, round);
        if round % 7 == 0 {
            let child = go(move || {
                yield_now();
                (current().unwrap().id(), MINE.with(Cell::get))
            });
            let expected = (child.id(), 0);
            assert_eq!(child.join().unwrap(), expected);
            assert_eq!(current().unwrap().id(), id);
        }
    }
    moved
}

/// Wakes a traveller for as long as it travels.
fn wakes(who: &OnceLock<Handle>, over: &AtomicBool) {
    while !over.load(SeqCst) {
        if let Some(who) = who.get() {
            who.unpark();
        }
        yield_now();
    }
}

/// Has goroutines travel with `switch` on four workers until they have moved often enough: a test
/// whose goroutines stay shows nothing.
fn migrates(switch: impl Fn(usize) + Copy + Send + 'static) {
    let _watch = watch();
    let runtime = migrating().processors(4).build().unwrap();
    let mut moved = 0;
    while moved < 2000 {
        let travellers: Vec<_> = (0..3)
            .map(|_| {
                let shared = Arc::new((OnceLock::new(), AtomicBool::new(false)));
                let wakers = [Arc::clone(&shared), Arc::clone(&shared)];
                let wakers = wakers.map(|shared| runtime.go(move || wakes(&shared.0, &shared.1)));
                let traveller = runtime.go(move || {
                    shared.0.set(current().unwrap()).unwrap();
                    let moved = travels(2000, switch);
                    shared.1.store(true, SeqCst);
                    moved
                });
                (traveller, wakers)
            })
            .collect();
        for (traveller, wakers) in travellers {
            moved += traveller.join().unwrap();
            wakers.into_iter().for_each(|waker| waker.join().unwrap());
        }
    }
    works_and_ends(&runtime);
}

#[test]
fn after_a_park_all_is_asked_anew() {
    migrates(|_| park());
}

#[test]
fn after_a_yield_all_is_asked_anew() {
    migrates(|_| yield_now());
}

#[test]
fn after_a_join_all_is_asked_anew() {
    migrates(|round| {
        if round % 2 == 0 {
            assert_eq!(go(move || round).join().unwrap(), round);
        } else {
            assert_eq!(block_on(go_future(async move { round })).unwrap(), round);
        }
    });
}

#[test]
fn after_a_call_that_lost_its_processor_all_is_asked_anew() {
    migrates(|round| {
        if round % 50 == 0 {
            blocking(|| std::thread::sleep(std::time::Duration::from_micros(200)));
        } else {
            checkpoint();
            yield_now();
        }
    });
}

/// A thread's number, by a thread-local: what safe code may not keep across a switch.
fn slot() -> usize {
    std::thread_local! {
        static SLOT: Cell<u8> = const { Cell::new(0) };
    }
    #[inline(never)]
    fn address() -> usize {
        SLOT.with(|slot| std::ptr::from_ref(slot).addr())
    }
    address()
}

#[test]
fn pinned_goroutines_stay_on_their_thread() {
    let _watch = watch();
    let runtime = gosched_runtime::Runtime::builder().processors(4).build().unwrap();
    let moved = Arc::new(AtomicUsize::new(0));
    let all: Vec<_> = (0..16)
        .map(|_| {
            let moved = Arc::clone(&moved);
            runtime.go(move || {
                let (thread, address) = (thread_number(), slot());
                for round in 0..300 {
                    match round % 3 {
                        0 => yield_now(),
                        1 => go(|| ()).join().unwrap(),
                        _ => blocking(|| std::thread::sleep(std::time::Duration::from_micros(30))),
                    }
                    let stayed = thread_number() == thread && slot() == address;
                    moved.fetch_add(usize::from(!stayed), SeqCst);
                }
            })
        })
        .collect();
    all.into_iter().for_each(|one| one.join().unwrap());
    assert_eq!(moved.load(SeqCst), 0);
    works_and_ends(&runtime);
}
