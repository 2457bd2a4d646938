//! The owner alone: pairs of push and pop, singly and in bursts.

use criterion::Criterion;
use criterion::measurement::WallTime;
use gosched_benches::queue::{Queue, Visit, each};
use gosched_benches::workload::Bursts;

struct Owner<'a, 'b>(&'a mut criterion::BenchmarkGroup<'b, WallTime>);

impl Visit for Owner<'_, '_> {
    fn visit<Q: Queue + 'static>(&mut self) {
        for burst in [1, 16, 128] {
            crate::add(self.0, Q::NAME, burst, Bursts::<Q>::new(burst));
        }
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = crate::group(criterion, "owner/burst");
    each(&mut Owner(&mut group));
    group.finish();
}
