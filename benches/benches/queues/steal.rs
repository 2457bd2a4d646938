//! Steal of half, by fill; on one core, and from another.

use criterion::Criterion;
use criterion::measurement::WallTime;
use gosched_benches::queue::{Queue, Visit, each};
use gosched_benches::workload::{Handover, Steals};

struct Steal<'a, 'b> {
    group: &'a mut criterion::BenchmarkGroup<'b, WallTime>,
    across: bool,
}

impl Visit for Steal<'_, '_> {
    fn visit<Q: Queue + 'static>(&mut self) {
        for fill in [2, 16, 64, 256] {
            if !self.across {
                crate::add(self.group, Q::NAME, fill, Steals::<Q>::new(fill));
            } else if let Some(handover) = Handover::<Q>::new(fill) {
                crate::add(self.group, Q::NAME, fill, handover);
            }
        }
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    for (name, across) in [("steal/half-of", false), ("handover/half-of", true)] {
        let mut group = crate::group(criterion, name);
        each(&mut Steal { group: &mut group, across });
        group.finish();
    }
}
