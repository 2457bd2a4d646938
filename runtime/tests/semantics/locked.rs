//! Goroutines that are locked to their thread: they block, nest their locks, and end with them.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use gosched_runtime::{Handle, ThreadLock, blocking, current, go, lock_os_thread, park, yield_now};

use crate::kinds::{both, eventually, migrating, thread_number, watch, works_and_ends};

#[test]
fn a_locked_goroutine_that_parks_leaves_its_processor_to_others_and_keeps_its_thread() {
    let _watch = watch();
    for processors in [1, 2] {
        for runtime in both(processors) {
            let who = Arc::new(OnceLock::<Handle>::new());
            let told = Arc::new(AtomicBool::new(false));
            let parked = runtime.go({
                let (who, told) = (Arc::clone(&who), Arc::clone(&told));
                move || {
                    let _lock = lock_os_thread();
                    let before = thread_number();
                    who.set(current().unwrap()).unwrap();
                    let mut woken = 0;
                    while !told.load(SeqCst) {
                        park();
                        woken += 1;
                        assert_eq!(thread_number(), before);
                    }
                    woken
                }
            });
            let woken = runtime.run(move || {
                let others: Vec<_> =
                    (0..8).map(|_| go(|| (0..100).for_each(|_| yield_now()))).collect();
                others.into_iter().for_each(|other| other.join().unwrap());
                let parked = loop {
                    match who.get() {
                        Some(parked) => break parked,
                        None => yield_now(),
                    }
                };
                for _ in 0..100 {
                    parked.unpark();
                    yield_now();
                }
                told.store(true, SeqCst);
                parked.unpark();
            });
            woken.unwrap();
            assert!(parked.join().unwrap() > 0);
            works_and_ends(&runtime);
        }
    }
}

/// On which threads a goroutine finds itself, in `rounds` yields beside others that wake each
/// other.
fn threads_seen(rounds: usize) -> std::collections::BTreeSet<i64> {
    (0..rounds)
        .map(|_| {
            yield_now();
            thread_number()
        })
        .collect()
}

#[test]
fn locks_nest() {
    let _watch = watch();
    let runtime = migrating().processors(2).build().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let others: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            runtime.go(move || {
                while !stop.load(SeqCst) {
                    yield_now();
                }
            })
        })
        .collect();
    runtime
        .run(|| {
            let outer = lock_os_thread();
            let inner = lock_os_thread();
            assert_eq!(threads_seen(300).len(), 1);
            drop(inner);
            // One lock is left.
            assert_eq!(threads_seen(300).len(), 1);
            drop(outer);
            // It moves again, or the lock meant nothing: after a system call, in which its
            // processor is taken, and as all are busy whoever has one runs it.
            let before = thread_number();
            while thread_number() == before {
                blocking(|| thread::sleep(Duration::from_millis(5)));
            }
            // In the other order, too.
            let outer = lock_os_thread();
            let inner = lock_os_thread();
            drop(outer);
            assert_eq!(threads_seen(300).len(), 1);
            drop(inner);
        })
        .unwrap();
    stop.store(true, SeqCst);
    others.into_iter().for_each(|other| other.join().unwrap());
    works_and_ends(&runtime);
}

#[cfg(target_os = "linux")]
fn is_alive(thread: i64) -> bool {
    std::path::Path::new(&format!("/proc/self/task/{thread}")).exists()
}

#[test]
#[cfg(target_os = "linux")]
fn a_goroutine_that_ends_locked_takes_its_thread_with_it() {
    let _watch = watch();
    for processors in [1, 2] {
        let runtime = migrating().processors(processors).build().unwrap();
        for panics in [false, true] {
            let ended = runtime.go(move || {
                let lock: ThreadLock = lock_os_thread();
                std::mem::forget(lock);
                let thread = thread_number();
                if panics {
                    std::panic::panic_any(thread);
                }
                thread
            });
            let thread = match ended.join() {
                Ok(thread) => thread,
                Err(error) => *error.into_panic().downcast::<i64>().unwrap(),
            };
            eventually("the thread has ended", || !is_alive(thread));
            // One that has unlocked leaves it.
            let thread = runtime.run(|| {
                drop(lock_os_thread());
                thread_number()
            });
            assert!(is_alive(thread.unwrap()));
        }
        works_and_ends(&runtime);
    }
}

#[test]
fn many_locked_goroutines_have_a_thread_each() {
    let _watch = watch();
    let runtime = migrating().processors(2).build().unwrap();
    let threads = runtime.run(|| {
        let all: Vec<_> = (0..32)
            .map(|_| {
                go(|| {
                    let _lock = lock_os_thread();
                    let thread = thread_number();
                    for _ in 0..100 {
                        yield_now();
                        assert_eq!(thread_number(), thread);
                    }
                    thread
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(threads.unwrap().len(), 32);
    works_and_ends(&runtime);
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_locked_goroutine_does_to_its_thread_is_no_other_threads() {
    /// How nice this thread is.
    fn nice() -> i32 {
        // SAFETY: the call has no precondition.
        unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) }
    }
    let _watch = watch();
    let runtime = migrating().processors(2).build().unwrap();
    let usual = nice();
    let threads = runtime.run(move || {
        let _lock = lock_os_thread();
        // SAFETY: the call has no precondition. It is this thread's own value.
        assert_eq!(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, usual + 1) }, 0);
        assert_eq!(nice(), usual + 1);
        // They sleep in the system, so that each needs a thread, and this one's processor as well:
        // it starts some of their threads itself.
        let all: Vec<_> = (0..16)
            .map(|_| {
                go(move || {
                    let before = (thread_number(), nice());
                    blocking(|| thread::sleep(Duration::from_millis(50)));
                    before
                })
            })
            .collect();
        let threads: std::collections::HashMap<_, _> =
            all.into_iter().map(|one| one.join().unwrap()).collect();
        assert_eq!(nice(), usual + 1);
        threads
    });
    let threads = threads.unwrap();
    assert!(threads.len() > 1, "{threads:?}");
    assert!(threads.values().all(|nice| *nice == usual), "{threads:?}");
    works_and_ends(&runtime);
}
