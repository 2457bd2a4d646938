//! The same program under the explorer.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::sync::Arc;

use gosched::memory::{Atomic, AtomicInt, Memory, Park};
use gosched_verify::explore::{Builder, Explored, ExploredInt, ExploredParker, Report, thread};

use crate::program::{Change, Op, Program};

/// No program of these tests has so many executions; a broken search may.
const EXECUTIONS_MAX: u64 = 1_000_000;

/// The program's memory.
struct Words {
    words: Vec<ExploredInt<u64>>,
    parker: ExploredParker,
}

/// Explores `program` with so many jobs.
pub(crate) fn explore(program: &Program, jobs: usize) -> Report {
    let program = program.clone();
    let jobs = NonZeroUsize::new(jobs).expect("somebody must search");
    let builder = Builder { executions_max: EXECUTIONS_MAX, jobs, ..Builder::default() };
    builder.explore(move || run(&program))
}

/// What was read, thread by thread, and what the words hold in the end.
fn run(program: &Program) -> String {
    let words = (0..program.words).map(|_| ExploredInt::new(0)).collect();
    let memory = Arc::new(Words { words, parker: Park::new() });
    let threads: Vec<_> = program
        .threads
        .iter()
        .map(|ops| {
            let (memory, ops) = (Arc::clone(&memory), ops.clone());
            thread::spawn(move || {
                let mut seen = Vec::new();
                ops.iter().for_each(|&op| perform(&memory, op, &mut seen));
                seen
            })
        })
        .collect();
    let seen: Vec<Vec<u64>> = threads.into_iter().map(thread::JoinHandle::join).collect();
    let last: Vec<u64> =
        memory.words.iter().map(|word| word.load(std::sync::atomic::Ordering::Relaxed)).collect();
    let mut text = String::new();
    write!(text, "{seen:?} {last:?}").expect("a string can be written to");
    text
}

fn perform(memory: &Words, op: Op, seen: &mut Vec<u64>) {
    let words = &memory.words;
    match op {
        Op::Load { word, order } => seen.push(words[word].load(order)),
        Op::Store { word, value, order } => words[word].store(value, order),
        Op::Modify { word, change, value, order } => seen.push(match change {
            Change::Add => words[word].fetch_add(value, order),
            Change::Swap => words[word].swap(value, order),
            Change::Max => words[word].fetch_max(value, order),
        }),
        Op::Exchange { word, expected, new, success, failure, weak } => {
            let result = if weak {
                words[word].compare_exchange_weak(expected, new, success, failure)
            } else {
                words[word].compare_exchange(expected, new, success, failure)
            };
            let (Ok(read) | Err(read)) = result;
            seen.extend([read, u64::from(result.is_ok())]);
        }
        Op::Fence(order) => Explored::fence(order),
        Op::LightFence => Explored::light_fence(),
        Op::HeavyFence => Explored::heavy_fence(),
        Op::Await { word, value, order } => loop {
            Explored::iteration();
            let read = words[word].load(order);
            if read == value {
                seen.push(read);
                break;
            }
            Explored::retry_pure();
        },
        Op::Park => memory.parker.park(),
        Op::Unpark => memory.parker.unpark(),
    }
}
