//! The book says what the code says: its programs run, what it includes is there, and its pictures
//! of states are drawn from the code's own tables.
//!
//! ```text
//! cargo test -p gosched-verify --test book               checks
//! UPDATE=1 cargo test -p gosched-verify --test book      also draws docs/src/protocol/states.md
//! ```

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "reads files")]

mod includes;
mod states;

/// The guide's programs.
#[path = "../../../core/examples/host_steps/main.rs"]
mod host_steps;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Far more than they take. A wake that is lost would have them wait for ever.
const LIMIT: Duration = Duration::from_secs(300);

#[test]
fn every_step_of_the_guide_runs() {
    let (says, said) = mpsc::channel();
    let steps = thread::spawn(move || {
        host_steps::main();
        says.send(()).expect("the test waits");
    });
    match said.recv_timeout(LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("a step hangs: see which, above"),
        _ => steps.join().expect("what the pages claim holds"),
    }
}
