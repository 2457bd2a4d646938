//! Every check as a test: `cargo test --features loom`, or `cargo nextest run`.
//!
//! The tests are made from the registry at run time, one for each check, named by its id. Each runs
//! the binary for its check alone, with the bounds of the ordinary run, so that a crash or a hang
//! is one failed test. A check that is *incomplete* passes, as its exit code says, and is named in
//! the end: how far a check comes in its time depends on the machine.
//!
//! A run without a filter must run every check that the binary lists, or it fails: a claim that
//! silently fell out of the tests would look like one that holds.

#![allow(clippy::std_instead_of_alloc, reason = "a test has std")]

use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};

use gosched_verify::claim::registry;
use gosched_verify::engine::checks;
use libtest_mimic::{Arguments, Failed, Trial};

const BINARY: &str = env!("CARGO_BIN_EXE_gosched-verify");

/// Ids and verdicts of the checks that passed as far as they came.
type Incomplete = Arc<Mutex<Vec<String>>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let incomplete = Incomplete::default();
    let ids: Vec<_> = checks(&registry()).iter().map(|check| check.id()).collect();
    let trials = ids.into_iter().map(|id| {
        let incomplete = Arc::clone(&incomplete);
        Trial::test(id.clone(), move || run(&id, &incomplete))
    });
    let all = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    for line in incomplete.lock().expect("no test panics while it adds a line").iter() {
        eprintln!("not complete: {line}");
    }
    let ran = conclusion.num_passed + conclusion.num_failed;
    let listed = if all { listed() } else { 0 };
    if ran < listed {
        eprintln!("error: the registry lists {listed} checks, but only {ran} ran");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

/// Runs the check `id` in a process of its own.
fn run(id: &str, incomplete: &Incomplete) -> Result<(), Failed> {
    let output = Command::new(BINARY).args(["check", "--exact", "--only", id, "-j1"]).output()?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}\n{stdout}{stderr}", output.status).into());
    }
    // Under `Not checked:` stands the check's own line, if it is incomplete.
    let own_line = stdout.lines().find_map(|line| line.trim().strip_prefix(&format!("- {id}: ")));
    if let Some(verdict) = own_line {
        let mut incomplete = incomplete.lock().expect("no test panics while it adds a line");
        incomplete.push(format!("{id}: {verdict}"));
    }
    Ok(())
}

/// How many checks the binary lists.
fn listed() -> u64 {
    let output = Command::new(BINARY).arg("--list").output().expect("the binary starts");
    assert!(output.status.success(), "gosched-verify --list: {}", output.status);
    String::from_utf8_lossy(&output.stdout).lines().count() as u64
}
