//! What a caller can get wrong is an error, and changes nothing.

use gosched::{Batch, Config, ConfigError, Scheduler, Step};

use crate::host::{Answer, Desk, batch, job, run, scheduler, with};

fn error(change: impl FnOnce(&mut Config)) -> ConfigError {
    let mut config = Config::new(2);
    change(&mut config);
    Scheduler::new(Desk::new(), config).map(drop).expect_err("it makes no sense")
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let processors = ConfigError::Processors { most: 2 };
    assert_eq!(error(|config| config.processors = 0), processors);
    assert_eq!(error(|config| config.processors = 3), processors);
    assert_eq!(error(|config| config.max_machines = 0), ConfigError::NoMachines);
    assert_eq!(error(|config| config.global_interval = 0), ConfigError::GlobalInterval);
    assert_eq!(error(|config| config.steal_rounds = 0), ConfigError::StealRounds);
    assert_eq!(
        Scheduler::new(Desk::new(), Config::new(0)).map(drop).unwrap_err(),
        ConfigError::Processors { most: 0 }
    );
    for error in [processors, ConfigError::NoMachines, ConfigError::StealRounds] {
        assert!(error.to_string().contains("must"), "{error}");
    }
}

#[test]
fn more_machines_than_there_may_be_are_refused_and_then_not() {
    let mut config = Config::new(2);
    config.max_machines = 1;
    let scheduler = with(config);
    let mut machine = scheduler.machine().unwrap();
    let error = scheduler.machine().unwrap_err();
    assert!(error.to_string().contains("as many machines as it may"));
    machine.submit(job(1)).unwrap();
    assert_eq!(scheduler.host().asked(), 0, "the host is not even asked");
    assert_eq!(run(&mut machine), [1]);
    drop(machine);
    assert!(scheduler.machine().is_ok());
}

#[test]
fn one_machine_runs_everything_when_the_host_refuses_every_other() {
    let mut config = Config::new(4);
    config.max_processors = 4;
    let scheduler = with(config);
    scheduler.host().answer(Answer::Refuse);
    let mut machine = scheduler.machine().unwrap();
    let mut ran = Vec::new();
    for round in 0..10 {
        for id in 0..10 {
            let task = job(10 * round + id);
            match id % 3 {
                0 => machine.spawn(task).unwrap(),
                1 => machine.submit(task).unwrap(),
                _ => scheduler.inject(task).unwrap(),
            }
        }
        ran.extend(run(&mut machine));
    }
    ran.sort_unstable();
    assert_eq!(ran, (0..100).collect::<Vec<_>>());
    assert_eq!(scheduler.snapshot().searching, 0);
}

#[test]
fn work_that_a_refused_machine_was_to_do_goes_to_one_that_fell_asleep_meanwhile() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job(1)).unwrap(); // asks for a machine
    assert_eq!(run(&mut machine), [1]); // sleeps: the one asked for is a searcher, who will look
    scheduler.inject(job(2)).unwrap(); // wakes nobody: a searcher is on its way
    drop(scheduler.host().request()); // it never comes
    assert_eq!(run(&mut machine), [2]);
}

#[test]
fn a_host_that_never_parks_makes_steps() {
    let scheduler = scheduler(2);
    let mut one = scheduler.machine().unwrap();
    let mut two = scheduler.machine().unwrap();
    let mut ran = Vec::new();
    for round in 0..100 {
        if round % 10 == 0 {
            scheduler.inject_batch(batch(round..round + 5)).unwrap();
        }
        for machine in [&mut one, &mut two] {
            if let Step::Run(task) = machine.step() {
                ran.push(task.id);
            }
        }
    }
    assert_eq!(ran.len(), 50);
}

#[test]
fn a_poll_that_nobody_asked_for_submits_what_it_brings() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.polled(Batch::new());
    machine.polled(batch(1..=2));
    assert_eq!(run(&mut machine), [1, 2]);
    let mut asleep = machine;
    asleep.polled(batch(3..=4));
    assert_eq!(run(&mut asleep), [3, 4]);
}

#[test]
fn a_step_in_the_middle_of_a_poll_ends_it() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    scheduler.host().has_poller.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(machine.step(), Step::Poll(_)));
    scheduler.inject(job(1)).unwrap();
    let mut started = scheduler.host().begin();
    assert_eq!(run(&mut started), [1]);
    assert!(matches!(machine.step(), Step::Sleep | Step::Poll(_)));
}

#[test]
fn errors_and_handles_can_be_printed() {
    let scheduler = scheduler(2);
    let mut machine = scheduler.machine().unwrap();
    assert!(format!("{scheduler:?}").contains("processors: 2"));
    assert!(format!("{machine:?}").contains("with a processor"));
    machine.enter_blocking().unwrap();
    assert!(format!("{machine:?}").contains("in a system call"));
    assert!(!machine.enter_blocking().unwrap_err().to_string().is_empty());
    let outside = scheduler.outside();
    assert!(format!("{outside:?} {:?}", scheduler.monitor()).contains("Monitor"));
}
