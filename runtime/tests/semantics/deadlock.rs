//! All goroutines are asleep: it is said when it is so, each time, and not when somebody may still
//! come.

use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use gosched_runtime::{
    Handle, JoinHandle, RunError, Runtime, Status, WaitReason, blocking, current, go, park, time,
    yield_now,
};

use crate::kinds::{both, watch};

/// Runs `main`, which must end in a deadlock. How many goroutines wait for what.
#[track_caller]
fn reported(runtime: &Runtime, main: impl FnOnce() + Send + 'static) -> Vec<WaitReason> {
    let error = runtime.run(main).unwrap_err();
    let RunError::Deadlock(dump) = &error else { panic!("{error}") };
    assert!(error.to_string().contains("all goroutines are asleep"));
    assert!(dump.goroutines.iter().all(|info| info.status == Status::Waiting), "{dump}");
    let mut reasons: Vec<_> = dump.goroutines.iter().map(|info| info.reason).collect();
    reasons.sort_by_key(|reason| reason.to_string());
    reasons
}

#[test]
fn main_alone_is_parked() {
    let _watch = watch();
    for runtime in both(2) {
        assert_eq!(reported(&runtime, park), [WaitReason::Park]);
    }
}

#[test]
fn all_are_parked() {
    let _watch = watch();
    for processors in [1, 2, 4] {
        for runtime in both(processors) {
            let reasons = reported(&runtime, || {
                let parked: Vec<_> = (0..50).map(|_| go(park)).collect();
                parked.into_iter().for_each(|parked| parked.join().unwrap());
            });
            let parks = reasons.iter().filter(|reason| **reason == WaitReason::Park).count();
            assert_eq!((parks, reasons.len()), (50, 51));
        }
    }
}

#[test]
fn each_deadlock_is_reported_and_the_runtime_goes_on() {
    let _watch = watch();
    for runtime in both(2) {
        for stuck in 1..=200 {
            assert_eq!(reported(&runtime, park).len(), stuck);
            assert_eq!(runtime.run(|| go(|| 7).join().unwrap()).unwrap(), 7);
        }
        let left = runtime.shutdown(Duration::ZERO).unwrap().left;
        assert_eq!(left.goroutines.len(), 200);
    }
}

#[test]
fn two_that_wait_for_each_others_end() {
    let _watch = watch();
    for runtime in both(2) {
        let reasons = reported(&runtime, || {
            let second = Arc::new(Mutex::new(None::<JoinHandle<()>>));
            let waits = Arc::clone(&second);
            let first = go(move || {
                let other = loop {
                    if let Some(other) = waits.lock().unwrap().take() {
                        break other;
                    }
                    yield_now();
                };
                other.join().unwrap();
            });
            *second.lock().unwrap() = Some(go(move || first.join().unwrap()));
            park();
        });
        assert_eq!(reasons, [WaitReason::Join, WaitReason::Join, WaitReason::Park]);
    }
}

#[test]
fn a_goroutine_in_a_blocking_call_may_wake_main() {
    let _watch = watch();
    for runtime in both(2) {
        let woken = runtime.run(|| {
            let main = current().unwrap();
            go(move || {
                blocking(|| thread::sleep(Duration::from_millis(50)));
                main.unpark();
            });
            park();
            true
        });
        assert!(woken.unwrap());
    }
}

#[test]
fn a_call_that_unparks_from_inside_is_waited_for() {
    let _watch = watch();
    for runtime in both(1) {
        let woken = runtime.run(|| {
            let main = current().unwrap();
            go(move || {
                blocking(move || {
                    thread::sleep(Duration::from_millis(50));
                    main.unpark();
                });
            });
            park();
            true
        });
        assert!(woken.unwrap());
    }
}

#[test]
fn a_thread_that_has_announced_itself_is_waited_for_and_no_longer_when_it_leaves() {
    let _watch = watch();
    for runtime in both(2) {
        let main = Arc::new(OnceLock::<Handle>::new());
        let says = Arc::clone(&main);
        thread::scope(|scope| {
            let outside = runtime.outside();
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                main.wait().unpark();
                drop(outside);
            });
            let woken = runtime.run(move || {
                says.set(current().unwrap()).unwrap();
                park();
                true
            });
            assert!(woken.unwrap());
            // It leaves, and wakes nobody: then that is told.
            let outside = runtime.outside();
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                drop(outside);
            });
            assert_eq!(reported(&runtime, park), [WaitReason::Park]);
        });
    }
}

#[test]
fn who_is_not_to_look_for_deadlocks_does_not() {
    let _watch = watch();
    let runtime = Runtime::builder().processors(2).detect_deadlock(false).build().unwrap();
    let main = Arc::new(OnceLock::<Handle>::new());
    let says = Arc::clone(&main);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            main.wait().unpark();
        });
        let run = runtime.run(move || {
            says.set(current().unwrap()).unwrap();
            park();
        });
        run.unwrap();
    });
}

#[test]
fn a_busy_runtime_is_never_said_to_be_asleep() {
    let _watch = watch();
    for runtime in both(2) {
        for _ in 0..2000 {
            runtime.run(|| go(yield_now).join().unwrap()).unwrap();
        }
    }
}

#[test]
fn a_goroutine_that_sleeps_may_wake_main_and_then_nobody() {
    let _watch = watch();
    for runtime in both(2) {
        let reasons = reported(&runtime, || {
            let main = current().unwrap();
            let sleeper = go(move || {
                time::sleep(Duration::from_millis(50));
                main.unpark();
            });
            park();
            sleeper.join().unwrap();
            // The last timer is over: from here on nobody comes.
            park();
        });
        assert_eq!(reasons, [WaitReason::Park]);
    }
}
