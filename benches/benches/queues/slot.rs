//! The most recent task first.

use criterion::Criterion;
use criterion::measurement::WallTime;
use gosched_benches::queue::{Recent, VisitRecent, each_recent};
use gosched_benches::workload::{Kick, PingPong};

struct Slot<'a, 'b> {
    group: &'a mut criterion::BenchmarkGroup<'b, WallTime>,
    kick: bool,
}

impl VisitRecent for Slot<'_, '_> {
    fn visit<Q: Recent + 'static>(&mut self) {
        if self.kick {
            crate::add(self.group, Q::NAME, 2, Kick::<Q>::new());
        } else {
            crate::add(self.group, Q::NAME, 1, PingPong::<Q>::new());
        }
    }
}

pub(crate) fn bench(criterion: &mut Criterion) {
    for (name, kick) in [("slot/ping-pong", false), ("slot/kick", true)] {
        let mut group = crate::group(criterion, name);
        each_recent(&mut Slot { group: &mut group, kick });
        group.finish();
    }
}
