//! The command line. Its `--help` is where most readers meet the words, so it explains them.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::engine::{Effort, Engine};

const WORDS: &str = "\
Words:
  claim    a sentence about the code with a name: local_queue::no_task_is_lost
  case     a small program, generic over its memory, that asserts the claim;
           or a property of operation lists, in one thread
  engine   what runs a case: explore (every execution that RC11 allows, each once),
           loom (interleavings and reorderings, up to a bound on preemptions),
           shuttle (random schedules), stress (this processor), sequential (random inputs against
           a reference), specification (every state of the wake-up protocol's model)
  check    one case under one engine, in a process of its own: claim/case@engine
  verdict  passed; passed, exhaustive (the explorer was through);
           passed, complete for this model (the specification's search was through);
           passed, loom incomplete (shuttle saw outcomes that loom did not reach);
           incomplete (out of time); FAILED; CRASHED; HUNG; interrupted; not run

A case fails if an assertion fails in any execution, and also if something that it must show
(\"a steal took two tasks\") was never seen.

Examples:
  gosched-verify                             check every claim, in about two minutes
  gosched-verify --thorough --json out.json  larger bounds; keep the result
  gosched-verify --only local_queue          the checks whose id contains `local_queue`
  gosched-verify --only 'memory::*@loom'     the checks whose id matches
  gosched-verify --list                      what there is
  gosched-verify replay ID                   one check again, with the whole failure message
  gosched-verify table --markdown out.json   a kept result as a table for a document
  gosched-verify compare                     the explorer beside loom and shuttle: time, outcomes
  gosched-verify specification --design go --change h1 sub2+block
                                             the shortest schedule in which Go loses work

Exit codes:
  0    all that ran passed; what is incomplete is named (with --require-complete: 3)
  1    a claim failed, or a check crashed or hung
  2    usage: an unknown flag, a pattern that matches nothing, a file that cannot be written
  3    --require-complete, and some check is incomplete
  130  Ctrl-C; the table and the JSON file hold what was known by then";

/// Checks the claims about gosched and prints what was checked, how far, and what was not.
#[derive(Debug, Parser)]
#[command(name = "gosched-verify", version, after_help = WORDS, args_conflicts_with_subcommands = true)]
pub(super) struct Cli {
    /// What to do; `check` unless it is said.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// The flags of `check`, which may be left out.
    #[command(flatten)]
    pub(super) check: CheckArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check the claims (the default)
    Check(CheckArgs),
    /// Run one check in this process, so that its failure shows in full
    Replay(ReplayArgs),
    /// Print a table from a JSON result, or from a new run
    Table(TableArgs),
    /// Search the wake-up protocol's specification: one program, one design, changed or not
    Specification(super::specification::Args),
    /// Weaken each ordering of the core in turn, and see which claim notices
    #[cfg(all(feature = "explore", feature = "loom"))]
    Audit(crate::audit::cli::Args),
    /// Run the explorer, loom and shuttle on the same models, and compare time and outcomes
    #[cfg(all(feature = "explore", feature = "loom", feature = "shuttle"))]
    Compare(crate::compare::cli::Args),
    /// One check, for a parent process
    #[command(hide = true)]
    Child(ChildArgs),
}

/// Flags of `check`.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) extent: Extent,
    /// Only checks whose id contains PATTERN; with `*`, whose whole id matches. Repeatable
    #[arg(long, value_name = "PATTERN")]
    pub(super) only: Vec<String>,
    /// Take each --only PATTERN as the whole id of a check
    #[arg(long, requires = "only")]
    pub(super) exact: bool,
    /// Only checks of this engine. Repeatable
    #[arg(long, value_name = "ENGINE")]
    pub(super) engine: Vec<Engine>,
    /// List the checks and their bounds, and run none
    #[arg(long)]
    pub(super) list: bool,
    /// Checks at a time; where there are fewer, the explorer divides its search [default: one for
    /// each core]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Write the result to FILE
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Exit with 3 if a check is incomplete, or loom is incomplete in one
    #[arg(long)]
    pub(super) require_complete: bool,
}

/// Flags of `replay`.
#[derive(Args, Clone, Debug)]
pub(super) struct ReplayArgs {
    /// The check: claim/case@engine
    pub(super) check: String,
    /// The schedule that the explorer or shuttle printed: runs it alone
    #[arg(long, value_name = "SCHEDULE")]
    pub(super) schedule: Option<String>,
    #[command(flatten)]
    pub(super) extent: Extent,
}

/// How far the engines go, and on what.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Extent {
    /// Larger preemption bounds, ten times as many samples, and 20 minutes for each check
    #[arg(long)]
    thorough: bool,
    /// Seconds until a check ends as incomplete [default: 30, thorough 1200]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    time_limit: Option<u64>,
    /// The checkers' claims about themselves in place of the claims about gosched
    #[arg(long, hide = true)]
    pub(super) selftest: bool,
}

impl Extent {
    /// How far the engines go.
    #[must_use]
    pub(super) fn effort(&self) -> Effort {
        effort(self.thorough)
    }

    /// Seconds for each check.
    #[must_use]
    pub(super) fn seconds(&self) -> u64 {
        self.time_limit.unwrap_or(default_seconds(self.thorough))
    }
}

/// Flags of `table`.
#[derive(Args, Clone, Debug)]
pub(super) struct TableArgs {
    /// What `check --json` wrote; without it, the claims are checked now
    pub(super) file: Option<PathBuf>,
    /// Markdown, a row for each claim
    #[arg(long)]
    pub(super) markdown: bool,
}

/// Flags of `child`.
#[derive(Args, Clone, Debug)]
pub(super) struct ChildArgs {
    /// The check's id.
    pub(super) check: String,
    /// Seconds for the check.
    #[arg(long)]
    pub(super) time_limit: u64,
    /// As `check --thorough`.
    #[arg(long)]
    pub(super) thorough: bool,
    /// As `check --selftest`.
    #[arg(long)]
    pub(super) selftest: bool,
    /// Threads that may search.
    #[arg(long, default_value = "1")]
    pub(super) jobs: NonZeroUsize,
}

impl ChildArgs {
    /// How far the engines go.
    #[must_use]
    pub(super) fn effort(&self) -> Effort {
        effort(self.thorough)
    }
}

fn effort(thorough: bool) -> Effort {
    if thorough { Effort::Thorough } else { Effort::Fast }
}

fn default_seconds(thorough: bool) -> u64 {
    if thorough { 1200 } else { 30 }
}
