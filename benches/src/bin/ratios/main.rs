//! Our queue beside the plain port of Go's and the peers, as ratios within one run.
//!
//! A time in nanoseconds says as much about the machine, and its other users, as about the queue.
//! So every contender runs the same operations in short samples, one after the other, round after
//! round: `A B C A B C A B C`, each round beginning with another contender. What disturbs a round
//! disturbs all of them. In each round the ratios are taken, and of the ratios the median.
//!
//! `rows` lists what is measured, `rounds` measures it, `report` prints it. The binary is
//! self-contained: carry it to a machine without cargo, run it there, bring back the JSON.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

mod report;
mod rounds;
mod rows;

use core::time::Duration;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gosched::memory::{FenceMode, Hardware};
use gosched_benches::machine::Machine;

use crate::report::{Record, Reported};
use crate::rows::Row;

/// gosched's queue beside the plain port of Go's queue and its peers, in one interleaved run.
///
/// How to read a table: each row is a contender. `x plain` is its time (or throughput) divided by
/// the plain port's in the same round: the median over all rounds, and in brackets the quartiles.
/// 0.70 under `ns` means that it needs 70 % of the plain port's time; 2.0 under `M/s` means twice
/// its throughput. `ours/it` is the same between gosched and that row. Trust a ratio whose
/// quartiles are close together; a wide bracket means that the machine was busy with something
/// else: the line at the top shows its load. Compare absolute times within one table only.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// How long to measure at most, all rows together; 101 rounds of each are enough.
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = positive)]
    seconds: f64,

    /// Only the rows whose name contains this, such as `owner` or `thief/calm`.
    #[arg(long, value_name = "PART")]
    only: Option<String>,

    /// Print the names of the rows, and measure nothing.
    #[arg(long)]
    list: bool,

    /// Against how many thieves at most; all processors but one unless said.
    #[arg(long, value_name = "N")]
    thieves: Option<usize>,

    /// How the asymmetric fences of this process work.
    #[arg(long, value_enum, default_value_t = Mode::Membarrier)]
    fences: Mode,

    /// Write the results, with every round's values, to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write the results to `<date>-<cpu>-<processors>.json` in a folder.
    #[arg(long, value_name = "FOLDER", conflicts_with = "json", num_args = 0..=1,
          default_missing_value = "benches/record")]
    record: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Exit code: 0 when everything asked for was measured, 2 when it was not (one line says why). Results
are written after each row, so that an interrupted run leaves what it has.

Examples:
  ratios --seconds 10 --only owner           a quick look at push and pop
  ratios --seconds 300 --json here.json      a careful run on a quiet machine";

/// What `--fences` takes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// Light fences bind the compiler alone, where the system has membarrier.
    Membarrier,
    /// Both sides are `fence(SeqCst)`.
    Seqcst,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => Ok(seconds),
        _ => Err("a number of seconds greater than 0 is needed".to_owned()),
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("ratios: {message}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let machine = Machine::here();
    Hardware::choose_fence_mode(match arguments.fences {
        Mode::Membarrier => FenceMode::Membarrier,
        Mode::Seqcst => FenceMode::SeqCst,
    });
    let thieves = arguments.thieves.unwrap_or(usize::MAX).min(machine.processors - 1);
    let mut rows = rows::all(thieves);
    if let Some(part) = &arguments.only {
        rows.retain(|row| row.name.contains(part.as_str()));
        if rows.is_empty() {
            return Err(format!("no row's name contains `{part}`; --list prints them"));
        }
    }
    if arguments.list {
        return print(&rows.iter().map(|row| row.name.clone() + "\n").collect::<String>());
    }
    let path = arguments
        .json
        .clone()
        .or_else(|| Some(arguments.record.as_ref()?.join(machine.slug()).with_extension("json")));
    measure(rows, Record::new(machine, path)?, arguments.seconds)
}

fn measure(rows: Vec<Row>, mut record: Record, seconds: f64) -> Result<(), String> {
    let (count, budget) = (rows.len(), seconds / rows.len() as f64);
    print(&record.header())?;
    for (index, mut row) in rows.into_iter().enumerate() {
        eprint!("[{}/{count}] {} ...", index + 1, row.name);
        drop(io::stderr().flush());
        let rounds = rounds::measure(&mut row, Duration::from_secs_f64(budget));
        eprintln!(" {} rounds", rounds.count);
        let reported = Reported::new(&row, &rounds);
        print(&reported.table())?;
        record.add(reported)?;
    }
    if let Some(path) = record.path() {
        eprintln!("written: {}", path.display());
    }
    Ok(())
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
    fn a_time_is_a_positive_number() {
        assert_eq!(positive("0.5"), Ok(0.5));
        for bad in ["0", "-1", "inf", "NaN", "ten"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
    }
}
