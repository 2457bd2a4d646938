//! `gosched-verify compare`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use super::child::{self, Job};
use super::race::{Settings, compare};
use super::report;
use super::subject::{Subject, subjects};
use crate::cli::{catch_interrupts, matches};
use crate::report::Exit;

/// Run the explorer, loom and shuttle on the same models, and compare time and outcomes
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only models whose claim/case contains SELECTION; with `*`, which match as a whole
    /// [default: the models of three threads, and a small one of which loom misses an outcome]
    #[arg(value_name = "SELECTION")]
    selection: Vec<String>,
    /// Seconds for each run; one that needs more is stopped, and its ratio is a lower bound
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 20,
        value_parser = clap::value_parser!(u64).range(1..=604_800)
    )]
    budget: u64,
    /// Runs of each engine on each model, as long as they are short; the least time counts
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u16).range(1..=1000)
    )]
    rounds: u16,
    /// Print the table as Markdown
    #[arg(long)]
    markdown: bool,
    /// List the models and the engines, and run none
    #[arg(long)]
    list: bool,
    /// Write the result to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Do one run, given as JSON: what the comparison's own child processes are called with
    #[arg(long, value_name = "JOB", hide = true)]
    child: Option<String>,
}

/// Runs the subcommand. It fails if a run dies, or if shuttle reaches an outcome that the explorer
/// does not have.
///
/// # Errors
///
/// What is wrong with the use of it: a file that cannot be written, a pattern that matches nothing.
pub fn run(args: &Args) -> Result<Exit, String> {
    if let Some(job) = &args.child {
        return run_child(job);
    }
    let selected = select(&args.selection)?;
    if args.list {
        let lines = selected.iter().map(|subject| {
            let engines: Vec<_> = subject.contestants().iter().map(ToString::to_string).collect();
            format!("{}  {}: {}\n", subject.name, subject.shape, engines.join("; "))
        });
        print(&lines.collect::<String>());
        return Ok(Exit::Passed);
    }
    // Before the run, so that minutes are not spent for a result that cannot be kept.
    if let Some(path) = &args.json {
        let opened = File::options().append(true).create(true).open(path);
        opened.map_err(|error| format!("--json {}: {error}", path.display()))?;
    }
    let interrupted = catch_interrupts()?;
    let settings = Settings { budget: args.budget, rounds: args.rounds, interrupted };
    let comparison = compare(&selected, &settings);
    let table = if args.markdown { report::markdown } else { report::text };
    print(&table(&comparison));
    if let Some(path) = &args.json {
        let mut text = serde_json::to_string_pretty(&comparison).expect("it is plain data");
        text.push('\n');
        std::fs::write(path, text)
            .map_err(|error| format!("--json {}: {error}", path.display()))?;
    }
    Ok(comparison.exit())
}

/// The models that are meant; without patterns the default ones.
fn select(patterns: &[String]) -> Result<Vec<Subject>, String> {
    let all = subjects();
    for pattern in patterns {
        if !all.iter().any(|subject| matches(pattern, &subject.name)) {
            return Err(format!(
                "{pattern}: no such model that the explorer and loom both run; \
                 `compare --list '*'` shows all"
            ));
        }
    }
    let is_meant = |subject: &Subject| {
        patterns.iter().any(|pattern| matches(pattern, &subject.name))
            || patterns.is_empty() && subject.is_default
    };
    Ok(all.into_iter().filter(is_meant).collect())
}

fn run_child(job: &str) -> Result<Exit, String> {
    let job: Job = serde_json::from_str(job).map_err(|error| format!("this is no job: {error}"))?;
    let subject = subjects().into_iter().find(|subject| subject.name == job.subject);
    child::run(&job, &subject.ok_or_else(|| format!("there is no model {}", job.subject))?);
    Ok(Exit::Passed)
}

/// Prints to standard output. A reader that left (`| head`) is no error of ours.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
