//! Straight-line programs: a few threads, each a list of operations on a few words.
//!
//! What a thread does next depends on what it read in two ways only, the two that matter: a
//! compare-exchange writes or not, and a thread that waits for a value goes no further.

use std::fmt;

use gosched::memory::Ordering;

/// What a read-modify-write computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Swap,
    Max,
}

impl Change {
    pub(crate) fn apply(self, old: u64, operand: u64) -> u64 {
        match self {
            Self::Add => old + operand,
            Self::Swap => operand,
            Self::Max => old.max(operand),
        }
    }
}

/// One operation. `word` is the number of a word; all hold 0 at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Load {
        word: usize,
        order: Ordering,
    },
    Store {
        word: usize,
        value: u64,
        order: Ordering,
    },
    Modify {
        word: usize,
        change: Change,
        value: u64,
        order: Ordering,
    },
    Exchange {
        word: usize,
        expected: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
        weak: bool,
    },
    Fence(Ordering),
    LightFence,
    HeavyFence,
    /// Loads until it reads the value.
    Await {
        word: usize,
        value: u64,
        order: Ordering,
    },
    /// Waits for the token of the program's one parking place, and takes it.
    Park,
    /// Deposits the token.
    Unpark,
}

/// The threads of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// Words that it uses. The parking place comes after them.
    pub(crate) words: usize,
    pub(crate) threads: Vec<Vec<Op>>,
}

impl Op {
    /// The word that it reads or writes, out of `words`; a fence has none.
    pub(crate) fn word(self, words: usize) -> Option<usize> {
        match self {
            Self::Load { word, .. }
            | Self::Store { word, .. }
            | Self::Modify { word, .. }
            | Self::Exchange { word, .. }
            | Self::Await { word, .. } => Some(word),
            Self::Park | Self::Unpark => Some(words),
            Self::Fence(_) | Self::LightFence | Self::HeavyFence => None,
        }
    }

    pub(crate) fn reads(self) -> bool {
        match self {
            Self::Load { .. }
            | Self::Modify { .. }
            | Self::Exchange { .. }
            | Self::Await { .. }
            | Self::Park
            | Self::Unpark => true,
            Self::Store { .. } | Self::Fence(_) | Self::LightFence | Self::HeavyFence => false,
        }
    }

    /// Whether it writes in some execution.
    pub(crate) fn may_write(self) -> bool {
        match self {
            Self::Store { .. }
            | Self::Modify { .. }
            | Self::Exchange { .. }
            | Self::Park
            | Self::Unpark => true,
            Self::Load { .. }
            | Self::Await { .. }
            | Self::Fence(_)
            | Self::LightFence
            | Self::HeavyFence => false,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Load { word, order } => write!(f, "w{word}.load({order:?})"),
            Self::Store { word, value, order } => write!(f, "w{word}.store({value}, {order:?})"),
            Self::Modify { word, change, value, order } => {
                write!(f, "w{word}.{change:?}({value}, {order:?})")
            }
            Self::Exchange { word, expected, new, success, failure, weak } => {
                let weak = if weak { "_weak" } else { "" };
                write!(f, "w{word}.exchange{weak}({expected}, {new}, {success:?}, {failure:?})")
            }
            Self::Fence(order) => write!(f, "fence({order:?})"),
            Self::LightFence => f.write_str("light_fence()"),
            Self::HeavyFence => f.write_str("heavy_fence()"),
            Self::Await { word, value, order } => {
                write!(f, "while w{word}.load({order:?}) != {value} {{}}")
            }
            Self::Park => f.write_str("park()"),
            Self::Unpark => f.write_str("unpark()"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} words, all 0", self.words)?;
        for (thread, ops) in self.threads.iter().enumerate() {
            writeln!(f, "thread {thread}")?;
            for op in ops {
                writeln!(f, "    {op}")?;
            }
        }
        Ok(())
    }
}
