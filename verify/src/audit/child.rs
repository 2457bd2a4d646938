//! One experiment in a process of its own: one case, explored with one ordering weakened.
//!
//! loom aborts the process on some failures, a weakened algorithm may crash it, and either is a
//! verdict. So the child says what it can, as lines that begin with `MARK`, and the parent judges
//! by these lines, by how the process ended, and by the clock.

use std::any::Any;
use std::fmt;
use std::io::{self, Read};
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::claim::Outcome;
use crate::engine::loom::{Bound, explore};
use crate::engine::{End, Progress, Watch};
use crate::explore::Builder;
use crate::instrument::{Plan, Site, Weakening};

/// Begins every line that the child says to its parent.
const MARK: &str = "audit-child: ";

/// A child that does not stop by itself when its time is over gets this much longer.
const GRACE: Duration = Duration::from_secs(10);

/// What goes through the executions of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Our own explorer, in the world `Audited<Explored>`.
    Explore,
    /// loom, in the world `Audited<Loom>`.
    Loom {
        /// How many involuntary switches an execution may have; `None` is no bound.
        preemptions: Option<usize>,
    },
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Explore => "explore",
            Self::Loom { .. } => "loom",
        })
    }
}

/// What a child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The case: `claim/case`.
    pub case: String,
    /// What explores it.
    pub engine: Engine,
    /// What to weaken; `None` records the sites that are reached.
    pub weakening: Option<Weakening>,
    /// Seconds until the child must stop.
    pub seconds: u64,
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    /// The search came to its end, or to the end of its time.
    Ended { executions: u64, in_time: bool, reached: Vec<Site> },
    /// Something panicked. It may have been caught by the model that expected it.
    Panicked { executions: u64, message: String },
    /// The model did not catch it: the case failed.
    Failed,
}

impl Line {
    fn say(&self) {
        match serde_json::to_string(self) {
            Ok(line) => println!("{MARK}{line}"),
            // Without its line the child's end is a failure, and standard error says why.
            Err(error) => eprintln!("a report could not be written: {error}"),
        }
    }
}

/// How an experiment ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// No execution failed.
    Passed {
        /// How many there were.
        executions: u64,
        /// The sites that were reached, when the job was to record them.
        reached: Vec<Site>,
    },
    /// An execution failed, or the process crashed.
    Failed {
        /// Executions until then, if the child could still say.
        executions: Option<u64>,
        /// The first thing it complained of.
        message: String,
    },
    /// The time was over.
    OutOfTime,
}

/// The child's side: does the job on `execution`, which is one execution of the job's case in the
/// world of the job's engine. Returns whether it passed. The process has a panic hook and an audit
/// plan from then on, and ends with its parent, so it should have nothing else to do.
pub fn run(
    job: &Job,
    files: fn(&str) -> bool,
    execution: impl Fn() -> Outcome + Send + Sync + 'static,
) -> bool {
    thread::spawn(end_with_the_parent);
    let plan = job.weakening.clone().map_or(Plan::Record(files), Plan::Weaken);
    plan.start();
    match job.engine {
        Engine::Explore => run_explorer(job.seconds, execution),
        Engine::Loom { preemptions } => run_loom(job.seconds, preemptions, execution),
    }
}

/// The explorer panics for nobody: it reports.
fn run_explorer(seconds: u64, execution: impl Fn() -> Outcome + Send + Sync + 'static) -> bool {
    let builder = Builder { time_max: Duration::from_secs(seconds), ..Builder::default() };
    let report = builder.explore(execution);
    let executions = report.complete + report.blocked;
    if let Some(failure) = &report.failure {
        let message = format!("{}: {}", failure.kind, failure.message);
        Line::Panicked { executions, message }.say();
        Line::Failed.say();
        return false;
    }
    Line::Ended { executions, in_time: report.exhaustive, reached: Plan::reached() }.say();
    true
}

fn run_loom(
    seconds: u64,
    preemptions: Option<usize>,
    execution: impl Fn() -> Outcome + Send + Sync + 'static,
) -> bool {
    let progress = Progress::default();
    panic::set_hook(Box::new({
        let progress = progress.clone();
        move |panic| {
            let executions = progress.executions();
            Line::Panicked { executions, message: message_of(panic.payload()) }.say();
        }
    }));
    let watch = Watch { deadline: Instant::now() + Duration::from_secs(seconds), progress };
    let bound = Bound { preemptions, locations: false };
    let explored = panic::catch_unwind(AssertUnwindSafe(|| explore(execution, bound, &watch)));
    match explored {
        Ok(explored) => {
            let in_time = explored.end == End::Finished;
            let reached = Plan::reached();
            Line::Ended { executions: explored.executions, in_time, reached }.say();
            true
        }
        Err(_) => {
            Line::Failed.say();
            false
        }
    }
}

/// The parent holds our standard input open for as long as it lives and wants to know.
fn end_with_the_parent() {
    // Whether it ended or broke: nobody is there.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    process::exit(1);
}

fn message_of(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let owned = || payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(owned).unwrap_or("a panic without a message").into()
}

/// The parent's side: starts the child, waits for it, and judges.
///
/// # Errors
///
/// When the child cannot be started or waited for.
pub fn wait(mut command: Command, seconds: u64) -> io::Result<Ending> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let output = child.stdout.take().map(drain);
    let errors = child.stderr.take().map(drain);
    let status = wait_until(&mut child, Instant::now() + Duration::from_secs(seconds) + GRACE)?;
    let text = |pipe: Option<thread::JoinHandle<String>>| {
        pipe.and_then(|reader| reader.join().ok()).unwrap_or_default()
    };
    Ok(status.map_or(Ending::OutOfTime, |status| judge(status, &text(output), &text(errors))))
}

fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is kept: a killed child says no more.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for the child's end; kills it at the deadline, and returns `None`.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn judge(status: ExitStatus, output: &str, errors: &str) -> Ending {
    let mut complaint: Option<(u64, String)> = None;
    let lines = output.lines().filter_map(|line| line.split_once(MARK));
    for line in lines.filter_map(|(_, line)| serde_json::from_str(line).ok()) {
        match line {
            Line::Ended { executions, in_time: true, reached } if status.success() => {
                return Ending::Passed { executions, reached };
            }
            Line::Ended { in_time: false, .. } if status.success() => return Ending::OutOfTime,
            // The first panic of the last execution is the cause; those of executions before it
            // were caught by the model, those after it come from unwinding.
            Line::Panicked { executions, message } => {
                if complaint.as_ref().is_none_or(|(before, _)| *before < executions) {
                    complaint = Some((executions, message));
                }
            }
            Line::Ended { .. } | Line::Failed => {}
        }
    }
    if let Some((executions, message)) = complaint {
        return Ending::Failed { executions: Some(executions), message };
    }
    let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
    Ending::Failed { executions: None, message: format!("{status}: {last}") }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, seconds: u64) -> Ending {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        wait(command, seconds).expect("there is a shell")
    }

    #[test]
    fn a_child_that_ends_in_time_has_passed() {
        let script =
            r#"echo 'noise audit-child: {"Ended":{"executions":7,"in_time":true,"reached":[]}}'"#;
        assert_eq!(shell(script, 5), Ending::Passed { executions: 7, reached: vec![] });
    }

    #[test]
    fn a_child_that_passed_and_then_crashed_has_failed() {
        let script = r#"echo 'audit-child: {"Ended":{"executions":7,"in_time":true,"reached":[]}}'
                        kill -SEGV $$"#;
        assert!(matches!(shell(script, 5), Ending::Failed { executions: None, .. }));
    }

    #[test]
    fn the_first_panic_of_the_last_execution_is_the_cause() {
        let script = r#"echo 'audit-child: {"Panicked":{"executions":3,"message":"expected"}}'
                        echo 'audit-child: {"Panicked":{"executions":9,"message":"the cause"}}'
                        echo 'audit-child: {"Panicked":{"executions":9,"message":"unwinding"}}'
                        kill -ABRT $$"#;
        let cause = Ending::Failed { executions: Some(9), message: "the cause".into() };
        assert_eq!(shell(script, 5), cause);
    }

    #[test]
    fn a_silent_crash_is_told_by_standard_error() {
        let Ending::Failed { executions: None, message } = shell("echo lost >&2; exit 3", 5) else {
            panic!("it failed");
        };
        assert!(message.ends_with(": lost"), "{message}");
    }
}
