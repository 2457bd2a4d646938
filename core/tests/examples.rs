//! The examples that use the scheduler for something run, end, and are as short as the book says.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "hosts: their threads and their locks are their own"
)]

#[path = "../examples/executor.rs"]
mod executor;
#[path = "../examples/fork_join.rs"]
mod fork_join;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Far more than they take. A wake that is lost would have them wait for ever.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs `example`, which asserts what it claims.
fn ends(example: fn()) {
    let (says, said) = mpsc::channel();
    let thread = thread::spawn(move || {
        example();
        says.send(()).expect("the test waits");
    });
    match said.recv_timeout(LIMIT) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("the example hangs"),
        _ => thread.join().expect("what the example claims holds"),
    }
}

#[test]
fn the_executor_runs() {
    ends(executor::main);
}

#[test]
fn fork_and_join_run() {
    ends(fork_join::main);
}

/// Lines of code between the marks of the named anchors.
fn lines(text: &str, anchors: &[&str]) -> usize {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let of_one = |anchor: &&str| {
        let (_, after) = text.split_once(&format!("// ANCHOR: {anchor}\n")).expect("it begins");
        let (inside, _) = after.split_once(&format!("// ANCHOR_END: {anchor}\n")).expect("it ends");
        inside.lines().filter(code).count()
    };
    anchors.iter().map(of_one).sum()
}

#[test]
fn they_are_as_short_as_the_book_says() {
    let executor = include_str!("../examples/executor.rs");
    let count = lines(executor, &["task", "host", "schedule", "executor"]);
    assert!((60..=100).contains(&count), "the executor has {count} lines");
    let fork_join = include_str!("../examples/fork_join.rs");
    let count = lines(fork_join, &["job", "join"]);
    assert!((60..=90).contains(&count), "fork and join have {count} lines");
}
