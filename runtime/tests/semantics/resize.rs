//! The number of processors changes while goroutines run; and the world is stopped for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::{
    blocking, checkpoint, go, go_future, lock_os_thread, set_processors, yield_now,
};

use crate::kinds::{both, eventually, migrating, watch, works_and_ends};

#[test]
fn the_world_is_stopped_under_loops_that_have_checkpoints() {
    let _watch = watch();
    for runtime in both(2) {
        let stop = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicU64::new(0));
        let loops: Vec<_> = (0..4)
            .map(|_| {
                let (stop, count) = (Arc::clone(&stop), Arc::clone(&count));
                runtime.go(move || {
                    while !stop.load(SeqCst) {
                        count.fetch_add(1, SeqCst);
                        checkpoint();
                    }
                })
            })
            .collect();
        let begin = Instant::now();
        for round in 0..100 {
            runtime.set_processors(1 + round % 4).unwrap();
            assert_eq!(runtime.processors(), 1 + round % 4);
        }
        // sysmon's request alone, after 10 ms, would stop nothing: each stop asks at once.
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        let before = count.load(SeqCst);
        while count.load(SeqCst) < before + 1000 {
            thread::yield_now();
        }
        stop.store(true, SeqCst);
        loops.into_iter().for_each(|one| one.join().unwrap());
        works_and_ends(&runtime);
    }
}

#[test]
fn a_goroutine_resizes_its_own_runtime() {
    let _watch = watch();
    for runtime in both(2) {
        for count in [1, 3, 2, 8, 1, 4, 4] {
            let seen = runtime.run(move || {
                let others: Vec<_> = (0..20).map(|_| go(yield_now)).collect();
                set_processors(count).unwrap();
                yield_now();
                others.into_iter().for_each(|other| other.join().unwrap());
            });
            seen.unwrap();
            assert_eq!(runtime.processors(), count);
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn goroutines_futures_and_threads_resize_at_the_same_time() {
    let _watch = watch();
    for runtime in both(2) {
        let all: Vec<_> = (0..4usize)
            .map(|number| {
                runtime.go(move || {
                    for round in 0..25 {
                        set_processors(1 + (number + round) % 4).unwrap();
                        if round % 5 == 0 {
                            blocking(|| thread::sleep(Duration::from_micros(100)));
                        }
                    }
                })
            })
            .collect();
        let future = runtime.run(|| go_future(async { set_processors(2) })).unwrap();
        for round in 0..50 {
            // Somebody else may be stopping the world: that is an error, and says so.
            if let Err(error) = runtime.set_processors(1 + round % 3) {
                assert!(error.to_string().contains("stopped the world"), "{error}");
            }
        }
        all.into_iter().for_each(|one| one.join().unwrap());
        let _ = future.join().unwrap();
        works_and_ends(&runtime);
    }
}

#[test]
fn a_number_that_cannot_be_is_refused_from_outside_and_from_inside() {
    let _watch = watch();
    for runtime in both(2) {
        for count in [0, 49, usize::MAX] {
            let error = runtime.set_processors(count).unwrap_err();
            assert!(error.to_string().contains("from 1 to 48"), "{error}");
            let error = runtime.run(move || set_processors(count).unwrap_err()).unwrap();
            assert!(error.to_string().contains("from 1 to 48"), "{error}");
            assert_eq!(runtime.processors(), 2);
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn the_runtimes_own_method_may_be_called_by_its_goroutines() {
    let _watch = watch();
    for runtime in both(2) {
        let runtime = Arc::new(runtime);
        let inside = Arc::clone(&runtime);
        runtime.run(move || inside.set_processors(3).unwrap()).unwrap();
        assert_eq!(runtime.processors(), 3);
        works_and_ends(&runtime);
    }
}

#[test]
fn goroutines_of_two_runtimes_resize_the_other_one_at_the_same_time() {
    let _watch = watch();
    for round in 0..20 {
        let make = || Arc::new(migrating().processors(2).build().unwrap());
        let runtimes = [make(), make()];
        let stopping = Arc::new([const { AtomicBool::new(false) }; 2]);
        let begun = Arc::new(AtomicU64::new(0));
        let hog = |own: usize| {
            let (runtime, begun) = (Arc::clone(&runtimes[own]), Arc::clone(&begun));
            let stopping = Arc::clone(&stopping);
            runtimes[own].go(move || {
                begun.fetch_add(1, SeqCst);
                // Both worlds are being stopped before either can be.
                while !stopping.iter().all(|one| one.load(SeqCst)) {
                    stopping[own].fetch_or(runtime.snapshot().stopped, SeqCst);
                    thread::yield_now();
                }
            })
        };
        let hogs = [hog(0), hog(1)];
        eventually("they run", || begun.load(SeqCst) == 2);
        let resize = |own: usize| {
            let other = Arc::clone(&runtimes[1 - own]);
            let begun = Arc::clone(&begun);
            runtimes[own].go(move || {
                begun.fetch_add(1, SeqCst);
                while begun.load(SeqCst) < 4 {
                    thread::yield_now();
                }
                other.set_processors(1 + round % 3).unwrap();
            })
        };
        let resizes = [resize(0), resize(1)];
        hogs.into_iter().chain(resizes).for_each(|one| one.join().unwrap());
        runtimes.iter().for_each(|runtime| works_and_ends(runtime));
    }
}

#[test]
fn a_goroutine_in_a_call_or_locked_to_its_thread_resizes_too() {
    let _watch = watch();
    for runtime in both(2) {
        let resized = runtime.run(|| {
            blocking(|| set_processors(3)).unwrap();
            let _lock = lock_os_thread();
            set_processors(4).unwrap();
            yield_now();
        });
        resized.unwrap();
        assert_eq!(runtime.processors(), 4);
        works_and_ends(&runtime);
    }
}

#[test]
fn pinned_goroutines_use_the_processors_that_were_added() {
    let _watch = watch();
    for runtime in both(1) {
        runtime.set_processors(3).unwrap();
        let arrived = Arc::new(AtomicU64::new(0));
        let all: Vec<_> = (0..3)
            .map(|_| {
                let arrived = Arc::clone(&arrived);
                runtime.go(move || {
                    arrived.fetch_add(1, SeqCst);
                    while arrived.load(SeqCst) < 3 {
                        thread::yield_now();
                    }
                })
            })
            .collect();
        all.into_iter().for_each(|one| one.join().unwrap());
        works_and_ends(&runtime);
    }
}
