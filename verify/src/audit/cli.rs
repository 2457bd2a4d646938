//! `gosched-verify audit`.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use super::child::{self, Engine, Job};
use super::search::{Case, Error, Limits, Subject, audit};
use super::source::Sources;
use super::survivors::SURVIVORS;
use super::{Audit, report};
use crate::claim::{self, Claim};
use crate::report::Exit;

/// The engines that run the weakened models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Engines {
    /// The explorer, and loom where it ends in time
    Both,
    /// Every execution that RC11 allows
    Explore,
    /// Interleavings and C11 reorderings, up to a bound on preemptions
    Loom,
}

/// Weaken every ordering of the core, one at a time, and see which claim notices
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Only sites whose "file:line function operation" contains this
    #[arg(long, value_name = "PATTERN")]
    only: Option<String>,
    /// Child processes at a time [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Only cases whose "claim/case" contains this
    #[arg(long, value_name = "PATTERN")]
    cases: Option<String>,
    /// Seconds for one case with nothing weakened; one that takes longer takes no part
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=604_800)
    )]
    budget: u64,
    /// Seconds for one case under one weakening
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=604_800)
    )]
    time_limit: u64,
    /// Use each case's larger preemption bound under loom
    #[arg(long)]
    thorough: bool,
    /// What runs the models
    #[arg(long, value_enum, default_value_t = Engines::Both)]
    engine: Engines,
    /// Write every row as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the book's page
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Do one job, given as JSON: what the audit's own child processes are called with
    #[arg(long, value_name = "JOB", hide = true)]
    child: Option<String>,
}

/// Runs the subcommand. It passes if every ordering is noticed or explained, and every explanation
/// is needed.
///
/// # Errors
///
/// What is wrong with the use of it: a file that cannot be written, a pattern that matches nothing.
pub fn run(args: &Args) -> Result<Exit, String> {
    let claims = claim::registry();
    if let Some(job) = &args.child {
        return run_child(job, &claims);
    }
    let subject = subject(args, &claims)?;
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let limits = Limits {
        jobs: args.jobs.map_or_else(cores, usize::from),
        budget: args.budget,
        seconds: args.time_limit,
        only: args.only.clone(),
    };
    let audit = match audit(&subject, &limits, &|line| eprintln!("{line}")) {
        Ok(audit) => audit,
        Err(error @ Error::NothingMatches) => return Err(error.to_string()),
        Err(error) => {
            eprintln!("gosched-verify: {error}");
            return Ok(Exit::Failed);
        }
    };
    // A reader that left (`| head`) is no error of ours.
    let _ = io::stdout().write_all(report::text(&audit).as_bytes());
    write(args, &audit)?;
    Ok(if audit.is_clean() { Exit::Passed } else { Exit::Failed })
}

/// Whether a file belongs to the code under audit: the core without the worlds it runs on.
fn is_core(file: &str) -> bool {
    let file = file.replace('\\', "/");
    file.strip_prefix("core/src/").is_some_and(|file| !file.starts_with("memory/"))
}

fn subject(args: &Args, claims: &[Claim]) -> Result<Subject, String> {
    for file in args.json.iter().chain(&args.markdown) {
        // Find out now, not after minutes, and leave what is there in place.
        let opened = OpenOptions::new().append(true).create(true).open(file);
        opened.map_err(|error| cannot_write(file, &error))?;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let sources = Sources::read(root, "core/src", is_core).map_err(|error| {
        let root = root.display();
        format!(
            "the audit compares with the sources, which must be where it was built, {root}: {error}"
        )
    })?;
    let binary = env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    Ok(Subject {
        cases: cases(claims, args),
        sources,
        launch: Box::new(move |job| {
            let mut command = Command::new(&binary);
            // A job is plain data; should it not serialise, the child says that it got no job.
            let job = serde_json::to_string(job).unwrap_or_default();
            command.args(["audit", "--child", &job]);
            command
        }),
        survivors: SURVIVORS,
    })
}

/// Each case, once for each engine that runs it.
fn cases(claims: &[Claim], args: &Args) -> Vec<Case> {
    let mut chosen = Vec::new();
    let cases = claims.iter().flat_map(|claim| claim.cases.iter().map(move |case| (claim, case)));
    for (claim, case) in cases {
        let name = format!("{}/{}", claim.name, case.name);
        if args.cases.as_ref().is_some_and(|pattern| !name.contains(pattern)) {
            continue;
        }
        if case.bounds.explore && args.engine != Engines::Loom {
            chosen.push(Case { name: name.clone(), engine: Engine::Explore });
        }
        if case.bounds.loom && args.engine != Engines::Explore {
            let preemptions =
                if args.thorough { case.bounds.loom_thorough } else { case.bounds.loom_fast };
            chosen.push(Case { name, engine: Engine::Loom { preemptions } });
        }
    }
    chosen
}

fn run_child(job: &str, claims: &[Claim]) -> Result<Exit, String> {
    let job: Job = serde_json::from_str(job).map_err(|error| format!("this is no job: {error}"))?;
    let model = claims.iter().find_map(|claim| {
        let case = job.case.strip_prefix(claim.name)?.strip_prefix('/')?;
        claim.cases.iter().find(|one| one.name == case)?.model().map(Arc::clone)
    });
    let model = model.ok_or_else(|| format!("there is no case {}", job.case))?;
    let passed = match job.engine {
        Engine::Explore => child::run(&job, is_core, move || model.on_audited_explored()),
        Engine::Loom { .. } => child::run(&job, is_core, move || model.on_audited_loom()),
    };
    Ok(if passed { Exit::Passed } else { Exit::Failed })
}

fn write(args: &Args, audit: &Audit) -> Result<(), String> {
    let put =
        |file: &Path, text: &str| fs::write(file, text).map_err(|error| cannot_write(file, &error));
    if let Some(file) = &args.json {
        let json = serde_json::to_string_pretty(audit).map_err(|error| error.to_string())?;
        put(file, &(json + "\n"))?;
    }
    match &args.markdown {
        Some(file) => put(file, &report::markdown(audit)),
        None => Ok(()),
    }
}

fn cannot_write(file: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", file.display())
}
