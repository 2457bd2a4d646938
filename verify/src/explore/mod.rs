//! The explorer: every execution of a small concurrent program, each once.
//!
//! A test runs a program once, under whatever schedule comes up. The explorer runs it under *every*
//! behaviour that the memory model allows: all interleavings, and for each load all the writes that
//! it may read, stale ones included. The model is RC11 (Lahav et al., PLDI 2017), which is C++20's,
//! and so Rust's, without load buffering. When it is through, and nothing failed, no execution of
//! the program fails: that is the one place in this repository where the word *exhaustive* is used.
//!
//! ```
//! use gosched_verify::explore::{self, Explored, thread};
//! use gosched::memory::{Atomic, Memory, Ordering, Shared};
//!
//! type Word = <Explored as Memory>::AtomicU32;
//! type Arc<T> = <Explored as Memory>::Arc<T>;
//!
//! let report = explore::model(|| {
//!     let flag = <Arc<Word> as Shared<Word>>::new(Word::new(0));
//!     let setter = flag.clone();
//!     let child = thread::spawn(move || setter.store(1, Ordering::Relaxed));
//!     let seen = flag.load(Ordering::Relaxed);
//!     child.join();
//!     assert_eq!(flag.load(Ordering::Relaxed), 1);
//!     format!("seen {seen}")
//! });
//! assert_eq!(report.complete, 2); // the load came before the store, or after it
//! assert!(report.exhaustive);
//! ```
//!
//! # How it works
//!
//! It does not enumerate schedules, of which there are too many, but *execution graphs*: which
//! write each read reads, and in which order the writes of each location stand. Two schedules with
//! the same graph cannot be told apart by any thread. Read in this order: [`event`](self) (what a
//! thread did, and the clocks), `graph`, `consistency` (the axioms), `search` (each graph once),
//! `run` (the program, re-run along a graph), `world` (the memory that asks `run`), `quarantine`,
//! `blocks` and `pointers` (what a model allocates), `pool` (several searches at once), `quiet`
//! (its panics), `picture` (an execution that fails, for the eyes) and `replay` (the same, run
//! again).
//!
//! # What it does not do
//!
//! * No load buffering: RC11 forbids it, the text of the language does not.
//! * Loops that wait must say so ([`Memory::retry_pure`], [`Memory::spin_loop`], a mutex, a
//!   parker), or they are taken for endless.
//! * Locations are whole words; statics, thread-locals and mixed-size accesses are not covered.
//! * A use after free is found if the binary's allocator is [`Quarantine`]. Without it nothing is
//!   known of freed memory, and a freed address that comes back within an execution is taken for
//!   the same pointer. Plain memory, used without the types of [`Explored`], is never checked.
//! * [`Memory::retry_pure`] is a promise, and the test of it sees four repetitions: a loop that
//!   gives up after more of them must not call it, for the executions in which it does would not be
//!   seen. [`Memory::iteration`] must stand at the head of such a loop; without it nothing is
//!   tested, and a deadlock there may be missed.
//! * A destructor that panics while a thread that waits is taken down ends the process: it should
//!   assert only `if !std::thread::panicking()`. A failing execution runs no more destructors; what
//!   its threads own is leaked.
//!
//! [`Memory::retry_pure`]: gosched::memory::Memory::retry_pure
//! [`Memory::spin_loop`]: gosched::memory::Memory::spin_loop
//! [`Memory::iteration`]: gosched::memory::Memory::iteration

mod blocks;
mod consistency;
mod event;
mod fault;
mod graph;
mod picture;
mod pointers;
mod pool;
pub(crate) mod quarantine;
mod quiet;
mod replay;
mod request;
mod run;
mod search;
pub mod thread;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

pub use self::event::THREADS_MAX;
pub use self::fault::FaultKind;
pub use self::picture::Trace;
pub use self::quarantine::Quarantine;
pub use self::world::{
    Explored, ExploredArc, ExploredCell, ExploredInt, ExploredMutex, ExploredParker, ExploredPtr,
    Value,
};

/// A model: one execution, which returns what became visible in it.
pub(crate) type Program = Arc<dyn Fn() -> String + Send + Sync>;

/// Explores a model with the default budgets. What it returns, as text, is its outcome.
///
/// # Panics
///
/// With the failure's message, if an execution of the model fails; see [`Builder::explore`] for a
/// value instead.
#[track_caller]
pub fn model<O: fmt::Display>(model: impl Fn() -> O + Send + Sync + 'static) -> Report {
    let report = Builder::default().explore(model);
    if let Some(failure) = &report.failure {
        panic!("{failure}");
    }
    report
}

/// How far the search goes.
#[derive(Clone, Copy, Debug)]
pub struct Builder {
    /// Executions at most.
    pub executions_max: u64,
    /// Time to spend at most.
    pub time_max: Duration,
    /// Events of one thread at most. A thread that performs more is taken for an endless loop.
    pub events_max: u16,
    /// OS threads that search. The counts do not depend on it.
    pub jobs: NonZeroUsize,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            executions_max: u64::MAX,
            time_max: Duration::from_secs(3600),
            events_max: 2_000,
            jobs: NonZeroUsize::MIN,
        }
    }
}

impl Builder {
    /// Explores a model until it fails, is through, or a budget is spent.
    ///
    /// The model runs on OS threads of the search, not on the caller's. Its panics are reported,
    /// and not handed to the process's panic hook.
    ///
    /// # Panics
    ///
    /// If a budget is zero, or if it is called inside a model.
    pub fn explore<O: fmt::Display>(
        &self,
        model: impl Fn() -> O + Send + Sync + 'static,
    ) -> Report {
        self.explore_watched(model, |_| ())
    }

    /// As [`explore`](Builder::explore), telling `watch` now and then how many executions there
    /// were.
    ///
    /// # Panics
    ///
    /// As [`explore`](Builder::explore).
    pub fn explore_watched<O: fmt::Display>(
        &self,
        model: impl Fn() -> O + Send + Sync + 'static,
        watch: impl Fn(u64) + Sync,
    ) -> Report {
        assert!(!run::is_inside(), "a model cannot be explored inside a model");
        let spent = self.executions_max == 0 || self.time_max.is_zero() || self.events_max == 0;
        assert!(!spent, "a budget of zero explores nothing");
        pool::search(Arc::new(move || model().to_string()), self, &watch)
    }
}

/// What was explored.
#[derive(Clone, Debug)]
pub struct Report {
    /// Executions in which every thread ended.
    pub complete: u64,
    /// Executions that stopped with a thread waiting for a value that it gets in another one.
    pub blocked: u64,
    /// Whether these are all the executions that RC11 allows. False when a budget ended the search,
    /// or a failure.
    pub exhaustive: bool,
    /// What the complete executions returned, and how many of them each.
    pub outcomes: BTreeMap<String, u64>,
    /// An execution that fails. With one job it is always the same one.
    pub failure: Option<Failure>,
}

/// An execution that fails. As text it is its kind, its message and the diagram of the execution.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What sort of failure.
    pub kind: FaultKind,
    /// What the model, or the explorer, has to say.
    pub message: String,
    /// The execution: what each thread did, and what it read.
    pub trace: Trace,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n\n{}", self.kind, self.message, self.trace.columns())
    }
}
