//! The concurrent prime sieve: a chain of goroutines, each of which passes on what its prime does
//! not divide.
//!
//! ```text
//!    2, 3, 4, ... ──► filter 2 ──► filter 3 ──► filter 5 ──► ...
//!                     the first number that comes out of each filter is the next prime
//! ```
//!
//! The channels are `async-channel`'s: a goroutine waits for their futures by `block_on`.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example prime_sieve -- 1000
//! ```

use std::error::Error;
use std::time::Instant;

use async_channel::{Receiver, Sender, bounded};
use gosched_runtime::{Migrating, Runtime, block_on, go};

/// Sends 2, 3, 4, ... until nobody listens.
fn generate(numbers: &Sender<u64>) {
    for number in 2.. {
        if block_on(numbers.send(number)).is_err() {
            return;
        }
    }
}

/// Passes on what `prime` does not divide.
fn filter(prime: u64, numbers: &Receiver<u64>, passed: &Sender<u64>) {
    while let Ok(number) = block_on(numbers.recv()) {
        if number % prime != 0 && block_on(passed.send(number)).is_err() {
            return;
        }
    }
}

/// The first `count` primes.
fn sieve(count: usize) -> Vec<u64> {
    let (sender, mut numbers) = bounded(1);
    go(move || generate(&sender));
    let mut primes = Vec::with_capacity(count);
    for _ in 0..count {
        let prime = block_on(numbers.recv()).expect("there are infinitely many primes");
        primes.push(prime);
        let (sender, receiver) = bounded(1);
        let source = std::mem::replace(&mut numbers, receiver);
        go(move || filter(prime, &source, &sender));
    }
    primes
}

/// Whether nothing smaller divides it.
fn is_prime(number: u64) -> bool {
    (2..)
        .take_while(|divisor| divisor * divisor <= number)
        .all(|divisor| !number.is_multiple_of(divisor))
}

fn main() -> Result<(), Box<dyn Error>> {
    let count = match std::env::args().nth(1) {
        Some(argument) => argument.parse().map_err(|_| {
            format!("usage: prime_sieve [HOW MANY PRIMES]; {argument:?} is no number")
        })?,
        None => 1000,
    };
    // SAFETY: nothing here keeps anything of its thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().migrating(migrating).build()?;
    let begin = Instant::now();
    let primes = runtime.run(move || sieve(count))?;
    let took = begin.elapsed();
    assert!(primes.iter().all(|&prime| is_prime(prime)), "each is a prime");
    assert!(primes.is_sorted() && primes.len() == count);
    if let Some(last) = primes.last() {
        println!("prime number {count} is {last}; {count} goroutines found it in {took:.1?}");
    }
    Ok(())
}
