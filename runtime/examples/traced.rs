//! A run with something of everything, and its trace, to be looked at.
//!
//! Two goroutines that play ping-pong; a blocking call that lasts so long that its processor is
//! taken, and given to others; a goroutine that starts many, of which the other processor steals
//! some; and one that sleeps.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example traced -- trace.json
//! ```

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::time::Duration;

use async_channel::bounded;
use gosched_runtime::time::sleep;
use gosched_runtime::{Migrating, Runtime, block_on, blocking, go, named};

/// How often each hits the ball.
const HITS: u32 = 10;
/// How many goroutines are started at once.
const STORM: usize = 24;

/// The ball goes to and fro: each makes the other runnable, and waits for it.
fn ping_pong() {
    let ((to, fro), (away, back)) = (bounded::<u32>(1), bounded(1));
    let pong = named("pong").go(move || {
        while let Ok(ball) = block_on(fro.recv()) {
            block_on(away.send(ball + 1)).expect("ping waits for it");
        }
    });
    for hit in 0..HITS {
        block_on(to.send(hit)).expect("pong waits for it");
        assert_eq!(block_on(back.recv()), Ok(hit + 1));
    }
    drop(to);
    pong.join().expect("pong does not panic");
}

/// Some tens of microseconds of work.
fn work() -> u64 {
    (0..40_000).fold(1, |sum: u64, next| black_box(sum.wrapping_mul(31) ^ next))
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "trace.json".to_owned());
    // SAFETY: the goroutines keep nothing of a thread across a scheduling point.
    let promise = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(2).migrating(promise).build()?;
    // By then sysmon sleeps until a goroutine runs, from when on it looks every 20 microseconds.
    std::thread::sleep(Duration::from_millis(50));

    let trace = runtime.start_trace()?;
    runtime.run(|| {
        let sleeper = named("sleeper").go(|| sleep(Duration::from_micros(700)));
        let reader =
            named("reader").go(|| blocking(|| std::thread::sleep(Duration::from_millis(1))));
        let ping = named("ping").go(ping_pong);
        let storm = named("storm").go(|| {
            let started: Vec<_> = (0..STORM).map(|_| go(work)).collect();
            started.into_iter().for_each(|one| drop(black_box(one.join())));
        });
        [sleeper, reader, ping, storm].into_iter().try_for_each(|one| one.join())
    })??;

    let summary = trace.write_json(File::create(&path)?)?;
    let counts = runtime.metrics().total;
    println!("{path}: {summary}; {} stolen, {} retakes", counts.stolen, counts.retakes);
    assert_eq!(summary.runs as u64, counts.switches);
    Ok(())
}
