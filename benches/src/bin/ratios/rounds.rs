//! Interleaved rounds: each contender takes one short sample a round.

use core::time::Duration;
use std::time::Instant;

use crate::rows::{Contender, Row, Sample};

/// Fewer rounds have no quartiles worth the name.
const LEAST: usize = 7;
/// More rounds change the quartiles no more.
const MOST: usize = 101;

/// How often a disturbed sample is repeated before it is taken as it is.
const PATIENCE: usize = 20;

/// What was measured.
pub(crate) struct Rounds {
    pub(crate) count: usize,
    /// Samples among them that were disturbed, and all their repetitions too.
    pub(crate) disturbed: usize,
    /// By contender, by metric, by round.
    pub(crate) values: Vec<Vec<Vec<f64>>>,
}

/// Measures for about so long: fewer rounds if time is short, but [`LEAST`] at least.
pub(crate) fn measure(row: &mut Row, budget: Duration) -> Rounds {
    let begin = Instant::now();
    let length = calibrate(&mut row.contenders[0], row.sample);
    // Warm up all, so that no contender's first page faults are measured.
    for contender in &mut row.contenders {
        (contender.run)(length.div_ceil(4));
    }
    let contenders = row.contenders.len();
    let mut values = vec![vec![Vec::new(); row.metrics.len()]; contenders];
    let (mut count, mut disturbed) = (0, 0);
    while count < LEAST || (begin.elapsed() < budget && count < MOST) {
        for turn in 0..contenders {
            // Another one begins each time: nobody always stands behind the same neighbour.
            let index = (count + turn) % contenders;
            let sample = undisturbed(&mut row.contenders[index], length);
            disturbed += usize::from(sample.disturbed);
            for (series, value) in values[index].iter_mut().zip(sample.values) {
                series.push(value);
            }
        }
        count += 1;
    }
    Rounds { count, disturbed, values }
}

/// A sample during which every thread had its processor, if there is one to be had.
fn undisturbed(contender: &mut Contender, length: u64) -> Sample {
    for _ in 1..PATIENCE {
        let sample = (contender.run)(length);
        if !sample.disturbed {
            return sample;
        }
    }
    (contender.run)(length)
}

/// How many rounds of the workload make a sample of that length, for the baseline.
fn calibrate(baseline: &mut Contender, sample: Duration) -> u64 {
    let mut rounds = 1;
    loop {
        let time = (baseline.run)(rounds).time;
        if time >= sample / 2 || rounds > u64::MAX / 4 {
            let exact = rounds as f64 * sample.as_secs_f64() / time.as_secs_f64().max(1e-9);
            return (exact.round() as u64).max(1);
        }
        rounds *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Metric;

    /// A contender whose operation takes so many nanoseconds, without taking them.
    fn pretend(nanoseconds: u64) -> Contender {
        let run = move |rounds| Sample {
            time: Duration::from_nanos(rounds * nanoseconds),
            values: vec![nanoseconds as f64],
            disturbed: false,
        };
        Contender { name: "pretended", note: "", ours: false, run: Box::new(run) }
    }

    #[test]
    fn a_sample_is_as_long_as_asked_for() {
        assert_eq!(calibrate(&mut pretend(10), Duration::from_micros(200)), 20_000);
        assert_eq!(calibrate(&mut pretend(1_000_000), Duration::from_micros(200)), 1);
    }

    #[test]
    fn a_disturbed_sample_is_repeated_and_counted_only_if_all_its_repetitions_were() {
        let sometimes = |calm: usize| {
            let mut calls = 0;
            let run = move |_| {
                calls += 1;
                Sample { time: Duration::ZERO, values: Vec::new(), disturbed: calls < calm }
            };
            Contender { name: "pretended", note: "", ours: false, run: Box::new(run) }
        };
        assert!(!undisturbed(&mut sometimes(PATIENCE), 1).disturbed);
        assert!(undisturbed(&mut sometimes(PATIENCE + 1), 1).disturbed);
    }

    #[test]
    fn every_contender_has_a_value_in_every_round() {
        let mut row = Row {
            name: String::new(),
            what: String::new(),
            metrics: &[Metric { name: "time", unit: "ns" }],
            sample: Duration::from_micros(1),
            contenders: vec![pretend(10), pretend(5), pretend(20)],
        };
        let rounds = measure(&mut row, Duration::ZERO);
        assert_eq!(rounds.count, LEAST);
        let expected = [10.0, 5.0, 20.0].map(|value| vec![vec![value; LEAST]]);
        assert_eq!(rounds.values, expected);
    }
}
