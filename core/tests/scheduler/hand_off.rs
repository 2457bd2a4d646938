//! Handing a processor on: whatever a machine would find on it starts one; nothing puts it down.

use gosched::{Event, Step};

use crate::host::{Worker, batch, job, next, run, scheduler};

/// A machine that has run a task, so that the next one is past the first slice.
fn begun(scheduler: &crate::host::Tested) -> Worker {
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(0)).unwrap();
    assert_eq!(next(&mut machine), 0);
    machine
}

/// A source of work, and how work comes into it.
type Source = (&'static str, fn(&mut Worker));

/// Each source of work, put where the hand-off must see it.
const SOURCES: [Source; 4] = [
    ("ring", |machine| machine.submit(job(1)).unwrap()),
    ("slot", |machine| machine.spawn(job(1)).unwrap()),
    ("global queue", |machine| machine.scheduler().inject(job(1)).unwrap()),
    ("due timer", |machine| machine.scheduler().host().add_timer(0, 0, job(1))),
];

#[test]
fn a_processor_with_work_goes_to_a_machine() {
    for (source, fill) in SOURCES {
        let scheduler = scheduler(1);
        let mut machine = begun(&scheduler);
        fill(&mut machine);
        scheduler.host().log.take();
        machine.enter_long_blocking().unwrap();
        let told = scheduler.host().log.take();
        assert_eq!(told[0], Event::HandsOff { processor: 0 }, "{source}");
        let started = Event::Started { started: 1, processor: 0, searching: false };
        assert_eq!(told[1], started, "{source}");
        assert_eq!(next(&mut scheduler.host().begin()), 1, "{source}");
    }
}

#[test]
fn a_processor_that_the_monitor_takes_with_work_goes_to_a_machine() {
    for (source, fill) in SOURCES {
        let scheduler = scheduler(1);
        let mut machine = begun(&scheduler);
        fill(&mut machine);
        machine.enter_blocking().unwrap();
        let mut monitor = scheduler.monitor();
        let _ = monitor.step(0);
        assert_eq!(monitor.step(20_000).retaken, 1, "{source}");
        assert_eq!(next(&mut scheduler.host().begin()), 1, "{source}");
    }
}

#[test]
fn a_processor_of_a_machine_that_is_dropped_goes_to_a_machine() {
    for (source, fill) in SOURCES {
        let scheduler = scheduler(1);
        let mut machine = begun(&scheduler);
        fill(&mut machine);
        drop(machine);
        assert_eq!(next(&mut scheduler.host().begin()), 1, "{source}");
    }
}

#[test]
fn a_processor_without_work_goes_idle() {
    let scheduler = scheduler(2);
    let mut machine = begun(&scheduler);
    // The machine that the submit asked for.
    assert_eq!(run(&mut scheduler.host().begin()), [0; 0]);
    scheduler.host().log.take();
    machine.enter_long_blocking().unwrap();
    assert_eq!(
        scheduler.host().log.take(),
        [Event::PutDown { processor: 0, look: true }, Event::Looked { found: false }]
    );
    assert_eq!(scheduler.host().asked(), 0);
    assert_eq!(scheduler.snapshot().idle, 2);
}

/// O2, and hole H1 of Go: work that came on another processor between the look and the put.
#[test]
fn a_hand_off_looks_once_more_after_the_put() {
    let scheduler = scheduler(1);
    let mut machine = begun(&scheduler);
    let host = scheduler.clone();
    scheduler.host().has_poller.store(true, std::sync::atomic::Ordering::Relaxed);
    scheduler.host().log.at(Event::PutDown { processor: 0, look: true }, move || {
        host.host().add_timer(0, 0, job(1));
    });
    machine.enter_long_blocking().unwrap();
    scheduler.host().log.assert_came();
    let told = scheduler.host().log.take();
    assert!(told.contains(&Event::TookForWork { processor: 0 }), "{told:?}");
    assert_eq!(next(&mut scheduler.host().begin()), 1);
}

/// Whoever goes idle last polls; a processor that is handed off has nobody who would.
#[test]
fn the_last_processor_goes_to_a_machine_that_polls() {
    let scheduler = scheduler(2);
    let mut machine = begun(&scheduler);
    let mut other = scheduler.host().begin();
    assert_eq!(run(&mut other), [0; 0]);
    scheduler.host().add_timer(0, 50, job(1));
    machine.enter_long_blocking().unwrap();
    assert!(matches!(other.step(), Step::Poll(gosched::Deadline::At(50))));
}

#[test]
fn a_processor_that_is_not_the_last_goes_idle_though_nobody_polls() {
    let scheduler = scheduler(2);
    let mut machine = begun(&scheduler);
    let mut other = scheduler.host().begin();
    scheduler.host().add_timer(0, 50, job(1));
    machine.enter_long_blocking().unwrap();
    assert_eq!(scheduler.host().asked(), 0);
    assert!(matches!(other.step(), Step::Poll(_)), "the other one will");
}

#[test]
fn what_is_left_in_a_ring_goes_with_the_processor() {
    let scheduler = scheduler(1);
    let mut machine = begun(&scheduler);
    machine.submit(job(1)).unwrap();
    machine.submit(job(2)).unwrap();
    scheduler.inject_batch(batch(3..=4)).unwrap();
    drop(machine);
    assert_eq!(run(&mut scheduler.host().begin()), [1, 2, 3, 4]);
}
