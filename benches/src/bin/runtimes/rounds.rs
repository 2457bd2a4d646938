//! Interleaved rounds: each runtime, at each number of workers, has one child a round.

use core::time::Duration;
use std::path::Path;

use crate::child::{self, Task};
use crate::runtime::Runtime;
use crate::sample::Sample;
use crate::workload::{Size, Workload};

/// A runtime at a number of workers, and what was measured of it.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) runtime: Runtime,
    pub(crate) workers: usize,
    pub(crate) size: Size,
    /// By round. Empty if one of its children failed: half a series has no ratios.
    pub(crate) samples: Vec<Sample>,
    /// Why it has no samples.
    pub(crate) failure: Option<String>,
}

/// A workload, and who takes part.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) workload: Workload,
    pub(crate) contenders: Vec<Contender>,
    /// Who does not, and why.
    pub(crate) left_out: Vec<String>,
}

impl Row {
    pub(crate) fn new(
        workload: Workload,
        runtimes: &[Runtime],
        workers: &[usize],
        scale: f64,
    ) -> Self {
        let (mut contenders, mut left_out) = (Vec::new(), Vec::new());
        for runtime in runtimes.iter().copied() {
            for workers in workers.iter().copied() {
                if let Some(reason) = runtime.left_out(workload, workers) {
                    left_out.push(format!("{runtime} with {workers} workers: {reason}"));
                    continue;
                }
                let size = runtime.size(workload, workload.size(scale));
                let (samples, failure) = (Vec::new(), None);
                contenders.push(Contender { runtime, workers, size, samples, failure });
            }
        }
        Self { workload, contenders, left_out }
    }

    /// Measures `rounds` times; each round begins with another contender. One that fails is not
    /// asked again.
    pub(crate) fn measure(
        &mut self,
        rounds: usize,
        go: Option<&Path>,
        limit: Duration,
        mut done: impl FnMut(&Contender),
    ) {
        let count = self.contenders.len();
        for round in 0..rounds {
            for turn in 0..count {
                let contender = &mut self.contenders[(round + turn) % count];
                if contender.failure.is_some() {
                    continue;
                }
                let Contender { runtime, workers, size, .. } = *contender;
                let task = Task { runtime, workload: self.workload, workers, size };
                match child::run(task, go, limit) {
                    Ok(sample) => contender.samples.push(sample),
                    Err(message) => {
                        contender.samples.clear();
                        contender.failure = Some(message);
                    }
                }
                done(contender);
            }
        }
    }

    /// The contender that another one's ratio is taken against, if it was measured.
    pub(crate) fn find(&self, runtime: Runtime, workers: usize) -> Option<&Contender> {
        let same = |one: &&Contender| one.runtime == runtime && one.workers == workers;
        self.contenders.iter().find(same).filter(|one| !one.samples.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_every_runtime_at_every_number_of_workers_but_those_left_out() {
        let row = Row::new(Workload::Wake, &Runtime::ALL, &[1, 2], 1.0);
        assert_eq!(row.contenders.len(), 2 * Runtime::ALL.len() - 1);
        assert_eq!(row.left_out.len(), 1);
        assert!(row.left_out[0].starts_with("go with 1 workers"), "{:?}", row.left_out);
    }

    #[test]
    fn a_contender_that_fails_is_asked_once_and_has_no_samples() {
        // There is no program in Go.
        let mut row = Row::new(Workload::Yield, &[Runtime::Go], &[1], 1.0);
        let mut asked = 0;
        row.measure(3, None, Duration::from_secs(1), |_| asked += 1);
        assert_eq!(asked, 1);
        assert!(row.contenders[0].failure.is_some());
        assert!(row.find(Runtime::Go, 1).is_none());
    }
}
