//! One operation language for every tester that works on lists of operations.
//!
//! A [`Program`] is plain data: how the structures under test are set up, and a list of operations
//! on them. To run a program is to perform each operation twice, on the real structures and on a
//! sequential [`mod@reference`], and to compare what came back, every length, and which tasks are
//! still alive. There are four languages:
//!
//! | language | operations on | asks |
//! |---|---|---|
//! | [`local::Local`] | two local queues that steal from each other, and a global queue | results and order |
//! | [`global::Global`] | the global queue and two batches | results and order |
//! | [`ownership::Ownership`] | all of these, with each kind of task, some of whose drops panic | who drops what, when |
//! | [`scheduler::Simulation`] | the whole scheduler, on a simulated host | who runs what, when; who sleeps |
//!
//! Programs come from three places, and each can hand a failure to the others:
//!
//! * **proptest** (feature `proptest`, [`random`]) makes random programs, and shrinks a failing
//!   one;
//! * **libFuzzer** (feature `arbitrary`, `fuzz/`) makes bytes, which [`encoding`] reads as a
//!   program and writes again;
//! * **people** write them down: the `known` lists of each language. They run first of all, and are
//!   the fuzzers' seeds.
//!
//! A program's `Debug` form is the Rust expression that makes it, so that a failure found by
//! anybody becomes a known program by copy and paste. Nothing here needs an engine: the module
//! compiles with `default-features = false`.
//!
//! # What must have happened
//!
//! A list of random operations may pass because nothing happened in it. So a run returns what it
//! [`Seen`], and whoever runs many programs asserts that all of [`Language::MUST_SEE`] was among
//! it.

#[cfg(feature = "arbitrary")]
mod arbitrary;
pub mod encoding;
pub mod global;
pub mod local;
pub mod ownership;
#[cfg(feature = "proptest")]
pub mod random;
pub mod reference;
pub mod scheduler;
pub mod tracked;

use std::collections::BTreeSet;
use std::fmt::{self, Debug};

use self::encoding::Operation;

/// A list of operations and what they are performed on.
#[derive(Clone, PartialEq, Eq)]
pub struct Program<L: Language> {
    /// How the structures are set up; its type is the language.
    pub setup: L,
    /// What is done to them.
    pub ops: Vec<L::Op>,
}

/// The Rust expression that makes the program, given the language's `literal` names.
impl<L: Language> Debug for Program<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program {{ setup: {:?}, ops: vec!{:?} }}", self.setup, self.ops)
    }
}

/// How the structures of one language are set up, and how its operations are performed.
pub trait Language: Clone + Debug + PartialEq + 'static {
    /// One operation.
    type Op: Operation;

    /// The module of the language.
    const NAME: &'static str;

    /// Its fuzz target, and the folder of that target's seeds.
    const TARGET: &'static str;

    /// What must be seen when many programs are run; [`Seen`] holds nothing else.
    const MUST_SEE: &'static [&'static str];

    /// The set-up that four bytes stand for. Every four bytes stand for one.
    fn from_bytes(bytes: [u8; 4]) -> Self;

    /// Four bytes that stand for this set-up.
    fn to_bytes(&self) -> [u8; 4];

    /// Performs `ops` on the structures and on the reference.
    ///
    /// # Errors
    ///
    /// At the first difference.
    fn perform(&self, ops: &[Self::Op]) -> Result<Seen, Mismatch>;

    /// The programs that people wrote down, each with a name.
    fn known() -> Vec<(&'static str, Program<Self>)>;
}

impl<L: Language> Program<L> {
    /// Runs the program.
    ///
    /// # Errors
    ///
    /// At the first difference between the structures and the reference.
    pub fn run(&self) -> Result<Seen, Mismatch> {
        self.setup.perform(&self.ops)
    }

    /// Runs the program, for a tester that takes a panic for a failure.
    ///
    /// # Panics
    ///
    /// At the first difference, with the program in the message.
    pub fn assert_holds(&self) {
        if let Err(mismatch) = self.run() {
            panic!("{mismatch}\nthe program: {self:?}");
        }
    }
}

/// What happened while a program ran: some of its language's [`MUST_SEE`](Language::MUST_SEE).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen(BTreeSet<&'static str>);

impl Seen {
    /// Notes `event` if it `happened`.
    fn note(&mut self, happened: bool, event: &'static str) {
        if happened {
            self.0.insert(event);
        }
    }

    /// Adds what another program saw.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// What a language's programs must have seen and did not see.
    #[must_use]
    pub fn missing<L: Language>(&self) -> Vec<&'static str> {
        L::MUST_SEE.iter().copied().filter(|event| !self.0.contains(event)).collect()
    }

    /// What was seen and is not in the language's list: a slip of the driver's author.
    #[must_use]
    pub fn unlisted<L: Language>(&self) -> Vec<&'static str> {
        self.0.iter().copied().filter(|event| !L::MUST_SEE.contains(event)).collect()
    }
}

/// A difference between the structures and the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which operation, counted from 1, in words; none at the end of the program.
    at: Option<String>,
    what: String,
}

impl Mismatch {
    /// The same difference, at operation `index`.
    fn at(self, index: usize, op: impl Debug) -> Self {
        Self { at: Some(format!("operation {}, {op:?}", index + 1)), ..self }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.as_deref().unwrap_or("after the last operation");
        write!(f, "{at}: {}", self.what)
    }
}

impl core::error::Error for Mismatch {}

/// Compares what the structure said with what the reference says.
fn agree<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), Mismatch> {
    if found == expected {
        return Ok(());
    }
    let what = format!("{what}: found {found:?}, the reference says {expected:?}");
    Err(Mismatch { at: None, what })
}
