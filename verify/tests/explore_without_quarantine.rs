//! Without the explorer's allocator a thread that waits is unwound when its execution is over, so
//! that its memory comes back; a destructor that objects to what it finds then ends the process,
//! and says why.

#![cfg(feature = "explore")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

use std::process::Command;

use gosched::memory::{Atomic, Memory, Ordering, Park, Shared};
use gosched_verify::explore::{Builder, Explored, thread};

type Word = <Explored as Memory>::AtomicU32;
type Parker = <Explored as Memory>::Parker;
type Arc<T> = <Explored as Memory>::Arc<T>;

const CHILD: &str = "GOSCHED_UNWINDING_CHILD";

/// Objects when it is dropped and the word is not 1, whatever the reason.
struct Picky(Arc<Word>);

impl Drop for Picky {
    fn drop(&mut self) {
        assert_eq!(self.0.load(Ordering::Relaxed), 1, "dropped too early");
    }
}

#[test]
fn a_picky_destructor_in_an_execution_that_waits_ends_the_process_with_a_word() {
    if std::env::var_os(CHILD).is_some() {
        // The child waits for the parker in one execution, and gets the token in the other.
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
        println!("not reached: {report:?}");
        return;
    }
    let program = std::env::current_exe().expect("a test has a path");
    let name = "a_picky_destructor_in_an_execution_that_waits_ends_the_process_with_a_word";
    let mut command = Command::new(program);
    let output = command.args(["--exact", name, "--nocapture"]).env(CHILD, "1").output();
    let output = output.expect("the test's own binary starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{errors}");
    for part in [
        "a destructor of the model panics at explore_without_quarantine.rs:",
        "while a thread that waits is taken down, which ends the process:",
        "dropped too early",
        "only `if !std::thread::panicking()`",
    ] {
        assert_eq!(errors.matches(part).count(), 1, "`{part}`: {errors}");
    }
}
