//! The fences, between a store and a load.

use criterion::Criterion;
use criterion::measurement::WallTime;
use gosched::memory::{FenceMode, Hardware};
use gosched_benches::workload::{Fence, FencePair, VisitFence, each_fence};

struct Fences<'a, 'b>(&'a mut criterion::BenchmarkGroup<'b, WallTime>);

impl VisitFence for Fences<'_, '_> {
    fn visit<F: Fence>(&mut self) {
        if let Some(pair) = FencePair::<F>::new() {
            crate::add(self.0, F::NAME, 1, pair);
        }
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    // What the first heavy fence would choose; the light one is measured before it.
    Hardware::choose_fence_mode(FenceMode::Membarrier);
    let mut group = crate::group(criterion, "fence/dekker");
    each_fence(&mut Fences(&mut group));
    group.finish();
}
