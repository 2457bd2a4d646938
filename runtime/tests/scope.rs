//! Scopes and wait groups, in both kinds of runtimes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gosched_runtime::time::{sleep, timeout};
use gosched_runtime::{
    JoinError, Migrating, Runtime, WaitGroup, block_on, blocking, go, scope, yield_now,
};

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

const MILLISECOND: Duration = Duration::from_millis(1);

/// A panic's message.
fn message(payload: &(dyn std::any::Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

#[test]
fn goroutines_borrow_from_the_stack_around() {
    for runtime in both(2) {
        let sum = runtime.run(|| {
            let mut numbers: Vec<u64> = (0..1000).collect();
            let count = AtomicUsize::new(0);
            let sum: u64 = scope(|scope| {
                let handles: Vec<_> = numbers
                    .chunks_mut(10)
                    .map(|chunk| {
                        scope.go(|| {
                            yield_now();
                            count.fetch_add(1, Ordering::Relaxed);
                            chunk.iter_mut().for_each(|number| *number *= 2);
                            chunk.iter().sum::<u64>()
                        })
                    })
                    .collect();
                handles.into_iter().map(|handle| handle.join().unwrap()).sum()
            });
            assert_eq!(count.into_inner(), 100);
            assert_eq!(numbers[999], 1998);
            sum
        });
        assert_eq!(sum.unwrap(), 999 * 1000);
    }
}

#[test]
fn it_waits_for_all_whether_it_returns_or_panics() {
    for runtime in both(2) {
        runtime
            .run(|| {
                for panics in [false, true] {
                    let ended = AtomicUsize::new(0);
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        scope(|scope| {
                            for index in 0..20 {
                                let handle = scope.go({
                                    let ended = &ended;
                                    move || {
                                        sleep(MILLISECOND * (1 + index % 5));
                                        ended.fetch_add(1, Ordering::Relaxed);
                                    }
                                });
                                // What becomes of the handle does not matter.
                                if index % 2 == 0 {
                                    std::mem::forget(handle);
                                }
                            }
                            assert!(!panics, "in the body");
                        });
                    }));
                    assert_eq!(ended.load(Ordering::Relaxed), 20);
                    let told = result.map_err(|payload| message(&*payload).to_owned());
                    assert_eq!(told.is_err(), panics);
                    if let Err(told) = told {
                        assert_eq!(told, "in the body");
                    }
                }
            })
            .unwrap();
    }
}

#[test]
fn a_goroutines_panic_goes_on_unless_somebody_takes_it() {
    for runtime in both(2) {
        runtime
            .run(|| {
                let ended = AtomicUsize::new(0);
                let result = catch_unwind(AssertUnwindSafe(|| {
                    scope(|scope| {
                        scope.go(|| -> () { panic!("of a goroutine") });
                        scope.go(|| {
                            sleep(3 * MILLISECOND);
                            ended.fetch_add(1, Ordering::Relaxed);
                        });
                    });
                }));
                assert_eq!(message(&*result.unwrap_err()), "of a goroutine");
                assert_eq!(ended.load(Ordering::Relaxed), 1);
                let taken = scope(|scope| {
                    let error = scope.go(|| -> () { panic!("taken") }).join().unwrap_err();
                    matches!(error, JoinError::Panicked(_))
                });
                assert!(taken);
            })
            .unwrap();
    }
}

#[test]
fn a_panic_goes_on_in_the_thread_that_made_the_scope() {
    for runtime in both(2) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            runtime.scope(|scope| {
                scope.go(|| panic!("carried"));
            });
        }));
        assert_eq!(message(&*result.unwrap_err()), "carried");
    }
}

#[test]
fn a_panic_that_lies_with_a_forgotten_handle_is_not_lost() {
    for runtime in both(2) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            runtime.scope(|scope| {
                let taken = scope.go(|| -> () { panic!("taken") });
                block_on(taken).unwrap_err();
                std::mem::forget(scope.go(|| panic!("with its handle")));
            });
        }));
        assert_eq!(message(&*result.unwrap_err()), "a goroutine of the scope panicked");
        // One that is taken, or dropped, is no other's.
        runtime.scope(|scope| {
            block_on(scope.go(|| -> () { panic!("taken") })).unwrap_err();
            std::mem::forget(scope.go(|| ()));
        });
    }
}

/// Says when it is dropped, a while after that began.
struct SlowDrop<'a>(&'a AtomicUsize);

impl Drop for SlowDrop<'_> {
    fn drop(&mut self) {
        yield_now();
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn results_that_nobody_takes_are_dropped_before_it_returns() {
    for runtime in both(2) {
        runtime
            .run(|| {
                for _ in 0..200 {
                    let dropped = AtomicUsize::new(0);
                    scope(|scope| {
                        scope.go(|| SlowDrop(&dropped));
                        let captured = SlowDrop(&dropped);
                        scope.go(move || {
                            let _captured = captured;
                        });
                    });
                    assert_eq!(dropped.load(Ordering::Relaxed), 2);
                }
            })
            .unwrap();
    }
}

#[test]
fn scopes_nest_and_goroutines_start_others_in_theirs() {
    fn sum(numbers: &[u64]) -> u64 {
        if let [number] = numbers {
            return *number;
        }
        let (left, right) = numbers.split_at(numbers.len() / 2);
        scope(|scope| {
            let left = scope.go(|| sum(left));
            sum(right) + left.join().unwrap()
        })
    }
    for runtime in both(2) {
        runtime
            .run(|| {
                let numbers: Vec<u64> = (0..256).collect();
                assert_eq!(sum(&numbers), 255 * 128);
                let count = AtomicUsize::new(0);
                scope(|scope| {
                    for _ in 0..10 {
                        scope.go(|| {
                            for _ in 0..10 {
                                scope.go(|| {
                                    yield_now();
                                    count.fetch_add(1, Ordering::Relaxed);
                                });
                            }
                        });
                    }
                });
                assert_eq!(count.into_inner(), 100);
            })
            .unwrap();
    }
}

#[test]
fn scopes_work_on_threads_and_inside_system_calls() {
    // On two threads: a pinned goroutine that blocks its thread cannot wait for another of its own.
    for runtime in both(2) {
        let mut text = String::from("a");
        let length = runtime.scope(|scope| {
            let handle = scope.go(|| {
                text.push('b');
                text.len()
            });
            block_on(handle).unwrap()
        });
        assert_eq!((length, text.as_str()), (2, "ab"));
        let inside = runtime.run(|| {
            let number = AtomicUsize::new(0);
            blocking(|| {
                scope(|scope| {
                    scope.go(|| number.fetch_add(1, Ordering::Relaxed));
                });
            });
            number.into_inner()
        });
        assert_eq!(inside.unwrap(), 1);
    }
    let outside = catch_unwind(|| scope(|_| ()));
    assert!(message(&*outside.unwrap_err()).contains("Runtime::"));
}

#[test]
fn a_goroutine_that_never_ran_is_no_silent_success() {
    for runtime in both(1) {
        assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
        let mut ran = false;
        let result = catch_unwind(AssertUnwindSafe(|| {
            runtime.scope(|scope| {
                scope.go(|| ran = true);
            });
        }));
        assert!(message(&*result.unwrap_err()).contains("never ran"));
        assert!(!ran);
    }
}

#[test]
fn a_wait_group_waits_for_all_and_can_be_used_again() {
    for runtime in both(2) {
        runtime
            .run(|| {
                let (group, count) = (Arc::new(WaitGroup::new()), Arc::new(AtomicUsize::new(0)));
                group.wait();
                for round in 1..=20 {
                    for _ in 0..50 {
                        let count = Arc::clone(&count);
                        group.go(move || {
                            yield_now();
                            count.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                    let waiters: Vec<_> = (0..3)
                        .map(|_| {
                            let group = Arc::clone(&group);
                            go(move || group.wait())
                        })
                        .collect();
                    group.wait();
                    assert_eq!(count.load(Ordering::Relaxed), 50 * round);
                    waiters.into_iter().for_each(|waiter| waiter.join_or_unwind());
                }
                assert_eq!(group.count(), 0);
            })
            .unwrap();
    }
}

#[test]
fn a_wait_group_ends_a_wait_of_the_last_round_and_counts_panics() {
    for runtime in both(1) {
        runtime
            .run(|| {
                let group = Arc::new(WaitGroup::new());
                group.add(1);
                let mut waits = std::pin::pin!(group.finished());
                assert!(timeout(MILLISECOND, waits.as_mut()).is_err());
                // Another round begins before the waiter has looked.
                group.done();
                group.add(1);
                assert_eq!(timeout(10_000 * MILLISECOND, waits), Ok(()));
                assert!(timeout(MILLISECOND, group.finished()).is_err());
                group.done();
                let panics = group.go(|| panic!("on purpose"));
                group.wait();
                panics.join().unwrap_err();
            })
            .unwrap();
    }
}

#[test]
fn misuse_of_a_wait_group_panics_and_changes_nothing() {
    let group = WaitGroup::new();
    let result = catch_unwind(AssertUnwindSafe(|| group.done()));
    assert!(message(&*result.unwrap_err()).contains("more often than added"));
    group.add(u32::MAX);
    let result = catch_unwind(AssertUnwindSafe(|| group.add(1)));
    assert!(message(&*result.unwrap_err()).contains("counts to"));
    assert_eq!(group.count(), u32::MAX);
}
