//! What can be wrong with a model, or its use of the explorer.

use std::any::Any;
use std::fmt;

/// Why a model is not deterministic.
pub(super) const OUTSIDE: &str =
    "it depends on something outside (time, addresses, the order of a hash map, a static)";

/// Why a run cannot go on: the model, or its use of the explorer, is wrong.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) message: String,
}

/// What sort of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The model panicked: an assertion of the claim, mostly.
    Panic,
    /// Two accesses to a cell, one of them a write, that nothing orders.
    Race,
    /// Memory that the model has freed is used, or nothing orders its use before that. Found with
    /// the allocator [`Quarantine`](super::Quarantine).
    UseAfterFree,
    /// Threads that wait for what nobody will do.
    Deadlock,
    /// The program did something else when it was run again.
    NotDeterministic,
    /// A thread performed more events than the limit allows.
    UnboundedLoop,
    /// A thread was never joined.
    NotJoined,
    /// A shared value still had owners when all threads had ended.
    Leak,
    /// The explorer was used in a way that it does not support.
    Misuse,
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panic => "an execution panics",
            Self::Race => "a data race",
            Self::UseAfterFree => "a use after free",
            Self::Deadlock => "a deadlock",
            Self::NotDeterministic => "the model is not deterministic",
            Self::UnboundedLoop => "a loop without a bound",
            Self::NotJoined => "a thread that is not joined",
            Self::Leak => "a leak",
            Self::Misuse => "misuse of the explorer",
        })
    }
}

/// What a panic says.
pub(super) fn message_of(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).into()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".into()
    }
}
