//! Threads that run no goroutine, and other runtimes: they start, join and wake goroutines.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use gosched_runtime::{Handle, JoinError, Runtime, block_on, current, go, park, yield_now};

use crate::kinds::{Hog, both, eventually, watch, works_and_ends};

#[test]
fn threads_start_and_join() {
    let _watch = watch();
    for runtime in both(2) {
        let sum = thread::scope(|scope| {
            let threads: Vec<_> = (0..4u64)
                .map(|number| {
                    let runtime = &runtime;
                    scope.spawn(move || {
                        (0..200)
                            .map(|_| {
                                let goroutine = runtime.go(move || {
                                    yield_now();
                                    number
                                });
                                match number % 2 {
                                    0 => goroutine.join().unwrap(),
                                    _ => block_on(goroutine).unwrap(),
                                }
                            })
                            .sum::<u64>()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>()
        });
        assert_eq!(sum, 200 * 6);
        works_and_ends(&runtime);
    }
}

#[test]
fn mains_of_several_threads_run_at_once() {
    let _watch = watch();
    for runtime in both(2) {
        thread::scope(|scope| {
            for number in 0..4u64 {
                let runtime = &runtime;
                scope.spawn(move || {
                    for _ in 0..200 {
                        let result = runtime.run(move || go(move || number).join().unwrap());
                        assert_eq!(result.unwrap(), number);
                    }
                });
            }
        });
        works_and_ends(&runtime);
    }
}

/// A goroutine of one runtime starts and joins goroutines of the other, and these back.
fn start_and_join(one: &Arc<Runtime>, other: &Arc<Runtime>) {
    let [left, right] = [Arc::clone(one), Arc::clone(other)];
    let sum = one.run(move || {
        let number = |number: u64| {
            let back = Arc::clone(&left);
            let there = right.go(move || {
                let back = back.go(move || {
                    yield_now();
                    number
                });
                back.join().unwrap()
            });
            there.join().unwrap()
        };
        (0..200).map(number).sum::<u64>()
    });
    assert_eq!(sum.unwrap(), 199 * 100);
}

/// Waits until the turn is `mine`, and passes it on, so many times.
fn take_turns(rounds: u64, turn: &AtomicU64, mine: u64, other: &OnceLock<Handle>) {
    let other = loop {
        match other.get() {
            Some(other) => break other,
            None => yield_now(),
        }
    };
    for _ in 0..rounds {
        while turn.load(SeqCst) != mine {
            park();
        }
        turn.store(1 - mine, SeqCst);
        other.unpark();
    }
}

/// Goroutines of two runtimes wake each other.
fn wake_each_other(one: &Runtime, other: &Runtime) {
    let turn = Arc::new(AtomicU64::new(0));
    let who = Arc::new([const { OnceLock::new() }; 2]);
    let players: Vec<_> = [one, other]
        .into_iter()
        .zip([0usize, 1])
        .map(|(runtime, mine)| {
            let (turn, who) = (Arc::clone(&turn), Arc::clone(&who));
            runtime.go(move || {
                who[mine].set(current().unwrap()).unwrap();
                take_turns(2000, &turn, mine as u64, &who[1 - mine]);
            })
        })
        .collect();
    players.into_iter().for_each(|player| player.join().unwrap());
}

#[test]
fn two_runtimes_talk() {
    let _watch = watch();
    for (kind, other) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let [one, other] = [(kind, 2), (other, 1)]
            .map(|(kind, processors)| Arc::new(both(processors).into_iter().nth(kind).unwrap()));
        // Each may be woken by the other: that all are asleep in one is no deadlock.
        let announced = [one.outside(), other.outside()];
        start_and_join(&one, &other);
        start_and_join(&other, &one);
        wake_each_other(&one, &other);
        drop(announced);
        works_and_ends(&one);
        works_and_ends(&other);
    }
}

#[test]
fn one_that_waits_for_a_runtime_that_ends_hears_of_it() {
    let _watch = watch();
    for ending in both(1) {
        let [waiting, _] = both(2);
        let ending = Arc::new(ending);
        let outside = waiting.outside();
        let hog = Hog::on(&ending);
        let never = ending.go(|| ());
        let waits = waiting.go(move || matches!(never.join(), Err(JoinError::Cancelled(_))));
        thread::scope(|scope| {
            scope.spawn(|| ending.shutdown(Duration::ZERO).unwrap().is_clean());
            eventually("it shuts down", || ending.snapshot().stopped);
            hog.stop()();
        });
        assert!(waits.join().unwrap());
        hog.join();
        drop(outside);
        works_and_ends(&waiting);
    }
}

#[test]
fn waking_one_of_a_runtime_that_was_dropped_does_nothing() {
    let _watch = watch();
    for runtime in both(1) {
        let who = Arc::new(OnceLock::<Handle>::new());
        let says = Arc::clone(&who);
        runtime.go(move || {
            says.set(current().unwrap()).unwrap();
            loop {
                park();
            }
        });
        let parked = who.wait();
        let left = runtime.shutdown(Duration::from_millis(20)).unwrap().left;
        assert_eq!(left.goroutines.len(), 1, "{left}");
        drop(runtime);
        parked.unpark();
        parked.unpark();
        for other in both(1) {
            other.run(|| (0..200).for_each(|_| drop(go(yield_now)))).unwrap();
            parked.unpark();
            works_and_ends(&other);
        }
        assert_ne!(parked.id(), 0);
    }
}
