//! How goroutines end: results, panics, what they leave, and who waits for it.

use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use gosched_runtime::{
    Cancelled, JoinError, RunError, block_on, blocking, checkpoint, current, go, go_future,
    goroutine_local, park, yield_now,
};

use crate::kinds::{both, eventually, migrating, watch, works_and_ends};

/// Counts that it was dropped.
struct Counts(Arc<AtomicUsize>);

impl Drop for Counts {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn run_returns_what_main_returns_and_the_others_go_on() {
    let _watch = watch();
    for runtime in both(2) {
        let (count, other) = runtime
            .run(|| {
                let count = Arc::new(AtomicUsize::new(0));
                let counts = Arc::clone(&count);
                let other = go(move || {
                    for _ in 0..1000 {
                        counts.fetch_add(1, SeqCst);
                        yield_now();
                    }
                });
                (count, other)
            })
            .unwrap();
        other.join().unwrap();
        assert_eq!(count.load(SeqCst), 1000);
        works_and_ends(&runtime);
    }
}

#[test]
fn what_a_goroutine_captured_and_returned_is_dropped_once() {
    let _watch = watch();
    for runtime in both(2) {
        let dropped = Arc::new(AtomicUsize::new(0));
        let counts = || Counts(Arc::clone(&dropped));
        // Captured; returned and joined; returned to nobody; in a panic; in a future; in its
        // result.
        let captured = counts();
        runtime.go(move || drop(captured)).join().unwrap();
        let returned = counts();
        drop(runtime.go(move || returned).join().unwrap());
        let nobodys = counts();
        drop(runtime.go(move || nobodys));
        let panics = counts();
        let error = runtime.go(move || panic_any(panics)).join().unwrap_err();
        assert!(error.into_panic().is::<Counts>());
        let (inside, result) = (counts(), counts());
        runtime
            .run(|| {
                let future = go_future(async move {
                    let _inside = inside;
                    result
                });
                drop(block_on(future).unwrap());
            })
            .unwrap();
        works_and_ends(&runtime);
        assert_eq!(dropped.load(SeqCst), 6);
    }
}

/// A scheduling point of each kind, in a destructor.
struct Schedules(Arc<AtomicUsize>);

impl Drop for Schedules {
    fn drop(&mut self) {
        assert!(current().is_some(), "destructors run as part of the goroutine");
        yield_now();
        checkpoint();
        blocking(|| thread::sleep(Duration::from_micros(100)));
        let child = go(|| 3);
        let me = current().unwrap();
        go(move || me.unpark());
        park();
        self.0.fetch_add(child.join().unwrap(), SeqCst);
    }
}

goroutine_local! {
    static LOCAL: Cell<Option<Schedules>> = Cell::new(None);
}

#[test]
fn destructors_may_do_all_that_a_goroutine_may() {
    let _watch = watch();
    for processors in [1, 2] {
        for runtime in both(processors) {
            let count = Arc::new(AtomicUsize::new(0));
            let schedules = || Schedules(Arc::clone(&count));
            let (captured, returned, local) = (schedules(), schedules(), schedules());
            let alone = Arc::new(AtomicBool::new(false));
            let is_alone = Arc::clone(&alone);
            let goroutine = runtime.go(move || {
                // Or whoever drops the handle would be the one to drop the result.
                while !is_alone.load(SeqCst) {
                    yield_now();
                }
                let _captured = captured;
                LOCAL.with(|cell| cell.set(Some(local)));
                returned
            });
            drop(goroutine);
            alone.store(true, SeqCst);
            works_and_ends(&runtime);
            assert_eq!(count.load(SeqCst), 9);
        }
    }
}

#[test]
fn destructors_of_a_panic_may_do_so_too_and_switch_no_stack() {
    let _watch = watch();
    for processors in [1, 2] {
        // It waits with its thread: pinned goroutines that it waits for might need the same one.
        let runtime = migrating().processors(processors).build().unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let others = Arc::clone(&over);
        let other = runtime.go(move || {
            while !others.load(SeqCst) {
                // Were a stack left while it unwinds, its thread would panic for this one, too.
                assert!(!thread::panicking());
                yield_now();
            }
        });
        for _ in 0..20 {
            let count = Arc::new(AtomicUsize::new(0));
            let in_panic = Schedules(Arc::clone(&count));
            let error = runtime
                .go(move || {
                    let _in_panic = in_panic;
                    panic!("unwinds through it");
                })
                .join()
                .unwrap_err();
            assert_eq!(error.message(), Some("unwinds through it"));
            assert_eq!(count.load(SeqCst), 3);
        }
        over.store(true, SeqCst);
        other.join().unwrap();
        works_and_ends(&runtime);
    }
}

#[test]
fn the_count_of_panics_stays_with_the_goroutine_that_panics() {
    let _watch = watch();
    for runtime in both(2) {
        let panicking = runtime.run(|| {
            let all: Vec<_> = (0..200)
                .map(|index| {
                    go(move || {
                        for _ in 0..10 {
                            let caught = catch_unwind(AssertUnwindSafe(|| {
                                yield_now();
                                if index % 2 == 0 {
                                    panic_any(index);
                                }
                            }));
                            assert_eq!(caught.is_err(), index % 2 == 0);
                            assert!(!thread::panicking());
                            yield_now();
                            assert!(!thread::panicking());
                        }
                    })
                })
                .collect();
            all.into_iter().filter(|_| true).map(|one| one.join()).filter(Result::is_err).count()
        });
        assert_eq!(panicking.unwrap(), 0);
        works_and_ends(&runtime);
    }
}

#[test]
fn mains_panic_is_runs_error_and_ends_nothing_else() {
    let _watch = watch();
    for runtime in both(2) {
        let other = runtime.go(|| (0..1000).for_each(|_| yield_now()));
        let error = runtime.run(|| panic!("main")).unwrap_err();
        let RunError::Main(error @ JoinError::Panicked(_)) = error else { panic!("{error}") };
        assert_eq!(error.into_panic().downcast_ref(), Some(&"main"));
        other.join().unwrap();
        works_and_ends(&runtime);
    }
}

struct Rises(Arc<AtomicUsize>);

impl Drop for Rises {
    /// Uses goroutine-locals while they are being dropped: they are made anew.
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
        INHERITED.with(|value| value.set(value.get() + 1));
    }
}

goroutine_local! {
    static INHERITED: Cell<u32> = Cell::new(0);
    static RISES: Cell<Option<Rises>> = Cell::new(None);
}

#[test]
fn no_goroutine_inherits_the_locals_of_one_that_has_ended() {
    let _watch = watch();
    for runtime in both(1) {
        let dropped = Arc::new(AtomicUsize::new(0));
        for _ in 0..200 {
            let [local, result] = [Rises(Arc::clone(&dropped)), Rises(Arc::clone(&dropped))];
            let inherited = runtime.run(move || {
                let found = INHERITED.with(Cell::get);
                RISES.with(|cell| cell.set(Some(local)));
                // Its result is dropped at its end, as nobody waits for it.
                drop(go(move || result));
                found
            });
            assert_eq!(inherited.unwrap(), 0);
            assert_eq!(
                runtime.run(|| go(|| INHERITED.with(Cell::get)).join().unwrap()).unwrap(),
                0
            );
        }
        works_and_ends(&runtime);
        assert_eq!(dropped.load(SeqCst), 400);
    }
}

#[test]
fn a_future_that_a_shutdown_drops_takes_its_locals_along() {
    let _watch = watch();
    for runtime in both(1) {
        let dropped = Arc::new(AtomicUsize::new(0));
        let (inside, local) = (Counts(Arc::clone(&dropped)), Counts(Arc::clone(&dropped)));
        let (polled, local) = (Arc::new(AtomicBool::new(false)), Cell::new(Some(local)));
        let tells = Arc::clone(&polled);
        let polls_on = poll_fn(move |context| {
            let _inside = &inside;
            COUNTS.with(|cell| local.take().map(|local| cell.set(Some(local))));
            tells.store(true, SeqCst);
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        let future = runtime.run(|| go_future(polls_on)).unwrap();
        eventually("it is polled", || polled.load(SeqCst));
        let shutdown = runtime.shutdown(Duration::ZERO).unwrap();
        assert!(shutdown.is_clean(), "{shutdown}");
        let error = future.join().unwrap_err();
        assert!(matches!(error, JoinError::Cancelled(Cancelled::Shutdown)), "{error}");
        assert_eq!(error.to_string(), "the goroutine was cancelled: the runtime has shut down");
        assert_eq!(dropped.load(SeqCst), 2, "the future, and its local");
    }
}

goroutine_local! {
    static COUNTS: Cell<Option<Counts>> = Cell::new(None);
    static PHOENIX: Cell<Option<Phoenix>> = Cell::new(None);
}

/// Makes itself anew when it is dropped.
struct Phoenix;

impl Drop for Phoenix {
    fn drop(&mut self) {
        PHOENIX.with(|cell| cell.set(Some(Phoenix)));
    }
}

#[test]
fn a_local_that_makes_itself_anew_for_ever_keeps_nobody_from_ending() {
    let _watch = watch();
    for runtime in both(1) {
        runtime.run(|| PHOENIX.with(|cell| cell.set(Some(Phoenix)))).unwrap();
        let inherited = runtime.run(|| PHOENIX.with(|cell| cell.take().map(std::mem::forget)));
        assert_eq!(inherited.unwrap(), None);
        works_and_ends(&runtime);
    }
}

#[test]
fn unparking_one_that_has_ended_does_nothing() {
    let _watch = watch();
    for runtime in both(2) {
        let handle = runtime.go(|| current().unwrap()).join().unwrap();
        // Its descriptor is not used again while the handle exists: nobody else is woken.
        runtime
            .run(move || {
                let others: Vec<_> = (0..200).map(|_| go(yield_now)).collect();
                handle.unpark();
                handle.clone().unpark();
                others.into_iter().for_each(|other| other.join().unwrap());
                assert_ne!(handle.id(), 0);
            })
            .unwrap();
        works_and_ends(&runtime);
    }
}

#[test]
fn an_unpark_before_the_park_is_kept_and_two_are_one() {
    let _watch = watch();
    for runtime in both(1) {
        runtime
            .run(|| {
                let me = current().unwrap();
                me.unpark();
                me.unpark();
                park();
                let woken = Arc::new(AtomicUsize::new(0));
                let counts = Arc::clone(&woken);
                go(move || {
                    counts.fetch_add(1, SeqCst);
                    me.unpark();
                });
                // The permit is used up: only the other one's ends this.
                park();
                assert_eq!(woken.load(SeqCst), 1);
            })
            .unwrap();
        works_and_ends(&runtime);
    }
}
