//! The parent's side of one check: start the child, listen, and end it when it must end.

use core::num::NonZeroUsize;
use core::time::Duration;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::child::Message;
use crate::engine::{Check, Effort, Engine, Findings, Verdict};
use crate::report::Row;

/// How often the parent looks at the clock and at Ctrl-C.
const GLANCE: Duration = Duration::from_millis(50);

/// Of what a child writes to standard error, the end is kept.
const STDERR_KEPT: usize = 256 * 1024;

/// How many of the child's last lines a crash shows.
const LINES_SHOWN: usize = 12;

/// A longer schedule would not fit into a command line; seeds are fixed, so a replay without it
/// fails in the same way.
const SCHEDULE_LENGTH_MAX: usize = 4096;

/// What is the same for all checks of a run.
#[derive(Debug)]
pub(super) struct Settings {
    /// How far the engines go.
    pub(super) effort: Effort,
    /// Seconds for each check.
    pub(super) seconds: u64,
    /// Whether these are the checkers' own claims.
    pub(super) selftest: bool,
    /// Set by Ctrl-C.
    pub(super) interrupted: &'static AtomicBool,
}

impl Settings {
    /// Whether Ctrl-C came.
    #[must_use]
    pub(super) fn is_interrupted(&self) -> bool {
        // ORDER: Relaxed: a flag alone; who sees it late, acts late.
        self.interrupted.load(Ordering::Relaxed)
    }

    /// After this long a child that has no verdict is hung: it should have stopped by itself.
    fn patience(&self) -> Duration {
        Duration::from_secs(self.seconds + (self.seconds / 2).clamp(5, 60))
    }
}

/// Runs `check` in a child with so many cores; `watch` is told the number of executions now and
/// then.
pub(super) fn supervise(
    check: &Check,
    settings: &Settings,
    cores: NonZeroUsize,
    watch: impl FnMut(u64),
) -> Row {
    let started = Instant::now();
    let (findings, stderr) = match spawn(check, settings, cores) {
        Ok(child) => listen(child, settings, started, watch),
        Err(error) => {
            let message = format!("the process could not be started: {error}");
            (nothing(Verdict::Crashed { message }), String::new())
        }
    };
    let mut row = Row::new(check, settings.effort, started.elapsed().as_secs_f64(), findings);
    if row.verdict.is_failure() {
        row.replay = Some(replay_command(check, settings, &stderr));
    }
    row
}

fn spawn(check: &Check, settings: &Settings, cores: NonZeroUsize) -> std::io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", &check.id(), "--time-limit", &settings.seconds.to_string()]);
    command.args(["--jobs", &cores.to_string()]);
    if settings.effort == Effort::Thorough {
        command.arg("--thorough");
    }
    if settings.selftest {
        command.arg("--selftest");
    }
    // `replay` shows the backtrace; here the message and its place are enough.
    command.env("RUST_BACKTRACE", "0");
    // A group of its own, so that Ctrl-C reaches the parent alone, who ends the children.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// What a child has told so far.
struct Heard {
    executions: u64,
    last_execution: Instant,
    panic: Option<String>,
    findings: Option<Findings>,
}

/// Why the parent stopped listening.
enum Silence {
    Ended,
    Hung,
    Interrupted,
}

fn listen(
    mut child: Child,
    settings: &Settings,
    started: Instant,
    mut watch: impl FnMut(u64),
) -> (Findings, String) {
    let messages = messages(&mut child);
    let stderr = keep_stderr(&mut child);
    let mut heard = Heard { executions: 0, last_execution: started, panic: None, findings: None };
    let silence = loop {
        match messages.recv_timeout(GLANCE) {
            Ok(Message::Executions(executions)) => {
                heard.executions = executions;
                heard.last_execution = Instant::now();
                watch(executions);
            }
            Ok(Message::Panic(message)) => heard.panic = Some(message),
            Ok(Message::Findings(findings)) => heard.findings = Some(findings),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Silence::Ended,
        }
        if settings.is_interrupted() {
            break Silence::Interrupted;
        }
        if started.elapsed() > settings.patience() {
            break Silence::Hung;
        }
    };
    // A child that ended is unaffected; one that closed its output and goes on is ended here.
    if !matches!(silence, Silence::Ended) || heard.findings.is_none() && !ends_soon(&mut child) {
        let _ = child.kill();
    }
    drop(child.stdin.take());
    let status = child.wait();
    let stderr = stderr.join().unwrap_or_default();
    (conclude(heard, &silence, status.ok(), started, &stderr), stderr)
}

fn ends_soon(child: &mut Child) -> bool {
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        std::thread::sleep(GLANCE);
    }
    false
}

fn conclude(
    heard: Heard,
    silence: &Silence,
    status: Option<ExitStatus>,
    started: Instant,
    stderr: &str,
) -> Findings {
    if let Some(findings) = heard.findings {
        return findings;
    }
    let verdict = match silence {
        Silence::Interrupted => Verdict::Interrupted,
        Silence::Hung => Verdict::Hung {
            message: format!(
                "killed after {:.0} s; {} executions had ended, the last {:.0} s before",
                started.elapsed().as_secs_f64(),
                heard.executions,
                heard.last_execution.elapsed().as_secs_f64()
            ),
        },
        Silence::Ended => Verdict::Crashed { message: last_words(&heard, status, stderr) },
    };
    Findings { executions: heard.executions, ..nothing(verdict) }
}

fn nothing(verdict: Verdict) -> Findings {
    Findings { executions: 0, blocked: 0, outcomes: 0, verdict, notes: Vec::new() }
}

/// How a child died, the panic that came first, and its last lines.
fn last_words(heard: &Heard, status: Option<ExitStatus>, stderr: &str) -> String {
    let how = status.map_or("the process was lost".into(), |status| format!("ended by {status}"));
    let mut words = vec![how];
    if let Some(panic) = &heard.panic {
        words.push(format!("the first panic was: {panic}"));
    }
    let lines: Vec<_> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
    words.extend(shown.iter().map(|line| format!("stderr: {line}")));
    words.join("\n")
}

/// The child's lines, read by a thread until its output closes. What is no message is dropped.
fn messages(child: &mut Child) -> Receiver<Message> {
    let (sender, receiver) = mpsc::channel();
    let stdout = child.stdout.take().expect("the child's output is a pipe");
    std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        for message in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The end of what the child writes to standard error.
fn keep_stderr(child: &mut Child) -> JoinHandle<String> {
    let mut stderr = child.stderr.take().expect("the child's errors are a pipe");
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        let mut chunk = [0; 8192];
        while let Ok(length @ 1..) = stderr.read(&mut chunk) {
            kept.extend_from_slice(&chunk[..length]);
            if kept.len() > 2 * STDERR_KEPT {
                kept.drain(..kept.len() - STDERR_KEPT);
            }
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}

/// The command that shows the failure again, in a shell's words.
fn replay_command(check: &Check, settings: &Settings, stderr: &str) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "gosched-verify".into());
    let mut command = format!("{program} replay {}", check.id());
    if settings.effort == Effort::Thorough {
        command += " --thorough";
    }
    if settings.selftest {
        command += " --selftest";
    }
    match schedule(stderr) {
        Some(schedule) if has_schedules(check.engine) => {
            command += &format!(" --schedule {schedule}")
        }
        _ => {}
    }
    command
}

fn has_schedules(engine: Engine) -> bool {
    ["explore", "shuttle"].contains(&engine.name())
}

/// The schedule that the explorer or shuttle printed.
fn schedule(stderr: &str) -> Option<String> {
    let (_, after) = stderr.split_once("failing schedule:\n\"\n")?;
    let (schedule, _) = after.split_once("\n\"")?;
    let schedule: String = schedule.split_whitespace().collect();
    (!schedule.is_empty() && schedule.len() <= SCHEDULE_LENGTH_MAX).then_some(schedule)
}

#[cfg(test)]
mod tests {
    use super::schedule;

    #[test]
    fn the_schedule_is_found_in_what_shuttle_prints() {
        let stderr = "noise\nfailing schedule:\n\"\n9101\n02ab\n\"\npass that string to …";
        assert_eq!(schedule(stderr).as_deref(), Some("910102ab"));
        assert_eq!(schedule("failing schedule:\n\"\n9101"), None);
    }
}
