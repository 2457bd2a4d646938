//! The end of a runtime: what it reports is what was left, and what can be given back is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::{
    JoinError, Runtime, Status, WaitReason, block_on, blocking, current, go, go_future, park,
    yield_now,
};

use crate::kinds::{both, eventually, watch, works_and_ends};

#[test]
fn it_waits_as_long_as_it_is_told_and_no_longer() {
    let _watch = watch();
    for runtime in both(2) {
        let over = Arc::new(AtomicBool::new(false));
        let tells = Arc::clone(&over);
        runtime.go(move || {
            blocking(|| thread::sleep(Duration::from_millis(50)));
            tells.store(true, SeqCst);
        });
        assert!(runtime.shutdown(Duration::from_secs(20)).unwrap().is_clean());
        assert!(over.load(SeqCst));
    }
    for runtime in both(2) {
        runtime.go(park);
        let begin = Instant::now();
        let shutdown = runtime.shutdown(Duration::from_millis(50)).unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(50));
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert_eq!(shutdown.left.goroutines.len(), 1);
    }
}

#[test]
fn parked_runnable_and_blocked_goroutines_are_reported_as_they_are() {
    let _watch = watch();
    for runtime in both(2) {
        let open = Arc::new(AtomicBool::new(false));
        let inside = Arc::new(AtomicUsize::new(0));
        let mut expected = Vec::new();
        let line = line!();
        let parked = runtime.go(park);
        expected.push((parked.id(), Status::Waiting, WaitReason::Park));
        let joins = runtime.go(move || parked.join().unwrap());
        expected.push((joins.id(), Status::Waiting, WaitReason::Join));
        let future = runtime.go(|| block_on(std::future::pending::<()>()));
        expected.push((future.id(), Status::Waiting, WaitReason::Future));
        let pure = runtime.run(|| go_future(std::future::pending::<()>())).unwrap();
        expected.push((pure.id(), Status::Waiting, WaitReason::Future));
        let yields = runtime.go(|| {
            loop {
                yield_now();
            }
        });
        expected.push((yields.id(), Status::Runnable, WaitReason::None));
        eventually("four wait", || {
            let waiting = |info: &&_| {
                matches!(info, gosched_runtime::dump::GoroutineInfo { status: Status::Waiting, .. })
            };
            runtime.dump().goroutines.iter().filter(waiting).count() == 4
        });
        let blocked = runtime.go({
            let (open, inside) = (Arc::clone(&open), Arc::clone(&inside));
            move || {
                blocking(|| {
                    inside.fetch_add(1, SeqCst);
                    while !open.load(SeqCst) {
                        thread::sleep(Duration::from_millis(1));
                    }
                });
                inside.fetch_add(1, SeqCst);
            }
        });
        expected.push((blocked.id(), Status::InSystemCall, WaitReason::None));
        eventually("one is in a call", || inside.load(SeqCst) == 1);
        let shutdown = runtime.shutdown(Duration::from_millis(10)).unwrap();
        let found = shutdown.left.goroutines.iter().map(|info| (info.id, info.status, info.reason));
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(id, ..)| *id);
        expected.sort_by_key(|(id, ..)| *id);
        assert_eq!(found, expected);
        assert_eq!(shutdown.threads, 1);
        assert!(
            shutdown
                .left
                .goroutines
                .iter()
                .all(|info| info.location.file() == file!() && info.location.line() > line)
        );
        let text = shutdown.to_string();
        assert!(text.starts_with("6 goroutines and 1 threads were left"), "{text}");
        drop(runtime);
        // The call returns into a runtime that is no more: its goroutine stays where it is.
        open.store(true, SeqCst);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(inside.load(SeqCst), 1);
        assert!(!blocked.is_finished());
    }
}

#[test]
fn goroutines_that_never_ran_are_cancelled_and_what_they_captured_is_dropped() {
    let _watch = watch();
    for runtime in both(1) {
        let captured = Arc::new(());
        let begun = Arc::new(AtomicBool::new(false));
        let release = Arc::new(AtomicBool::new(false));
        let hog = runtime.go({
            let (begun, release) = (Arc::clone(&begun), Arc::clone(&release));
            move || {
                begun.store(true, SeqCst);
                while !release.load(SeqCst) {
                    std::hint::spin_loop();
                }
            }
        });
        eventually("it runs", || begun.load(SeqCst));
        let never: Vec<_> = (0..1000)
            .map(|_| {
                let captured = Arc::clone(&captured);
                runtime.go(move || drop(captured))
            })
            .collect();
        let shutdown = thread::scope(|scope| {
            let shutdown = scope.spawn(|| runtime.shutdown(Duration::ZERO).unwrap());
            eventually("it shuts down", || runtime.snapshot().stopped);
            release.store(true, SeqCst);
            shutdown.join().unwrap()
        });
        // None but the hog, which may not have ended yet.
        assert!(shutdown.left.goroutines.len() <= 1, "{shutdown}");
        hog.join().unwrap();
        let cancelled = |handle: gosched_runtime::JoinHandle<()>| {
            assert!(matches!(handle.join(), Err(JoinError::Cancelled(_))));
        };
        never.into_iter().for_each(cancelled);
        assert_eq!(Arc::strong_count(&captured), 1);
    }
}

#[test]
fn a_runtime_that_ends_leaves_the_goroutines_of_others_alone() {
    let _watch = watch();
    let [lasting, _] = both(2);
    for round in 0..300 {
        let ending = Runtime::builder().processors(2).build().unwrap();
        for _ in 0..8 {
            drop(ending.go(|| ()));
        }
        if round % 2 == 0 {
            thread::yield_now();
        }
        let _ = ending.shutdown(Duration::ZERO).unwrap();
        // What was the ending one's is another's now, who parks: it is woken by its own alone.
        let woken: Vec<_> = (0..80)
            .map(|_| {
                lasting.go(|| {
                    let me = current().unwrap();
                    let told = Arc::new(AtomicBool::new(false));
                    let tells = Arc::clone(&told);
                    go(move || {
                        yield_now();
                        tells.store(true, SeqCst);
                        me.unpark();
                    });
                    while !told.load(SeqCst) {
                        park();
                    }
                })
            })
            .collect();
        drop(ending);
        woken.into_iter().for_each(|one| one.join().unwrap());
    }
    works_and_ends(&lasting);
}

#[test]
fn its_end_finds_no_rest_after_any_number_of_runtimes() {
    let _watch = watch();
    for _ in 0..50 {
        for runtime in both(2) {
            runtime.run(|| (0..20).for_each(|_| drop(go(yield_now)))).unwrap();
            works_and_ends(&runtime);
        }
    }
}
