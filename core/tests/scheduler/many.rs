//! Ten thousand processors, on one thread.

use gosched::Config;

use crate::host::{batch, busy, ids, job, run_all, with};

#[test]
fn ten_thousand_processors_share_ten_thousand_tasks() {
    let scheduler = with(Config::new(10_000));
    scheduler.inject_batch(batch(0..10_000)).unwrap();
    let mut machines = Vec::new();
    let mut ran = run_all(&scheduler, &mut machines);
    ran.sort_unstable();
    assert!(ran.into_iter().eq(0..10_000));
    let snapshot = scheduler.snapshot();
    assert_eq!((snapshot.idle, snapshot.searching, snapshot.processors.len()), (10_000, 0, 10_000));
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn ten_thousand_busy_processors_are_stopped_and_go_on() {
    let mut config = Config::new(10_000);
    config.max_machines = 20_000;
    let scheduler = with(config);
    let mut machines = busy(&scheduler);
    for (id, machine) in machines.iter_mut().enumerate() {
        machine.submit(job(id)).unwrap();
        machine.enter_blocking().unwrap();
    }
    scheduler.set_processors(3).unwrap();
    assert_eq!(scheduler.snapshot().global, 10_000 - 3);
    let mut started: Vec<_> = (0..3).map(|_| scheduler.host().begin()).collect();
    for machine in &mut started[1..] {
        machine.enter_blocking().unwrap();
    }
    let left = started[0].shutdown().unwrap();
    assert!(ids(left).into_iter().eq(0..10_000));
}
