//! Parking and making ready, with tasks that carry a status.

use gosched::scheduler::ReadyError;
use gosched::{Batch, Step, TaskStatus};

use crate::host::{job_with_state, next, run, scheduler};

fn status(job: &crate::host::Job) -> TaskStatus {
    job.state.as_ref().expect("it carries one").status()
}

#[test]
fn a_task_goes_through_its_states() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let task = job_with_state(1);
    machine.spawn(task.clone()).unwrap();
    assert_eq!(status(&task), TaskStatus::Runnable);
    assert_eq!(next(&mut machine), 1);
    assert_eq!(status(&task), TaskStatus::Running);
    let mut waiting = None;
    machine
        .park(task.clone(), |parked| {
            assert_eq!(status(&parked), TaskStatus::Waiting, "from the commit on");
            waiting = Some(parked);
            Ok(())
        })
        .unwrap();
    machine.ready(waiting.unwrap()).unwrap();
    assert_eq!(status(&task), TaskStatus::Runnable);
    assert_eq!(next(&mut machine), 1);
    machine.yield_now(task.clone()).unwrap();
    assert_eq!(status(&task), TaskStatus::Runnable);
    assert_eq!(next(&mut machine), 1);
    machine.yield_local(task.clone()).unwrap();
    assert_eq!(status(&task), TaskStatus::Runnable);
}

#[test]
fn a_commit_may_give_the_task_back() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job_with_state(1)).unwrap();
    let Step::Run(task) = machine.step() else { panic!("no task") };
    let task = machine.park(task, Err).unwrap_err();
    assert_eq!((task.id, status(&task)), (1, TaskStatus::Running), "it goes on");
    assert_eq!(run(&mut machine), [0; 0]);
}

#[test]
fn a_task_may_be_made_ready_before_park_returns() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    machine.submit(job_with_state(1)).unwrap();
    let Step::Run(task) = machine.step() else { panic!("no task") };
    let waker = scheduler.clone();
    machine.park(task, |task| waker.ready(task).map_err(ReadyError::into_task)).unwrap();
    assert_eq!(run(&mut machine), [1]);
}

#[test]
fn of_two_wakers_one_succeeds() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let task = job_with_state(1);
    machine.submit(task.clone()).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.park(task.clone(), |_| Ok(())).unwrap();
    scheduler.ready(task.clone()).unwrap();
    for refused in [machine.ready(task.clone()), scheduler.ready(task.clone())] {
        match refused {
            Err(ReadyError::NotWaiting { task, status: TaskStatus::Runnable }) => {
                assert_eq!(task.id, 1, "it comes back");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(run(&mut machine), [1], "once");
}

#[test]
fn a_task_that_never_parked_is_not_made_ready() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let error = machine.ready(job_with_state(1)).unwrap_err();
    assert_eq!(error.to_string(), "only a waiting task can be made ready, and this one is New");
    assert_eq!(run(&mut machine), [0; 0]);
}

#[test]
fn a_readied_task_runs_next() {
    let scheduler = scheduler(1);
    let mut machine = scheduler.machine().unwrap();
    let waiting = job_with_state(1);
    machine.submit(waiting.clone()).unwrap();
    assert_eq!(next(&mut machine), 1);
    machine.park(waiting.clone(), |_| Ok(())).unwrap();
    machine.submit(job_with_state(2)).unwrap();
    machine.ready(waiting).unwrap();
    assert_eq!(run(&mut machine), [1, 2]);
}

#[test]
fn the_tasks_of_a_batch_are_started_as_those_that_come_alone() {
    let scheduler = scheduler(1);
    let tasks: Vec<_> = (1..=3).map(job_with_state).collect();
    scheduler.inject_batch(tasks.iter().cloned().collect::<Batch<_>>()).unwrap();
    assert!(tasks.iter().all(|task| status(task) == TaskStatus::Runnable));
    let mut machine = scheduler.host().begin();
    assert_eq!(run(&mut machine), [1, 2, 3]);
}
