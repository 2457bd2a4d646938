//! Threads: blocking calls that use them all up, and spawns from inside a call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use gosched_runtime::{Runtime, blocking, current, go, lock_os_thread, park, yield_now};

use crate::kinds::{both, eventually, migrating, thread_number, watch, works_and_ends};

/// Runs `calls` blocking calls that all wait until they are let go; more than there may be threads.
fn exhausts(runtime: &Runtime, calls: usize, at_once: usize) {
    let open = Arc::new(AtomicBool::new(false));
    let inside = Arc::new(AtomicUsize::new(0));
    let handles: Vec<_> = (0..calls)
        .map(|_| {
            let (open, inside) = (Arc::clone(&open), Arc::clone(&inside));
            runtime.go(move || {
                blocking(|| {
                    inside.fetch_add(1, SeqCst);
                    while !open.load(SeqCst) {
                        thread::sleep(Duration::from_millis(1));
                    }
                });
            })
        })
        .collect();
    eventually("all threads are in calls", || inside.load(SeqCst) == at_once);
    thread::sleep(Duration::from_millis(30));
    assert_eq!(inside.load(SeqCst), at_once, "no more than may be");
    assert!(runtime.snapshot().machines <= at_once);
    open.store(true, SeqCst);
    handles.into_iter().for_each(|handle| handle.join().unwrap());
}

#[test]
fn calls_that_use_up_all_threads_wait_for_one_to_return() {
    let _watch = watch();
    for machines in [1, 2, 5] {
        let builder = migrating().processors(1).max_machines(machines);
        let runtime = builder.build().unwrap();
        for _ in 0..3 {
            exhausts(&runtime, 12, machines);
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn pinned_goroutines_run_with_as_few_threads_as_may_be() {
    let _watch = watch();
    for (processors, machines) in [(1, 1), (1, 2), (2, 2), (2, 3)] {
        let Ok(runtime) = Runtime::builder().processors(processors).max_machines(machines).build()
        else {
            // Refused, which is clear, too: but never where there is one to spare.
            assert!(machines <= processors);
            continue;
        };
        for _ in 0..100 {
            let sum = runtime.run(|| {
                let all: Vec<_> = (0..4)
                    .map(|number| {
                        go(move || {
                            blocking(|| thread::sleep(Duration::from_micros(10)));
                            yield_now();
                            number
                        })
                    })
                    .collect();
                all.into_iter().map(|one| one.join().unwrap()).sum::<u32>()
            });
            assert_eq!(sum.unwrap(), 6);
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn locked_goroutines_run_with_as_few_threads_as_may_be() {
    let _watch = watch();
    for machines in [2, 3] {
        let runtime = migrating().processors(1).max_machines(machines).build().unwrap();
        let yields = runtime.run(|| {
            let _lock = lock_os_thread();
            let thread = thread_number();
            for _ in 0..100 {
                yield_now();
                assert_eq!(thread_number(), thread);
            }
        });
        yields.unwrap();
        works_and_ends(&runtime);
    }
}

#[test]
fn goroutines_are_started_and_woken_from_inside_a_call() {
    let _watch = watch();
    for processors in [1, 2] {
        for runtime in both(processors) {
            for pause in [0, 100, 2000] {
                let done = runtime.run(move || {
                    let main = current().unwrap();
                    let parent = go(move || {
                        blocking(|| {
                            thread::sleep(Duration::from_micros(pause));
                            main.unpark();
                            let children: Vec<_> =
                                (0..10).map(|number| go(move || number)).collect();
                            thread::sleep(Duration::from_micros(pause));
                            children
                        })
                    });
                    park();
                    let children = parent.join().unwrap();
                    children.into_iter().map(|child| child.join().unwrap()).sum::<u64>()
                });
                assert_eq!(done.unwrap(), 45);
            }
            works_and_ends(&runtime);
        }
    }
}

#[test]
fn waiting_inside_a_call_waits_with_the_thread() {
    let _watch = watch();
    for runtime in both(2) {
        let result = runtime.run(|| {
            let child = go(|| {
                (0..100).for_each(|_| yield_now());
                7
            });
            blocking(move || {
                let thread = thread_number();
                let seven = child.join().unwrap();
                yield_now();
                assert_eq!(thread_number(), thread);
                // A call in a call is one.
                blocking(|| seven)
            })
        });
        assert_eq!(result.unwrap(), 7);
        works_and_ends(&runtime);
    }
}
