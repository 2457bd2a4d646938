//! Stopping the world and letting it go on.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gosched::scheduler::{Exit, StopError};
use gosched::{ProcessorState, Step};

use crate::host::{batch, busy, in_both_forms, job, next, run, run_all, scheduler};

fn states(scheduler: &crate::host::Tested) -> Vec<ProcessorState> {
    scheduler.snapshot().processors.iter().map(|processor| processor.state).collect()
}

#[test]
fn an_idle_world_is_stopped_from_outside_at_once() {
    for scheduler in in_both_forms(3) {
        let world = scheduler.stop_the_world().unwrap();
        assert_eq!(states(&scheduler), [ProcessorState::Stopped; 3]);
        assert!(scheduler.snapshot().stopped);
        drop(world);
        assert_eq!(states(&scheduler), [ProcessorState::Idle; 3]);
        assert!(!scheduler.snapshot().stopped);
    }
}

#[test]
fn a_machine_stops_the_world_and_gets_its_processor_back() {
    for scheduler in in_both_forms(3) {
        let mut machine = scheduler.machine().unwrap();
        machine.submit(job(1)).unwrap();
        drop(scheduler.host().request());
        let world = machine.stop_the_world().unwrap();
        assert_eq!((machine.processor(), scheduler.snapshot().idle), (None, 0));
        machine.resume(world);
        assert_eq!((machine.processor(), scheduler.snapshot().stopped), (Some(0), false));
        while scheduler.host().asked() > 0 {
            drop(scheduler.host().request());
        }
        assert_eq!(run(&mut machine), [1]);
    }
}

#[test]
fn nobody_is_woken_while_the_world_is_stopped_and_somebody_afterwards() {
    let scheduler = scheduler(2);
    let world = scheduler.stop_the_world().unwrap();
    scheduler.inject(job(1)).unwrap();
    assert_eq!(scheduler.host().asked(), 0);
    assert_eq!(scheduler.machine().unwrap().processor(), None);
    drop(world);
    assert_eq!(scheduler.host().asked(), 1);
    assert_eq!(run(&mut scheduler.host().begin()), [1]);
}

#[test]
fn it_cannot_be_stopped_twice() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let world = machine.stop_the_world().unwrap();
    assert_eq!(scheduler.stop_the_world().err(), Some(StopError::AlreadyStopped));
    assert_eq!(machine.stop_the_world().err(), Some(StopError::AlreadyStopped));
    assert_eq!(scheduler.shutdown().err(), Some(StopError::AlreadyStopped));
    drop(world);
    drop(scheduler.stop_the_world().unwrap());
}

#[test]
fn a_machine_in_a_call_cannot_stop_it_and_stays_in_its_call() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.enter_blocking().unwrap();
    assert_eq!(machine.stop_the_world().err(), Some(StopError::Blocked));
    assert_eq!(machine.exit_blocking(), Ok(Exit::Kept));
}

#[test]
fn a_processor_in_a_system_call_is_taken_and_its_machine_comes_back_to_none() {
    for scheduler in in_both_forms(2) {
        let mut machine = scheduler.machine().unwrap();
        machine.submit(job(1)).unwrap();
        drop(scheduler.host().request());
        machine.enter_blocking().unwrap();
        let world = scheduler.stop_the_world().unwrap();
        assert_eq!(states(&scheduler), [ProcessorState::Stopped; 2]);
        assert_eq!(machine.exit_blocking(), Ok(Exit::NoProcessor));
        machine.yield_now(job(2)).unwrap();
        assert!(matches!(machine.step(), Step::Sleep));
        drop(world);
        let mut machines = vec![machine];
        let mut ran = run_all(&scheduler, &mut machines);
        ran.sort_unstable();
        assert_eq!(ran, [1, 2]);
    }
}

#[test]
fn the_stopper_waits_for_a_running_machine_until_its_scheduling_point() {
    for scheduler in in_both_forms(2) {
        let mut machine = scheduler.machine().unwrap();
        machine.submit(job(1)).unwrap();
        machine.submit(job(2)).unwrap();
        drop(scheduler.host().request());
        assert_eq!(next(&mut machine), 1);
        while scheduler.host().asked() > 0 {
            drop(scheduler.host().request());
        }
        let (stopped, stops) = mpsc::channel();
        let stopper = scheduler.clone();
        let thread = thread::spawn(move || {
            let world = stopper.stop_the_world().unwrap();
            stopped.send(world).unwrap();
        });
        while !machine.should_yield() {
            thread::yield_now();
        }
        assert!(stops.recv_timeout(Duration::from_millis(20)).is_err(), "the task runs on");
        assert!(matches!(machine.step(), Step::Sleep), "its scheduling point");
        let world = stops.recv().unwrap();
        thread.join().unwrap();
        assert_eq!(scheduler.snapshot().processors[0].queued, 1);
        drop(world);
        assert_eq!(run_all(&scheduler, &mut vec![machine]), [2]);
    }
}

#[test]
fn a_machine_that_enters_a_call_hands_its_processor_to_the_stopper() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let stopper = scheduler.clone();
    let thread = thread::spawn(move || drop(stopper.stop_the_world().unwrap()));
    while !machine.should_yield() {
        thread::yield_now();
    }
    machine.enter_blocking().unwrap();
    thread.join().unwrap();
    assert_eq!(machine.exit_blocking(), Ok(Exit::Got), "the world goes on");
}

#[test]
fn each_processor_with_tasks_gets_a_machine_when_the_world_goes_on() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    for (id, machine) in machines.iter_mut().enumerate() {
        machine.submit(job(10 * (id + 1))).unwrap();
        machine.submit(job(10 * (id + 1) + 1)).unwrap();
    }
    let mut stopper = machines.remove(0);
    for machine in &mut machines {
        machine.enter_blocking().unwrap();
    }
    let world = stopper.stop_the_world().unwrap();
    stopper.resume(world);
    assert_eq!(scheduler.host().asked(), 2);
    let mut started = [scheduler.host().begin(), scheduler.host().begin()];
    assert_eq!(started.each_ref().map(|machine| machine.processor()), [Some(1), Some(2)]);
    assert_eq!([next(&mut started[0]), next(&mut started[1])], [20, 30]);
}

#[test]
fn a_machine_that_was_woken_to_search_may_stop_the_world() {
    for scheduler in in_both_forms(3) {
        let mut machine = scheduler.machine().unwrap();
        machine.enter_blocking().unwrap();
        scheduler.inject(job(1)).unwrap();
        let mut searcher = scheduler.host().begin();
        let world = searcher.stop_the_world().unwrap();
        assert_eq!(scheduler.snapshot().searching, 0);
        searcher.resume(world);
        assert_eq!(scheduler.snapshot().searching, scheduler.host().asked());
        assert_eq!(run_all(&scheduler, &mut vec![machine, searcher]), [1]);
        scheduler.inject(job(2)).unwrap();
        assert_eq!(scheduler.snapshot().searching, 1, "somebody is woken");
    }
}

#[test]
fn a_world_gives_its_processor_to_the_machine_that_stopped_it_alone() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let mut other = scheduler.machine().unwrap();
    assert!(matches!(other.step(), Step::Sleep));
    let world = machine.stop_the_world().unwrap();
    other.resume(world);
    assert_eq!((machine.processor(), other.processor()), (None, None));
    assert_eq!(scheduler.snapshot().idle, 1);

    // A machine of another scheduler, which has given up its own processor.
    let elsewhere = self::scheduler(1);
    let mut stranger = elsewhere.machine().unwrap();
    let its_world = stranger.stop_the_world().unwrap();
    let mut third = scheduler.machine().unwrap();
    let world = third.stop_the_world().unwrap();
    stranger.resume(world);
    assert_eq!(stranger.processor(), None);
    assert_eq!((scheduler.snapshot().idle, elsewhere.snapshot().idle), (1, 0));
    stranger.resume(its_world);
    assert_eq!(stranger.processor(), Some(0));
}

#[test]
fn a_world_that_is_dropped_by_its_machine_goes_on_without_it() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    drop(scheduler.host().request());
    drop(machine.stop_the_world().unwrap());
    assert_eq!(machine.processor(), None);
    assert_eq!(run_all(&scheduler, &mut vec![machine]), [1]);
}

#[test]
fn a_machine_without_a_processor_may_stop_the_world() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    assert!(matches!(machine.step(), Step::Sleep));
    let world = machine.stop_the_world().unwrap();
    scheduler.inject_batch(batch(1..=2)).unwrap();
    machine.resume(world);
    assert_eq!(run_all(&scheduler, &mut vec![machine]), [1, 2]);
}
