//! The poller and the timers, on a virtual clock.

use std::sync::atomic::Ordering;

use gosched::{Batch, Deadline, Event, Step};

use crate::host::{Tested, batch, busy, job, next, run, run_all, scheduler};

const MILLISECOND: u64 = 1_000_000;

fn with_poller(processors: usize) -> Tested {
    let scheduler = scheduler(processors);
    scheduler.host().has_poller.store(true, Ordering::Relaxed);
    scheduler
}

#[test]
fn one_machine_polls_until_the_earliest_deadline_and_the_others_sleep() {
    let scheduler = with_poller(2);
    let mut machines = busy(&scheduler);
    scheduler.host().add_timer(1, 70, job(1));
    scheduler.host().add_timer(0, 50, job(2));
    assert!(matches!(machines[0].step(), Step::Poll(Deadline::At(50))));
    assert!(matches!(machines[1].step(), Step::Sleep));
    assert!(scheduler.snapshot().polling);
}

#[test]
fn without_a_deadline_it_waits_for_ever() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Poll(Deadline::Never)));
}

#[test]
fn what_a_poll_brings_runs_in_order_and_the_poller_takes_a_processor() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Poll(_)));
    machine.polled(batch(1..=3));
    assert_eq!(machine.processor(), Some(0));
    assert_eq!(run(&mut machine), [1, 2, 3]);
}

#[test]
fn when_the_deadline_has_passed_the_task_runs() {
    for processors in [1, 2, 5] {
        for of in 0..processors {
            let scheduler = with_poller(processors);
            let mut machines = busy(&scheduler);
            scheduler.host().add_timer(of, 50, job(1));
            for machine in &mut machines {
                assert!(!matches!(machine.step(), Step::Run(_)));
            }
            scheduler.host().set_now(50);
            machines[0].polled(Batch::new());
            // Its processor is idle, as all are: whoever looks takes the lowest.
            assert_eq!(next(&mut machines[0]), 1, "of {of}, of {processors}");
        }
    }
}

#[test]
fn a_thief_takes_the_due_timers_of_a_busy_processor() {
    let scheduler = with_poller(2);
    let mut machines = busy(&scheduler);
    scheduler.host().add_timer(1, 0, job(1));
    assert_eq!(next(&mut machines[0]), 1);
}

#[test]
fn an_earlier_timer_breaks_a_poll_that_would_wait_too_long() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().add_timer(0, 50, job(1));
    assert!(matches!(machine.step(), Step::Poll(Deadline::At(50))));
    let breaks = || scheduler.host().breaks.load(Ordering::Relaxed);
    scheduler.timer_added(60);
    assert_eq!(breaks(), 0, "it comes back in time");
    scheduler.host().add_timer(0, 40, job(2));
    scheduler.timer_added(40);
    assert_eq!(breaks(), 1);
    machine.polled(Batch::new());
    assert!(matches!(machine.step(), Step::Poll(Deadline::At(40))));
}

#[test]
fn any_timer_breaks_a_poll_without_a_deadline() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Poll(Deadline::Never)));
    scheduler.timer_added(u64::MAX - 2);
    assert_eq!(scheduler.host().breaks.load(Ordering::Relaxed), 1);
}

#[test]
fn a_timer_that_comes_while_nobody_polls_wakes_somebody_who_will() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Sleep), "there is nothing to poll for");
    scheduler.host().add_timer(0, 50, job(1));
    scheduler.timer_added(50);
    assert!(matches!(machine.step(), Step::Poll(Deadline::At(50))));
}

/// A deadline that comes between the poller's first look at the timers and its second.
#[test]
fn the_poller_looks_at_the_timers_again_after_it_has_said_until_when() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().add_timer(0, 50, job(1));
    *scheduler.host().on_deadline.lock().unwrap() = Some(Box::new({
        let scheduler = scheduler.clone();
        move || scheduler.host().add_timer(0, 30, job(2))
    }));
    assert!(matches!(machine.step(), Step::Poll(Deadline::At(30))));
}

/// Hole H2 of Go: the poller comes back because of a timer and finds no processor; then a machine
/// goes idle. It looks, and polls.
#[test]
fn a_poller_that_finds_no_processor_leaves_the_poll_to_whoever_goes_idle_next() {
    let scheduler = with_poller(2);
    let mut machines = busy(&scheduler);
    let mut poller = machines.pop().unwrap();
    let mut busy = machines.pop().unwrap();
    scheduler.host().add_timer(1, 50, job(1));
    assert!(matches!(poller.step(), Step::Poll(Deadline::At(50))));
    let mut third = scheduler.machine().unwrap(); // takes the processor of the poller
    scheduler.host().log.take();
    poller.polled(Batch::new()); // broken too early, say
    assert!(matches!(poller.step(), Step::Sleep));
    assert!(!scheduler.snapshot().polling);
    assert!(matches!(third.step(), Step::Poll(Deadline::At(50))), "the next to go idle");
    scheduler.host().set_now(50);
    third.polled(Batch::new());
    assert_eq!(next(&mut third), 1);
    assert_eq!(run(&mut busy), [0; 0]);
}

#[test]
fn a_due_timer_is_seen_by_whoever_goes_idle() {
    let scheduler = with_poller(2);
    let mut machines = busy(&scheduler);
    let mut poller = machines.pop().unwrap();
    let mut busy = machines.pop().unwrap();
    scheduler.host().add_timer(0, 50, job(1));
    assert!(matches!(poller.step(), Step::Poll(_)));
    let mut third = scheduler.machine().unwrap();
    scheduler.host().set_now(50);
    poller.polled(Batch::new());
    assert!(matches!(poller.step(), Step::Sleep));
    assert_eq!(next(&mut third), 1, "from the busy processor");
    assert!(!matches!(busy.step(), Step::Run(_)));
}

#[test]
fn the_monitor_polls_when_nobody_has_for_ten_milliseconds() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    let mut monitor = scheduler.monitor();
    let host = scheduler.host();
    let bring = |id| host.incoming.lock().unwrap().push(job(id));
    machine.submit(job(0)).unwrap();
    assert_eq!(next(&mut machine), 0);
    host.set_now(100 * MILLISECOND);
    let _ = monitor.step(100 * MILLISECOND); // nobody ever has
    bring(1);
    let _ = monitor.step(110 * MILLISECOND - 1);
    assert_eq!(scheduler.snapshot().global, 0);
    host.log.take();
    let _ = monitor.step(110 * MILLISECOND);
    assert!(host.log.take().contains(&Event::Polled { count: 1 }));
    assert_eq!(next(&mut machine), 1);
}

#[test]
fn the_monitor_leaves_the_poll_to_a_machine_that_waits_in_it() {
    let scheduler = with_poller(2);
    let mut machines = busy(&scheduler);
    assert!(matches!(machines[0].step(), Step::Poll(_)));
    scheduler.host().incoming.lock().unwrap().push(job(1));
    let _ = scheduler.monitor().step(1000 * MILLISECOND);
    assert_eq!(scheduler.host().incoming.lock().unwrap().len(), 1);
}

#[test]
fn a_timer_that_comes_while_the_world_is_stopped_is_not_slept_through() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Poll(Deadline::Never)));
    let world = scheduler.stop_the_world().unwrap();
    scheduler.host().add_timer(0, 50, job(1));
    scheduler.timer_added(50); // breaks the poll
    machine.polled(Batch::new());
    assert!(matches!(machine.step(), Step::Sleep), "there is no processor to be had");
    drop(world);
    assert!(matches!(machine.step(), Step::Poll(Deadline::At(50))));
}

#[test]
fn a_poller_that_is_dropped_leaves_the_poll_to_another() {
    let scheduler = with_poller(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Poll(_)));
    let mut other = scheduler.machine().unwrap();
    assert!(matches!(other.step(), Step::Sleep));
    drop(machine);
    assert!(matches!(other.step(), Step::Poll(_)));
    assert_eq!(run_all(&scheduler, &mut vec![other]), [0; 0]);
}
