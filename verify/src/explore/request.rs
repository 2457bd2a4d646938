//! What a thread of the model asks the run for, and what it is told.

use std::fmt;

use super::event::{Fence, Label, Loc, Read, ReadKind, Write};

/// What a thread asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Read { loc: Loc, kind: ReadKind },
    Write(Write),
    Fence(Fence),
    Spawn,
    Join(u8),
    End,
    Choice(u8),
}

/// What a thread is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answer {
    /// What was read, or the number of a thread or a choice.
    pub(super) value: u64,
    /// A write follows: the exchange succeeded.
    pub(super) exclusive: bool,
}

impl From<u64> for Answer {
    fn from(value: u64) -> Self {
        Self { value, exclusive: false }
    }
}

impl Request {
    /// What has become this event.
    pub(super) fn of(label: &Label) -> Self {
        match *label {
            Label::Read(Read { loc, kind, .. }) => Self::Read { loc, kind },
            Label::Write(write) => Self::Write(write),
            Label::Fence(fence) => Self::Fence(fence),
            Label::Spawn(_) => Self::Spawn,
            Label::Join(child) => Self::Join(child),
            Label::End => Self::End,
            Label::Choice { of, .. } => Self::Choice(of),
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { loc, kind } => write!(f, "{kind} of {loc}"),
            Self::Write(Write { loc, value, order, .. }) => {
                write!(f, "a store({value}, {order:?}) to {loc}")
            }
            Self::Fence(Fence::Ordered(order)) => write!(f, "a fence({order:?})"),
            Self::Fence(Fence::Light) => f.write_str("a light fence"),
            Self::Fence(Fence::Heavy) => f.write_str("a heavy fence"),
            Self::Spawn => f.write_str("the start of a thread"),
            Self::Join(child) => write!(f, "a join of thread {child}"),
            Self::End => f.write_str("the thread's end"),
            Self::Choice(of) => write!(f, "a choice of {of}"),
        }
    }
}

impl fmt::Display for ReadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(order) => write!(f, "a load({order:?})"),
            Self::Modify { arithmetic, operand, order, .. } => {
                write!(f, "a read-modify-write ({arithmetic:?} {operand}, {order:?})")
            }
            Self::Exchange { expected, new, success, failure, weak } => {
                let weak = if *weak { "a weak" } else { "an" };
                write!(f, "{weak} exchange ({expected}, {new}, {success:?}, {failure:?})")
            }
            Self::Await { expected, .. } => write!(f, "a wait for {expected}"),
        }
    }
}

impl fmt::Display for Loc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "location {} of thread {}", self.number, self.thread)
    }
}
