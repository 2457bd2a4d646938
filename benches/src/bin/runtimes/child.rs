//! One measurement in a process of its own: no runtime inherits another's threads, memory or pools.
//!
//! A runtime in Rust is this program again with the hidden subcommand `one`; Go is the program that
//! `main` built. Both are given the same numbers and print one line of JSON. A child that
//! takes too long is killed and reported: a lost wake-up is a result, too.

use core::time::Duration;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::runtime::Runtime;
use crate::sample::Sample;
use crate::workload::{Size, Workload};

/// What to run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) runtime: Runtime,
    pub(crate) workload: Workload,
    pub(crate) workers: usize,
    pub(crate) size: Size,
}

/// Runs it and waits for it.
///
/// # Errors
///
/// One line that says what went wrong: it could not be started, failed, or took more than `limit`.
pub(crate) fn run(task: Task, go: Option<&Path>, limit: Duration) -> Result<Sample, String> {
    let mut command = match (task.runtime, go) {
        (Runtime::Go, Some(program)) => Command::new(program),
        (Runtime::Go, None) => return Err("there is no program in Go".to_owned()),
        _ => {
            let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
            let mut command = Command::new(here);
            command.args(["one", task.runtime.name()]);
            command
        }
    };
    let numbers = [task.workers, task.size.tasks, task.size.rounds].map(|n| n.to_string());
    command.arg(task.workload.name()).args(numbers).stdout(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("cannot start the child: {error}"))?;
    let line = output(child, limit)?;
    serde_json::from_str(&line).map_err(|error| format!("not a sample: {error}: {line}"))
}

/// What it printed, which is less than a pipe holds.
fn output(mut child: Child, limit: Duration) -> Result<String, String> {
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begin.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
            Ok(None) => {
                drop(child.kill());
                drop(child.wait());
                return Err(format!("not done after {} s", limit.as_secs_f64()));
            }
            Err(error) => return Err(format!("cannot wait for the child: {error}")),
        }
    };
    let mut text = String::new();
    let read = child.stdout.take().map(|mut pipe| pipe.read_to_string(&mut text));
    match (status.success(), read) {
        (true, Some(Ok(_))) => Ok(text),
        (true, _) => Err("what the child printed cannot be read".to_owned()),
        (false, _) => Err(format!("the child failed: {status}")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command.spawn().expect("a shell")
    }

    #[test]
    fn what_a_child_prints_comes_back() {
        let limit = Duration::from_secs(60);
        assert_eq!(output(shell("echo here"), limit).as_deref(), Ok("here\n"));
    }

    #[test]
    fn a_child_that_fails_or_hangs_is_told() {
        let failed = output(shell("exit 3"), Duration::from_secs(60)).expect_err("it failed");
        assert!(failed.contains('3'), "{failed}");
        let hung = output(shell("exec sleep 600"), Duration::from_millis(50)).expect_err("killed");
        assert!(hung.contains("not done after 0.05 s"), "{hung}");
    }
}
