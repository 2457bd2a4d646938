//! The child's side: one check in a process of its own, which tells its parent how it goes.
//!
//! A process of its own, because loom aborts on some failures, a model may hang, and a check that
//! does either must not take the others with it. The child writes [`Message`]s, one JSON line each,
//! to standard output; standard error carries what the engine prints.

use core::any::Any;
use core::time::Duration;
use std::io::{Read, Write};
use std::panic::PanicHookInfo;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::args::ChildArgs;
use super::select;
use crate::engine::{Check, Findings, Progress};
use crate::report::Exit;

/// How often the child says how far it is.
const PROGRESS_PERIOD: Duration = Duration::from_millis(200);

/// A line from the child to its parent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Message {
    /// Executions so far.
    Executions(u64),
    /// The first panic. What follows may be an abort, so it is told at once.
    Panic(String),
    /// The end.
    Findings(Findings),
}

fn send(message: &Message) {
    let mut line = serde_json::to_string(message).expect("a message is plain data");
    line.push('\n');
    let mut stdout = std::io::stdout().lock();
    // A parent that no longer listens is gone: `end_with_the_parent` ends us.
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
}

/// Runs the check that the arguments name.
pub(super) fn main(args: &ChildArgs) -> Exit {
    let check = match select::exactly(&args.check, args.selftest) {
        Ok(check) => check,
        Err(message) => {
            eprintln!("{message}");
            return Exit::Usage;
        }
    };
    std::thread::spawn(end_with_the_parent);
    let progress = Progress::default();
    std::thread::spawn({
        let progress = progress.clone();
        move || report_progress(&progress)
    });
    let findings = run(&check, args, &progress);
    let failed = findings.verdict.is_failure();
    send(&Message::Findings(findings));
    if failed { Exit::Failed } else { Exit::Passed }
}

fn run(check: &Check, args: &ChildArgs, progress: &Progress) -> Findings {
    static FIRST_PANIC: Mutex<Option<String>> = Mutex::new(None);
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut first) = FIRST_PANIC.try_lock()
            && first.is_none()
        {
            let message = describe(info);
            send(&Message::Panic(message.clone()));
            *first = Some(message);
        }
        print(info);
    }));
    let limit = Duration::from_secs(args.time_limit);
    let run = || check.run(args.effort(), limit, args.jobs, progress);
    std::panic::catch_unwind(core::panic::AssertUnwindSafe(run)).unwrap_or_else(|last| {
        let first = FIRST_PANIC.lock().ok().and_then(|mut first| first.take());
        let first = first.unwrap_or_else(|| NO_MESSAGE.into());
        let message = retold(&first, text_of(&*last)).unwrap_or(first);
        Findings::failed(progress.executions(), message)
    })
}

const NO_MESSAGE: &str = "a panic without a message";

/// The last panic, if it says what the first one said and more: the explorer's, with the diagram of
/// the execution in which the model panicked.
fn retold(first: &str, last: &str) -> Option<String> {
    let said = first.lines().next()?;
    let more = last.contains(said) && last.lines().count() > first.lines().count();
    more.then(|| last.to_owned())
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or(NO_MESSAGE)
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    // Not `text_of`: a hook's payload need not be `Send`.
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or(NO_MESSAGE);
    match info.location() {
        Some(at) => format!("{text}\nat {}:{}", at.file(), at.line()),
        None => text.to_owned(),
    }
}

/// The parent holds our standard input open for as long as it lives.
fn end_with_the_parent() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(Exit::Interrupted as i32);
}

fn report_progress(progress: &Progress) {
    let mut told = 0;
    loop {
        std::thread::sleep(PROGRESS_PERIOD);
        let executions = progress.executions();
        if executions != told {
            send(&Message::Executions(executions));
            told = executions;
        }
    }
}
