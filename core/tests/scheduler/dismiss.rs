//! Sending sleeping machines home: who leaves, and that nothing is lost by it.

use gosched::{Config, Step};

use crate::host::{busy, job, run, run_all, scheduler, with};

#[test]
fn the_one_that_has_slept_longest_leaves() {
    let scheduler = scheduler(3);
    let mut machines = busy(&scheduler);
    for machine in &mut machines {
        assert_eq!(run(machine), [0; 0]);
    }
    assert_eq!(scheduler.snapshot().sleeping, 3);
    assert!(scheduler.dismiss(2));
    assert!(matches!(machines[0].step(), Step::Exit));
    assert!(matches!(machines[1].step(), Step::Sleep));
    let snapshot = scheduler.snapshot();
    assert_eq!((snapshot.machines, snapshot.sleeping), (2, 2));
}

#[test]
fn so_many_are_kept() {
    let scheduler = scheduler(2);
    assert!(!scheduler.dismiss(0), "nobody sleeps");
    let mut machines = busy(&scheduler);
    assert!(!scheduler.dismiss(0), "nobody sleeps yet");
    for machine in &mut machines {
        assert_eq!(run(machine), [0; 0]);
    }
    assert!(!scheduler.dismiss(2));
    assert!(scheduler.dismiss(0) && scheduler.dismiss(0) && !scheduler.dismiss(0));
}

#[test]
fn a_task_that_comes_later_gets_a_new_machine() {
    let scheduler = scheduler(1);
    let mut machines = busy(&scheduler);
    assert_eq!(run(&mut machines[0]), [0; 0]);
    assert!(scheduler.dismiss(0));
    // It was sent home, and has not noticed yet.
    scheduler.inject(job(1)).unwrap();
    assert_eq!(run_all(&scheduler, &mut machines), [1]);
    assert_eq!(machines.len(), 2);
}

#[test]
fn a_machine_that_has_not_left_yet_counts_and_the_monitor_tries_again() {
    let scheduler = with(Config { max_machines: 1, ..Config::new(1) });
    let mut machine = scheduler.machine().unwrap();
    assert_eq!(run(&mut machine), [0; 0]);
    assert!(scheduler.dismiss(0));
    scheduler.inject(job(1)).unwrap();
    assert_eq!(scheduler.host().asked(), 0, "there may be one machine, and it is there");
    assert!(matches!(machine.step(), Step::Exit));
    let _ = scheduler.monitor().step(0);
    assert_eq!(run_all(&scheduler, &mut Vec::new()), [1]);
}

#[test]
fn that_all_sleep_is_not_told_again_by_it() {
    let scheduler = scheduler(2);
    let mut machines = busy(&scheduler);
    for machine in &mut machines {
        assert_eq!(run(machine), [0; 0]);
    }
    assert_eq!(scheduler.host().told_asleep(), 1);
    assert!(scheduler.dismiss(0));
    assert!(matches!(machines[0].step(), Step::Exit));
    assert_eq!(scheduler.host().told_asleep(), 1);
}

#[test]
fn a_machine_that_a_task_is_locked_to_is_not_sent_home() {
    let scheduler = scheduler(1);
    let mut machines = busy(&scheduler);
    machines[0].lock();
    assert!(matches!(machines[0].step(), Step::Sleep));
    assert_eq!((scheduler.sleeping(), scheduler.snapshot().sleeping), (0, 1));
    assert!(!scheduler.dismiss(0));
}
