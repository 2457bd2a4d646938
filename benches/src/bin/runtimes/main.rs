//! gosched's runtime beside Go's, tokio, smol and may, on the same work in one run.
//!
//! Each measurement is a process of its own, and a round has one of each runtime at each number of
//! workers: `A B C D A B C D`, every round beginning with another one. What disturbs a round
//! disturbs all of them, so ratios are taken within a round, and of the ratios the median.
//!
//! Read in this order: `workload` (what is done), `peers` (how each runtime does it, and where they
//! differ), `sample` (what is measured), `child` (the processes), `rounds`, `metric`,
//! `report`. The binary is self-contained: carry it to a machine without cargo, run it there, bring
//! back the JSON. With Go on that machine it brings its program in Go along, too.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

mod child;
mod metric;
mod peers;
mod report;
mod rounds;
mod runtime;
mod sample;
mod workload;

use core::time::Duration;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gosched_benches::go::Go;
use gosched_benches::machine::Machine;

use crate::report::{Record, table};
use crate::rounds::Row;
use crate::runtime::Runtime;
use crate::workload::{Size, Workload};

/// Runtimes beside each other, in one interleaved run.
///
/// How to read a table: `wall ns` and `CPU ns` are for one operation, medians over the rounds.
/// `/ go` is the ratio to Go with as many workers in the same round: the median, and in brackets
/// the quartiles. 0.50 means half of Go's time. `least` is the least of the first figure over all
/// rounds: what is left of it when the machine's other users keep still. `switches/M` is context
/// switches in a million operations, voluntary and not. The last column is the ratio to the same
/// runtime with one worker.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// How often each is measured.
    #[arg(long, value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Only these workloads.
    #[arg(long, value_enum, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<Workload>,

    /// Only these runtimes.
    #[arg(long, value_enum, value_name = "NAMES", value_delimiter = ',')]
    runtimes: Vec<Runtime>,

    /// Threads that run tasks.
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_values_t = [1, 2],
          value_parser = clap::value_parser!(u32).range(1..))]
    workers: Vec<u32>,

    /// How much of the full size, such as 0.01.
    #[arg(long, value_name = "PART", default_value_t = 1.0, value_parser = positive)]
    scale: f64,

    /// Kill a child that takes longer.
    #[arg(long, value_name = "SECONDS", default_value_t = 120.0, value_parser = positive)]
    limit: f64,

    /// Go's command; `$GOSCHED_GO`, or `go` in the path, unless said.
    #[arg(long, value_name = "PATH")]
    go: Option<PathBuf>,

    /// Write the results, with the samples of every round, to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    #[command(subcommand)]
    one: Option<One>,
}

/// What the program runs itself with.
#[derive(Clone, Copy, Debug, Subcommand)]
enum One {
    /// One measurement, in this process: prints one line of JSON.
    #[command(hide = true)]
    One { runtime: Runtime, workload: Workload, workers: usize, tasks: usize, rounds: usize },
}

/// The program in Go.
const SOURCES: [(&str, &str); 3] = [
    ("go.mod", include_str!("../../../go/runtimes/go.mod")),
    ("main.go", include_str!("../../../go/runtimes/main.go")),
    ("measure.go", include_str!("../../../go/runtimes/measure.go")),
];

const AFTER_HELP: &str = "\
Exit code: 0 when everything asked for was measured, 1 when a runtime failed at its work or took too
long (the table says which), 2 when the measurement itself could not be done. Results are written
after each workload, so that an interrupted run leaves what it has.

Examples:
  runtimes --scale 0.01 --rounds 3                 a quick look
  runtimes --json here.json                        a careful run on a quiet machine: some minutes
  runtimes --only ring,yield --runtimes go,tokio   some of it";

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number),
        _ => Err("a number greater than 0 is needed".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.one {
        Some(one) => measure_one(one).map(|()| true),
        None => measure_all(&arguments),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("runtimes: {message}");
            ExitCode::from(2)
        }
    }
}

fn measure_one(one: One) -> Result<(), String> {
    let One::One { runtime, workload, workers, tasks, rounds } = one;
    let sample = runtime.measure(workload, workers, Size { tasks, rounds })?;
    let line = serde_json::to_string(&sample).map_err(|error| format!("no JSON: {error}"))?;
    print(&(line + "\n"))
}

/// Whether every runtime did what it was asked for.
fn measure_all(arguments: &Arguments) -> Result<bool, String> {
    let mut runtimes = some_or_all(&arguments.runtimes, &Runtime::ALL);
    let mut go = None;
    if runtimes.contains(&Runtime::Go) {
        match Go::build(arguments.go.as_deref(), "runtimes", &SOURCES) {
            Ok(built) => go = Some(built),
            Err(message) => {
                eprintln!("runtimes: Go is left out, and with it its ratios: {message}");
                runtimes.retain(|runtime| *runtime != Runtime::Go);
            }
        }
    }
    let version = go.as_ref().map(|go| go.version().to_owned());
    let mut record = Record::new(version, arguments.json.clone())?;
    print(&record.header())?;
    let workers: Vec<_> = arguments.workers.iter().map(|workers| *workers as usize).collect();
    let limit = Duration::from_secs_f64(arguments.limit);
    let mut all = true;
    for workload in some_or_all(&arguments.only, &Workload::ALL) {
        let mut row = Row::new(workload, &runtimes, &workers, arguments.scale);
        let load = Machine::load();
        row.measure(arguments.rounds as usize, go.as_ref().map(Go::program), limit, |one| {
            eprint!("\r{workload}: {} with {}          ", one.runtime, one.workers);
        });
        eprintln!();
        all &= row.contenders.iter().all(|one| one.failure.is_none());
        print(&table(&row, load))?;
        record.add(&row, load)?;
    }
    Ok(all)
}

fn some_or_all<T: Copy>(some: &[T], all: &[T]) -> Vec<T> {
    if some.is_empty() { all.to_vec() } else { some.to_vec() }
}

/// To standard output, which may be a pipe that was closed.
fn print(text: &str) -> Result<(), String> {
    io::stdout().write_all(text.as_bytes()).map_err(|error| format!("cannot print: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_scale_is_a_positive_number() {
        assert_eq!(positive("0.01"), Ok(0.01));
        for bad in ["0", "-1", "inf", "NaN", "ten"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas_and_all_unless_said() {
        let arguments = Arguments::parse_from(["runtimes", "--only", "ring,ping-pong"]);
        assert_eq!(
            some_or_all(&arguments.only, &Workload::ALL),
            [Workload::Ring, Workload::PingPong]
        );
        assert_eq!(some_or_all(&arguments.runtimes, &Runtime::ALL), Runtime::ALL);
        assert_eq!(arguments.workers, [1, 2]);
    }
}
