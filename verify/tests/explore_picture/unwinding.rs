//! Failures, and the destructors and panics that come with them: a report, and not the end of the
//! process.

use std::process::{Command, Output};

use gosched::memory::{Atomic, Ordering, Park, RaceCell, Shared};
use gosched_verify::explore::{Builder, Failure, FaultKind, thread};

use crate::models::{Arc, Cell, Parker, Word};

/// Objects when it is dropped and the word is not 1, whatever the reason.
struct Picky(Arc<Word>);

impl Drop for Picky {
    fn drop(&mut self) {
        assert_eq!(self.0.load(Ordering::Relaxed), 1, "dropped too early");
    }
}

fn failure_of(model: fn()) -> Failure {
    let report = Builder::default().explore(move || {
        model();
        ""
    });
    report.failure.expect("the model fails")
}

/// Parks in a thread that owns something picky.
fn park_with_something_picky() -> thread::JoinHandle<()> {
    let word = Arc::new(Word::new(0));
    thread::spawn(move || {
        let _picky = Picky(word.clone());
        Parker::new().park();
        word.store(1, Ordering::Relaxed);
    })
}

#[test]
fn a_race_beside_a_picky_destructor_is_a_race() {
    let failure = failure_of(|| {
        let sleeper = park_with_something_picky();
        let cell = Arc::new(Cell::new(0));
        let theirs = cell.clone();
        let child = thread::spawn(move || theirs.with_mut(|_| ()));
        cell.with_mut(|_| ());
        child.join();
        sleeper.join();
    });
    assert_eq!(failure.kind, FaultKind::Race, "{failure}");
}

#[test]
fn a_deadlock_of_a_thread_with_a_picky_destructor_is_a_deadlock() {
    let failure = failure_of(|| park_with_something_picky().join());
    assert_eq!(failure.kind, FaultKind::Deadlock, "{failure}");
}

fn panic_with_something_picky() {
    let word = Arc::new(Word::new(0));
    let _picky = Picky(word.clone());
    assert_eq!(word.load(Ordering::Relaxed), 1, "the first");
}

#[test]
fn a_panic_before_a_picky_destructor_is_the_first_panic() {
    let failure = failure_of(panic_with_something_picky);
    assert_eq!(failure.kind, FaultKind::Panic, "{failure}");
    assert!(failure.message.ends_with("right: 1"), "{failure}");
    assert!(failure.message.contains("the first"), "{failure}");
    let columns = failure.trace.columns();
    assert!(columns.contains("panics at unwinding.rs:"), "{columns}");
    // The search that left it in the middle of its unwinding is over, and this thread is none the
    // worse.
    assert!(!std::thread::panicking());
    assert_eq!(failure_of(panic_with_something_picky).to_string(), failure.to_string());
    let again =
        Builder::default().replay(panic_with_something_picky_shown, &failure.trace.schedule());
    assert_eq!(again.map(|failure| failure.kind), Ok(FaultKind::Panic));
}

fn panic_with_something_picky_shown() -> &'static str {
    panic_with_something_picky();
    ""
}

#[test]
fn a_panic_that_the_model_catches_is_none() {
    let report = Builder::default().explore(|| {
        let word = Arc::new(Word::new(0));
        let caught = std::panic::catch_unwind(|| panic!("caught"));
        word.store(u32::from(caught.is_err()), Ordering::Relaxed);
        let caught = std::panic::catch_unwind(|| panic!("caught again"));
        assert_eq!(u32::from(caught.is_err()), word.load(Ordering::Relaxed));
        ""
    });
    assert!(report.exhaustive && report.failure.is_none(), "{report:?}");
}

const CHILD: &str = "GOSCHED_UNWINDING_CHILD";

/// Runs one of the tests below in a process of its own, where it does what it is about.
fn in_a_child(test: &str) -> Output {
    let program = std::env::current_exe().expect("a test has a path");
    let name = format!("unwinding::{test}");
    let mut command = Command::new(program);
    command.args(["--exact", &name, "--nocapture"]).env(CHILD, "1");
    command.output().expect("the test's own binary starts")
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

#[test]
fn a_panic_of_the_model_is_in_the_report_alone() {
    if is_child() {
        let failure = failure_of(|| panic!("of the model"));
        println!("reported: {}", failure.message);
        // Another thread's panics are its own affair.
        let other = std::thread::spawn(|| panic!("of another thread"));
        assert!(other.join().is_err());
        return;
    }
    let output = in_a_child("a_panic_of_the_model_is_in_the_report_alone");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("reported: of the model"));
    assert!(errors.contains("of another thread"), "{errors}");
    assert!(!errors.contains("of the model"), "{errors}");
}

/// In one execution the child waits for the parker for ever; in the other it gets the token.
#[test]
fn a_thread_that_waits_is_taken_down_without_its_destructors() {
    let report = Builder::default().explore(|| {
        let shared = Arc::new((Parker::new(), Word::new(0)));
        let theirs = shared.clone();
        let sleeper = thread::spawn(move || {
            let word = Arc::new(Word::new(0));
            let _picky = Picky(word.clone());
            theirs.0.park();
            word.store(1, Ordering::Relaxed);
        });
        shared.0.unpark();
        sleeper.join();
        ""
    });
    assert!(report.exhaustive && report.failure.is_none(), "{report:?}");
    assert!(report.blocked > 0, "no execution waits: {report:?}");
}
