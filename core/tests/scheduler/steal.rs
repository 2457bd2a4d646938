//! Stealing: how much, from whom, and when the slot is taken.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use gosched::{Config, Event};

use crate::host::{CAP, busy, job, next, run, scheduler, with};

#[test]
fn a_thief_takes_the_older_half_and_runs_its_newest() {
    for (queued, stolen, ran) in [(1, 1, 1), (2, 1, 1), (3, 2, 2), (4, 2, 2)] {
        let scheduler = scheduler(2);
        let mut machines = busy(&scheduler);
        for id in 1..=queued {
            machines[0].submit(job(id)).unwrap();
        }
        assert_eq!(next(&mut machines[1]), ran, "of {queued}");
        let told = scheduler.host().log.take();
        assert!(told.contains(&Event::Stole { victim: 0, count: stolen }), "of {queued}");
        let snapshot = scheduler.snapshot();
        assert_eq!(snapshot.processors[0].queued, queued - stolen);
        assert_eq!(snapshot.processors[1].queued, stolen - 1);
    }
}

#[test]
fn the_slot_is_taken_in_the_last_round_alone_after_a_back_off() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[0].spawn(job(1)).unwrap();
    let rounds = scheduler.config().steal_rounds;
    assert_eq!(rounds, 4);
    assert_eq!(next(&mut machines[1]), 1);
    assert_eq!(scheduler.host().back_offs.load(Ordering::Relaxed), 1);
}

#[test]
fn a_ring_is_stolen_from_without_a_back_off() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[0].submit(job(1)).unwrap();
    machines[0].spawn(job(2)).unwrap();
    assert_eq!(next(&mut machines[1]), 1);
    assert_eq!(scheduler.host().back_offs.load(Ordering::Relaxed), 0);
}

/// The victim runs its own task while the thief backs off, so the thief finds nothing.
#[test]
fn the_back_off_comes_before_the_slot_is_taken() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    let mut thief = machines.pop().unwrap();
    let mut victim = machines.pop().unwrap();
    victim.spawn(job(1)).unwrap();
    let ran = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&ran);
    *scheduler.host().on_back_off.lock().unwrap() = Some(Box::new(move || {
        told.lock().unwrap().push(next(&mut victim));
        // The victim stays busy: a machine that is dropped gives its processor away.
        std::mem::forget(victim);
    }));
    assert_eq!(run(&mut thief), [0; 0]);
    assert_eq!(*ran.lock().unwrap(), [1]);
}

#[test]
fn with_one_round_that_one_is_the_last() {
    let mut config = Config::new(2);
    config.steal_rounds = 1;
    let scheduler = with(config);
    let mut machines = busy(&scheduler);
    machines[0].spawn(job(1)).unwrap();
    assert_eq!(next(&mut machines[1]), 1);
}

#[test]
fn idle_processors_are_not_visited_and_the_others_are_all() {
    for victim in 1..6 {
        let scheduler = scheduler(7);
        let mut machines = busy(&scheduler);
        assert_eq!(run(&mut machines[6]), [0; 0]); // goes idle
        for id in 1..=CAP {
            machines[victim].submit(job(id)).unwrap();
        }
        // The one that was woken is a thief with nothing of its own, as is the first.
        assert_eq!(next(&mut machines[0]), 2);
        let told = scheduler.host().log.take();
        assert!(told.contains(&Event::Stole { victim, count: 2 }));
    }
}

#[test]
fn no_more_than_half_of_the_busy_search() {
    let scheduler = scheduler(4);
    let mut machines = busy(&scheduler);
    // Searchers, counted by being woken: a machine that holds a processor and has not stepped.
    assert_eq!(run(&mut machines[3]), [0; 0]);
    machines[0].spawn(job(1)).unwrap(); // rouses it as a searcher
    assert_eq!(scheduler.snapshot().searching, 1);
    assert_eq!(scheduler.snapshot().idle, 0);
    scheduler.host().log.take();
    // 2 * 1 < 4 - 0: one more may, and finds the task.
    assert_eq!(next(&mut machines[1]), 1);
    assert!(scheduler.host().log.take().contains(&Event::Searches));
}

#[test]
fn when_enough_search_a_machine_gives_up_without() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[1]), [0; 0]);
    scheduler.inject(job(1)).unwrap(); // rouses it as a searcher
    assert_eq!(next(&mut machines[0]), 1, "the global queue is no search");
    scheduler.host().log.take();
    assert_eq!(run(&mut machines[0]), [0; 0]);
    let told = scheduler.host().log.take();
    assert!(!told.contains(&Event::Searches), "2 * 1 < 2 - 0 does not hold");
    assert!(told.contains(&Event::PutDown { processor: 0, look: false }), "the searcher looks");
}
