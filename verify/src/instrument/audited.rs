//! `Audited<W>`: any world, with the ordering of one call site weakened.
//!
//! An ordering in the source is a claim: "it must be this strong". The audit tests the claim by
//! making it weaker and asking whether any model then fails. Which site is meant is told by the
//! line and column of the call (the methods of `Memory` are `#[track_caller]`), so the source under
//! test is not touched and not compiled again.
//!
//! A process has one [`Plan`]: to [record](Plan::Record) the sites that a run reaches, or to
//! [weaken](Plan::Weaken) one. It is started once, in the child process that runs one model.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::panic::Location;
use std::sync::{Mutex, OnceLock, PoisonError};

use gosched::memory::Ordering;

use super::{Hook, Instrumented, Kind, Operation};

/// The world `W` under the process's [`Plan`]; without a plan, `W` itself.
pub type Audited<W> = Instrumented<W, Audit>;

/// The hook of [`Audited`].
#[derive(Debug)]
pub struct Audit(());

/// A memory ordering that can be sorted and sent to another process. The order of the variants
/// means nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub enum Order {
    /// `Ordering::Relaxed`; for a fence: no fence.
    Relaxed,
    /// `Ordering::Acquire`.
    Acquire,
    /// `Ordering::Release`.
    Release,
    /// `Ordering::AcqRel`.
    AcqRel,
    /// `Ordering::SeqCst`.
    SeqCst,
}

impl From<Ordering> for Order {
    fn from(order: Ordering) -> Self {
        match order {
            Ordering::Relaxed => Self::Relaxed,
            Ordering::Acquire => Self::Acquire,
            Ordering::Release => Self::Release,
            Ordering::AcqRel => Self::AcqRel,
            // The enum is not exhaustive; a new ordering would be stronger than those we know.
            _ => Self::SeqCst,
        }
    }
}

impl From<Order> for Ordering {
    fn from(order: Order) -> Self {
        match order {
            Order::Relaxed => Self::Relaxed,
            Order::Acquire => Self::Acquire,
            Order::Release => Self::Release,
            Order::AcqRel => Self::AcqRel,
            Order::SeqCst => Self::SeqCst,
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A place in the source that asks for an atomic operation or a fence, with what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub struct Site {
    /// The file, as the compiler names it: relative to the workspace.
    pub file: String,
    /// The line of the method's name.
    pub line: u32,
    /// The column of the method's name.
    pub column: u32,
    /// What it does.
    pub kind: Kind,
    /// The ordering asked for.
    pub order: Order,
    /// The ordering asked for in case of failure; `Relaxed` unless it is a compare-exchange.
    pub failure: Order,
}

impl Site {
    fn of(operation: &Operation) -> Self {
        let caller = operation.caller;
        Self {
            file: caller.file().into(),
            line: caller.line(),
            column: caller.column(),
            kind: operation.kind,
            order: operation.order.into(),
            failure: operation.failure.into(),
        }
    }

    fn is_of(&self, operation: &Operation) -> bool {
        let caller = operation.caller;
        self.line == caller.line()
            && self.column == caller.column()
            && self.kind == operation.kind
            && self.order == operation.order.into()
            && self.failure == operation.failure.into()
            && self.file == caller.file()
    }
}

/// Which of a compare-exchange's two orderings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub enum Part {
    /// The ordering of success, and the only one of every other operation.
    Success,
    /// The ordering of failure.
    Failure,
}

/// One ordering of one site, made weaker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub struct Weakening {
    /// Where.
    pub site: Site,
    /// Which ordering.
    pub part: Part,
    /// What it becomes.
    pub to: Order,
}

impl Weakening {
    /// The ordering in the source.
    #[must_use]
    pub fn original(&self) -> Order {
        match self.part {
            Part::Success => self.site.order,
            Part::Failure => self.site.failure,
        }
    }
}

/// What [`Audited`] does in this process.
#[derive(Clone, Debug)]
pub enum Plan {
    /// Remember the sites in files whose name the function accepts.
    Record(fn(&str) -> bool),
    /// Weaken one ordering.
    Weaken(Weakening),
}

static PLAN: OnceLock<Plan> = OnceLock::new();
static REACHED: Mutex<BTreeSet<Site>> = Mutex::new(BTreeSet::new());

impl Plan {
    /// Makes this the plan of the process.
    ///
    /// # Panics
    ///
    /// If the process has a plan: an experiment that changes under way shows nothing.
    pub fn start(self) {
        assert!(PLAN.set(self).is_ok(), "this process has an audit plan already");
    }

    /// The sites that were reached, under [`Plan::Record`], sorted.
    #[must_use]
    pub fn reached() -> Vec<Site> {
        REACHED.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Hook for Audit {
    const NAME: &'static str = "audited";
    type Paused = ();

    fn begin(operation: &mut Operation) {
        match PLAN.get() {
            Some(Plan::Record(files)) => record(operation, *files),
            Some(Plan::Weaken(weakening)) if weakening.site.is_of(operation) => {
                match weakening.part {
                    Part::Success => operation.order = weakening.to.into(),
                    Part::Failure => operation.failure = weakening.to.into(),
                }
            }
            _ => {}
        }
    }

    fn end(_: &Operation, _: bool) {}
    fn pause() {}
    fn resume((): ()) {}
}

type Seen = (&'static Location<'static>, Kind, Ordering, Ordering);

thread_local! {
    /// What this thread has recorded: a million operations come from a few dozen sites, and the set
    /// of all threads is behind a lock.
    static SEEN: RefCell<HashSet<Seen>> = RefCell::default();
}

fn record(operation: &Operation, files: fn(&str) -> bool) {
    // What is remembered here outlives the model's execution, and is none of its memory.
    #[cfg(feature = "explore")]
    let _engine = crate::explore::quarantine::engine();
    let orders = matches!(
        operation.kind,
        Kind::Load
            | Kind::Store
            | Kind::ReadModifyWrite
            | Kind::CompareExchange
            | Kind::Fence
            | Kind::LightFence
            | Kind::HeavyFence
    );
    let seen = (operation.caller, operation.kind, operation.order, operation.failure);
    if orders && SEEN.with_borrow_mut(|sites| sites.insert(seen)) && files(operation.caller.file())
    {
        REACHED.lock().unwrap_or_else(PoisonError::into_inner).insert(Site::of(operation));
    }
}
