//! Claims about the order in which a thief visits its victims.

use std::collections::BTreeSet;

use gosched::StealOrder;

use crate::claim::{Claim, Property};

/// Numbers of victims: all small ones, and some with few and with many coprimes.
fn counts() -> impl Iterator<Item = usize> {
    (0..=40).chain([64, 97, 128, 210, 256])
}

/// The seeds that suffice to reach every sweep, and the last ones.
fn seeds(count: usize) -> impl Iterator<Item = u32> {
    let all = u32::try_from(count * count).expect("the counts are small");
    (0..=all).chain((u32::MAX - 50)..=u32::MAX)
}

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        claim(
            "steal_order::each_victim_once",
            "A sweep visits every victim exactly once, whatever the seed.",
            each_victim_once,
        ),
        claim(
            "steal_order::deterministic",
            "Equal seeds give equal sweeps, also after a resize to and fro.",
            deterministic,
        ),
        claim(
            "steal_order::all_starts_reached",
            "As many successive seeds as there are pairs of a start and a step give each pair once; \
             so every victim comes first equally often.",
            all_starts_reached,
        ),
    ]
}

fn claim(name: &'static str, sentence: &'static str, run: fn(u32) -> Result<u64, String>) -> Claim {
    let shape = "0 to 256 victims, all starts and steps";
    Claim {
        name,
        sentence,
        cases: vec![],
        properties: vec![Property { name: "every_sweep", shape, cases: 1, run }],
    }
}

fn each_victim_once(_: u32) -> Result<u64, String> {
    let mut sweeps = 0;
    for count in counts() {
        let order = StealOrder::new(count);
        let mut last_visit = vec![0; count];
        for seed in seeds(count) {
            sweeps += 1;
            let visits = order.start(seed).inspect(|&victim| last_visit[victim] = sweeps).count();
            if visits != count || last_visit.iter().any(|&visit| visit != sweeps) {
                let sweep: Vec<usize> = order.start(seed).collect();
                return Err(format!("{count} victims, seed {seed}: {sweep:?}"));
            }
        }
    }
    Ok(sweeps)
}

fn deterministic(_: u32) -> Result<u64, String> {
    let mut sweeps = 0;
    let mut resized = StealOrder::default();
    for count in counts() {
        let order = StealOrder::new(count);
        resized.resize(count + 7);
        resized.resize(count);
        for seed in seeds(count.min(40)) {
            sweeps += 1;
            if !order.start(seed).eq(resized.start(seed)) {
                return Err(format!("{count} victims, seed {seed}: two sweeps differ"));
            }
        }
    }
    Ok(sweeps)
}

fn all_starts_reached(_: u32) -> Result<u64, String> {
    let mut sweeps = 0;
    for count in counts().filter(|&count| count > 0) {
        let order = StealOrder::new(count);
        let steps = (1..=count).filter(|&step| coprime(step, count)).count();
        let pairs: BTreeSet<(usize, usize)> = (0..count * steps)
            .map(|seed| {
                sweeps += 1;
                let mut sweep = order.start(u32::try_from(seed).expect("the counts are small"));
                let start = sweep.next().unwrap_or(count);
                (start, (sweep.next().unwrap_or(start) + count - start) % count)
            })
            .collect();
        if pairs.len() != count * steps {
            return Err(format!("{count} victims: {} of {} pairs", pairs.len(), count * steps));
        }
    }
    Ok(sweeps)
}

/// Whether no number but 1 divides both, by trying them all.
fn coprime(a: usize, b: usize) -> bool {
    !(2..=a).any(|divisor| a.is_multiple_of(divisor) && b.is_multiple_of(divisor))
}
