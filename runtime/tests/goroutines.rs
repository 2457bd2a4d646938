//! Goroutines: their start, their end, and what happens between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gosched_runtime::{
    JoinError, Migrating, RunError, Runtime, block_on, blocking, current, go, go_future, park,
    yield_now,
};

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

#[test]
fn results_come_back_to_whoever_joins() {
    for runtime in both(2) {
        let sum = runtime.run(|| {
            let handles: Vec<_> = (0..1000u64).map(|n| go(move || n)).collect();
            handles.into_iter().map(|handle| handle.join().unwrap()).sum::<u64>()
        });
        assert_eq!(sum.unwrap(), 999 * 500);
        assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
    }
}

#[test]
fn a_panic_is_carried_to_join_and_kills_nobody() {
    for runtime in both(2) {
        let message = runtime.run(|| {
            let error = go(|| -> () { panic!("on purpose") }).join().unwrap_err();
            assert_eq!(go(|| 7).join().unwrap(), 7);
            error.message().map(str::to_owned)
        });
        assert_eq!(message.unwrap().as_deref(), Some("on purpose"));
        let error = runtime.run(|| panic!("main, too")).unwrap_err();
        assert!(matches!(error, RunError::Main(JoinError::Panicked(_))), "{error}");
        assert_eq!(runtime.run(|| 1).unwrap(), 1);
    }
}

#[test]
fn parked_goroutines_go_on_when_they_are_unparked() {
    for runtime in both(2) {
        let rounds = runtime.run(|| {
            let parked = go(|| {
                for _ in 0..1000 {
                    park();
                }
                1000
            });
            let (says, said) = std::sync::mpsc::channel();
            let ponger = go(move || {
                says.send(current().unwrap()).unwrap();
                for _ in 0..10_000 {
                    park();
                }
            });
            let handle = loop {
                match said.try_recv() {
                    Ok(handle) => break handle,
                    Err(_) => yield_now(),
                }
            };
            while !ponger.is_finished() {
                handle.unpark();
                yield_now();
            }
            drop(parked);
            10_000
        });
        assert_eq!(rounds.unwrap(), 10_000);
    }
}

#[test]
fn sixty_four_sleeping_calls_do_not_stop_two_processors() {
    for runtime in both(2) {
        let begin = std::time::Instant::now();
        let count = Arc::new(AtomicUsize::new(0));
        runtime
            .run({
                let count = Arc::clone(&count);
                move || {
                    let sleepers: Vec<_> = (0..64)
                        .map(|_| go(|| blocking(|| std::thread::sleep(Duration::from_millis(100)))))
                        .collect();
                    let worker = go(move || {
                        for _ in 0..1000 {
                            count.fetch_add(1, Ordering::Relaxed);
                            yield_now();
                        }
                    });
                    worker.join().unwrap();
                    for sleeper in sleepers {
                        sleeper.join().unwrap();
                    }
                }
            })
            .unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1000);
        println!("{:?}", begin.elapsed());
    }
}

#[test]
fn futures_are_goroutines_without_a_stack() {
    for runtime in both(2) {
        let sum = runtime.run(|| {
            let handles: Vec<_> = (0..100u32).map(|n| go_future(async move { n })).collect();
            let all = go_future(async move {
                let mut sum = 0;
                for handle in handles {
                    sum += handle.await.unwrap();
                }
                sum
            });
            block_on(all).unwrap()
        });
        assert_eq!(sum.unwrap(), 4950);
    }
}

#[test]
fn a_deadlock_is_reported_with_what_each_waits_for() {
    for runtime in both(2) {
        let error = runtime.run(park).unwrap_err();
        let RunError::Deadlock(dump) = &error else { panic!("{error}") };
        println!("{error}");
        assert!(
            dump.goroutines.iter().any(|info| info.reason == gosched_runtime::WaitReason::Park)
        );
    }
}

/// How many threads of this process have a name that begins so.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|comm| comm.starts_with(name))
        .count()
}

#[test]
#[cfg(target_os = "linux")]
fn the_threads_of_a_burst_of_calls_end_after_a_while() {
    // SAFETY: nothing of a thread is kept.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).name("burst").migrating(migrating);
    let runtime = runtime.linger(Duration::from_millis(100)).build().unwrap();
    let most = runtime.run(|| {
        let open = Arc::new(AtomicBool::new(false));
        let call = |open: Arc<AtomicBool>| {
            blocking(|| {
                while !open.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        };
        let calls: Vec<_> = (0..30)
            .map(|_| {
                let open = Arc::clone(&open);
                go(move || call(open))
            })
            .collect();
        let most = blocking(|| {
            let begin = std::time::Instant::now();
            while threads("burst-m") <= 20 && begin.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
            threads("burst-m")
        });
        open.store(true, Ordering::Relaxed);
        calls.into_iter().for_each(|call| call.join().unwrap());
        most
    });
    assert!(most.unwrap() > 20, "each call has a machine");
    let begin = std::time::Instant::now();
    while threads("burst-m") > 3 {
        assert!(begin.elapsed() < Duration::from_secs(20), "{} are left", threads("burst-m"));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(runtime.run(|| 5).unwrap(), 5);
}

#[test]
fn a_wait_inside_a_poll_does_not_take_the_wake_of_what_is_polled() {
    use std::task::Poll;
    for runtime in both(1) {
        for as_future in [false, true] {
            let polls = runtime.run(move || {
                let mut polls = 0;
                // It is woken, and then waits for something else before it says that it is pending.
                let outer = std::future::poll_fn(move |context| {
                    polls += 1;
                    if polls == 2 {
                        return Poll::Ready(polls);
                    }
                    context.waker().wake_by_ref();
                    go_future(async {}).join().unwrap();
                    Poll::Pending
                });
                if as_future { go_future(outer).join().unwrap() } else { block_on(outer) }
            });
            assert_eq!(polls.unwrap(), 2);
        }
    }
}

#[test]
fn a_future_that_wakes_itself_lets_others_take_their_turn() {
    use std::sync::Mutex;
    use std::task::Poll;
    /// As the `yield_now` of any async library.
    async fn give_way() {
        let mut first = true;
        std::future::poll_fn(|context| {
            if std::mem::take(&mut first) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }
    for runtime in both(1) {
        for as_futures in [false, true] {
            let turns = Arc::new(Mutex::new(Vec::new()));
            let taken = Arc::clone(&turns);
            runtime
                .run(move || {
                    let takes_turns = |id: usize| {
                        let turns = Arc::clone(&taken);
                        async move {
                            for _ in 0..100 {
                                turns.lock().unwrap().push(id);
                                give_way().await;
                            }
                        }
                    };
                    let all = (0..3).map(takes_turns);
                    let all: Vec<_> = all
                        .map(|one| if as_futures { go_future(one) } else { go(|| block_on(one)) })
                        .collect();
                    all.into_iter().for_each(|one| one.join().unwrap());
                })
                .unwrap();
            let turns = turns.lock().unwrap();
            let alone = turns.chunk_by(|one, next| one == next).map(<[usize]>::len).max();
            assert!(alone < Some(20), "one alone took {alone:?} turns in a row: {turns:?}");
        }
    }
}

#[test]
fn a_call_after_a_rest_is_retaken_soon() {
    // SAFETY: nothing of a thread is kept.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(1).migrating(migrating).build().unwrap();
    let median = || {
        let mut waited: Vec<Duration> = (0..20).map(|_| waits_for_a_retake(&runtime)).collect();
        waited.sort_unstable();
        waited[10]
    };
    // 20 us and what the kernel adds; without the bell, up to 10 ms. The middle one of a few tries,
    // as the machine may do other things.
    let mut medians = Vec::new();
    for _ in 0..5 {
        medians.push(median());
        if medians.last() < Some(&Duration::from_millis(2)) {
            return;
        }
    }
    panic!("{medians:?}");
}

/// How long a goroutine waits for the processor of one that enters a call after a rest.
fn waits_for_a_retake(runtime: &Runtime) -> Duration {
    // sysmon has just seen that nothing runs.
    std::thread::sleep(Duration::from_millis(2));
    let waited = runtime.run(|| {
        let begin = std::time::Instant::now();
        let other = go(move || begin.elapsed());
        blocking(|| std::thread::sleep(Duration::from_millis(50)));
        other.join().unwrap()
    });
    waited.unwrap()
}
