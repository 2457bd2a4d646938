//! What is claimed, and the models that check it.
//!
//! A [`Claim`] is a sentence that a user can read, with a name such as
//! `local_queue::no_task_is_lost`. It holds [`Case`]s: small programs ([`Model`]s, generic over the
//! [`World`]) that engines run through many executions, and [`Property`]s: sequential tests on
//! random operation lists.
//!
//! A model has two duties. It **asserts** whatever must hold in each execution, by panicking. And
//! it
//! **returns an outcome**, a line that tells what became visible ("owner 1, thief 2 3"). Over all
//! executions the outcomes form a set, which is judged twice: every [`Witness`] of the model must
//! have been seen (so that no model passes because nothing happened in it), and the outcomes that
//! sequentially consistent schedules reach must all have been reached (so that an engine that
//! forgets executions is found out).

use std::fmt;
use std::sync::Arc;

use crate::world::World;

/// What one execution of a model showed. Equal outcomes count once.
pub type Outcome = String;

/// Something that some execution of a model must show.
#[derive(Clone)]
pub struct Witness {
    /// What must have happened: "a steal took two tasks".
    pub name: &'static str,
    /// Whether an outcome shows it.
    pub seen_in: fn(&str) -> bool,
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A small concurrent program with assertions.
///
/// `run` must be deterministic but for the order of its threads' memory operations: no clock, no
/// hash map, no state that survives the call. It makes all shared state itself.
pub trait Model: Send + Sync + 'static {
    /// One execution, from the first thread to the last join.
    ///
    /// # Panics
    ///
    /// When the claim does not hold.
    fn run<W: World>(&self) -> Outcome;

    /// What the executions, taken together, must show.
    fn witnesses(&self) -> Vec<Witness> {
        Vec::new()
    }
}

/// How many times, and how far, the engines run a model.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// loom's preemption bound in the ordinary run; `None` is no bound.
    pub loom_fast: Option<usize>,
    /// loom's preemption bound under `--thorough`.
    pub loom_thorough: Option<usize>,
    /// Whether loom runs this case at all (models of more than five threads cannot).
    pub loom: bool,
    /// Whether the explorer runs this case.
    pub explore: bool,
    /// Random schedules under shuttle in the ordinary run; ten times as many under `--thorough`.
    pub shuttle: usize,
    /// Repetitions on the hardware in the ordinary run; ten times as many under `--thorough`.
    pub stress: usize,
}

impl Bounds {
    /// Two threads: loom without a bound.
    pub const TWO_THREADS: Self = Self {
        loom_fast: None,
        loom_thorough: None,
        loom: true,
        explore: true,
        shuttle: 10_000,
        stress: 2_000,
    };
    /// Three threads: two preemptions, three under `--thorough`.
    pub const THREE_THREADS: Self =
        Self { loom_fast: Some(2), loom_thorough: Some(3), ..Self::TWO_THREADS };
    /// For shuttle and the hardware alone.
    pub const MANY_THREADS: Self = Self { loom: false, explore: false, ..Self::TWO_THREADS };
}

/// One model of a claim, with its bounds.
pub struct Case {
    /// The case's name within the claim: `overflow`.
    pub name: &'static str,
    /// What it is, in numbers: "2 threads, capacity 4".
    pub shape: &'static str,
    /// How far the engines go.
    pub bounds: Bounds,
    /// The model, with its type erased; or a search of the specification.
    pub subject: Subject,
}

/// What a case runs.
#[derive(Clone)]
pub enum Subject {
    /// A small program over the core.
    Model(Arc<dyn crate::engine::AnyModel>),
    /// A search through the states of the specification.
    Search(Arc<dyn crate::engine::AnySearch>),
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model(_) => "Model",
            Self::Search(_) => "Search",
        })
    }
}

impl Case {
    /// A case of `model`.
    pub fn new(name: &'static str, shape: &'static str, bounds: Bounds, model: impl Model) -> Self {
        Self { name, shape, bounds, subject: Subject::Model(Arc::new(model)) }
    }

    /// A case that searches the specification.
    pub fn searched(
        name: &'static str,
        shape: &'static str,
        search: Arc<dyn crate::engine::AnySearch>,
    ) -> Self {
        let bounds = Bounds { shuttle: 0, stress: 0, ..Bounds::MANY_THREADS };
        Self { name, shape, bounds, subject: Subject::Search(search) }
    }

    /// The model, if that is what it runs.
    #[must_use]
    pub fn model(&self) -> Option<&Arc<dyn crate::engine::AnyModel>> {
        match &self.subject {
            Subject::Model(model) => Some(model),
            Subject::Search(_) => None,
        }
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).field("shape", &self.shape).finish()
    }
}

/// A sequential test: it runs `cases` random inputs, or one fixed input when there is only one.
#[derive(Clone, Copy)]
pub struct Property {
    /// The property's name within the claim: `matches_the_reference`.
    pub name: &'static str,
    /// What it is, in words: "lists of up to 200 operations".
    pub shape: &'static str,
    /// Random inputs in the ordinary run; ten times as many under `--thorough`. 1: a fixed test.
    pub cases: u32,
    /// Runs that many inputs; returns how many it ran.
    ///
    /// # Errors
    ///
    /// With the message to show, a minimal failing input in it.
    pub run: fn(cases: u32) -> Result<u64, String>,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A sentence about the core, and everything that checks it.
#[derive(Debug)]
pub struct Claim {
    /// `structure::what_holds`.
    pub name: &'static str,
    /// The claim, as a sentence that a user can read.
    pub sentence: &'static str,
    /// The concurrent models.
    pub cases: Vec<Case>,
    /// The sequential tests.
    pub properties: Vec<Property>,
}

/// Every claim, in the order of the book.
#[must_use]
pub fn registry() -> Vec<Claim> {
    crate::claims::all()
}
