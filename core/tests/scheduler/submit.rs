//! Submitting: where a task goes, and when it runs.

use std::num::NonZeroU32;

use gosched::{Config, Event, Place};

use crate::host::{CAP, batch, job, next, run, scheduler, with};

#[test]
fn submitted_tasks_run_in_order() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    for id in 1..=CAP {
        machine.submit(job(id)).unwrap();
    }
    assert_eq!(run(&mut machine), [1, 2, 3, 4]);
}

#[test]
fn the_spawned_task_runs_next_and_displaces_the_one_before_to_the_tail() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    machine.spawn(job(2)).unwrap();
    machine.spawn(job(3)).unwrap();
    assert_eq!(run(&mut machine), [3, 1, 2]);
}

#[test]
fn yield_now_goes_behind_the_global_queue_and_wakes() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    drop(scheduler.host().request()); // refused: nobody searches now
    assert_eq!(next(&mut machine), 1);
    machine.submit(job(3)).unwrap();
    scheduler.inject(job(2)).unwrap();
    while scheduler.host().asked() > 0 {
        drop(scheduler.host().request());
    }
    scheduler.host().log.take();
    machine.yield_now(job(1)).unwrap();
    let told = scheduler.host().log.take();
    assert_eq!(told[0], Event::Submitted { place: Place::Global, count: 1 });
    assert_eq!(told[1], Event::Woke { processor: 1 });
    assert_eq!(scheduler.snapshot().global, 2);
    drop(scheduler.host().request());
    assert_eq!(run(&mut machine), [3, 2, 1]);
}

#[test]
fn yield_now_lets_those_that_wait_run_first() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.submit(job(2)).unwrap();
    scheduler.inject(job(3)).unwrap();
    machine.yield_now(job(1)).unwrap();
    assert_eq!(run(&mut machine), [2, 3, 1]);
}

#[test]
fn yield_local_goes_behind_the_own_ring_and_wakes_nobody() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(2)).unwrap();
    drop(scheduler.host().request());
    scheduler.host().log.take();
    machine.yield_local(job(1)).unwrap();
    assert_eq!(
        scheduler.host().log.take(),
        [Event::Submitted { place: Place::Ring, count: 1 }],
        "nobody was asked for"
    );
    assert_eq!(next(&mut machine), 2);
}

#[test]
fn a_full_ring_overflows_its_older_half_and_the_new_task_into_the_global_queue() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    for id in 1..=CAP + 1 {
        machine.submit(job(id)).unwrap();
    }
    let snapshot = scheduler.snapshot();
    assert_eq!((snapshot.processors[0].queued, snapshot.global), (2, 3));
    // The first slice of a processor looks at the global queue first.
    assert_eq!(run(&mut machine), [1, 3, 4, 2, 5]);
}

#[test]
fn injected_tasks_run_in_order_and_a_batch_stays_together() {
    let scheduler = scheduler(1);
    scheduler.inject(job(1)).unwrap();
    scheduler.inject_batch(batch(2..=9)).unwrap();
    scheduler.inject(job(10)).unwrap();
    assert_eq!(scheduler.host().asked(), 1, "one machine for all of them");
    let mut machine = scheduler.host().begin();
    assert_eq!(run(&mut machine), (1..=10).collect::<Vec<_>>());
}

#[test]
fn an_empty_batch_wakes_nobody() {
    let scheduler = scheduler(1);
    scheduler.inject_batch(batch([])).unwrap();
    assert_eq!(scheduler.host().asked(), 0);
    assert!(scheduler.host().log.take().is_empty());
}

/// The share is what is queued divided by the processors, plus one, at most half a ring beside the
/// one that runs.
#[test]
fn a_processor_takes_its_share_of_the_global_queue() {
    for (processors, queued, share) in [(1, 2, 2), (2, 3, 2), (3, 3, 2), (2, 1, 1), (4, 100, 2)] {
        let scheduler = scheduler(processors);
        let mut machine = scheduler.machine().unwrap();
        // Past the first slice, in which the one task is taken that the interval asks for.
        machine.submit(job(1000)).unwrap();
        assert_eq!(next(&mut machine), 1000);
        scheduler.inject_batch(batch(1..=queued)).unwrap();
        assert_eq!(next(&mut machine), 1);
        let snapshot = scheduler.snapshot();
        assert_eq!(snapshot.processors[0].queued + 1, share, "of {queued} for {processors}");
        assert_eq!(snapshot.global, queued - share);
    }
}

#[test]
fn a_task_in_the_global_queue_runs_within_61_slices_of_a_busy_processor() {
    for begun in 0..61 {
        let scheduler = scheduler(1);
        let mut machine = scheduler.machine().unwrap();
        machine.submit(job(1)).unwrap();
        for _ in 0..begun {
            assert_eq!(next(&mut machine), 1);
            machine.yield_local(job(1)).unwrap();
        }
        scheduler.inject(job(2)).unwrap();
        let mut others = 0;
        while next(&mut machine) == 1 {
            machine.yield_local(job(1)).unwrap();
            others += 1;
        }
        // Slice 0, 61, 122, ... looks there first.
        assert_eq!(others, (61 - begun) % 61, "after {begun} slices");
    }
}

#[test]
fn a_chain_out_of_the_slot_is_cut_after_its_bound() {
    let mut config = Config::new(1);
    config.slot_chain = NonZeroU32::new(3).unwrap();
    let scheduler = with(config);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.submit(job(100)).unwrap();
    let mut ran = Vec::new();
    for id in 2.. {
        machine.spawn(job(id)).unwrap();
        ran.push(next(&mut machine));
        if ran.last() == Some(&100) {
            break;
        }
    }
    assert_eq!(ran, [2, 3, 4, 100], "three in the slice of the first, then the ring");
    assert_eq!(run(&mut machine), [5], "which had to queue up");
}

#[test]
fn a_chain_counts_anew_in_each_slice() {
    let mut config = Config::new(1);
    config.slot_chain = NonZeroU32::new(2).unwrap();
    let scheduler = with(config);
    let mut machine = scheduler.machine().unwrap();
    let mut ran = Vec::new();
    for round in [10, 20] {
        machine.submit(job(round)).unwrap();
        ran.push(next(&mut machine));
        machine.spawn(job(round + 1)).unwrap();
        ran.push(next(&mut machine));
        machine.spawn(job(round + 2)).unwrap();
        ran.push(next(&mut machine));
    }
    assert_eq!(ran, [10, 11, 12, 20, 21, 22]);
    assert_eq!(scheduler.snapshot().processors[0].slices, 2);
}

#[test]
fn a_request_to_yield_cuts_a_chain() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.submit(job(2)).unwrap();
    machine.spawn(job(3)).unwrap();
    let mut monitor = scheduler.monitor();
    let _ = monitor.step(0);
    assert_eq!(monitor.step(10_000_000).asked, 1);
    assert!(machine.should_yield());
    assert_eq!(run(&mut machine), [2, 3], "the slot's task queues up");
    assert!(!machine.should_yield());
}

#[test]
fn a_request_to_yield_ends_with_its_slice_wherever_the_next_task_comes_from() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    let mut monitor = scheduler.monitor();
    let _ = monitor.step(0);
    assert_eq!(monitor.step(10_000_000).asked, 1);
    assert!(machine.should_yield());
    machine.yield_now(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1, "out of the global queue");
    assert!(!machine.should_yield(), "this is a new slice");
}
