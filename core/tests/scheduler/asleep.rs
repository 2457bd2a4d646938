//! The report that everybody sleeps: once each time it is so, and never when it is not.

use gosched::Step;

use crate::host::{Answer, batch, busy, job, next, run, run_all, scheduler};

#[test]
fn it_is_told_once_when_the_last_machine_goes_to_sleep() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    for (before, machine) in machines.iter_mut().enumerate() {
        assert_eq!(scheduler.host().told_asleep(), 0, "{before} sleep");
        assert_eq!(run(machine), [0; 0]);
    }
    assert_eq!(scheduler.host().told_asleep(), 1);
    for machine in &mut machines {
        assert!(matches!(machine.step(), Step::Sleep));
    }
    drop(scheduler.outside());
    assert_eq!(scheduler.host().told_asleep(), 1, "nothing has happened since");
}

#[test]
fn it_is_told_again_after_activity() {
    let scheduler = scheduler(2);
    let mut machines = Vec::new();
    for round in 1..=3 {
        scheduler.inject(job(round)).unwrap();
        assert_eq!(run_all(&scheduler, &mut machines), [round]);
        assert_eq!(scheduler.host().told_asleep(), round);
    }
}

#[test]
fn it_is_told_again_after_the_activity_of_a_machine_that_the_host_brought() {
    let scheduler = scheduler(2);
    assert_eq!(run(&mut scheduler.machine().unwrap()), [0; 0]);
    let told = scheduler.host().told_asleep();
    assert_eq!(run(&mut scheduler.machine().unwrap()), [0; 0]);
    assert!(scheduler.host().told_asleep() > told);
}

#[test]
fn it_is_not_told_while_somebody_outside_may_submit() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let (one, two) = (scheduler.outside(), scheduler.outside());
    assert_eq!(run(&mut machine), [0; 0]);
    drop(one);
    assert_eq!(scheduler.host().told_asleep(), 0);
    drop(two);
    assert_eq!(scheduler.host().told_asleep(), 1, "when the last one goes");
}

#[test]
fn it_is_not_told_while_a_timer_is_pending() {
    let scheduler = scheduler(1);
    let mut machines = busy(&scheduler);
    machines.push(scheduler.machine().unwrap());
    scheduler.host().add_timer(0, 100, job(1));
    assert!(matches!(machines[0].step(), Step::Poll(_)));
    assert!(matches!(machines[1].step(), Step::Sleep));
    drop(machines.remove(0)); // the poller leaves; another is asked to poll
    assert_eq!(scheduler.host().told_asleep(), 0);
}

#[test]
fn it_is_not_told_while_a_timer_is_pending_that_nobody_polls_for_yet() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let outside = scheduler.outside();
    assert!(matches!(machine.step(), Step::Sleep), "there is nothing to poll for");
    scheduler.host().add_timer(0, 100, job(1));
    drop(outside);
    assert_eq!(scheduler.host().told_asleep(), 0, "it is about to be announced");
}

#[test]
fn it_is_not_told_while_a_machine_polls() {
    let scheduler = scheduler(1);
    let mut machines = busy(&scheduler);
    machines.push(scheduler.machine().unwrap());
    scheduler.host().has_poller.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(machines[0].step(), Step::Poll(_)));
    assert!(matches!(machines[1].step(), Step::Sleep));
    assert_eq!(scheduler.host().told_asleep(), 0);
}

/// golang/go#40368: a machine that was asked for and has not begun is no sleeper.
#[test]
fn it_is_not_told_while_a_machine_starts() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(run(&mut machine), [1]);
    assert_eq!(scheduler.host().told_asleep(), 0);
    let mut started = scheduler.host().begin();
    assert_eq!(scheduler.host().told_asleep(), 0);
    assert_eq!(run(&mut started), [0; 0]);
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn it_is_told_when_the_machine_that_was_awaited_is_refused() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(run(&mut machine), [1]);
    drop(scheduler.host().request());
    assert_eq!(run(&mut machine), [0; 0]);
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn it_is_not_told_while_a_machine_is_in_a_call() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[0].enter_long_blocking().unwrap();
    assert_eq!(run(&mut machines[1]), [0; 0]);
    assert_eq!(scheduler.host().told_asleep(), 0);
    assert_eq!(run(&mut machines[0]), [0; 0]);
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn it_is_not_told_while_a_task_is_queued() {
    let scheduler = scheduler(1);
    scheduler.host().answer(Answer::Refuse);
    scheduler.inject(job(1)).unwrap();
    drop(scheduler.outside());
    assert_eq!(scheduler.host().told_asleep(), 0);
    let mut machine = scheduler.machine().unwrap();
    assert_eq!(run(&mut machine), [1]);
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn it_is_told_when_the_last_machine_at_work_leaves() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[0]), [0; 0]);
    assert_eq!(scheduler.host().told_asleep(), 0);
    drop(machines.pop());
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn it_is_told_when_a_locked_machine_waits_for_ever() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.lock();
    assert!(matches!(machine.step(), Step::Sleep));
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn it_is_not_told_while_the_world_is_stopped_or_after_the_end() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let outside = scheduler.outside();
    assert_eq!(run(&mut machine), [0; 0]);
    let world = scheduler.stop_the_world().unwrap();
    drop(outside);
    assert_eq!(scheduler.host().told_asleep(), 0);
    drop(world); // it goes on, and everybody sleeps
    assert_eq!(scheduler.host().told_asleep(), 1);
    scheduler.inject_batch(batch(1..=2)).unwrap();
    assert_eq!(run(&mut machine), [1, 2]);
    assert_eq!(scheduler.host().told_asleep(), 2);
    assert!(scheduler.shutdown().unwrap().is_empty());
    assert!(matches!(machine.step(), Step::Exit));
    assert_eq!(scheduler.host().told_asleep(), 2);
}
