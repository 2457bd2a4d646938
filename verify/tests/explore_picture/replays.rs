//! Schedules: the same failure again, or a word on why not.

use gosched::memory::{Atomic, Ordering};
use gosched_verify::explore::{Builder, FaultKind, thread};

use crate::models;

fn replay(model: fn(), schedule: &str) -> Result<String, String> {
    let again = Builder::default().replay(
        move || {
            model();
            ""
        },
        schedule,
    );
    again.map(|failure| failure.to_string())
}

#[test]
fn a_schedule_makes_the_same_failure_again() {
    for model in [
        models::store_buffering,
        models::message_passing,
        models::race,
        models::use_after_free,
        models::lock_order,
        models::lost_wake_up,
        models::operations,
        models::eight_threads,
        models::endless,
        models::two_plus_two_writes,
    ] {
        let failure = models::failure(model);
        let schedule = failure.trace.schedule();
        assert_eq!(replay(model, &schedule), Ok(failure.to_string()), "{schedule}");
    }
}

#[test]
fn a_schedule_is_one_word_to_a_shell() {
    let schedule = models::failure(models::operations).trace.schedule();
    let plain = |c: char| c.is_ascii_alphanumeric() || ":./_=-".contains(c);
    assert!(schedule.chars().all(plain), "{schedule}");
}

#[test]
fn a_schedule_that_cannot_be_read_says_where() {
    for (schedule, complaint) in [
        ("0:w1", "a schedule ends in `/=` and the kind of failure: this one was cut short"),
        ("w1/=panic", "`w1` does not begin with a thread's number and `:`"),
        ("9:w1/=panic", "`9` is no thread's number"),
        ("0:w1.q/=panic", "`q` is no event"),
        ("0:r1/=panic", "`r1` is no event"),
        ("0:w0/=panic", "`w0` is no event"),
    ] {
        assert_eq!(replay(models::store_buffering, schedule), Err(complaint.into()), "{schedule}");
    }
}

#[test]
fn a_schedule_that_does_not_fit_names_the_event() {
    let cases = [
        (
            "0:s1.w1.r1_7/=panic",
            "event 2 of thread 0 reads from event 7 of thread 1, an event that does not exist",
        ),
        (
            "0:s1/1:w1.r0_0/=panic",
            "event 1 of thread 1 reads from event 0 of thread 0, which does not write that location",
        ),
        (
            "0:w1/=panic",
            "event 0 of thread 0 is the start of a thread, and a write in the schedule",
        ),
        (
            "0:s1.w1.r-x/=panic",
            "event 2 of thread 0 fails spuriously in the schedule, and cannot here",
        ),
        ("2:w1/=panic", "thread 2 does not come to its event 0"),
    ];
    for (schedule, complaint) in cases {
        let complaint = format!("the schedule does not fit the model: {complaint}");
        assert_eq!(replay(models::store_buffering, schedule), Err(complaint), "{schedule}");
    }
}

#[test]
fn a_schedule_of_no_execution_of_the_memory_model_is_refused() {
    fn coherent() {
        let x = models::Word::new(0);
        x.store(1, Ordering::Relaxed);
        x.store(2, Ordering::Relaxed);
        assert_eq!(x.load(Ordering::Relaxed), 2);
    }
    for (schedule, complaint) in [
        (
            "0:w1.w2.r0_0/=panic",
            "event 2 of thread 0 reads what is older than what its thread has seen",
        ),
        (
            "0:w2.w1.r0_0/=panic",
            "event 1 of thread 0 writes what is older than what its thread has seen",
        ),
        (
            "0:w1.w1/=panic",
            "event 1 of thread 0 is a second write in place 1 of its location's order",
        ),
    ] {
        let complaint = format!("the schedule does not fit the model: {complaint}");
        assert_eq!(replay(coherent, schedule), Err(complaint), "{schedule}");
    }
}

#[test]
fn a_schedule_of_a_model_that_was_repaired_says_so() {
    let schedule = models::failure(models::store_buffering).trace.schedule();
    fn repaired() {
        use gosched::memory::Shared;
        let x = models::Arc::new(models::Word::new(0));
        let y = models::Arc::new(models::Word::new(0));
        let (their_x, their_y) = (x.clone(), y.clone());
        let child = thread::spawn(move || {
            their_y.store(1, Ordering::Release);
            their_x.load(Ordering::Acquire)
        });
        x.store(1, Ordering::Release);
        let _ = (y.load(Ordering::Acquire), child.join());
    }
    let said = replay(repaired, &schedule).expect_err("it does not fail");
    let complaint = "the execution does not fail where the schedule ends: event 4 of thread 0 is the \
                     thread's end at ";
    assert!(said.starts_with(complaint), "{said}");
    let wrong = schedule.replace("/=panic", "/=race");
    let said = replay(models::store_buffering, &wrong).expect_err("another failure");
    assert!(
        said.starts_with("the schedule ends in `race`, but the execution in `panic`"),
        "{said}"
    );
}

#[test]
fn failures_have_the_kinds_that_they_are() {
    for (model, kind) in [
        (models::store_buffering as fn(), FaultKind::Panic),
        (models::race, FaultKind::Race),
        (models::use_after_free, FaultKind::UseAfterFree),
        (models::lock_order, FaultKind::Deadlock),
        (models::lost_wake_up, FaultKind::Deadlock),
        (models::endless, FaultKind::UnboundedLoop),
    ] {
        assert_eq!(models::failure(model).kind, kind);
    }
}
