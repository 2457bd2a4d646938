//! Several searches at once: graphs are values, and independent of each other.
//!
//! Each worker has a stack of graphs and takes the newest, which keeps the stack short. When
//! another worker has none, it gives the oldest away, which has the most work behind it. Who
//! explores what does not change which graphs there are, so the counts are the same for any number
//! of workers.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::graph::Graph;
use super::quiet;
use super::run::{Ended, Outcome, Run};
use super::{Builder, Program, Report};

/// A worker looks at the clock, and tells who watches, once in so many executions.
const EXECUTIONS_PER_GLANCE: u64 = 64;

/// A number that no other run has, of this search or another: state that survives a run is known
/// by it.
pub(super) fn next_run() -> u64 {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    RUNS.fetch_add(1, Ordering::Relaxed)
}

/// Runs `f` on an OS thread that ends with it. A model that panics may leave its thread in the
/// middle of unwinding, and then std takes the OS thread for one that panics, for ever.
pub(super) fn on_a_thread_of_its_own<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    let result = thread::scope(|scope| scope.spawn(f).join());
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// What the workers share.
struct Pool<'a> {
    program: Program,
    builder: &'a Builder,
    deadline: Option<Instant>,
    watch: &'a (dyn Fn(u64) + Sync),
    work: Mutex<Work>,
    /// There is work again, or none will come.
    changed: Condvar,
    /// Workers without a graph: a hint to give one away.
    hungry: AtomicUsize,
    executions: AtomicU64,
    stopped: AtomicBool,
}

struct Work {
    graphs: Vec<Graph>,
    /// Workers that may still put graphs aside.
    busy: usize,
}

impl Report {
    fn new() -> Self {
        Self {
            complete: 0,
            blocked: 0,
            exhaustive: true,
            outcomes: std::collections::BTreeMap::new(),
            failure: None,
        }
    }

    fn add(&mut self, other: Self) {
        self.complete += other.complete;
        self.blocked += other.blocked;
        self.exhaustive &= other.exhaustive;
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        self.failure = self.failure.take().or(other.failure);
    }
}

/// Searches with as many workers as the builder says.
pub(super) fn search(program: Program, builder: &Builder, watch: &(dyn Fn(u64) + Sync)) -> Report {
    let jobs = builder.jobs.get();
    quiet::install();
    let pool = Pool {
        program,
        builder,
        deadline: Instant::now().checked_add(builder.time_max),
        watch,
        work: Mutex::new(Work { graphs: vec![Graph::default()], busy: jobs }),
        changed: Condvar::new(),
        hungry: AtomicUsize::new(0),
        executions: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
    };
    let mut report = Report::new();
    thread::scope(|scope| {
        // None is the caller's thread: see `on_a_thread_of_its_own`.
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(|| pool.work_off())).collect();
        for worker in workers {
            match worker.join() {
                Ok(found) => report.add(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    report
}

impl Pool<'_> {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One worker: explores until nobody has a graph left.
    fn work_off(&self) -> Report {
        let (mut report, mut graphs, mut stacks) = (Report::new(), Vec::new(), Vec::new());
        while let Some(graph) = self.next(&mut graphs) {
            let Ended { outcome, failure, .. } = Run::execute(
                &self.program,
                graph,
                &mut graphs,
                &mut stacks,
                self.builder.events_max,
                next_run(),
                None,
            );
            match outcome {
                Outcome::Complete(outcome) => {
                    report.complete += 1;
                    *report.outcomes.entry(outcome).or_default() += 1;
                }
                Outcome::Blocked => report.blocked += 1,
                Outcome::Inconsistent => continue,
                Outcome::Fault(_) => {
                    report.failure = failure;
                    self.stop();
                }
            }
            self.count();
        }
        // A search that was stopped has left graphs.
        report.exhaustive = graphs.is_empty() && report.failure.is_none();
        report
    }

    /// Counts an execution, and stops the search when a budget is spent.
    fn count(&self) {
        let executions = self.executions.fetch_add(1, Ordering::Relaxed) + 1;
        if executions.is_multiple_of(EXECUTIONS_PER_GLANCE) {
            (self.watch)(executions);
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.stop();
            }
        }
        if executions >= self.builder.executions_max {
            self.stop();
        }
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    /// The next graph of a worker whose own are `graphs`.
    fn next(&self, graphs: &mut Vec<Graph>) -> Option<Graph> {
        if self.stopped.load(Ordering::Relaxed) {
            // What is left says that the search is not through.
            return None;
        }
        if graphs.len() > 1 && self.hungry.load(Ordering::Relaxed) > 0 {
            self.lock().graphs.push(graphs.remove(0));
            self.changed.notify_one();
        }
        if let Some(graph) = graphs.pop() {
            return Some(graph);
        }
        self.wait()
    }

    /// A graph that another worker gives away; `None` when all are through.
    fn wait(&self) -> Option<Graph> {
        let mut work = self.lock();
        work.busy -= 1;
        self.hungry.fetch_add(1, Ordering::Relaxed);
        let graph = loop {
            if let Some(graph) = work.graphs.pop() {
                work.busy += 1;
                break Some(graph);
            }
            if work.busy == 0 || self.stopped.load(Ordering::Relaxed) {
                self.changed.notify_all();
                break None;
            }
            // The stop is not signalled under the lock, so it may come just before the wait.
            let pause = Duration::from_millis(50);
            (work, _) =
                self.changed.wait_timeout(work, pause).unwrap_or_else(PoisonError::into_inner);
        };
        self.hungry.fetch_sub(1, Ordering::Relaxed);
        graph
    }
}
