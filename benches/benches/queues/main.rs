//! The workloads under criterion: distributions, and what changed since the last run.
//!
//! ```text
//! cargo bench -p gosched-benches                 all groups
//! cargo bench -p gosched-benches -- 'owner|slot' some
//! cargo test -p gosched-benches --benches        each once, as a test: the workloads check
//! themselves
//! ```
//!
//! criterion measures one contender after the other, for seconds each: on a machine that others use
//! too, take ratios from `--bin ratios`, which interleaves them.

mod fences;
mod overflow;
mod owner;
mod slot;
mod steal;
mod thief;

use core::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group};
use gosched_benches::workload::Workload;

/// A group with settings for what is short and noisy.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    group
}

/// Adds a contender: `group/contender/parameter`.
fn add<W: Workload>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    contender: &str,
    parameter: usize,
    mut workload: W,
) {
    group.throughput(Throughput::Elements(workload.operations()));
    let id = BenchmarkId::new(contender, parameter);
    group.bench_function(id, |bencher| bencher.iter_custom(|rounds| workload.run(rounds)));
}

criterion_group!(
    queues,
    owner::bench,
    slot::bench,
    steal::bench,
    overflow::bench,
    thief::bench,
    fences::bench
);

fn main() {
    queues();
    Criterion::default().configure_from_args().final_summary();
}
