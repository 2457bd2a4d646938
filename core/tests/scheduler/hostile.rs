//! Hosts and observers that panic: what holds afterwards.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use gosched::{Event, Place};

use crate::host::{Answer, Tested, batch, busy, job, next, run, run_all, scheduler};

/// Runs what panics, and has the host keep requests again.
fn panics<R>(scheduler: &Tested, call: impl FnOnce() -> R) {
    scheduler.host().answer(Answer::Panic);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(call()))).is_err(), "it did not panic");
    scheduler.host().answer(Answer::Keep);
}

#[test]
fn a_host_that_panics_in_a_submit_loses_nothing() {
    let scheduler = scheduler(2);
    panics(&scheduler, || scheduler.inject(job(1)));
    assert_eq!(scheduler.snapshot().idle, 2, "the processor came back");
    assert_eq!(scheduler.snapshot().searching, 0);
    assert_eq!(scheduler.snapshot().machines, 0);
    let mut machine = scheduler.machine().unwrap();
    panics(&scheduler, || machine.submit(job(2)));
    let mut ran = run_all(&scheduler, &mut vec![machine]);
    ran.sort_unstable();
    assert_eq!(ran, [1, 2]);
}

/// F5 asks for a machine while the task that was found is in hand.
#[test]
fn a_host_that_panics_in_a_step_loses_nothing() {
    let scheduler = scheduler(3);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    machine.submit(job(2)).unwrap();
    let mut searcher = scheduler.host().begin();
    panics(&scheduler, || searcher.step());
    let mut ran = run_all(&scheduler, &mut vec![machine, searcher]);
    ran.sort_unstable();
    assert_eq!(ran, [1, 2]);
    assert_eq!(scheduler.snapshot().idle, 3);
}

#[test]
fn a_host_that_panics_in_a_hand_off_loses_nothing() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    machine.submit(job(2)).unwrap();
    panics(&scheduler, || machine.enter_long_blocking());
    assert_eq!(scheduler.snapshot().idle, 1);
    assert_eq!(run_all(&scheduler, &mut vec![machine]), [1, 2]);
}

#[test]
fn a_host_that_panics_when_the_world_goes_on_loses_nothing() {
    let scheduler = scheduler(4);
    let mut machines = busy(&scheduler);
    for (id, machine) in machines.iter_mut().enumerate() {
        machine.submit(job(2 * id)).unwrap();
        machine.submit(job(2 * id + 1)).unwrap();
    }
    let mut stopper = machines.remove(0);
    for machine in &mut machines {
        machine.enter_blocking().unwrap();
    }
    let world = stopper.stop_the_world().unwrap();
    panics(&scheduler, || stopper.resume(world));
    machines.push(stopper);
    let mut ran = run_all(&scheduler, &mut machines);
    ran.sort_unstable();
    assert_eq!(ran, (0..8).collect::<Vec<_>>());
    assert_eq!(scheduler.snapshot().idle, 4);
    drop(scheduler.stop_the_world().unwrap());
}

#[test]
fn a_machine_that_is_dropped_by_a_panic_leaves_its_tasks_to_others() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.inject_batch(batch(1..=2)).unwrap();
    machine.submit(job(3)).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        assert_eq!(next(&mut machine), 1);
        panic!("the task was told to");
    }));
    assert!(panicked.is_err());
    assert_eq!(run(&mut scheduler.host().begin()), [3, 2]);
}

/// Whoever polls without a wait keeps others from it; a panic must not keep them for ever.
#[test]
fn after_a_poll_that_panics_others_may_poll() {
    let scheduler = scheduler(2);
    let host = scheduler.host();
    host.has_poller.store(true, Ordering::Relaxed);
    let mut machines = busy(&scheduler);
    host.poll_panics.store(true, Ordering::Relaxed);
    assert!(catch_unwind(AssertUnwindSafe(|| machines[0].step())).is_err(), "it did not panic");
    host.incoming.lock().unwrap().push(job(1));
    assert_eq!(next(&mut machines[1]), 1);
}

/// The panic goes through the caller; the task was published before, and is neither lost nor run
/// twice.
#[test]
fn an_observer_that_panics_at_a_submit_loses_no_task() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let task = job(1);
    let event = Event::Submitted { place: Place::Ring, count: 1 };
    scheduler.host().log.at(event, || panic!("told to"));
    let submitted = catch_unwind(AssertUnwindSafe(|| machine.submit(task.clone())));
    assert!(submitted.is_err());
    assert_eq!(run(&mut machine), [1]);
    assert_eq!(Arc::strong_count(&task), 1);
}

/// A task in the machine's hand is dropped with the panic: not leaked, and not run.
#[test]
fn an_observer_that_panics_at_a_pop_drops_the_task_that_was_in_hand() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let task = job(1);
    machine.submit(task.clone()).unwrap();
    machine.submit(job(2)).unwrap();
    scheduler.host().log.at(Event::Popped { inherited: false }, || panic!("told to"));
    assert!(catch_unwind(AssertUnwindSafe(|| machine.step())).is_err());
    assert_eq!(Arc::strong_count(&task), 1);
    assert_eq!(run(&mut machine), [2]);
}
