//! Metrics: the counts are those of what was done.

use std::time::{Duration, Instant};

use gosched_runtime::{
    Metrics, Migrating, Runtime, blocking, checkpoint, current, go, park, yield_now,
};

fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

/// The metrics when so many goroutines are left: a goroutine's end is counted after its result is
/// there.
fn metrics_with(runtime: &Runtime, goroutines: u64) -> Metrics {
    let begin = Instant::now();
    loop {
        let metrics = runtime.metrics();
        if metrics.goroutines == goroutines {
            return metrics;
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{metrics}");
        std::thread::yield_now();
    }
}

/// What comes within this time on a busy machine, if it comes at all.
const LONG: Duration = Duration::from_secs(60);

/// Does it until it says that it was so: sysmon, or the kernel, may have come between.
fn until(runtime: &Runtime, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < LONG, "{}", runtime.metrics());
    }
}

#[test]
fn each_count_is_of_what_was_done() {
    for runtime in both(1) {
        let mut round = 0;
        until(&runtime, || {
            round += 1;
            each_count_in_a_round(&runtime, round)
        });
    }
}

/// False if sysmon has interfered.
fn each_count_in_a_round(runtime: &Runtime, round: u64) -> bool {
    runtime.run(|| ()).unwrap();
    let before = metrics_with(runtime, round - 1).total;
    runtime
        .run(|| {
            (0..10).for_each(|_| yield_now());
            (0..5).for_each(|_| blocking(|| ()));
            let parks = go(park);
            yield_now();
            go(|| ()).join().unwrap();
            drop(parks);
        })
        .unwrap();
    let metrics = metrics_with(runtime, round);
    let after = metrics.total;
    if (after.retakes, after.preempt_requests) != (before.retakes, before.preempt_requests) {
        return false;
    }
    // The main one, one that parks for ever, one that is joined.
    assert_eq!(after.started - before.started, 3);
    assert_eq!(after.ended - before.ended, 2);
    assert_eq!(after.yields - before.yields, 11);
    assert_eq!(after.blocking_calls - before.blocking_calls, 5);
    assert_eq!(after.parks - before.parks, 2, "one for ever, and one in join");
    // Each begins once, and goes on after each yield and after the join.
    assert_eq!(after.switches - before.switches, 3 + 11 + 1);
    let processor = metrics.processors[0];
    assert_eq!((processor.started, processor.ended), (after.started - 2 * round, after.ended));
    assert_eq!(metrics.outside.started, 2 * round, "the main ones");
    true
}

#[test]
fn nothing_is_lost_while_processors_change_hands() {
    for runtime in both(4) {
        runtime
            .run(|| {
                let goroutines: Vec<_> = (0..200)
                    .map(|number| {
                        go(move || {
                            for _ in 0..50 {
                                if number % 2 == 0 {
                                    blocking(|| std::thread::sleep(Duration::from_micros(50)));
                                }
                                yield_now();
                            }
                        })
                    })
                    .collect();
                goroutines.into_iter().for_each(|goroutine| goroutine.join().unwrap());
            })
            .unwrap();
        let metrics = metrics_with(&runtime, 0);
        let total = metrics.total;
        assert_eq!((total.started, total.ended), (201, 201));
        assert_eq!(total.blocking_calls, 100 * 50);
        // At least, as coming back without a processor is one, too.
        assert!(total.yields >= 200 * 50, "{metrics}");
        assert_eq!(metrics.latency, None);
    }
}

#[test]
fn sysmon_is_seen_at_work() {
    for runtime in both(1) {
        let counts = || {
            let total = runtime.metrics().total;
            [total.retakes, total.preempt_requests]
        };
        // A processor that is wanted by two others.
        until(&runtime, || {
            let work = || {
                let waits = [go(|| ()), go(|| ())];
                blocking(|| std::thread::sleep(Duration::from_millis(30)));
                waits.into_iter().for_each(|waits| waits.join().unwrap());
            };
            runtime.run(work).unwrap();
            counts()[0] > 0
        });
        // One that computes, while another waits for the processor.
        until(&runtime, || {
            let work = || {
                let other = go(|| ());
                let begin = Instant::now();
                while begin.elapsed() < Duration::from_millis(60) && !other.is_finished() {
                    checkpoint();
                }
                other.join().unwrap();
            };
            runtime.run(work).unwrap();
            counts()[1] > 0
        });
    }
}

#[test]
fn thieves_are_seen_at_work() {
    // SAFETY: as above.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(migrating).build().unwrap();
    until(&runtime, || {
        runtime
            .run(|| {
                let busy = || {
                    let begin = Instant::now();
                    while begin.elapsed() < Duration::from_millis(1) {}
                };
                let goroutines: Vec<_> = (0..20).map(|_| go(busy)).collect();
                goroutines.into_iter().for_each(|goroutine| goroutine.join().unwrap());
            })
            .unwrap();
        runtime.metrics().total.steals > 0
    });
    let total = runtime.metrics().total;
    assert!(total.stolen >= total.steals);
}

#[test]
fn latency_is_the_time_between_runnable_and_running() {
    for migrating in [false, true] {
        let builder = Runtime::builder().processors(1).latency(true);
        // SAFETY: as above.
        let promise = unsafe { Migrating::promise() };
        let builder = if migrating { builder.migrating(promise) } else { builder };
        // One of which all counts are this round's.
        let mut shown = String::new();
        let begin = Instant::now();
        while !latency_is_as_it_should_be(&builder.clone().build().unwrap(), &mut shown) {
            assert!(begin.elapsed() < LONG, "{shown}");
        }
    }
}

/// False if times were not what the goroutines meant them to be: the kernel ran others instead.
fn latency_is_as_it_should_be(runtime: &Runtime, shown: &mut String) -> bool {
    runtime
        .run(|| {
            let parks = go(park);
            let handle = current().unwrap();
            yield_now();
            // It is runnable for 20 ms before the processor is free.
            let waits = go(move || handle.unpark());
            let begin = Instant::now();
            while begin.elapsed() < Duration::from_millis(20) {}
            waits.join().unwrap();
            drop(parks);
            // It is asked for an end of its slice, and waits for its next one.
            let other = go(|| ());
            while !other.is_finished() {
                checkpoint();
            }
        })
        .unwrap();
    let metrics = runtime.metrics();
    let latency = metrics.latency.as_ref().unwrap();
    assert_eq!(latency.count(), metrics.total.switches, "every run follows a wait");
    *shown = metrics.to_string();
    let longest = latency.quantile(1.0);
    let long = Duration::from_millis(20);
    (long..Duration::from_secs(2)).contains(&longest)
        && latency.quantile(0.2) < long
        && latency.sum() >= long
}

#[test]
fn both_forms_of_text_have_every_count() {
    let runtime = Runtime::builder().processors(2).latency(true).build().unwrap();
    runtime.run(|| go(|| ()).join().unwrap()).unwrap();
    let metrics = metrics_with(&runtime, 0);
    let table = metrics.to_string();
    println!("{table}");
    assert!(table.starts_with("goroutines 0, queued 0, machines "), "{table}");
    let header: Vec<_> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(header, ["P0", "P1", "outside", "total"]);
    let row = table.lines().find(|line| line.starts_with("started ")).unwrap();
    let numbers: Vec<u64> =
        row.split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers.len(), 4);
    assert_eq!(numbers[..3].iter().sum::<u64>(), numbers[3]);
    assert_eq!(numbers[3], 2);
    check_prometheus(&metrics.prometheus().to_string());
}

/// Every sample belongs to the family that was announced before it, and a histogram's buckets grow.
fn check_prometheus(text: &str) {
    let (mut family, mut buckets, mut samples) = ("", Vec::new(), 0);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            family = name;
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(family), "{line}");
            let value: f64 = value.parse().unwrap();
            if name.contains("_bucket{") {
                buckets.push(value);
            }
            samples += 1;
        }
    }
    assert_eq!(samples, 4 + 14 * 3 + 24 + 1 + 2, "{text}");
    assert!(buckets.is_sorted(), "{buckets:?}");
    assert!(*buckets.last().unwrap() >= 2.0);
}
