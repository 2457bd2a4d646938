//! What every world promises, whichever features are on: the types of `Hardware` stay what they
//! are, the primitives keep the contracts of `Lock`, `Park` and `Atomic`.

#![allow(clippy::disallowed_types, reason = "compares the worlds' types with what they stand for")]

use core::any::TypeId;
use core::fmt::Debug;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::thread;

#[cfg(not(feature = "portable-atomic"))]
use core::sync::atomic as plain;
use gosched::memory::{
    Atomic, AtomicInt, Hardware, Lock, Memory, Ordering, Park, RaceCell, Shared,
};
#[cfg(feature = "portable-atomic")]
use portable_atomic as plain;

/// Long enough for a thread to come to where it must block.
const MOMENT: Duration = Duration::from_millis(50);
/// Long enough for anything that is not lost.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn no_feature_changes_the_types_of_hardware() {
    fn same<A: 'static, B: 'static>() {
        assert_eq!(TypeId::of::<A>(), TypeId::of::<B>());
    }
    same::<<Hardware as Memory>::AtomicU32, plain::AtomicU32>();
    same::<<Hardware as Memory>::AtomicU64, plain::AtomicU64>();
    same::<<Hardware as Memory>::AtomicUsize, plain::AtomicUsize>();
    same::<<Hardware as Memory>::AtomicPtr<u8>, plain::AtomicPtr<u8>>();
    assert_eq!(Hardware::NAME, "hardware");
    const { assert!(!Hardware::CHECKED) };
}

#[test]
fn the_cell_of_hardware_is_no_larger_than_what_it_holds() {
    assert_eq!(size_of::<<Hardware as Memory>::Cell<u64>>(), size_of::<u64>());
}

/// What an owner on one thread and a thief on another need of every world.
fn assert_can_be_shared<Mem: Memory>() {
    fn shared<T: Send + Sync>() {}
    shared::<Mem>();
    shared::<Mem::AtomicU32>();
    shared::<Mem::AtomicU64>();
    shared::<Mem::AtomicUsize>();
    shared::<Mem::AtomicPtr<u8>>();
    shared::<Mem::Cell<u8>>();
    // Of a value that is `Send` alone, too.
    shared::<Mem::Cell<core::cell::Cell<u8>>>();
    shared::<Mem::Mutex<core::cell::Cell<u8>>>();
    shared::<Mem::Arc<u8>>();
    shared::<Mem::Parker>();
}

#[test]
fn the_types_of_every_world_can_be_shared() {
    assert_can_be_shared::<Hardware>();
    #[cfg(feature = "loom")]
    assert_can_be_shared::<gosched::memory::Loom>();
    #[cfg(feature = "shuttle")]
    assert_can_be_shared::<gosched::memory::Shuttle>();
}

/// Each method does what its name says in `core::sync::atomic`.
fn atomics_compute<Mem: Memory>() {
    fn integer<A: AtomicInt<V>, V: Copy + Debug + PartialEq + From<u8>>() {
        let n = V::from;
        let mut word = A::new(n(12));
        assert_eq!(word.load(Ordering::Acquire), n(12));
        word.store(n(10), Ordering::Release);
        assert_eq!(word.swap(n(6), Ordering::AcqRel), n(10));
        let (relaxed, acq_rel) = (Ordering::Relaxed, Ordering::AcqRel);
        assert_eq!(word.compare_exchange(n(7), n(1), acq_rel, relaxed), Err(n(6)));
        assert_eq!(word.compare_exchange(n(6), n(7), acq_rel, relaxed), Ok(n(6)));
        assert_eq!(word.compare_exchange_weak(n(6), n(1), acq_rel, relaxed), Err(n(7)));
        assert_eq!(word.fetch_add(n(5), relaxed), n(7));
        assert_eq!(word.fetch_sub(n(2), relaxed), n(12));
        assert_eq!(word.fetch_and(n(6), relaxed), n(10));
        assert_eq!(word.fetch_or(n(8), relaxed), n(2));
        assert_eq!(word.fetch_xor(n(3), relaxed), n(10));
        assert_eq!(word.fetch_max(n(20), relaxed), n(9));
        assert_eq!(word.fetch_min(n(4), relaxed), n(20));
        assert_eq!(word.load_mut(), n(4));
    }
    integer::<Mem::AtomicU32, u32>();
    integer::<Mem::AtomicU64, u64>();
    integer::<Mem::AtomicUsize, usize>();

    let (mut old, mut new) = (1_u8, 2_u8);
    let (old, new) = (&raw mut old, &raw mut new);
    let mut pointer = Mem::AtomicPtr::new(old);
    assert_eq!(pointer.swap(new, Ordering::AcqRel), old);
    assert_eq!(pointer.load_mut(), new);
    Mem::fence(Ordering::SeqCst);
    Mem::light_fence();
    Mem::heavy_fence();
}

/// A mutex, a cell, an `Arc` and a parker in one thread.
fn primitives_work_alone<Mem: Memory>() {
    let mut mutex = Mem::Mutex::new(1);
    mutex.with(|value| *value += 1);
    assert_eq!(*mutex.get_mut(), 2);

    let cell = Mem::Cell::new(1);
    // SAFETY: no other thread knows the cell, and the pointer does not leave the closure.
    cell.with_mut(|value| unsafe { *value = 2 });
    // SAFETY: as above.
    assert_eq!(cell.with(|value| unsafe { *value }), 2);

    let one = Mem::Arc::new(3);
    let other = one.clone();
    drop(one);
    assert_eq!(*other, 3);

    let parker = Mem::Parker::new();
    parker.unpark();
    // A token that came first is not lost.
    parker.park();
}

fn a_world<Mem: Memory>() {
    atomics_compute::<Mem>();
    primitives_work_alone::<Mem>();
}

#[test]
fn hardware_keeps_the_contracts() {
    a_world::<Hardware>();
}

#[cfg(feature = "loom")]
#[test]
fn loom_keeps_the_contracts() {
    loom::model(a_world::<gosched::memory::Loom>);
}

#[cfg(feature = "shuttle")]
#[test]
fn shuttle_keeps_the_contracts() {
    shuttle::check_random(a_world::<gosched::memory::Shuttle>, 10);
}

/// The cell of loom is there to be watched.
#[cfg(feature = "loom")]
#[test]
#[should_panic(expected = "Causality violation")]
fn loom_reports_conflicting_accesses_of_a_cell() {
    use gosched::memory::Loom;

    loom::model(|| {
        let cell = <Loom as Memory>::Arc::new(<Loom as Memory>::Cell::new(0));
        let theirs = cell.clone();
        // SAFETY: loom runs one thread at a time, so the writes do not overlap in this process.
        // That nothing orders them in the model is what it must say.
        let thread = loom::thread::spawn(move || theirs.with_mut(|value| unsafe { *value = 1 }));
        // SAFETY: as above.
        cell.with_mut(|value| unsafe { *value = 2 });
        drop(thread.join());
    });
}

#[test]
fn a_mutex_excludes() {
    const THREADS: usize = 4;
    let rounds: usize = if cfg!(miri) { 20 } else { 5_000 };
    let mutex = <Hardware as Memory>::Mutex::new(0_usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..rounds {
                    mutex.with(|count| {
                        let seen = *count;
                        core::hint::black_box(&count);
                        *count = seen + 1;
                    });
                }
            });
        }
    });
    assert_eq!(mutex.with(|count| *count), THREADS * rounds);
}

#[test]
fn a_mutex_survives_a_closure_that_panics() {
    let mut mutex = <Hardware as Memory>::Mutex::new(1);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        mutex.with(|value| {
            *value = 2;
            panic!("the closure gives up");
        });
    }));
    assert!(panicked.is_err());
    assert_eq!(mutex.with(|value| *value), 2);
    assert_eq!(*mutex.get_mut(), 2);
}

/// Runs `f` and fails when it does not end: a lost token would otherwise hang the tests.
fn ends(f: impl FnOnce() + Send + 'static) {
    let (say, heard) = mpsc::channel();
    let thread = thread::spawn(move || {
        f();
        say.send(()).expect("the test listens");
    });
    match heard.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("a token was lost: a thread still waits"),
        _ => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
    }
}

/// Asserts that `parker` holds no token: a thread parks, and goes on after one `unpark`.
fn assert_has_no_token(parker: &<Hardware as Memory>::Parker) {
    let (say, heard) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            parker.park();
            say.send(()).expect("the test listens");
        });
        let early = heard.recv_timeout(MOMENT).is_ok();
        parker.unpark();
        assert!(!early, "park found a token");
        heard.recv().expect("the token woke the thread");
    });
}

#[test]
fn a_parked_thread_waits_for_its_token() {
    ends(|| assert_has_no_token(&<Hardware as Memory>::Parker::new()));
}

#[test]
fn tokens_do_not_add_up() {
    ends(|| {
        let parker = <Hardware as Memory>::Parker::new();
        parker.unpark();
        parker.unpark();
        parker.park();
        assert_has_no_token(&parker);
    });
}

#[test]
fn no_token_is_lost_and_its_writes_come_with_it() {
    ends(ping_pong);
}

fn ping_pong() {
    let rounds = if cfg!(miri) { 20 } else { 2_000 };
    let cell = <Hardware as Memory>::Cell::new(0);
    let (ping, pong) = (<Hardware as Memory>::Parker::new(), <Hardware as Memory>::Parker::new());
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=rounds {
                // SAFETY: the other side is between `unpark` and `park`, and reads after `park`.
                cell.with_mut(|value| unsafe { *value = round });
                ping.unpark();
                pong.park();
            }
        });
        for round in 1..=rounds {
            ping.park();
            // SAFETY: the writer waits in `pong.park()`.
            assert_eq!(cell.with(|value| unsafe { *value }), round);
            pong.unpark();
        }
    });
}
