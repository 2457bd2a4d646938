//! Time: sleeps, timeouts, tickers, in both kinds of runtimes.

mod watched;

use std::future::{Future, pending, poll_fn, ready};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use gosched_runtime::time::{self, Elapsed, Ticker, Timeout, ZeroPeriod};
use gosched_runtime::{
    Migrating, RunError, Runtime, WaitReason, block_on, blocking, checkpoint, go, yield_now,
};

use self::watched::both;

const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn nobody_wakes_early() {
    for runtime in both(2) {
        runtime
            .run(|| {
                let sleepers: Vec<_> = (0..200u32)
                    .map(|index| {
                        go(move || {
                            let length = MILLISECOND * (index * 7 % 50);
                            let begin = Instant::now();
                            time::sleep(length);
                            assert!(begin.elapsed() >= length);
                            let goal = Instant::now() + length;
                            time::sleep_until(goal);
                            assert!(Instant::now() >= goal);
                            let goal = Instant::now() + length;
                            block_on(time::at(goal));
                            assert!(Instant::now() >= goal);
                        })
                    })
                    .collect();
                sleepers.into_iter().for_each(|sleeper| sleeper.join_or_unwind());
            })
            .unwrap();
        assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
    }
}

#[test]
fn a_timeout_ends_what_is_not_ready_and_nothing_else() {
    for runtime in both(1) {
        runtime
            .run(|| {
                assert_eq!(time::timeout(Duration::ZERO, ready(1)), Ok(1));
                assert_eq!(time::timeout(Duration::MAX, ready(2)), Ok(2));
                assert_eq!(time::timeout(Duration::ZERO, pending::<()>()), Err(Elapsed));
                let begin = Instant::now();
                assert_eq!(time::timeout(5 * MILLISECOND, pending::<()>()), Err(Elapsed));
                assert!(begin.elapsed() >= 5 * MILLISECOND);
                let sleeps = Timeout::new(Duration::MAX, time::after(MILLISECOND));
                assert_eq!(block_on(sleeps), Ok(()));
                let outlasts = Timeout::new(MILLISECOND, time::after(Duration::MAX));
                assert_eq!(block_on(outlasts), Err(Elapsed));
            })
            .unwrap();
    }
    assert_eq!(time::timeout(5 * MILLISECOND, pending::<()>()), Err(Elapsed));
    assert_eq!(time::timeout(Duration::MAX, ready(3)), Ok(3));
}

#[test]
fn a_ticker_drops_what_nobody_takes_and_stays_on_its_grid() {
    for runtime in both(2) {
        runtime
            .run(|| {
                assert_eq!(Ticker::new(Duration::ZERO).unwrap_err(), ZeroPeriod);
                let period = 4 * MILLISECOND;
                let mut ticker = Ticker::new(period).unwrap();
                let first = ticker.next();
                let took = Instant::now();
                assert!(took >= first);
                time::sleep(period * 5);
                let slept = Instant::now();
                // The first that was missed, at once.
                let missed = ticker.next();
                assert!(first < missed && missed <= took + period);
                // And then the next to come, and none between.
                let next = block_on(ticker.tick());
                assert!(next > slept && Instant::now() >= next);
                for tick in [missed, next] {
                    assert_eq!((tick - first).as_nanos() % period.as_nanos(), 0);
                }
            })
            .unwrap();
    }
}

#[test]
fn ten_thousand_sleepers_wake_once_each_and_none_is_early() {
    for runtime in both(1) {
        runtime
            .run(|| {
                let begin = Instant::now();
                let woken = Arc::new(Mutex::new(Vec::new()));
                let goals: Vec<_> = (0..10_000u32)
                    .map(|index| {
                        begin
                            + 50 * MILLISECOND
                            + Duration::from_micros(u64::from(index * 7919 % 10_000) * 5)
                    })
                    .collect();
                let sleepers: Vec<_> = goals
                    .into_iter()
                    .map(|goal| {
                        let woken = Arc::clone(&woken);
                        go(move || {
                            time::sleep_until(goal);
                            let now = Instant::now();
                            woken.lock().unwrap().push((goal, now));
                        })
                    })
                    .collect();
                sleepers.into_iter().for_each(|sleeper| sleeper.join_or_unwind());
                let woken = woken.lock().unwrap();
                assert_eq!(woken.len(), 10_000);
                assert!(woken.iter().all(|(goal, now)| now >= goal));
            })
            .unwrap();
    }
}

/// Whom to wake does nothing.
struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_hundred_thousand_timeouts_leave_nothing() {
    for runtime in both(2) {
        runtime
            .run(|| {
                let storms: Vec<_> = (0..100)
                    .map(|_| {
                        go(|| {
                            let nobody = Arc::new(Nobody);
                            let waker = Waker::from(Arc::clone(&nobody));
                            for round in 0..1000u32 {
                                let limit = 1000 * MILLISECOND;
                                let given_up = pin!(Timeout::new(limit, pending::<()>()));
                                assert!(
                                    given_up.poll(&mut Context::from_waker(&waker)).is_pending()
                                );
                                let mut first = true;
                                // Not ready at first, so that there is a timer.
                                let twice = poll_fn(|context| {
                                    if std::mem::take(&mut first) {
                                        context.waker().wake_by_ref();
                                        return Poll::Pending;
                                    }
                                    Poll::Ready(round)
                                });
                                assert_eq!(time::timeout(limit, twice), Ok(round));
                            }
                            // A timer that is pending keeps its waker.
                            assert_eq!(Arc::strong_count(&nobody), 2);
                        })
                    })
                    .collect();
                storms.into_iter().for_each(|storm| storm.join_or_unwind());
            })
            .unwrap();
        // To wait now is a deadlock, at the latest when the last of those times is over.
        let error = runtime.run(gosched_runtime::park).unwrap_err();
        assert!(matches!(error, RunError::Deadlock(_)), "{error}");
    }
}

#[test]
fn timers_come_beside_a_hog_and_beside_a_thousand_who_yield() {
    for runtime in both(1) {
        runtime
            .run(|| {
                let over = Arc::new(AtomicBool::new(false));
                let busy = |yields: bool| {
                    let over = Arc::clone(&over);
                    go(move || {
                        while !over.load(Ordering::Relaxed) {
                            if yields { yield_now() } else { checkpoint() }
                        }
                    })
                };
                let hog = busy(false);
                for _ in 0..5 {
                    time::sleep(MILLISECOND);
                }
                let yielders: Vec<_> = (0..1000).map(|_| busy(true)).collect();
                for _ in 0..5 {
                    time::sleep(MILLISECOND);
                }
                over.store(true, Ordering::Relaxed);
                yielders.into_iter().chain([hog]).for_each(|handle| handle.join_or_unwind());
            })
            .unwrap();
    }
}

#[test]
fn timers_come_while_the_only_processor_is_in_a_call() {
    // SAFETY: nothing of a thread is kept across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(1).migrating(migrating).build().unwrap();
    runtime
        .run(|| {
            let sleeper = go(|| {
                time::sleep(10 * MILLISECOND);
                Instant::now()
            });
            yield_now();
            let back = blocking(|| {
                std::thread::sleep(1000 * MILLISECOND);
                Instant::now()
            });
            assert!(sleeper.join().unwrap() < back, "the timer waited for the call");
        })
        .unwrap();
}

#[test]
fn timers_of_processors_that_go_come_all_the_same() {
    for runtime in both(4) {
        let runtime = Arc::new(runtime);
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..200 {
            let count = Arc::clone(&count);
            runtime.go(move || {
                time::sleep(200 * MILLISECOND);
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
        std::thread::sleep(50 * MILLISECOND);
        for processors in [1, 3, 1, 2, 1] {
            runtime.set_processors(processors).unwrap();
        }
        let begin = Instant::now();
        while count.load(Ordering::Relaxed) < 200 {
            assert!(begin.elapsed() < 20_000 * MILLISECOND, "{count:?} of 200 have come");
            std::thread::sleep(MILLISECOND);
        }
    }
}

#[test]
fn an_earlier_timer_calls_the_poller_back() {
    for runtime in both(2) {
        let far = runtime.go(|| time::timeout(3_600_000 * MILLISECOND, pending::<()>()));
        std::thread::sleep(20 * MILLISECOND);
        // By a goroutine, and by a thread that runs none.
        let begin = Instant::now();
        runtime.run(|| time::sleep(5 * MILLISECOND)).unwrap();
        block_on(runtime.after(5 * MILLISECOND));
        assert!(begin.elapsed() < 60_000 * MILLISECOND);
        assert!(!far.is_finished());
    }
}

#[test]
fn a_thread_sleeps_by_itself_and_for_ever_is_a_deadlock() {
    let begin = Instant::now();
    time::sleep(5 * MILLISECOND);
    time::sleep_until(begin);
    assert!(begin.elapsed() >= 5 * MILLISECOND);
    for runtime in both(1) {
        let error = runtime.run(|| time::sleep(Duration::MAX)).unwrap_err();
        let RunError::Deadlock(dump) = error else { panic!("{error}") };
        assert!(dump.goroutines.iter().any(|info| info.reason == WaitReason::Sleep), "{dump}");
    }
    let outside = std::panic::catch_unwind(|| time::after(MILLISECOND));
    assert!(outside.is_err(), "no runtime's timers would wake it");
}
