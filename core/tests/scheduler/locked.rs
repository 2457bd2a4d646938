//! Tasks that are locked to a machine.

use std::sync::atomic::Ordering;

use gosched::{Event, Step};

use crate::host::{Job, Worker, job, next, run, run_all, scheduler};

/// Runs task 1 on the machine and locks it there.
fn locked(machine: &mut Worker) -> Job {
    let task = job(1);
    machine.submit(task.clone()).unwrap();
    assert_eq!(next(machine), 1);
    task.locked_to.store(machine.lock(), Ordering::Relaxed);
    task
}

#[test]
fn a_locked_task_runs_on_its_machine_alone_and_the_processor_is_passed() {
    let scheduler = scheduler(1);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    home.submit(job(2)).unwrap();
    home.yield_now(task).unwrap();
    assert!(matches!(home.step(), Step::Sleep), "it runs nothing else, not even task 2");
    let mut other = scheduler.host().begin();
    assert_eq!(next(&mut other), 2);
    scheduler.host().log.take();
    assert!(matches!(other.step(), Step::Sleep), "it gave its processor away, and rests");
    let roused = Event::Roused { sleeper: home.id(), processor: 0, searching: false };
    assert!(scheduler.host().log.take().contains(&roused));
    assert_eq!(next(&mut home), 1);
    assert_eq!(home.processor(), Some(0));
}

#[test]
fn an_unlocked_task_runs_anywhere() {
    let scheduler = scheduler(1);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    assert!(home.unlock());
    task.locked_to.store(usize::MAX, Ordering::Relaxed);
    home.submit(job(2)).unwrap();
    home.yield_now(task).unwrap();
    assert_eq!(run(&mut home), [2, 1]);
}

#[test]
fn locks_are_counted() {
    let scheduler = scheduler(1);
    let mut home = scheduler.machine().unwrap();
    assert!(!home.unlock(), "there is none");
    let task = locked(&mut home);
    assert_eq!(home.lock(), home.id());
    assert!(!home.unlock(), "one is left");
    home.yield_now(task).unwrap();
    assert!(matches!(home.step(), Step::Sleep));
    let mut other = scheduler.host().begin();
    assert!(matches!(other.step(), Step::Sleep));
    assert_eq!(next(&mut home), 1, "it still came home");
    assert!(home.unlock());
    assert!(!home.unlock());
}

#[test]
fn a_locked_task_is_stolen_and_comes_home_all_the_same() {
    let scheduler = scheduler(2);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    let mut other = scheduler.host().begin();
    home.yield_local(task).unwrap();
    assert!(matches!(other.step(), Step::Sleep), "it stole the task and passed it on");
    assert!(scheduler.host().log.take().contains(&Event::Stole { victim: 0, count: 1 }));
    // Home gives up the processor that it still has, and is given the thief's.
    assert!(matches!(home.step(), Step::Sleep));
    assert_eq!(next(&mut home), 1);
    assert_eq!(home.processor(), Some(1));
    assert_eq!(run_all(&scheduler, &mut Vec::new()), [0; 0]);
}

#[test]
fn a_locked_task_that_parks_and_is_made_ready_comes_home() {
    let scheduler = scheduler(2);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    let mut other = scheduler.host().begin();
    assert!(matches!(home.step(), Step::Sleep), "its task waits");
    assert_eq!(run(&mut other), [0; 0]);
    scheduler.ready(task).unwrap();
    assert_eq!(run_all(&scheduler, &mut vec![other]), [0; 0]);
    assert_eq!(next(&mut home), 1);
}

#[test]
fn if_its_machine_is_gone_any_runs_it() {
    let scheduler = scheduler(1);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    home.yield_now(task).unwrap();
    drop(home);
    assert_eq!(run(&mut scheduler.host().begin()), [1]);
}

#[test]
fn a_machine_that_is_dropped_while_it_waits_for_its_task_leaves() {
    let scheduler = scheduler(1);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    assert!(matches!(home.step(), Step::Sleep));
    let before = scheduler.snapshot();
    assert_eq!((before.machines, before.sleeping), (1, 1));
    drop(home);
    let after = scheduler.snapshot();
    assert_eq!((after.machines, after.sleeping), (0, 0));
    scheduler.ready(task).unwrap();
    assert_eq!(run(&mut scheduler.host().begin()), [1], "any runs it");
}

#[test]
fn a_machine_that_is_dropped_after_its_task_was_brought_gives_both_away() {
    let scheduler = scheduler(2);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    let mut other = scheduler.host().begin();
    assert!(matches!(home.step(), Step::Sleep));
    scheduler.ready(task).unwrap();
    assert!(matches!(other.step(), Step::Sleep), "passed on");
    drop(home); // asleep, as far as it knows
    assert_eq!(run_all(&scheduler, &mut vec![other]), [1]);
    assert_eq!(scheduler.snapshot().idle, 2);
}

#[test]
fn a_machine_that_is_dropped_before_it_sleeps_gives_what_it_was_brought_away() {
    let scheduler = scheduler(2);
    let mut home = scheduler.machine().unwrap();
    let task = locked(&mut home);
    let mut other = scheduler.host().begin();
    home.yield_local(task).unwrap();
    assert!(matches!(other.step(), Step::Sleep), "stolen, and passed on");
    drop(home); // with its own processor still in its hands
    assert_eq!(run_all(&scheduler, &mut vec![other]), [1]);
    assert_eq!(scheduler.snapshot().idle, 2);
}

#[test]
fn a_shutdown_sends_the_waiting_away_and_not_those_at_work() {
    let scheduler = scheduler(2);
    let (mut one, mut two) = (scheduler.machine().unwrap(), scheduler.machine().unwrap());
    let _task = locked(&mut one);
    let other = job(2);
    two.submit(other.clone()).unwrap();
    assert_eq!(next(&mut two), 2);
    other.locked_to.store(two.lock(), Ordering::Relaxed);
    assert!(matches!(one.step(), Step::Sleep));
    two.enter_blocking().unwrap();
    assert!(scheduler.shutdown().unwrap().is_empty());
    assert!(matches!(one.step(), Step::Exit));
    assert_eq!(two.yield_now(other).unwrap_err().0.id, 2);
    assert!(matches!(two.step(), Step::Exit));
    assert_eq!(scheduler.snapshot().machines, 0);
}
