//! What an operation costs in instructions and in atomic operations: counts, which are the same on
//! every run and which no noise can blur.
//!
//! ```text
//! cargo run --release -p gosched-benches --bin counts
//! ```
//!
//! *Instructions*: this program runs itself under `valgrind --tool=callgrind`, which counts inside
//! the timed section of a workload alone, once for a number of rounds and once for three times as
//! many. The difference is the rounds' own; what comes before and after cancels out. The loop of
//! the workload is counted with it, and is the same for all. Without valgrind this table is left
//! out, with one line that says so.
//!
//! *Atomic operations*: the same source runs on a world that counts ([`Counted`]), so this holds
//! for every compiler and processor. It is ours and the plain port's alone: the peers' memory
//! cannot be exchanged.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

use core::num::NonZeroUsize;
use std::io::ErrorKind;
use std::process::{Command, ExitCode};

use clap::Parser;
use gosched::memory::Hardware;
use gosched::{Batch, LocalQueue, NextSlot, Owner, Stealer};
use gosched_benches::queue::{CAPACITY, Queue, Recent, Visit, VisitRecent, each, each_recent};
use gosched_benches::workload::{Bursts, Kick, Overflow, PingPong, Steals, Workload};
use gosched_verify::instrument::{Counted, Counts};
use gosched_verify::plain_queue::PlainQueue;

/// Instructions (by callgrind) and atomic operations (by a world that counts) per operation.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Used by the program itself: run one contender's workload, and nothing else.
    #[arg(long, num_args = 3, value_names = ["CONTENDER", "WORKLOAD", "ROUNDS"], hide = true)]
    child: Option<Vec<String>>,
}

/// The workloads, by name, with the rounds that are counted.
const WORKLOADS: [(&str, u64); 8] = [
    ("owner/burst-1", 1000),
    ("owner/burst-16", 64),
    ("owner/burst-128", 16),
    ("slot/ping-pong", 1000),
    ("slot/kick", 1000),
    ("steal/half-of-16", 16),
    ("steal/half-of-256", 16),
    ("overflow/push", 2),
];

/// callgrind counts inside this function alone.
const TOGGLE: &str = "--toggle-collect=*measured_section*";

fn main() -> ExitCode {
    let done = match Arguments::parse().child.as_deref() {
        Some([contender, workload, rounds]) => child(contender, workload, rounds),
        _ => instructions().map(|table| print!("{table}\n{}", atomic_operations())),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("counts: {message}");
            ExitCode::from(2)
        }
    }
}

/// A contender's workload, if it takes part.
struct Chosen<'a> {
    contender: &'a str,
    workload: &'a str,
    found: Option<Box<dyn Workload>>,
}

impl Visit for Chosen<'_> {
    fn visit<Q: Queue + 'static>(&mut self) {
        if Q::NAME != self.contender {
            return;
        }
        self.found = match self.workload {
            "owner/burst-1" => Some(Box::new(Bursts::<Q>::new(1))),
            "owner/burst-16" => Some(Box::new(Bursts::<Q>::new(16))),
            "owner/burst-128" => Some(Box::new(Bursts::<Q>::new(128))),
            "steal/half-of-16" => Some(Box::new(Steals::<Q>::new(16))),
            "steal/half-of-256" => Some(Box::new(Steals::<Q>::new(256))),
            "overflow/push" => Some(Box::new(Overflow::<Q>::new())),
            _ => return,
        };
    }
}

impl VisitRecent for Chosen<'_> {
    fn visit<Q: Recent + 'static>(&mut self) {
        if Q::NAME != self.contender {
            return;
        }
        self.found = match self.workload {
            "slot/ping-pong" => Some(Box::new(PingPong::<Q>::new())),
            "slot/kick" => Some(Box::new(Kick::<Q>::new())),
            _ => return,
        };
    }
}

fn choose(contender: &str, workload: &str) -> Option<Box<dyn Workload>> {
    let mut chosen = Chosen { contender, workload, found: None };
    each(&mut chosen);
    each_recent(&mut chosen);
    chosen.found
}

/// Under callgrind: run it.
fn child(contender: &str, workload: &str, rounds: &str) -> Result<(), String> {
    let rounds = rounds.parse().map_err(|_| format!("`{rounds}` is no number of rounds"))?;
    let mut work = choose(contender, workload)
        .ok_or_else(|| format!("{contender} does not take part in {workload}"))?;
    work.run(rounds);
    Ok(())
}

/// The names of all contenders, in the order of the tables.
fn contenders() -> Vec<&'static str> {
    struct Names(Vec<&'static str>);
    impl Visit for Names {
        fn visit<Q: Queue + 'static>(&mut self) {
            self.0.push(Q::NAME);
        }
    }
    impl VisitRecent for Names {
        fn visit<Q: Recent + 'static>(&mut self) {
            if !self.0.contains(&Q::NAME) {
                self.0.push(Q::NAME);
            }
        }
    }
    let mut names = Names(Vec::new());
    each(&mut names);
    each_recent(&mut names);
    names.0
}

/// The table of instructions, or the line that says why there is none.
fn instructions() -> Result<String, String> {
    match Command::new("valgrind").arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok("instructions: left out, valgrind is not installed\n".to_owned());
        }
        Err(error) => return Err(format!("cannot run valgrind: {error}")),
        Ok(_) => {}
    }
    let mut table = format!("{:<19}", "instructions");
    WORKLOADS.iter().for_each(|(name, _)| table += &format!(" {name:>17}"));
    table += "\n";
    for contender in contenders() {
        table += &format!("{contender:<19}");
        for (workload, rounds) in WORKLOADS {
            eprintln!("callgrind: {contender}, {workload}");
            table += &match choose(contender, workload) {
                None => format!(" {:>17}", "-"),
                Some(work) => {
                    let once = collected(contender, workload, rounds)?;
                    let thrice = collected(contender, workload, 3 * rounds)?;
                    let operations = (2 * rounds * work.operations()) as f64;
                    format!(" {:>17.2}", (thrice - once) as f64 / operations)
                }
            };
        }
        table += "\n";
    }
    Ok(table)
}

/// How many instructions callgrind counts.
fn collected(contender: &str, workload: &str, rounds: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", TOGGLE, "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--child", contender, workload, &rounds.to_string()])
        .output()
        .map_err(|error| format!("cannot run valgrind: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    match collected_in(&text) {
        Some(count) if output.status.success() && count > 0 => Ok(count),
        _ => Err(format!("valgrind counted nothing for {contender}, {workload}:\n{text}")),
    }
}

/// callgrind's own line: `==123== Collected : 456`.
fn collected_in(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

type Counting = Counted<Hardware>;
type Word = NonZeroUsize;

/// The table of atomic operations.
fn atomic_operations() -> String {
    let mut table = "atomic operations of one operation\n".to_owned();
    for (name, ours, plain) in [
        (
            "push + pop",
            ours(0, pair),
            plain(0, |queue, _| {
                queue.put(1, |_| {});
                queue.get();
            }),
        ),
        (
            "push_next + pop",
            ours(0, ping_pong),
            plain(0, |queue, _| {
                queue.put_next(1, |_| {});
                queue.get();
            }),
        ),
        (
            "steal of 8 out of 16",
            ours(16, steal),
            plain(16, |victim, thief| {
                thief.steal(victim, false);
            }),
        ),
        (
            "steal of 128 out of 256",
            ours(256, steal),
            plain(256, |victim, thief| {
                thief.steal(victim, false);
            }),
        ),
        ("overflow of 129", ours(256, overflow), plain(256, |queue, _| queue.put(1, |_| {}))),
    ] {
        table += &format!("  {name:<24} gosched     {ours}\n  {:24} plain port  {plain}\n", "");
    }
    table
}

type Counter = Owner<Word, CAPACITY, Counting>;
type CounterStealer = Stealer<Word, CAPACITY, Counting>;

/// What an operation counts on our queue with so many tasks in it.
fn ours(fill: usize, operation: fn(&mut Counter, &CounterStealer, &mut Counter)) -> Counts {
    let mut owner = LocalQueue::<Word, CAPACITY, Counting>::with_memory();
    let mut thief = LocalQueue::<Word, CAPACITY, Counting>::with_memory();
    owner.push_batch((0..fill).map(|_| Word::MIN));
    let stealer = owner.stealer();
    Counting::section(|| operation(&mut owner, &stealer, &mut thief)).1
}

fn pair(owner: &mut Counter, _: &CounterStealer, _: &mut Counter) {
    owner.push(Word::MIN).expect("room");
    owner.pop().expect("a task");
}

fn ping_pong(owner: &mut Counter, _: &CounterStealer, _: &mut Counter) {
    owner.push_next(Word::MIN).expect("room");
    owner.pop().expect("a task");
}

fn steal(_: &mut Counter, victim: &CounterStealer, thief: &mut Counter) {
    let stolen = victim.steal_into(thief, NextSlot::Leave).expect("tasks");
    assert!(stolen.moved > 0, "half is more than one");
}

fn overflow(owner: &mut Counter, _: &CounterStealer, _: &mut Counter) {
    let Err(full) = owner.push(Word::MIN) else { panic!("the ring is full") };
    let batch: Batch<Word, Counting> = owner.overflow(full.0).expect("no thief is here");
    assert_eq!(batch.len(), CAPACITY / 2 + 1);
}

/// What an operation counts on the plain port with so many tasks in it.
fn plain(
    fill: usize,
    operation: fn(&PlainQueue<CAPACITY, Counting>, &PlainQueue<CAPACITY, Counting>),
) -> Counts {
    let queue = PlainQueue::new();
    (0..fill).for_each(|_| queue.put(1, |_| {}));
    let thief = PlainQueue::new();
    Counting::section(|| operation(&queue, &thief)).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_has_contenders_and_the_two_that_are_compared_take_part_in_all() {
        for (workload, _) in WORKLOADS {
            for contender in ["gosched", "plain port"] {
                assert!(choose(contender, workload).is_some(), "{contender}, {workload}");
            }
        }
        assert!(choose("crossbeam fifo", "slot/kick").is_none());
    }

    #[test]
    fn the_line_of_callgrind_is_found() {
        assert_eq!(collected_in("==7== Events    : Ir\n==7== Collected : 28000\n"), Some(28_000));
        assert_eq!(collected_in("==7== Events    : Ir\n"), None);
    }

    #[test]
    fn a_push_and_a_pop_of_ours_are_one_read_modify_write() {
        assert_eq!(ours(0, pair).rmws, 1);
        assert_eq!(ours(256, steal).rmws, 1);
    }
}
