//! Time: sleeps, timeouts, tickers, in both kinds of runtimes.

use std::future::{pending, ready};
use std::time::{Duration, Instant};

use gosched_runtime::time::{self, Elapsed, Ticker, Timeout, ZeroPeriod};
use gosched_runtime::{Migrating, Runtime, block_on, go};

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

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
