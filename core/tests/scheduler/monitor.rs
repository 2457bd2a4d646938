//! The monitor on a virtual clock: what it takes, what it asks for, and how long it sleeps.

use gosched::{Event, Nap, Pace};

use crate::host::{busy, job, next, run, scheduler};

const TICK: u64 = 20_000;
const SLICE: u64 = 10_000_000;

#[test]
fn a_call_is_taken_when_it_is_seen_for_the_second_time_if_tasks_wait() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    drop(scheduler.host().request()); // a processor is idle
    machine.enter_blocking().unwrap();
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(0).retaken, 0);
    // The refused machine was asked for once more; nobody comes, and the searcher is gone.
    while scheduler.host().asked() > 0 {
        drop(scheduler.host().request());
    }
    assert_eq!(monitor.step(TICK).retaken, 1);
    assert!(scheduler.host().log.take().contains(&Event::Retaken { processor: 0 }));
}

#[test]
fn a_call_is_taken_when_it_is_seen_for_the_second_time_if_nobody_is_idle() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    machines[0].enter_blocking().unwrap();
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(0).retaken, 0);
    assert_eq!(monitor.step(TICK).retaken, 1);
    assert_eq!(scheduler.snapshot().idle, 1, "and put down, since there is no work");
}

#[test]
fn a_call_that_nobody_minds_is_taken_after_ten_milliseconds() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.enter_blocking().unwrap();
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(7).retaken, 0);
    assert_eq!(monitor.step(7 + SLICE - 1).retaken, 0);
    assert_eq!(monitor.step(7 + SLICE).retaken, 1);
}

#[test]
fn a_slice_of_ten_milliseconds_is_asked_to_end() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(3).asked, 0);
    assert_eq!(monitor.step(3 + SLICE - 1).asked, 0);
    assert!(!machine.should_yield());
    assert_eq!(monitor.step(3 + SLICE).asked, 1);
    assert!(machine.should_yield());
    assert!(scheduler.snapshot().processors[0].must_yield);
    machine.yield_now(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    assert_eq!(monitor.step(3 + SLICE + TICK).asked, 0, "a new slice");
    assert_eq!(monitor.step(3 + 2 * SLICE + TICK).asked, 1);
}

#[test]
fn a_call_in_a_slice_that_is_over_is_taken_at_once() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    drop(scheduler.host().request());
    assert_eq!(next(&mut machine), 1);
    let mut monitor = scheduler.monitor();
    let _ = monitor.step(0);
    machine.enter_blocking().unwrap();
    assert_eq!(monitor.step(SLICE).retaken, 1, "though it sees the call for the first time");
}

#[test]
fn a_slice_is_as_old_as_the_first_look_at_it() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.spawn(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1); // out of the slot: no slice was begun yet
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(100 * SLICE).asked, 0);
    assert_eq!(run(&mut machine), [0; 0]);
    assert_eq!(monitor.step(101 * SLICE).asked, 0, "it is idle");
    let _machine = scheduler.machine().unwrap();
    assert_eq!(monitor.step(200 * SLICE).asked, 0, "it was idle");
    assert_eq!(monitor.step(201 * SLICE).asked, 1);
}

#[test]
fn an_idle_processor_is_left_alone() {
    let scheduler = scheduler(2);
    let machines = busy(&scheduler);
    drop(machines);
    let mut monitor = scheduler.monitor();
    for round in 0..3 {
        let done = monitor.step(round * SLICE);
        assert_eq!((done.asked, done.retaken), (0, 0));
    }
}

#[test]
fn fifty_rounds_in_vain_double_the_sleep_up_to_ten_milliseconds() {
    let scheduler = scheduler(1);
    let _machine = scheduler.machine().unwrap();
    let mut monitor = scheduler.monitor();
    let naps: Vec<_> = (0..70).map(|_| monitor.step(0).nap).collect();
    assert_eq!(naps[..50], [Nap::For(TICK); 50]);
    let doubled: Vec<_> = (1..=20).map(|round| Nap::For((TICK << round).min(SLICE))).collect();
    assert_eq!(naps[50..], doubled);
    assert_eq!(naps[59], Nap::For(SLICE));
}

#[test]
fn a_round_that_takes_a_processor_makes_the_next_sleep_short() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let mut monitor = scheduler.monitor();
    for _ in 0..55 {
        let _ = monitor.step(0);
    }
    machine.submit(job(1)).unwrap();
    machine.enter_blocking().unwrap();
    assert!(matches!(monitor.step(0).nap, Nap::For(nap) if nap > TICK));
    let round = monitor.step(TICK);
    assert_eq!((round.retaken, round.nap), (1, Nap::For(TICK)));
}

#[test]
fn other_times_are_kept() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap();
    assert_eq!(next(&mut machine), 1);
    let pace = Pace { nap: 5, longest_nap: 20, patience: 1, slice: 100, poll: 1000 };
    let mut monitor = scheduler.monitor_with(pace);
    let naps: Vec<_> = (0..5).map(|_| monitor.step(0).nap).collect();
    assert_eq!(naps, [5, 10, 20, 20, 20].map(Nap::For));
    assert_eq!(monitor.step(99).asked, 0);
    assert_eq!(monitor.step(100).asked, 1);
}

#[test]
fn it_sleeps_deeply_while_every_processor_is_idle_until_one_is_taken_up() {
    let scheduler = scheduler(2);
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(0).nap, Nap::Deep);
    let (slept, sleeps) = std::sync::mpsc::channel();
    let watch = std::thread::spawn(move || {
        monitor.sleep();
        slept.send(()).unwrap();
        monitor.step(1).nap
    });
    let early = sleeps.recv_timeout(std::time::Duration::from_millis(50));
    assert!(early.is_err(), "nothing has happened");
    let _machine = scheduler.machine().unwrap();
    sleeps.recv().unwrap();
    assert_eq!(watch.join().unwrap(), Nap::For(TICK));
}

#[test]
fn it_does_not_sleep_if_a_processor_was_taken_up_meanwhile() {
    let scheduler = scheduler(1);
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(0).nap, Nap::Deep);
    let _machine = scheduler.machine().unwrap();
    monitor.sleep();
    assert_eq!(monitor.step(1).nap, Nap::For(TICK));
}

#[test]
fn it_sleeps_deeply_while_the_world_is_stopped_and_ends_with_the_scheduler() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(0).nap, Nap::For(TICK));
    let world = machine.stop_the_world().unwrap();
    assert_eq!(monitor.step(1).nap, Nap::Deep);
    machine.resume(world);
    assert_eq!(monitor.step(2).nap, Nap::For(TICK));
    assert!(machine.shutdown().unwrap().is_empty());
    assert_eq!(monitor.step(3).nap, Nap::End);
    monitor.sleep(); // returns at once
}

#[test]
fn a_shutdown_ends_its_deep_sleep() {
    let scheduler = scheduler(1);
    let mut monitor = scheduler.monitor();
    assert_eq!(monitor.step(0).nap, Nap::Deep);
    let watch = std::thread::spawn(move || {
        monitor.sleep();
        monitor.step(1).nap
    });
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(scheduler.shutdown().unwrap().is_empty());
    assert_eq!(watch.join().unwrap(), Nap::End);
}

#[test]
fn it_asks_for_a_refused_machine_again_and_does_not_sleep_deeply_before() {
    let scheduler = scheduler(1);
    let mut monitor = scheduler.monitor();
    scheduler.host().answer(crate::host::Answer::Refuse);
    scheduler.inject(job(1)).unwrap();
    assert_eq!(monitor.step(0).nap, Nap::For(TICK), "there is a task, and nobody for it");
    scheduler.host().answer(crate::host::Answer::Keep);
    let _ = monitor.step(TICK);
    assert_eq!(scheduler.host().asked(), 1);
    assert_eq!(run(&mut scheduler.host().begin()), [1]);
    assert_eq!(monitor.step(2 * TICK).nap, Nap::Deep);
}
