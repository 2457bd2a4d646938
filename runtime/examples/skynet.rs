//! Skynet: a goroutine starts ten, each of which starts ten, down to a million leaves, and all sums
//! come back up.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example skynet -- 1000000
//! ```

use std::error::Error;
use std::time::Instant;

use gosched_runtime::{JoinHandle, Migrating, Runtime, go};

/// The sum of the leaves `first .. first + leaves`, each a goroutine.
fn skynet(first: u64, leaves: u64) -> u64 {
    if leaves == 1 {
        return first;
    }
    let part = leaves / 10;
    let child = |child| go(move || skynet(first + child * part, part));
    let children: Vec<JoinHandle<u64>> = (0..10).map(child).collect();
    children.into_iter().map(JoinHandle::join_or_unwind).sum()
}

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: skynet [LEAVES, a power of ten]";
    let leaves: u64 = match std::env::args().nth(1) {
        Some(argument) => argument.parse().map_err(|_| usage)?,
        None => 1_000_000,
    };
    let mut power = leaves;
    while power > 1 && power.is_multiple_of(10) {
        power /= 10;
    }
    if power != 1 {
        return Err(usage.into());
    }
    // SAFETY: nothing here keeps anything of its thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().migrating(migrating).build()?;
    let begin = Instant::now();
    let sum = runtime.run(move || skynet(0, leaves))?;
    let took = begin.elapsed();
    assert_eq!(sum, leaves * (leaves - 1) / 2);
    let goroutines = (leaves * 10 - 1) / 9;
    let each = took.as_nanos() / u128::from(goroutines);
    println!("{goroutines} goroutines summed up to {sum} in {took:.1?}, {each} ns each");
    Ok(())
}
