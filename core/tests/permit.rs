//! The permit, in every sequence of up to nine operations, beside the three states that it is
//! meant to have; what it says of itself; and between real threads. Every order of its steps
//! between threads is checked by the claims `permit::*`.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]
#![allow(clippy::disallowed_types, reason = "counters beside the structure under test")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use gosched::memory::{Hardware, Memory, is_checked};
use gosched::{Give, Permit};

/// What the essay draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reference {
    Parked,
    Empty,
    Given,
}

impl Reference {
    fn take(&mut self) -> bool {
        let given = *self == Self::Given;
        *self = Self::Empty;
        given
    }

    fn park(&mut self) -> bool {
        let given = *self == Self::Given;
        *self = if given { Self::Empty } else { Self::Parked };
        !given
    }

    fn give(&mut self) -> Give {
        let (to, gave) = match self {
            Self::Parked => (Self::Empty, Give::Parked),
            Self::Empty => (Self::Given, Give::Kept),
            Self::Given => (Self::Given, Give::Already),
        };
        *self = to;
        gave
    }

    fn shown(self) -> String {
        format!("Permit({})", format!("{self:?}").to_lowercase())
    }
}

#[test]
fn every_short_sequence_does_what_the_reference_does() {
    const LENGTH: u32 = if cfg!(miri) { 5 } else { 9 };
    let mut ran = 0;
    for sequence in 0..3_u32.pow(LENGTH) {
        let (permit, mut reference) = (Permit::new(), Reference::Empty);
        for at in 0..LENGTH {
            let operation = sequence / 3_u32.pow(at) % 3;
            if operation < 2 && reference == Reference::Parked {
                // Nobody has the task: who would take the permit, or park it?
                break;
            }
            match operation {
                0 => assert_eq!(permit.take(), reference.take(), "{sequence}, at {at}"),
                1 => assert_eq!(permit.park(), reference.park(), "{sequence}, at {at}"),
                _ => assert_eq!(permit.give(), reference.give(), "{sequence}, at {at}"),
            }
            assert_eq!(permit.is_given(), reference == Reference::Given, "{sequence}, at {at}");
            assert_eq!(format!("{permit:?}"), reference.shown(), "{sequence}, at {at}");
            ran += 1;
        }
    }
    assert!(ran > 3_u32.pow(LENGTH), "most sequences ended at once");
}

#[test]
fn a_thousand_permits_are_one() {
    let permit = Permit::new();
    assert_eq!(permit.give(), Give::Kept);
    for _ in 0..1_000 {
        assert_eq!(permit.give(), Give::Already);
    }
    assert!(permit.take());
    assert!(!permit.take());
    assert!(permit.park());
    assert_eq!(permit.give(), Give::Parked);
}

#[test]
fn a_parked_task_that_runs_panics_where_invariants_are_checked() {
    let permit = Permit::new();
    assert!(permit.park());
    let taken = catch_unwind(AssertUnwindSafe(|| permit.take()));
    assert_eq!(taken.is_err(), is_checked::<Hardware>());
    assert!(!taken.unwrap_or(false), "it has no permit");
    let parked = catch_unwind(AssertUnwindSafe(|| permit.park()));
    assert_eq!(parked.is_err(), is_checked::<Hardware>());
    if is_checked::<Hardware>() {
        // It is as it was.
        assert_eq!(permit.give(), Give::Parked);
    } else {
        assert!(!parked.unwrap_or(true));
        assert_eq!(permit.give(), Give::Kept);
    }
}

#[test]
fn threads_run_a_task_by_turns_and_lose_no_permit() {
    const GIVERS: usize = 3;
    const GIVES: usize = if cfg!(miri) { 20 } else { 20_000 };
    /// Has the task: runs it until it is parked. How many permits that uses up.
    fn run(permit: &Permit, running: &AtomicUsize) -> usize {
        let mut used = 0;
        loop {
            assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0, "the task runs twice");
            running.fetch_sub(1, Ordering::Relaxed);
            if !permit.take() && permit.park() {
                return used;
            }
            used += 1;
        }
    }
    let (permit, running) = (Permit::new(), AtomicUsize::new(0));
    let used = run(&permit, &running);
    let counts: Vec<(usize, usize)> = std::thread::scope(|scope| {
        let givers: Vec<_> = (0..GIVERS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut given, mut used) = (0, 0);
                    for _ in 0..GIVES {
                        let gave = permit.give();
                        given += usize::from(gave != Give::Already);
                        if gave == Give::Parked {
                            used += 1 + run(&permit, &running);
                        }
                    }
                    (given, used)
                })
            })
            .collect();
        givers.into_iter().map(|giver| giver.join().expect("it did not panic")).collect()
    });
    let given: usize = counts.iter().map(|count| count.0).sum();
    let used = used + counts.iter().map(|count| count.1).sum::<usize>();
    assert_eq!(given, used);
    assert_eq!(permit.give(), Give::Parked, "it waits, for none is left");
}

#[test]
fn the_generic_constructor_makes_the_same_permit() {
    fn kept_and_taken<Mem: Memory>(permit: &Permit<Mem>) -> bool {
        permit.give() == Give::Kept && permit.take() && !permit.take()
    }
    assert!(kept_and_taken(&Permit::default()));
    assert!(kept_and_taken(&Permit::<Hardware>::with_memory()));
}
