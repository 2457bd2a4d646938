//! The note, one thread at a time: what its words say, and when it touches the parker. What it
//! does between threads is checked by the claims `note::*`.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]
#![allow(clippy::disallowed_types, reason = "counters beside the structure under test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use gosched::Note;
use gosched::memory::{Hardware, HardwareParker, Memory, Park, is_checked};

/// Counts what it is asked for, and returns from `park` spuriously, `spurious` times.
#[derive(Debug, Default)]
struct Counting {
    parker: HardwareParker,
    parks: AtomicUsize,
    unparks: AtomicUsize,
    spurious: AtomicUsize,
}

impl Park for Counting {
    fn new() -> Self {
        Self::default()
    }
    fn park(&self) {
        // Release: whoever has counted this call sees the state in which the note made it.
        self.parks.fetch_add(1, Ordering::Release);
        let spurious = self.spurious.load(Ordering::Relaxed);
        if spurious > 0 {
            self.spurious.store(spurious - 1, Ordering::Relaxed);
        } else {
            self.parker.park();
        }
    }
    fn unpark(&self) {
        self.unparks.fetch_add(1, Ordering::Relaxed);
        self.parker.unpark();
    }
}

impl Counting {
    fn calls(&self) -> (usize, usize) {
        (self.parks.load(Ordering::Acquire), self.unparks.load(Ordering::Relaxed))
    }
}

#[test]
fn a_wake_before_the_sleep_is_kept_and_consumed_once() {
    let note = Note::new();
    assert!(!note.is_woken());
    assert!(!note.try_sleep());
    note.wake();
    assert!(note.is_woken());
    note.sleep();
    assert!(!note.is_woken());
    assert!(!note.try_sleep());
}

#[test]
fn try_sleep_consumes_the_event() {
    let note = Note::new();
    for _ in 0..3 {
        note.wake();
        assert!(note.try_sleep());
        assert!(!note.try_sleep());
    }
}

#[test]
fn a_wake_before_the_sleep_does_not_touch_the_parker() {
    let note = Note::with_parker(Counting::new());
    for _ in 0..3 {
        note.wake();
        note.sleep();
    }
    assert_eq!(note.parker().calls(), (0, 0));
}

#[test]
fn a_sleeper_is_unparked_once_and_sleeps_through_spurious_returns() {
    let note = Note::with_parker(Counting::new());
    note.parker().spurious.store(2, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let sleeper = scope.spawn(|| note.sleep());
        // The third call of `park` is the one that blocks.
        while note.parker().calls().0 < 3 {
            Hardware::spin_loop();
        }
        assert!(!sleeper.is_finished());
        assert_eq!(format!("{note:?}"), "Note { state: \"sleeping\", .. }");
        note.wake();
    });
    assert_eq!(note.parker().calls(), (3, 1));
    assert!(!note.is_woken());
}

#[test]
fn two_threads_hand_a_turn_to_and_fro() {
    const TURNS: usize = if cfg!(miri) { 20 } else { 2_000 };
    let (ping, pong) = (Note::new(), Note::new());
    let turns = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..TURNS {
                ping.sleep();
                assert_eq!(turns.load(Ordering::Relaxed), turn);
                turns.store(turn + 1, Ordering::Relaxed);
                pong.wake();
            }
        });
        for turn in 0..TURNS {
            ping.wake();
            pong.sleep();
            assert_eq!(turns.load(Ordering::Relaxed), turn + 1);
        }
    });
}

#[test]
fn a_double_wake_panics_where_invariants_are_checked_and_merges_elsewhere() {
    let note = Note::new();
    note.wake();
    let second = catch_unwind(AssertUnwindSafe(|| note.wake()));
    assert_eq!(second.is_err(), is_checked::<Hardware>());
    // Either way the note is as it was.
    assert!(note.try_sleep());
    assert!(!note.try_sleep());
}

#[test]
fn the_generic_constructors_make_the_same_note() {
    fn woken_once<Mem: Memory, P: Park>(note: &Note<Mem, P>) -> bool {
        note.wake();
        note.try_sleep() && !note.try_sleep()
    }
    assert!(woken_once(&Note::default()));
    assert!(woken_once(&Note::<Hardware>::with_memory()));
    assert!(woken_once(&Note::<Hardware, _>::with_memory_and_parker(Counting::new())));
}
