//! The end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gosched::scheduler::{Exit, StopError};
use gosched::{Deadline, Step};

use crate::host::{CAP, batch, busy, ids, job, next, run, scheduler};

#[test]
fn every_task_comes_back_each_processors_in_turn_then_the_global_queues() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    for (id, machine) in machines.iter_mut().enumerate() {
        machine.submit(job(10 * id + 1)).unwrap();
        machine.submit(job(10 * id + 2)).unwrap();
        machine.spawn(job(10 * id)).unwrap();
    }
    scheduler.inject_batch(batch(30..=31)).unwrap();
    machines[0].enter_blocking().unwrap();
    let left = machines[1].shutdown().unwrap();
    assert_eq!(ids(left), [0, 1, 2, 10, 11, 12, 30, 31]);
}

#[test]
fn submitting_afterwards_gives_the_task_back() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(machine.shutdown().unwrap().is_empty());
    assert_eq!(scheduler.inject(job(1)).unwrap_err().0.id, 1);
    assert_eq!(ids(scheduler.inject_batch(batch(2..=4)).unwrap_err().0), [2, 3, 4]);
    assert_eq!(scheduler.ready(job(5)).unwrap_err().into_task().id, 5);
    assert_eq!(machine.spawn(job(6)).unwrap_err().0.id, 6);
    assert_eq!(machine.submit(job(7)).unwrap_err().0.id, 7);
    assert_eq!(machine.ready(job(8)).unwrap_err().into_task().id, 8);
    assert_eq!(machine.yield_now(job(9)).unwrap_err().0.id, 9);
    assert_eq!(machine.yield_local(job(10)).unwrap_err().0.id, 10);
    assert!(scheduler.machine().is_err());
    assert_eq!(scheduler.snapshot().global, 0);
}

#[test]
fn a_second_shutdown_and_a_stop_are_refused() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(ids(machine.shutdown().unwrap()), [1]);
    assert_eq!(scheduler.shutdown().err(), Some(StopError::Closed));
    assert_eq!(machine.shutdown().err(), Some(StopError::Closed));
    assert_eq!(scheduler.stop_the_world().err(), Some(StopError::Closed));
}

#[test]
fn every_machine_is_told_to_exit() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[1]), [0; 0]); // asleep
    machines[2].enter_blocking().unwrap(); // in a call
    assert!(machines[0].shutdown().unwrap().is_empty());
    assert!(machines[1].next().is_none());
    assert_eq!(machines[2].exit_blocking(), Ok(Exit::NoProcessor));
    for machine in &mut machines {
        assert!(matches!(machine.step(), Step::Exit));
        assert!(matches!(machine.step(), Step::Exit), "and again");
    }
    assert_eq!(scheduler.snapshot().machines, 0);
}

#[test]
fn a_machine_that_comes_back_from_a_call_gets_its_task_back() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.enter_blocking().unwrap();
    assert!(scheduler.shutdown().unwrap().is_empty());
    assert_eq!(machine.exit_blocking(), Ok(Exit::NoProcessor));
    assert_eq!(machine.yield_now(job(1)).unwrap_err().0.id, 1);
    assert!(matches!(machine.step(), Step::Exit));
}

#[test]
fn machines_exit_though_there_is_something_to_poll_for() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    scheduler.host().has_poller.store(true, Ordering::Relaxed);
    machines[1].enter_blocking().unwrap();
    assert!(machines[0].shutdown().unwrap().is_empty());
    for machine in &mut machines {
        assert!(matches!(machine.step(), Step::Exit), "nobody would break its poll");
    }
    assert!(!scheduler.snapshot().polling);
}

#[test]
fn the_poller_is_called_back_and_what_it_brought_comes_back() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().has_poller.store(true, Ordering::Relaxed);
    assert!(matches!(machine.step(), Step::Poll(Deadline::Never)));
    let other = scheduler.clone();
    let thread = std::thread::spawn(move || ids(other.shutdown().unwrap()));
    while scheduler.host().breaks.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    machine.polled(batch(1..=3));
    assert_eq!(thread.join().unwrap(), [1, 2, 3]);
    assert!(machine.next().is_none());
}

#[test]
fn the_poller_itself_may_shut_down() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().has_poller.store(true, Ordering::Relaxed);
    assert!(matches!(machine.step(), Step::Poll(_)));
    assert!(machine.shutdown().unwrap().is_empty());
    assert!(matches!(machine.step(), Step::Exit));
}

#[test]
fn a_machine_in_a_call_cannot_shut_down() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.enter_blocking().unwrap();
    assert_eq!(machine.shutdown().err(), Some(StopError::Blocked));
    assert_eq!(machine.exit_blocking(), Ok(Exit::Kept));
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
}

#[test]
fn a_scheduler_that_is_dropped_drops_its_tasks() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let tasks: Vec<_> = (0..2 * CAP).map(job).collect();
    for task in &tasks {
        machine.submit(task.clone()).unwrap();
    }
    scheduler.host().answer(crate::host::Answer::Refuse);
    drop((machine, scheduler));
    assert!(tasks.iter().all(|task| Arc::strong_count(task) == 1));
}
