//! One run: one engine on one model, in a process of its own.
//!
//! A process of its own, because loom keeps what it has allocated, because an engine that does not
//! stop must be ended, and so that no run warms a cache or an allocator for the next. The time is
//! taken here, around the exploration: a process takes longer to start than a small model to
//! explore.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::num::NonZeroUsize;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::subject::{Contestant, SCHEDULES, Subject};
use crate::claim::Outcome;
use crate::engine::{End, Exploration, Progress, Watch, explore, loom, shuttle};

/// Begins every line that the child says to its parent.
const MARK: &str = "compare-child: ";

/// A child that does not stop by itself when its budget is spent gets this much longer.
const GRACE: Duration = Duration::from_secs(10);

/// How often the child says how far it is, and the parent looks at Ctrl-C.
const PERIOD: Duration = Duration::from_millis(100);

/// What a child is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Job {
    /// The model's name.
    pub(super) subject: String,
    /// What runs it.
    pub(super) contestant: Contestant,
    /// Seconds until it must stop.
    pub(super) budget: u64,
}

/// What a run saw, and how long it took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measurement {
    pub(super) executions: u64,
    pub(super) blocked: u64,
    pub(super) outcomes: BTreeSet<Outcome>,
    pub(super) seconds: f64,
    /// Whether the budget left it the time to do all that it should.
    pub(super) is_through: bool,
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Executions(u64),
    Ended(Measurement),
}

impl Line {
    fn say(&self) {
        let line = serde_json::to_string(self).expect("a line is plain data");
        println!("{MARK}{line}");
    }
}

/// The child's side: does the job on its model. The process has nothing else to do.
///
/// # Panics
///
/// When an execution fails.
pub(super) fn run(job: &Job, subject: &Subject) {
    std::thread::spawn(|| {
        // The parent holds our standard input open for as long as it lives.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let progress = Progress::default();
    std::thread::spawn({
        let progress = progress.clone();
        move || {
            loop {
                std::thread::sleep(PERIOD);
                Line::Executions(progress.executions()).say();
            }
        }
    });
    let model = Arc::clone(&subject.model);
    let watch = Watch::start(Duration::from_secs(job.budget), &progress);
    let started = Instant::now();
    let (seen, blocked) = match job.contestant {
        Contestant::Explorer => {
            let found = explore::explore(&job.subject, &model, NonZeroUsize::MIN, &watch);
            (found.seen, found.blocked)
        }
        Contestant::Loom(preemptions) => {
            let bound = loom::Bound { preemptions, locations: false };
            (loom::explore(move || model.on_loom(), bound, &watch), 0)
        }
        Contestant::Shuttle => {
            let random = shuttle::Schedules::Random;
            (shuttle::explore(move || model.on_shuttle(), random, SCHEDULES, &watch), 0)
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    let Exploration { executions, outcomes, end } = seen;
    let is_through = end == End::Finished;
    Line::Ended(Measurement { executions, blocked, outcomes, seconds, is_through }).say();
}

/// Why there is no measurement.
#[derive(Debug)]
pub(super) enum Lost {
    /// Ctrl-C came.
    Interrupted,
    /// The child died, or did not stop; in its last words.
    Died(String),
}

/// The parent's side: starts the child, tells `watch` how many executions there were, and waits.
///
/// # Errors
///
/// If there is no measurement.
pub(super) fn measure(
    job: &Job,
    is_interrupted: impl Fn() -> bool,
    mut watch: impl FnMut(u64),
) -> Result<Measurement, Lost> {
    let started = Instant::now();
    let mut child = start(job).map_err(|error| Lost::Died(format!("cannot start: {error}")))?;
    let lines = lines(&mut child);
    let patience = Duration::from_secs(job.budget) + GRACE;
    let ended = loop {
        match lines.recv_timeout(PERIOD) {
            Ok(Line::Executions(executions)) => watch(executions),
            Ok(Line::Ended(measurement)) => break Ok(measurement),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Err(Lost::Died("it crashed".into())),
        }
        if is_interrupted() {
            break Err(Lost::Interrupted);
        }
        if started.elapsed() > patience {
            break Err(Lost::Died(format!("it did not stop within {} s", patience.as_secs())));
        }
    };
    // A child that is through has nothing left to say; another one must be ended. An error means
    // that it has ended already.
    let _ = child.kill();
    let _ = child.wait();
    ended
}

fn start(job: &Job) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    let job = serde_json::to_string(job).expect("a job is plain data");
    command.args(["compare", "--child", &job]);
    // A group of its own, so that Ctrl-C reaches the parent alone, who ends the child.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()
}

/// The child's lines, read by a thread until its output closes. What is no message is dropped.
fn lines(child: &mut Child) -> Receiver<Line> {
    let (sender, receiver) = mpsc::channel();
    let stdout = child.stdout.take().expect("the child's output is a pipe");
    std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let lines = lines.filter_map(|line| serde_json::from_str(line.split_once(MARK)?.1).ok());
        for line in lines {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
