//! What is told of a series of samples: a median for each figure, and ratios within a round.

use gosched_benches::statistics::Spread;

use crate::rounds::{Contender, Row};
use crate::runtime::Runtime;
use crate::sample::Sample;
use crate::workload::Workload;

/// A figure of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    /// Whether its ratio to Go's says something.
    pub(crate) compared: bool,
    of: fn(&Sample) -> Option<f64>,
}

const WALL: Metric = Metric {
    name: "wall ns",
    compared: true,
    of: |sample| Some(sample.wall_ns as f64 / sample.operations as f64),
};

const CPU: Metric = Metric {
    name: "CPU ns",
    compared: true,
    of: |sample| Some(sample.cpu_ns as f64 / sample.operations as f64),
};

const SWITCHES: Metric = Metric {
    name: "switches/M",
    compared: false,
    of: |sample| {
        let switches = (sample.voluntary + sample.involuntary) as f64;
        Some(switches * 1e6 / sample.operations as f64)
    },
};

const PEAK: Metric = Metric {
    name: "peak MiB",
    compared: false,
    of: |sample| Some(sample.peak_bytes as f64 / f64::from(1 << 20)),
};

const P50: Metric = Metric {
    name: "p50 us",
    compared: true,
    of: |sample| sample.p50_ns.map(|time| time as f64 / 1e3),
};

const P99: Metric = Metric {
    name: "p99 us",
    compared: true,
    of: |sample| sample.p99_ns.map(|time| time as f64 / 1e3),
};

const COMPUTED: Metric = Metric {
    name: "computed ms",
    compared: false,
    of: |sample| sample.compute_ns.map(|time| time as f64 / 1e6),
};

const BYTES: Metric =
    Metric { name: "bytes/task", compared: true, of: |sample| sample.bytes_per_task };

/// The figures of a workload, the one that it is about first.
pub(crate) fn metrics(workload: Workload) -> &'static [Metric] {
    match workload {
        Workload::Wake => &[P50, P99, CPU, SWITCHES],
        Workload::Blocking => &[WALL, CPU, COMPUTED, SWITCHES, PEAK],
        Workload::Idle => &[BYTES, WALL, CPU, SWITCHES],
        _ => &[WALL, CPU, SWITCHES, PEAK],
    }
}

impl Metric {
    /// By round.
    pub(crate) fn series(self, contender: &Contender) -> Vec<f64> {
        contender.samples.iter().filter_map(self.of).collect()
    }

    pub(crate) fn spread(self, contender: &Contender) -> Option<Spread> {
        Spread::of(self.series(contender))
    }

    /// Against Go at the same number of workers.
    pub(crate) fn to_go(self, row: &Row, contender: &Contender) -> Option<Spread> {
        let go = row.find(Runtime::Go, contender.workers).filter(|_| self.compared)?;
        Spread::of_ratios(&self.series(contender), &self.series(go))
    }

    /// Against the same runtime with one worker.
    pub(crate) fn to_one_worker(self, row: &Row, contender: &Contender) -> Option<Spread> {
        let one = row.find(contender.runtime, 1).filter(|_| contender.workers != 1)?;
        Spread::of_ratios(&self.series(contender), &self.series(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Size;

    fn contender(runtime: Runtime, workers: usize, wall: [u64; 3]) -> Contender {
        let sample = |wall_ns| Sample { operations: 10, wall_ns, ..Sample::default() };
        let (size, samples) = (Size { tasks: 1, rounds: 10 }, wall.map(sample).to_vec());
        Contender { runtime, workers, size, samples, failure: None }
    }

    #[test]
    fn ratios_are_to_go_at_as_many_workers_and_to_the_same_runtime_with_one() {
        let contenders = vec![
            contender(Runtime::Go, 1, [100, 100, 100]),
            contender(Runtime::Go, 2, [50, 500, 5000]),
            contender(Runtime::Tokio, 1, [20, 20, 20]),
            contender(Runtime::Tokio, 2, [10, 100, 1000]),
        ];
        let row = Row { workload: Workload::Yield, contenders, left_out: Vec::new() };
        let median = |spread: Option<Spread>| spread.map(|spread| spread.median);
        let [go, _, one, two] = &row.contenders[..] else { panic!("four contenders") };
        assert_eq!(median(WALL.spread(two)), Some(10.0));
        assert_eq!(median(WALL.to_go(&row, two)), Some(0.2));
        assert_eq!(median(WALL.to_go(&row, one)), Some(0.2));
        assert_eq!(median(WALL.to_one_worker(&row, two)), Some(5.0));
        assert_eq!(median(WALL.to_one_worker(&row, go)), None);
        assert_eq!(median(SWITCHES.to_go(&row, two)), None);
    }

    #[test]
    fn each_workload_is_about_something_that_is_compared() {
        for workload in Workload::ALL {
            assert!(metrics(workload)[0].compared, "{workload}");
        }
    }
}
