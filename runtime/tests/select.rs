//! Select, in both kinds of runtimes.

mod watched;

use std::cell::Cell;
use std::future::{Future, pending, poll_fn, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use gosched_runtime::select::{OneOf2, OneOf3, Select, select, try_select};
use gosched_runtime::time::{Timeout, after};
use gosched_runtime::{RunError, WaitReason, block_on, go, select, yield_now};

use self::watched::both;

#[test]
fn nothing_is_lost_between_two_channels() {
    for runtime in both(2) {
        let sums = runtime.run(|| {
            let (one, ones) = async_channel::bounded(3);
            let (two, twos) = async_channel::bounded(1);
            for n in 0..1000u64 {
                let (one, two) = (one.clone(), two.clone());
                go(move || {
                    let to = if n % 3 == 0 { one } else { two };
                    block_on(to.send(n)).unwrap();
                });
            }
            drop((one, two));
            let (mut sums, mut open) = ([0; 2], [true; 2]);
            while open != [false; 2] {
                // A closed channel is always ready: it takes no further part.
                match (open[0], open[1]) {
                    (true, true) => select! {
                        value = ones.recv() => match value {
                            Ok(value) => sums[0] += value,
                            Err(_) => open[0] = false,
                        },
                        value = twos.recv() => match value {
                            Ok(value) => sums[1] += value,
                            Err(_) => open[1] = false,
                        },
                    },
                    (true, false) => match block_on(ones.recv()) {
                        Ok(value) => sums[0] += value,
                        Err(_) => open[0] = false,
                    },
                    _ => match block_on(twos.recv()) {
                        Ok(value) => sums[1] += value,
                        Err(_) => open[1] = false,
                    },
                }
            }
            sums
        });
        let threes = (0..1000).step_by(3).sum::<u64>();
        assert_eq!(sums.unwrap(), [threes, 999 * 500 - threes]);
    }
}

#[test]
fn of_several_that_are_ready_each_is_taken_as_often() {
    for runtime in both(1) {
        let counts = runtime.run(|| {
            let mut counts = [0usize; 3];
            for _ in 0..6000 {
                // The second is never ready: whoever only begins at random takes the third twice as
                // often as the first.
                let index = select! {
                    () = ready(()) => 0,
                    () = pending() => 1,
                    () = ready(()) => 2,
                };
                counts[index] += 1;
            }
            counts
        });
        let [first, never, third] = counts.unwrap();
        assert_eq!(never, 0);
        // Seven standard deviations: 6000 * 1/2 * 1/2 is 1500, whose root is 39.
        assert!(first.abs_diff(3000) < 280, "{first} and {third}");
    }
}

/// Counts its polls, and its drop.
struct Counts<F>(F, Arc<[AtomicUsize; 2]>);

impl<F> Drop for Counts<F> {
    fn drop(&mut self) {
        self.1[1].fetch_add(1, Ordering::SeqCst);
    }
}

impl<F: Future + Unpin> Future for Counts<F> {
    type Output = F::Output;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<F::Output> {
        self.1[0].fetch_add(1, Ordering::SeqCst);
        std::pin::Pin::new(&mut self.0).poll(context)
    }
}

#[test]
fn it_parks_once_and_the_losers_are_dropped_before_the_arm() {
    for runtime in both(2) {
        runtime
            .run(|| {
                let counts: Arc<[AtomicUsize; 2]> = Arc::default();
                let polls = |counts: &[AtomicUsize; 2]| counts[0].load(Ordering::SeqCst);
                let (sends, receives) = async_channel::bounded::<u8>(1);
                let waker = go({
                    let counts = Arc::clone(&counts);
                    move || {
                        while polls(&counts) == 0 {
                            yield_now();
                        }
                        sends.send_blocking(1).unwrap();
                    }
                });
                select! {
                    () = Counts(pending(), Arc::clone(&counts)) => unreachable!(),
                    () = after(Duration::MAX) => unreachable!(),
                    value = Box::pin(receives.recv()) => {
                        assert_eq!(value, Ok(1));
                        assert_eq!(counts[1].load(Ordering::SeqCst), 1, "a loser lives");
                    },
                }
                waker.join_or_unwind();
                // Before it parked, and perhaps after.
                assert!(polls(&counts) <= 2, "{} polls", polls(&counts));
            })
            .unwrap();
    }
}

#[test]
fn the_arms_are_expressions_of_the_function_around() {
    #[expect(clippy::never_loop, reason = "that an arm can leave a loop is the point")]
    fn earlier(receives: &async_channel::Receiver<u8>) -> Result<u8, async_channel::RecvError> {
        loop {
            select! {
                value = receives.recv() => return Ok(value? + 1),
                () = pending() => break Ok(0),
            }
        }
    }
    for runtime in both(1) {
        runtime
            .run(|| {
                let (sends, receives) = async_channel::bounded(1);
                sends.send_blocking(6).unwrap();
                assert_eq!(earlier(&receives), Ok(7));
                sends.close();
                assert!(earlier(&receives).is_err());
                let (a, b) = select! { (a, b) = ready((1, 2)) => (b, a) };
                assert_eq!((a, b), (2, 1));
            })
            .unwrap();
    }
}

#[test]
fn a_default_arm_waits_for_nobody_and_lets_others_run() {
    for runtime in both(1) {
        runtime
            .run(|| {
                assert_eq!(select! { n = ready(1) => n, default => 2 }, 1);
                assert_eq!(select! { n = pending::<u8>() => n, default => 2 }, 2);
                assert_eq!(try_select((pending::<()>(), ready(3))), Some(OneOf2::Second(3)));
                // The loop yields when it is asked to, or the sender would never run.
                let (sends, receives) = async_channel::bounded(1);
                go(move || sends.send_blocking(7));
                let begin = Instant::now();
                let value = loop {
                    select! {
                        value = receives.recv() => break value,
                        default => assert!(begin.elapsed() < Duration::from_secs(30)),
                    }
                };
                assert_eq!(value, Ok(7));
            })
            .unwrap();
    }
}

#[test]
fn eight_arms_and_one_and_none() {
    for runtime in both(1) {
        let error = runtime.run(|| -> u8 {
            for ready_one in 0..8usize {
                let arm = |arm| {
                    poll_fn(
                        move |_| if arm == ready_one { Poll::Ready(arm) } else { Poll::Pending },
                    )
                };
                let first = select! {
                    n = arm(0) => n, n = arm(1) => n, n = arm(2) => n, n = arm(3) => n,
                    n = arm(4) => n, n = arm(5) => n, n = arm(6) => n, n = arm(7) => n,
                };
                assert_eq!(first, ready_one);
            }
            select! { () = ready(()) => {} }
            // For ever: the runtime finds that all are asleep.
            select! {}
        });
        let Err(RunError::Deadlock(dump)) = error else { panic!("{error:?}") };
        assert!(dump.goroutines.iter().any(|info| info.reason == WaitReason::Select), "{dump}");
    }
}

#[test]
fn a_panic_in_a_poll_goes_on_and_drops_the_others() {
    for runtime in both(1) {
        runtime
            .run(|| {
                let counts: Arc<[AtomicUsize; 2]> = Arc::default();
                let error = go({
                    let counts = Arc::clone(&counts);
                    move || -> () {
                        select! {
                            () = Counts(pending(), counts) => (),
                            () = poll_fn(|_| panic!("in a poll")) => (),
                        }
                    }
                })
                .join()
                .unwrap_err();
                assert_eq!(error.message(), Some("in a poll"));
                assert_eq!(counts[1].load(Ordering::SeqCst), 1);
            })
            .unwrap();
    }
}

#[test]
fn it_is_a_future_and_works_on_threads_too() {
    assert_eq!(select((pending::<()>(), ready(1))), OneOf2::Second(1));
    let polls = Cell::new(0);
    let twice = poll_fn(|context| {
        polls.set(polls.get() + 1);
        context.waker().wake_by_ref();
        if polls.get() == 2 { Poll::Ready(2) } else { Poll::Pending }
    });
    let first = block_on(Select::new((pending::<()>(), twice, pending::<()>())));
    assert_eq!(first, OneOf3::Second(2));
    for runtime in both(1) {
        // The timers are the runtime's, whoever waits for them.
        let times = runtime.after(Duration::from_millis(2));
        assert_eq!(select((times, pending::<()>())), OneOf2::First(()));
        let limited = runtime.timeout(Duration::from_millis(2), pending::<()>());
        assert!(block_on(limited).is_err());
        let inside = runtime.run(|| {
            block_on(Timeout::new(Duration::from_millis(2), Select::new((pending::<()>(),))))
        });
        assert!(inside.unwrap().is_err());
    }
}
