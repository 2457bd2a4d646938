//! The owner against one thief that steals all the time.

use criterion::Criterion;
use criterion::measurement::WallTime;
use gosched_benches::queue::{Queue, Visit, each};
use gosched_benches::workload::{BusyThieves, Pause};

struct Thief<'a, 'b> {
    group: &'a mut criterion::BenchmarkGroup<'b, WallTime>,
    pause: Pause,
}

impl Visit for Thief<'_, '_> {
    fn visit<Q: Queue + 'static>(&mut self) {
        for burst in [1, 64] {
            if let Some(busy) = BusyThieves::<Q>::new(burst, 1, self.pause) {
                crate::add(self.group, Q::NAME, burst, busy);
            }
        }
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    for (name, pause) in [("thief/busy", Pause::None), ("thief/calm", Pause::TenMicroseconds)] {
        let mut group = crate::group(criterion, name);
        each(&mut Thief { group: &mut group, pause });
        group.finish();
    }
}
