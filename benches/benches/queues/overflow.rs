//! Pushes into a full queue.

use criterion::Criterion;
use criterion::measurement::WallTime;
use gosched_benches::queue::{CAPACITY, Queue, Visit, each};
use gosched_benches::workload::Overflow;

struct Full<'a, 'b>(&'a mut criterion::BenchmarkGroup<'b, WallTime>);

impl Visit for Full<'_, '_> {
    fn visit<Q: Queue + 'static>(&mut self) {
        crate::add(self.0, Q::NAME, CAPACITY, Overflow::<Q>::new());
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    let mut group = crate::group(criterion, "overflow/push");
    each(&mut Full(&mut group));
    group.finish();
}
