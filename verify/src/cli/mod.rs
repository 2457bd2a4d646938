//! The binary `gosched-verify`: the command line around the engines.
//!
//! `check` selects (`select`), runs each check in a child process (`run`, `cores`, `supervise`,
//! `child`), shows how it goes (`progress`) and prints the report.

mod args;
mod child;
mod cores;
mod progress;
mod run;
mod select;
mod specification;
mod supervise;

use core::time::Duration;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

use self::args::{CheckArgs, Cli, Command, ReplayArgs, TableArgs};
#[cfg(all(feature = "explore", feature = "loom", feature = "shuttle"))]
pub(crate) use self::select::matches;
use self::supervise::Settings;
use crate::engine::{Findings, Progress};
use crate::report::{Exit, FORMAT, Report, markdown, table};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let ended = match cli.command {
        None => check(&cli.check),
        Some(Command::Check(args)) => check(&args),
        Some(Command::Replay(args)) => replay(&args),
        Some(Command::Table(args)) => print_table(&args),
        Some(Command::Specification(args)) => specification::run(&args),
        #[cfg(all(feature = "explore", feature = "loom"))]
        Some(Command::Audit(args)) => crate::audit::cli::run(&args),
        #[cfg(all(feature = "explore", feature = "loom", feature = "shuttle"))]
        Some(Command::Compare(args)) => crate::compare::cli::run(&args),
        Some(Command::Child(args)) => Ok(child::main(&args)),
    };
    let exit = ended.unwrap_or_else(|message| {
        let _ = writeln!(std::io::stderr(), "gosched-verify: {message}");
        Exit::Usage
    });
    exit.into()
}

/// `check`. An error is one of usage.
fn check(args: &CheckArgs) -> Result<Exit, String> {
    let selection = select::select(args)?;
    if args.list {
        let lines = selection.checks.iter().map(|check| {
            format!("{}  {}, {}\n", check.id(), check.shape, check.bounds(args.extent.effort()))
        });
        print(&lines.collect::<String>());
        return Ok(Exit::Passed);
    }
    // Before the run, so that two minutes are not spent for a result that cannot be kept.
    let json = args.json.as_deref().map(Output::open).transpose()?;
    let report = run_report(args, selection)?;
    print(&table(&report));
    if let Some(json) = json {
        json.write(&report)?;
    }
    Ok(report.exit(args.require_complete))
}

fn run_report(args: &CheckArgs, selection: select::Selection) -> Result<Report, String> {
    let settings = Settings {
        effort: args.extent.effort(),
        seconds: args.extent.seconds(),
        selftest: args.extent.selftest,
        interrupted: catch_interrupts()?,
    };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or_else(cores, usize::from);
    Ok(run::run(selection, &settings, jobs))
}

/// The first Ctrl-C sets the flag, which ends the run with a partial report; the second ends us.
pub(crate) fn catch_interrupts() -> Result<&'static AtomicBool, String> {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    ctrlc::set_handler(|| {
        // ORDER: Relaxed: a flag alone.
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    })
    .map_err(|error| format!("Ctrl-C cannot be caught: {error}"))?;
    Ok(&INTERRUPTED)
}

/// `replay`.
fn replay(args: &ReplayArgs) -> Result<Exit, String> {
    let check = select::exactly(&args.check, args.extent.selftest)?;
    let limit = Duration::from_secs(args.extent.seconds());
    let progress = Progress::default();
    let run = || check.replay(args.schedule.as_deref(), args.extent.effort(), limit, &progress);
    // The panic hook has printed the message and the backtrace by the time it is caught here.
    let Ok(findings) = std::panic::catch_unwind(core::panic::AssertUnwindSafe(run)) else {
        print(&format!("{}: FAILED after {} executions\n", check.id(), progress.executions()));
        return Ok(Exit::Failed);
    };
    let findings = findings?;
    let Findings { executions, verdict, .. } = findings;
    print(&format!("{}: {verdict} after {executions} executions\n", check.id()));
    if verdict.is_failure() || verdict.is_incomplete() {
        print(&format!("{}\n", verdict.detail()));
    }
    Ok(if verdict.is_failure() { Exit::Failed } else { Exit::Passed })
}

/// `table`.
fn print_table(args: &TableArgs) -> Result<Exit, String> {
    let report = match &args.file {
        Some(file) => read(file)?,
        None => {
            let args = CheckArgs::default();
            run_report(&args, select::select(&args)?)?
        }
    };
    print(&if args.markdown { markdown(&report) } else { table(&report) });
    Ok(report.exit(false))
}

fn read(file: &Path) -> Result<Report, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| format!("{name} is not what `check --json` writes: {error}"))?;
    if report.format == FORMAT {
        Ok(report)
    } else {
        Err(format!("{name} has format {}, this program reads {FORMAT}", report.format))
    }
}

/// Prints to standard output. A reader that left (`| head`) is no error of ours.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The file of `--json`, open before the run.
struct Output<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Output<'a> {
    fn open(path: &'a Path) -> Result<Self, String> {
        let options = File::options().write(true).create(true).truncate(false).clone();
        let file = options
            .open(path)
            .map_err(|error| format!("--json {}: cannot be written: {error}", path.display()))?;
        Ok(Self { path, file })
    }

    fn write(mut self, report: &Report) -> Result<(), String> {
        let mut text = serde_json::to_string_pretty(report).expect("a report is plain data");
        text.push('\n');
        // Not truncated before: an old result stays until there is a new one.
        self.file
            .set_len(0)
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(|error| format!("--json {}: {error}", self.path.display()))
    }
}
