//! What is measured: the rows, each a workload with its contenders.

use core::time::Duration;

use gosched_benches::queue::{self, Ours, Queue, Recent, Visit, VisitRecent};
use gosched_benches::workload::{
    Bursts, BusyThieves, Fence, FencePair, Handover, Kick, Overflow, Pause, PingPong, Steals,
    VisitFence, Workload, each_fence,
};

/// A workload, and all who run it.
pub(crate) struct Row {
    pub(crate) name: String,
    /// What one operation is.
    pub(crate) what: String,
    /// What a sample tells, and in which unit.
    pub(crate) metrics: &'static [Metric],
    /// About how long one sample is to take.
    pub(crate) sample: Duration,
    /// The first is the baseline of the ratios.
    pub(crate) contenders: Vec<Contender>,
}

/// What a sample tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
}

/// Who runs it.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
    /// Whether it is gosched's.
    pub(crate) ours: bool,
    /// Runs so many rounds of the workload.
    pub(crate) run: Box<dyn FnMut(u64) -> Sample>,
}

/// One sample: the time of its timed sections, and a value for each metric.
pub(crate) struct Sample {
    pub(crate) time: Duration,
    pub(crate) values: Vec<f64>,
    /// Whether another program had a processor that one of its threads needed.
    pub(crate) disturbed: bool,
}

const NANOSECONDS: &[Metric] = &[Metric { name: "time", unit: "ns" }];
const THROUGHPUT: &[Metric] = &[
    Metric { name: "owner", unit: "M/s" },
    Metric { name: "stolen", unit: "M/s" },
    Metric { name: "total", unit: "M/s" },
];
/// For steals, whose untimed part (fill the victims, empty all) is many times as long.
const SHORTEST: Duration = Duration::from_micros(20);
/// Short, so that many rounds fit and a disturbance hits few of them.
const SHORT: Duration = Duration::from_micros(200);
/// Long enough for threads to meet each other often, short enough to be left alone meanwhile.
const LONG: Duration = Duration::from_millis(1);

/// Every row, with up to so many thieves.
pub(crate) fn all(thieves: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for burst in [1, 16, 128] {
        let what = format!("a pair of push and pop, the owner alone, in bursts of {burst}");
        rows.push(fifo(format!("owner/burst-{burst}"), what, Owned(burst)));
    }
    rows.push(recent("slot/ping-pong", "a task pushed to be next, and popped", Recents::PingPong));
    rows.push(recent("slot/kick", "two pushed to be next, two popped; for one", Recents::Kick));
    for fill in [2, 16, 64, 256] {
        let what = format!("a steal of half of {fill}, lines warm, one core");
        let row = fifo(format!("steal/half-of-{fill}"), what, Stolen(fill));
        rows.push(Row { sample: SHORTEST, ..row });
    }
    let what = "a push into a full queue, overflow included".to_owned();
    rows.push(fifo("overflow/push".to_owned(), what, Overflowing));
    rows.push(fences());
    if thieves > 0 {
        for fill in [16, 256] {
            let what = format!("a steal of half of {fill}, from another core");
            let row = fifo(format!("handover/half-of-{fill}"), what, Handed(fill));
            rows.push(Row { sample: SHORTEST, ..row });
        }
        rows.extend(thief_counts(thieves).into_iter().flat_map(against));
    }
    rows
}

/// 1, 2, 4, ... and the most there can be.
fn thief_counts(most: usize) -> Vec<usize> {
    let powers = (0..usize::BITS).map(|shift| 1 << shift).take_while(|count| *count < most);
    powers.chain([most]).collect()
}

/// The rows of an owner against so many thieves.
fn against(thieves: usize) -> Vec<Row> {
    let throughput = |name: &str, burst, pause, what: &str| Row {
        name: format!("thief/{name}-{burst}/{thieves}"),
        what: format!("tasks, bursts of {burst}, against {thieves} thieves that {what}"),
        metrics: THROUGHPUT,
        sample: LONG,
        contenders: Shared { burst, thieves, pause }.contenders(),
    };
    vec![
        throughput("calm", 64, Pause::TenMicroseconds, "wait 10 us between steals"),
        throughput("busy", 64, Pause::None, "never wait"),
        throughput("busy", 1, Pause::None, "never wait"),
    ]
}

/// A workload for every queue that is timed as such.
trait Timed {
    fn contender<Q: Queue + 'static>(&self) -> Option<Box<dyn Workload>>;
}

struct Owned(usize);
struct Stolen(usize);
struct Overflowing;
struct Handed(usize);

impl Timed for Owned {
    fn contender<Q: Queue + 'static>(&self) -> Option<Box<dyn Workload>> {
        Some(Box::new(Bursts::<Q>::new(self.0)))
    }
}

impl Timed for Stolen {
    fn contender<Q: Queue + 'static>(&self) -> Option<Box<dyn Workload>> {
        Some(Box::new(Steals::<Q>::new(self.0)))
    }
}

impl Timed for Overflowing {
    fn contender<Q: Queue + 'static>(&self) -> Option<Box<dyn Workload>> {
        Some(Box::new(Overflow::<Q>::new()))
    }
}

impl Timed for Handed {
    fn contender<Q: Queue + 'static>(&self) -> Option<Box<dyn Workload>> {
        Some(Box::new(Handover::<Q>::new(self.0)?))
    }
}

fn fifo<T: Timed>(name: String, what: String, timed: T) -> Row {
    struct Visitor<T>(T, Vec<Contender>);

    impl<T: Timed> Visit for Visitor<T> {
        fn visit<Q: Queue + 'static>(&mut self) {
            if let Some(workload) = self.0.contender::<Q>() {
                self.1.push(contender(Q::NAME, Q::NOTE, workload));
            }
        }
    }

    let mut visitor = Visitor(timed, Vec::new());
    queue::each(&mut visitor);
    Row { name, what, metrics: NANOSECONDS, sample: SHORT, contenders: visitor.1 }
}

/// The workloads of the slot.
#[derive(Clone, Copy)]
enum Recents {
    PingPong,
    Kick,
}

fn recent(name: &str, what: &str, which: Recents) -> Row {
    struct Visitor(Recents, Vec<Contender>);

    impl VisitRecent for Visitor {
        fn visit<Q: Recent + 'static>(&mut self) {
            let workload: Box<dyn Workload> = match self.0 {
                Recents::PingPong => Box::new(PingPong::<Q>::new()),
                Recents::Kick => Box::new(Kick::<Q>::new()),
            };
            self.1.push(contender(Q::NAME, Q::NOTE, workload));
        }
    }

    let mut visitor = Visitor(which, Vec::new());
    queue::each_recent(&mut visitor);
    let (name, what) = (name.to_owned(), what.to_owned());
    Row { name, what, metrics: NANOSECONDS, sample: SHORT, contenders: visitor.1 }
}

fn fences() -> Row {
    struct Visitor(Vec<Contender>);

    impl VisitFence for Visitor {
        fn visit<F: Fence>(&mut self) {
            if let Some(pair) = FencePair::<F>::new() {
                self.0.push(contender(F::NAME, F::NOTE, Box::new(pair)));
            }
        }
    }

    let mut visitor = Visitor(Vec::new());
    each_fence(&mut visitor);
    Row {
        name: "fence/dekker".to_owned(),
        what: "a store, the fence, a load".to_owned(),
        metrics: NANOSECONDS,
        sample: SHORT,
        contenders: visitor.0,
    }
}

fn contender(name: &'static str, note: &'static str, mut workload: Box<dyn Workload>) -> Contender {
    let run = move |rounds| {
        let time = workload.run(rounds);
        let operations = rounds as f64 * workload.operations() as f64;
        let values = vec![time.as_nanos() as f64 / operations];
        Sample { time, values, disturbed: false }
    };
    Contender { name, note, ours: is_ours(name), run: Box::new(run) }
}

fn is_ours(name: &str) -> bool {
    name == Ours::NAME || name == "light_fence"
}

/// An owner against thieves, for every queue.
#[derive(Clone, Copy)]
struct Shared {
    burst: usize,
    thieves: usize,
    pause: Pause,
}

impl Shared {
    fn contenders(self) -> Vec<Contender> {
        struct Visitor(Shared, Vec<Contender>);

        impl Visit for Visitor {
            fn visit<Q: Queue + 'static>(&mut self) {
                let Shared { burst, thieves, pause } = self.0;
                let workload = BusyThieves::<Q>::new(burst, thieves, pause);
                self.1.extend(workload.map(throughput));
            }
        }

        let mut visitor = Visitor(self, Vec::new());
        queue::each(&mut visitor);
        visitor.1
    }
}

fn throughput<Q: Queue + 'static>(mut workload: BusyThieves<Q>) -> Contender {
    let run = move |rounds| {
        let shares = workload.share(rounds);
        let microseconds = shares.time.as_secs_f64() * 1e6;
        let rate = |tasks: u64| tasks as f64 / microseconds;
        let values =
            vec![rate(shares.owner), rate(shares.stolen), rate(shares.owner + shares.stolen)];
        Sample { time: shares.time, values, disturbed: shares.disturbed }
    };
    Contender { name: Q::NAME, note: Q::NOTE, ours: is_ours(Q::NAME), run: Box::new(run) }
}

#[cfg(test)]
mod tests {
    use gosched_benches::queue::Plain;

    use super::*;

    #[test]
    fn thieves_come_in_powers_of_two_up_to_all() {
        assert_eq!(thief_counts(1), [1]);
        assert_eq!(thief_counts(2), [1, 2]);
        assert_eq!(thief_counts(7), [1, 2, 4, 7]);
    }

    #[test]
    fn every_row_has_a_baseline_ours_and_a_name_of_its_own() {
        let rows = all(1);
        for row in &rows {
            assert!(row.contenders.iter().any(|contender| contender.ours), "{}", row.name);
            let baseline = row.contenders[0].name;
            assert!([Plain::NAME, "fence(SeqCst)"].contains(&baseline), "{}", row.name);
            let same = rows.iter().filter(|other| other.name == row.name).count();
            assert_eq!(same, 1, "{}", row.name);
        }
    }
}
