//! Changing the number of processors.

use gosched::scheduler::ResizeError;
use gosched::{Config, ConfigError, ProcessorState};

use crate::host::{Tested, busy, ids, job, run_all, scheduler, with, with_both_forms};

/// `now` processors, with room for `most`.
fn room(now: usize, most: usize) -> Config {
    Config { max_processors: most, ..Config::new(now) }
}

fn sized(now: usize, most: usize) -> Tested {
    with(room(now, most))
}

fn sized_in_both_forms(now: usize, most: usize) -> [Tested; 2] {
    with_both_forms(&room(now, most))
}

/// S26: to the front of the global queue, the lowest processor first, each slot before its ring.
#[test]
fn the_tasks_of_removed_processors_go_to_the_front_in_their_order() {
    for scheduler in sized_in_both_forms(3, 3) {
        let mut machines = busy(&scheduler);
        for (id, machine) in machines.iter_mut().enumerate() {
            machine.submit(job(10 * id + 1)).unwrap();
            machine.submit(job(10 * id + 2)).unwrap();
            machine.spawn(job(10 * id)).unwrap();
        }
        scheduler.inject(job(99)).unwrap();
        for machine in &mut machines {
            machine.enter_blocking().unwrap();
        }
        let mut world = scheduler.stop_the_world().unwrap();
        world.set_processors(1).unwrap();
        assert_eq!(scheduler.processors(), 1);
        let snapshot = scheduler.snapshot();
        assert_eq!((snapshot.processors[0].queued, snapshot.global), (3, 7));
        drop(world);
        let mut machine = scheduler.host().begin(); // processor 0 has work
        let left = machine.shutdown().unwrap();
        assert_eq!(ids(left), [0, 1, 2, 10, 11, 12, 20, 21, 22, 99]);
    }
}

#[test]
fn from_two_to_one_to_three_loses_nothing() {
    for scheduler in sized_in_both_forms(2, 3) {
        let mut machines = busy(&scheduler);
        let mut id = 0;
        let mut fill = |machines: &mut Vec<crate::host::Worker>| {
            for machine in machines {
                for _ in 0..6 {
                    machine.submit(job(id)).unwrap(); // overflows into the global queue, too
                    id += 1;
                }
            }
            id
        };
        fill(&mut machines);
        for machine in &mut machines {
            machine.enter_blocking().unwrap();
        }
        scheduler.set_processors(1).unwrap();
        assert_eq!(*scheduler.host().resized.lock().unwrap(), [(2, 1)]);
        let count = fill(&mut machines);
        // From the machine that was started for processor 0: the world would wait for it.
        let mut stopper = scheduler.host().begin();
        let mut world = stopper.stop_the_world().unwrap();
        world.set_processors(3).unwrap();
        stopper.resume(world);
        machines.push(stopper);
        assert_eq!(scheduler.processors(), 3);
        let mut ran = run_all(&scheduler, &mut machines);
        ran.sort_unstable();
        assert_eq!(ran, (0..count).collect::<Vec<_>>());
        assert_eq!(scheduler.snapshot().idle, 3);
    }
}

#[test]
fn a_removed_processor_is_dead_and_comes_back_empty() {
    let scheduler = sized(2, 2);
    scheduler.set_processors(1).unwrap();
    assert_eq!(scheduler.snapshot().processors.len(), 1);
    assert_eq!(scheduler.snapshot().idle, 1);
    scheduler.set_processors(2).unwrap();
    let snapshot = scheduler.snapshot();
    assert_eq!(snapshot.processors[1].state, ProcessorState::Idle);
    assert_eq!((snapshot.idle, snapshot.processors[1].queued), (2, 0));
    let machines = busy(&scheduler);
    assert_eq!(machines[1].processor(), Some(1));
}

#[test]
fn a_stopper_whose_processor_is_removed_gets_the_first() {
    let scheduler = sized(3, 3);
    let mut machines = busy(&scheduler);
    let mut stopper = machines.pop().unwrap();
    for machine in &mut machines {
        machine.enter_blocking().unwrap();
    }
    stopper.submit(job(1)).unwrap();
    let mut world = stopper.stop_the_world().unwrap();
    world.set_processors(2).unwrap();
    stopper.resume(world);
    assert_eq!(stopper.processor(), Some(0));
    machines.push(stopper);
    assert_eq!(run_all(&scheduler, &mut machines), [1]);
}

#[test]
fn nonsense_changes_nothing() {
    let scheduler = sized(2, 3);
    let error = ConfigError::Processors { most: 3 };
    for nonsense in [0, 4, usize::MAX] {
        assert_eq!(scheduler.set_processors(nonsense), Err(ResizeError::Config(error)));
        assert_eq!(scheduler.processors(), 2);
        assert!(!scheduler.snapshot().stopped, "the world goes on");
    }
    assert!(scheduler.host().resized.lock().unwrap().is_empty());
    assert_eq!(error.to_string(), "the number of processors must be from 1 to 3, the maximum");
}

#[test]
fn several_changes_in_one_stop_are_one_after_the_other() {
    for scheduler in sized_in_both_forms(2, 5) {
        let mut world = scheduler.stop_the_world().unwrap();
        for count in [5, 1, 4] {
            world.set_processors(count).unwrap();
        }
        drop(world);
        assert_eq!(*scheduler.host().resized.lock().unwrap(), [(2, 5), (5, 1), (1, 4)]);
        assert_eq!((scheduler.processors(), scheduler.snapshot().idle), (4, 4));
    }
}

#[test]
fn thieves_visit_the_processors_there_are_now() {
    let scheduler = sized(2, 8);
    scheduler.set_processors(8).unwrap();
    for victim in 0..8 {
        let mut machines = busy(&scheduler);
        machines[victim].submit(job(1)).unwrap();
        let thief = (victim + 3) % 8;
        assert_eq!(crate::host::next(&mut machines[thief]), 1);
        drop(machines);
        assert_eq!(run_all(&scheduler, &mut Vec::new()), [0; 0]);
    }
    scheduler.set_processors(3).unwrap();
    scheduler.inject(job(2)).unwrap();
    assert_eq!(run_all(&scheduler, &mut Vec::new()), [2]);
}

#[test]
fn a_stopped_scheduler_is_not_resized() {
    let scheduler = scheduler(1);
    let world = scheduler.stop_the_world().unwrap();
    let error = gosched::scheduler::StopError::AlreadyStopped;
    assert_eq!(scheduler.set_processors(1), Err(ResizeError::Stop(error)));
    drop(world);
    assert!(scheduler.shutdown().unwrap().is_empty());
    let error = gosched::scheduler::StopError::Closed;
    assert_eq!(scheduler.set_processors(1), Err(ResizeError::Stop(error)));
}
