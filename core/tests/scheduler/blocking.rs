//! System calls: who has the processor meanwhile and afterwards.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gosched::scheduler::{Exit, NotBlocked, NotRunning};
use gosched::{Event, Pace, ProcessorState};

use crate::host::{batch, busy, job, next, run, scheduler};

#[test]
fn a_short_call_keeps_its_processor() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().log.take();
    machine.enter_blocking().unwrap();
    assert_eq!(machine.processor(), None);
    let snapshot = scheduler.snapshot();
    assert_eq!(snapshot.processors[0].state, ProcessorState::InSystemCall);
    assert_eq!(snapshot.processors[0].system_calls, 1);
    assert_eq!(machine.exit_blocking(), Ok(Exit::Kept));
    assert_eq!(machine.processor(), Some(0));
    assert_eq!(
        scheduler.host().log.take(),
        [Event::Entered { processor: 0 }, Event::Kept { processor: 0 }]
    );
}

#[test]
fn a_call_whose_processor_was_taken_gets_an_idle_one_its_last_if_it_can() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    let mut monitor = scheduler.monitor();
    machines[2].enter_blocking().unwrap();
    let _ = monitor.step(0);
    assert_eq!(monitor.step(20_000).retaken, 1); // nothing idle, so it is wanted
    assert_eq!(run(&mut machines[0]), [0; 0]); // 0 is idle, too
    assert_eq!(scheduler.snapshot().idle, 2);
    assert_eq!(machines[2].exit_blocking(), Ok(Exit::Got));
    assert_eq!(machines[2].processor(), Some(2), "its last, not the lowest");

    machines[2].enter_long_blocking().unwrap();
    let mut other = scheduler.machine().unwrap();
    other.submit(job(1)).unwrap();
    assert_eq!(other.processor(), Some(0));
    let mut woken = scheduler.host().asked();
    assert_eq!(woken, 0, "a sleeper was roused, onto the last one");
    woken += run(&mut machines[0]).len();
    assert_eq!(woken, 1);
    assert_eq!(machines[2].exit_blocking(), Ok(Exit::Got));
}

#[test]
fn a_call_that_comes_back_to_no_processor_gives_its_task_to_others() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.submit(job(2)).unwrap();
    machine.enter_long_blocking().unwrap();
    let mut other = scheduler.host().begin();
    assert_eq!(next(&mut other), 2);
    assert_eq!(machine.exit_blocking(), Ok(Exit::NoProcessor));
    machine.yield_now(job(1)).unwrap();
    assert_eq!(run(&mut machine), [0; 0], "it sleeps");
    assert_eq!(run(&mut other), [1]);
}

/// X3: the task is given away, then somebody is woken for it.
#[test]
fn a_task_given_away_after_a_call_wakes_somebody() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(2)).unwrap();
    machine.enter_long_blocking().unwrap();
    let mut other = scheduler.host().begin();
    assert_eq!(next(&mut other), 2);
    assert_eq!(machine.exit_blocking(), Ok(Exit::NoProcessor));
    assert_eq!(run(&mut other), [0; 0]); // idle, before the task is given away
    machine.yield_now(job(1)).unwrap();
    assert_eq!(run(&mut other), [1]);
}

#[test]
fn a_machine_in_a_call_submits_to_the_global_queue() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.enter_blocking().unwrap();
    machine.spawn(job(1)).unwrap();
    machine.submit(job(2)).unwrap();
    machine.yield_local(job(3)).unwrap();
    assert_eq!(scheduler.snapshot().global, 3);
    assert!(!machine.should_yield());
    assert_eq!(run(&mut scheduler.host().begin()), [1, 2, 3]);
}

#[test]
fn a_step_leaves_a_call() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    machine.enter_blocking().unwrap();
    assert_eq!(next(&mut machine), 1);
    assert_eq!(machine.exit_blocking(), Err(NotBlocked));
}

#[test]
fn only_a_machine_with_a_processor_can_block() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    assert_eq!(machine.exit_blocking(), Err(NotBlocked));
    machine.enter_blocking().unwrap();
    assert_eq!(machine.enter_blocking(), Err(NotRunning));
    assert_eq!(machine.enter_long_blocking(), Err(NotRunning));
    assert_eq!(machine.block(|| 7), 7, "it may block as it is");
    assert_eq!(machine.processor(), Some(0), "and is out of every call");
}

#[test]
fn a_panic_in_a_call_leaves_it() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| machine.block(|| panic!("told to"))));
    assert!(panicked.is_err());
    assert_eq!(machine.processor(), Some(0));
    assert_eq!(run(&mut machine), [1]);
}

#[test]
fn a_machine_that_is_dropped_in_a_call_leaves_its_processor_to_others() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    machine.enter_blocking().unwrap();
    drop(machine);
    assert_eq!(run(&mut scheduler.host().begin()), [1]);
}

/// The monitor looked at one call, and another has begun since: the tick tells them apart.
#[test]
fn a_taker_who_looked_long_ago_does_not_take_another_call() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    let mut monitor = scheduler.monitor_with(Pace { slice: u64::MAX, ..Pace::default() });
    for round in 0..5 {
        machine.enter_blocking().unwrap();
        assert_eq!(monitor.step(round * 20_000).retaken, 0, "each is new to it");
        assert_eq!(machine.exit_blocking(), Ok(Exit::Kept));
    }
}

#[test]
fn a_machine_that_was_woken_to_search_may_block() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    let mut searcher = scheduler.host().begin();
    searcher.enter_blocking().unwrap();
    assert_eq!(scheduler.snapshot().searching, 0, "it searches no more");
    assert_eq!(searcher.exit_blocking(), Ok(Exit::Kept));
    scheduler.inject_batch(batch(2..=3)).unwrap();
    let mut ran = run(&mut searcher);
    ran.extend(run(&mut machine));
    ran.sort_unstable();
    assert_eq!(ran, [1, 2, 3]);
}
