//! Litmus tests as text, and what an outcome looks like.
//!
//! Threads are separated by `|`, operations by `;`. Words are `x`, `y`, `z` and hold 0 at the
//! start.
//!
//! | text | operation |
//! |---|---|
//! | `R x acq` | load |
//! | `W x 1 rel` | store 1 |
//! | `add x 1 rlx`, `swap x 1 rlx`, `max x 1 rlx` | read-modify-write |
//! | `cas x 0 1 acq rlx` | compare-exchange 0 for 1, success and failure ordering |
//! | `weak x 0 1 acq rlx` | the same, and it may fail spuriously |
//! | `await x 1 acq` | load until it reads 1 |
//! | `F sc`, `light`, `heavy` | fences |
//! | `park`, `unpark` | wait for the one token and take it; deposit it |
//!
//! An outcome is what the threads read, in order, and in the end what the words hold:
//! `1 0 | 2 -> 3 1`. An exchange reads two numbers: the value, and 1 if it wrote. In a pattern `_`
//! stands for any number, and the part behind the arrow may be missing.

use gosched::memory::Ordering;

use crate::program::{Change, Op, Program};

/// Reads a program.
pub(crate) fn parse(text: &str) -> Program {
    let threads: Vec<Vec<Op>> = text
        .split('|')
        .map(|thread| {
            let ops = thread.split(';').map(str::trim).filter(|op| !op.is_empty());
            ops.map(|op| operation(op).unwrap_or_else(|| panic!("no operation: {op:?}"))).collect()
        })
        .collect();
    let words = ["x", "y", "z"]
        .iter()
        .filter(|name| text.split(' ').any(|token| token.trim_matches(';') == **name));
    Program { words: words.count(), threads }
}

fn operation(text: &str) -> Option<Op> {
    let mut tokens = text.split_whitespace();
    let verb = tokens.next()?;
    let mut next = || tokens.next();
    Some(match verb {
        "R" => Op::Load { word: word(next()?)?, order: order(next()?)? },
        "W" => Op::Store { word: word(next()?)?, value: number(next()?)?, order: order(next()?)? },
        "add" | "swap" | "max" => {
            let change = match verb {
                "add" => Change::Add,
                "swap" => Change::Swap,
                _ => Change::Max,
            };
            let (word, value) = (word(next()?)?, number(next()?)?);
            Op::Modify { word, change, value, order: order(next()?)? }
        }
        "cas" | "weak" => Op::Exchange {
            word: word(next()?)?,
            expected: number(next()?)?,
            new: number(next()?)?,
            success: order(next()?)?,
            failure: order(next()?)?,
            weak: verb == "weak",
        },
        "await" => {
            Op::Await { word: word(next()?)?, value: number(next()?)?, order: order(next()?)? }
        }
        "F" => Op::Fence(order(next()?)?),
        "light" => Op::LightFence,
        "heavy" => Op::HeavyFence,
        "park" => Op::Park,
        "unpark" => Op::Unpark,
        _ => return None,
    })
}

fn word(name: &str) -> Option<usize> {
    ["x", "y", "z"].iter().position(|word| *word == name)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn order(name: &str) -> Option<Ordering> {
    Some(match name {
        "rlx" => Ordering::Relaxed,
        "acq" => Ordering::Acquire,
        "rel" => Ordering::Release,
        "ar" => Ordering::AcqRel,
        "sc" => Ordering::SeqCst,
        _ => return None,
    })
}

/// Whether an outcome, `[[1, 0], [2]] [3, 1]`, has the form of a pattern.
pub(crate) fn is_like(outcome: &str, pattern: &str) -> bool {
    let (seen, last) = outcome.split_once("]] [").expect("threads, and then words");
    let seen: Vec<Vec<&str>> = seen.trim_start_matches("[[").split("], [").map(numbers).collect();
    let (threads, words) = match pattern.split_once("->") {
        Some((threads, words)) => (threads, Some(words)),
        None => (pattern, None),
    };
    let threads: Vec<Vec<&str>> =
        threads.split('|').map(|thread| thread.split_whitespace().collect()).collect();
    assert_eq!(threads.len(), seen.len(), "{pattern:?} has as many threads as {outcome:?}");
    let same = |(pattern, numbers): (&Vec<&str>, &Vec<&str>)| are_like(numbers, pattern);
    threads.iter().zip(&seen).all(same)
        && words.is_none_or(|words| {
            let words: Vec<&str> = words.split_whitespace().collect();
            are_like(&numbers(last.trim_end_matches(']')), &words)
        })
}

fn numbers(text: &str) -> Vec<&str> {
    text.split(", ").filter(|number| !number.is_empty()).collect()
}

fn are_like(numbers: &[&str], pattern: &[&str]) -> bool {
    assert_eq!(numbers.len(), pattern.len(), "{pattern:?} is a pattern for {numbers:?}");
    numbers.iter().zip(pattern).all(|(number, like)| *like == "_" || number == like)
}
