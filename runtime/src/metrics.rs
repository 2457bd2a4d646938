//! What a runtime has done, in numbers: for a reader, and for Prometheus.
//!
//! The counts are kept anyway, each by the owner of a processor in a word of its own; see
//! `counters.rs`. Reading them takes no lock, and disturbs nobody but for the cache lines.

use std::fmt;

use crate::counters::{Count, Counters, Rare};
use crate::latency::Latency;
use crate::runtime::{Runtime, Shared};

/// The counts of one processor, or a sum of several. Each is of some instant while the picture was
/// taken, and none ever decreases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Goroutines started.
    pub started: u64,
    /// Goroutines ended.
    pub ended: u64,
    /// Switches to a goroutine.
    pub switches: u64,
    /// Goroutines that have stopped to wait.
    pub parks: u64,
    /// Goroutines that have gone behind the others: by `yield_now`, after a request, or without a
    /// processor after a system call.
    pub yields: u64,
    /// Calls of [`blocking`](crate::blocking), and waits with the whole thread.
    pub blocking_calls: u64,
    /// Successful thefts.
    pub steals: u64,
    /// Goroutines stolen.
    pub stolen: u64,
    /// Times that the processor was passed on with work in it.
    pub hand_offs: u64,
    /// Times that sysmon took it out of a system call.
    pub retakes: u64,
    /// Times that sysmon asked for an end of the slice.
    pub preempt_requests: u64,
    /// Polls for input, output and timers.
    pub polls: u64,
    /// Goroutines that polls and timers have made runnable.
    pub polled: u64,
    /// Of those, by timers found due on a processor, deadlines of sockets among them.
    pub timers_fired: u64,
}

/// One count: its name, what it is, and where it stands.
struct Column(&'static str, &'static str, fn(&Counts) -> u64);

/// All of them, in the order in which they are shown.
const COLUMNS: [Column; 14] = [
    Column("started", "Goroutines started.", |counts| counts.started),
    Column("ended", "Goroutines ended.", |counts| counts.ended),
    Column("switches", "Switches to a goroutine.", |counts| counts.switches),
    Column("parks", "Goroutines that stopped to wait.", |counts| counts.parks),
    Column("yields", "Goroutines that went behind the others.", |counts| counts.yields),
    Column("blocking_calls", "System calls.", |counts| counts.blocking_calls),
    Column("steals", "Successful thefts.", |counts| counts.steals),
    Column("stolen", "Goroutines stolen.", |counts| counts.stolen),
    Column("hand_offs", "Processors passed on with work.", |counts| counts.hand_offs),
    Column("retakes", "Processors taken out of system calls.", |counts| counts.retakes),
    Column("preempt_requests", "Requests to yield.", |counts| counts.preempt_requests),
    Column("polls", "Polls for input, output and timers.", |counts| counts.polls),
    Column("polled", "Goroutines made runnable by polls and timers.", |counts| counts.polled),
    Column("timers_fired", "Goroutines made runnable by timers.", |counts| counts.timers_fired),
];

impl Counts {
    fn of(counters: &Counters) -> Self {
        // The ends first: there are never more of them than starts.
        let ended = counters.get(Count::Ended);
        Self {
            ended,
            started: counters.get(Count::Started),
            switches: counters.get(Count::Switches),
            parks: counters.get(Count::Parks),
            yields: counters.get(Count::Yields),
            blocking_calls: counters.get(Count::Blocking),
            steals: counters.get_rare(Rare::Steals),
            stolen: counters.get_rare(Rare::Stolen),
            hand_offs: counters.get_rare(Rare::HandOffs),
            retakes: counters.get_rare(Rare::Retakes),
            preempt_requests: counters.get_rare(Rare::PreemptRequests),
            polls: counters.get_rare(Rare::Polls),
            polled: counters.get_rare(Rare::Polled),
            timers_fired: counters.get_rare(Rare::TimersFired),
        }
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            started: self.started + other.started,
            ended: self.ended + other.ended,
            switches: self.switches + other.switches,
            parks: self.parks + other.parks,
            yields: self.yields + other.yields,
            blocking_calls: self.blocking_calls + other.blocking_calls,
            steals: self.steals + other.steals,
            stolen: self.stolen + other.stolen,
            hand_offs: self.hand_offs + other.hand_offs,
            retakes: self.retakes + other.retakes,
            preempt_requests: self.preempt_requests + other.preempt_requests,
            polls: self.polls + other.polls,
            polled: self.polled + other.polled,
            timers_fired: self.timers_fired + other.timers_fired,
        }
    }
}

/// A picture of a runtime's counts. As text, a table; see also [`prometheus`](Metrics::prometheus).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metrics {
    /// Of each processor that is, or was, in service.
    pub processors: Vec<Counts>,
    /// Of what happened without a processor: on other threads, and inside system calls.
    pub outside: Counts,
    /// The sums of these.
    pub total: Counts,
    /// Goroutines that were started and have not ended.
    pub goroutines: u64,
    /// Goroutines that stood in queues.
    pub queued: usize,
    /// Machines, and how many of them slept.
    pub machines: (usize, usize),
    /// How long goroutines have waited from runnable to running. `None` unless the runtime was
    /// built with [`latency`](crate::Builder::latency).
    pub latency: Option<Latency>,
}

impl Runtime {
    /// What the runtime has done by now. O(processors); takes no lock, and allocates a list.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        of(self.shared())
    }
}

fn of(shared: &Shared) -> Metrics {
    let engine = shared.engine();
    // The ends first, of all: so there are never more of them than starts.
    let sums = engine.counters.sums();
    let snapshot = shared.scheduler().snapshot();
    let most = shared.scheduler().config().max_processors;
    let mut processors: Vec<Counts> =
        (0..most).map(|id| Counts::of(engine.counters.of(Some(id)))).collect();
    let used = processors.iter().rposition(|counts| *counts != Counts::default());
    processors.truncate(snapshot.processors.len().max(used.map_or(0, |last| last + 1)));
    let outside = Counts::of(engine.counters.of(None));
    let latency = engine.settings.latency.then(|| {
        let mut latency = Latency::new();
        (0..most).for_each(|id| engine.counters.of(Some(id)).latency.add_to(&mut latency));
        latency
    });
    let queued = snapshot.processors.iter().map(|processor| processor.queued).sum::<usize>();
    Metrics {
        total: processors.iter().fold(outside, Counts::plus),
        processors,
        outside,
        goroutines: sums.started - sums.ended,
        queued: queued + snapshot.global,
        machines: (snapshot.machines, snapshot.sleeping),
        latency,
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { goroutines, queued, machines: (machines, sleeping), .. } = self;
        writeln!(
            f,
            "goroutines {goroutines}, queued {queued}, machines {machines} ({sleeping} asleep)"
        )?;
        write!(f, "{:<17}", "")?;
        (0..self.processors.len()).try_for_each(|id| write!(f, "{:>12}", format!("P{id}")))?;
        writeln!(f, "{:>12}{:>12}", "outside", "total")?;
        for Column(name, _, value) in COLUMNS {
            write!(f, "{:<17}", name.replace('_', " "))?;
            for counts in self.processors.iter().chain([&self.outside, &self.total]) {
                write!(f, "{:>12}", value(counts))?;
            }
            writeln!(f)?;
        }
        let Some(latency) = &self.latency else { return Ok(()) };
        let quantile = |share| latency.quantile(share);
        writeln!(
            f,
            "runnable to running: {} times, mean {:?}, half within {:?}, 99 % {:?}, 99.9 % {:?}, all {:?}",
            latency.count(),
            latency.mean(),
            quantile(0.5),
            quantile(0.99),
            quantile(0.999),
            quantile(1.0),
        )
    }
}

impl Metrics {
    /// The same in the text format of Prometheus.
    ///
    /// ```
    /// # let runtime = gosched_runtime::Runtime::builder().processors(1).build()?;
    /// # runtime.run(|| ())?;
    /// let text = runtime.metrics().prometheus().to_string();
    /// assert!(text.contains("gosched_started_total{processor=\"none\"} 1\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn prometheus(&self) -> impl fmt::Display + '_ {
        Prometheus(self)
    }
}

struct Prometheus<'a>(&'a Metrics);

impl fmt::Display for Prometheus<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metrics = self.0;
        let gauges = [
            ("goroutines", "Goroutines that have not ended.", metrics.goroutines),
            ("queued", "Goroutines in queues.", metrics.queued as u64),
            ("machines", "Machines.", metrics.machines.0 as u64),
            ("machines_asleep", "Machines that sleep.", metrics.machines.1 as u64),
        ];
        for (name, help, value) in gauges {
            writeln!(f, "# HELP gosched_{name} {help}\n# TYPE gosched_{name} gauge")?;
            writeln!(f, "gosched_{name} {value}")?;
        }
        for Column(name, help, value) in COLUMNS {
            writeln!(f, "# HELP gosched_{name}_total {help}\n# TYPE gosched_{name}_total counter")?;
            for (id, counts) in metrics.processors.iter().enumerate() {
                writeln!(f, "gosched_{name}_total{{processor=\"{id}\"}} {}", value(counts))?;
            }
            let outside = value(&metrics.outside);
            writeln!(f, "gosched_{name}_total{{processor=\"none\"}} {outside}")?;
        }
        metrics.latency.as_ref().map_or(Ok(()), |latency| histogram(f, latency))
    }
}

fn histogram(f: &mut fmt::Formatter<'_>, latency: &Latency) -> fmt::Result {
    let name = "gosched_scheduling_latency_seconds";
    writeln!(f, "# HELP {name} From runnable to running.\n# TYPE {name} histogram")?;
    // Powers of two, from 128 ns to 1 s: every quarter would be more than anybody keeps.
    for power in 7..=30 {
        let most = 1u64 << power;
        let within = |upper: u128| upper < u128::from(most);
        let counts = latency.buckets().filter(|(upper, _)| within(upper.as_nanos()));
        let count: u64 = counts.map(|(_, count)| count).sum();
        writeln!(f, "{name}_bucket{{le=\"{}\"}} {count}", most as f64 / 1e9)?;
    }
    let count = latency.count();
    writeln!(f, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
    writeln!(f, "{name}_sum {}\n{name}_count {count}", latency.sum().as_secs_f64())
}
