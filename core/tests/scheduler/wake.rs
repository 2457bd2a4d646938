//! Waking: who is woken by a submit, by a find, and by a batch; and the look of who goes idle.

use std::sync::atomic::Ordering;

use gosched::{Event, Step};

use crate::host::{Answer, batch, busy, in_both_forms, job, next, run, run_all, scheduler};

#[test]
fn a_submit_wakes_one_searcher_and_no_second() {
    let scheduler = scheduler(3);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().log.take();
    machine.submit(job(1)).unwrap();
    machine.submit(job(2)).unwrap();
    assert_eq!(scheduler.host().asked(), 1);
    let told = scheduler.host().log.take();
    assert!(told.contains(&Event::Started { started: 1, processor: 1, searching: true }));
    assert_eq!(told.last(), Some(&Event::NotWoke));
    assert_eq!(scheduler.snapshot().searching, 1);
}

#[test]
fn a_sleeper_is_roused_before_a_machine_is_started() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[1]), [0; 0]);
    scheduler.host().log.take();
    machines[0].submit(job(1)).unwrap();
    let told = scheduler.host().log.take();
    assert!(told.contains(&Event::Roused { sleeper: 1, processor: 1, searching: true }));
    assert_eq!(scheduler.host().asked(), 0);
    assert_eq!(next(&mut machines[1]), 1);
}

#[test]
fn the_last_to_sleep_is_the_first_to_be_roused() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    for id in [1, 2] {
        assert_eq!(run(&mut machines[id]), [0; 0]);
    }
    machines[0].submit(job(1)).unwrap();
    assert_eq!(run(&mut machines[1]), [0; 0]);
    assert_eq!(run(&mut machines[2]), [1]);
}

#[test]
fn a_searcher_that_finds_a_task_wakes_its_successor() {
    let scheduler = scheduler(4);
    let mut machines = vec![scheduler.machine().unwrap()];
    for id in 1..=4 {
        machines[0].submit(job(id)).unwrap();
    }
    for woken in 1..=3 {
        assert_eq!(scheduler.host().asked(), 1, "one at a time");
        let mut machine = scheduler.host().begin();
        scheduler.host().log.take();
        let _ = next(&mut machine);
        let successor = (woken < 3).then_some(woken + 1);
        assert!(scheduler.host().log.take().contains(&Event::Found { successor }));
        machines.push(machine);
    }
    assert_eq!(scheduler.snapshot().searching, 0);
}

/// F2, and hole H4 of Go: a batch is invisible on its way from the global queue to the ring, so
/// whoever went idle meanwhile must be woken. Here: until the share is taken, nobody can be.
#[test]
fn a_share_with_a_rest_wakes_somebody_for_it() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(0)).unwrap();
    drop(scheduler.host().request());
    assert_eq!(next(&mut machine), 0); // past the slice that takes one alone
    drop(scheduler.host().request());
    scheduler.host().answer(Answer::Refuse);
    scheduler.inject_batch(batch(1..=2)).unwrap();
    let host = scheduler.clone();
    scheduler.host().log.at(Event::TookShare { count: 2 }, move || {
        host.host().answer(Answer::Keep);
    });
    assert_eq!(next(&mut machine), 1);
    scheduler.host().log.assert_came();
    assert_eq!(scheduler.host().asked(), 1);
    assert_eq!(run(&mut scheduler.host().begin()), [2]);
}

#[test]
fn the_rest_of_a_share_is_announced_after_it_is_in_the_ring() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[0].submit(job(0)).unwrap();
    assert_eq!(next(&mut machines[0]), 0);
    // Both are busy, so this wakes nobody.
    scheduler.inject_batch(batch(1..=4)).unwrap();
    scheduler.host().log.take();
    assert_eq!(next(&mut machines[0]), 1);
    let told = scheduler.host().log.take();
    assert_eq!(
        told,
        [Event::TookShare { count: 2 }, Event::NotWoke],
        "half a ring, and then A2 to A4"
    );
    assert_eq!(run(&mut machines[0]), [2, 3, 4]);
}

/// D4, D5: something comes between the put and the look, by a way that wakes nobody.
#[test]
fn who_goes_idle_looks_once_more_and_takes_a_processor_for_what_it_sees() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().has_poller.store(true, Ordering::Relaxed);
    let host = scheduler.clone();
    scheduler.host().log.at(Event::PutDown { processor: 0, look: true }, move || {
        host.host().add_timer(0, 0, job(1));
    });
    scheduler.host().log.take();
    assert_eq!(next(&mut machine), 1);
    scheduler.host().log.assert_came();
    let told = scheduler.host().log.take();
    let looked = told.iter().position(|event| *event == Event::Looked { found: true }).unwrap();
    assert_eq!(
        told[looked + 1..looked + 3],
        [Event::TookForWork { processor: 0 }, Event::Began { processor: 0, searching: true }]
    );
    assert!(told.contains(&Event::Found { successor: None }));
}

/// D2: the searcher that is left owes the look.
#[test]
fn who_goes_idle_beside_a_searcher_does_not_look() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[1]), [0; 0]);
    machines[0].submit(job(1)).unwrap(); // rouses machine 1 as a searcher
    assert_eq!(next(&mut machines[0]), 1);
    scheduler.host().log.take();
    assert_eq!(run(&mut machines[0]), [0; 0]);
    assert_eq!(
        scheduler.host().log.take(),
        [Event::PutDown { processor: 0, look: false }, Event::Parked]
    );
    assert_eq!(run(&mut machines[1]), [0; 0]);
    let told = scheduler.host().log.take();
    assert!(told.contains(&Event::PutDown { processor: 1, look: true }));
}

#[test]
fn every_task_of_a_burst_runs_once_on_every_number_of_processors() {
    for processors in [1, 2, 3, 7, 48, 49, 64] {
        for scheduler in in_both_forms(processors) {
            let many_words = scheduler.config().many_words;
            scheduler.inject_batch(batch(0..500)).unwrap();
            let mut machines = Vec::new();
            let mut ran = run_all(&scheduler, &mut machines);
            ran.sort_unstable();
            assert_eq!(ran, (0..500).collect::<Vec<_>>(), "{processors}, {many_words}");
            let snapshot = scheduler.snapshot();
            assert_eq!((snapshot.idle, snapshot.searching), (processors, 0));
            assert_eq!(snapshot.sleeping, snapshot.machines);
            assert!(processors == 1 || machines.len() > 1, "the work spread");
        }
    }
}

#[test]
fn a_machine_that_sleeps_stays_asleep_until_it_is_given_something() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    for _ in 0..3 {
        assert!(matches!(machine.step(), Step::Sleep));
    }
    scheduler.inject(job(1)).unwrap();
    machine.sleep(); // returns at once: it was roused before
    assert_eq!(next(&mut machine), 1);
}
