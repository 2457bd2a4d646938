//! The orderings that no claim can tell from weaker ones, each with the reason why it stays.
//!
//! An entry names its site by file, function and operation, so that it does not go stale when lines
//! move. The audit fails when an entry is missing, and when one is there that is not needed any
//! more.

/// A weakening that is known to survive, or an operation that is known not to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// `core/src/local_queue/stealer.rs`.
    pub file: &'static str,
    /// The function's name.
    pub function: &'static str,
    /// As the audit prints it: `self.queue.head.load(Acquire)`.
    pub operation: &'static str,
    /// As the audit prints it: `Acquire -> Relaxed`, `failure: Acquire -> Relaxed`, `not reached`.
    pub weakened: &'static str,
    /// Why it stays, and why no claim notices.
    pub reason: &'static str,
}

const OWNER: &str = "core/src/local_queue/owner.rs";

const OWNER_ACQUIRES: &str = "\
    Needed, and out of loom's sight: it is the other side of the thief's Release on `head`, and \
    matters only under load buffering. The owner's store to a reused slot must not rise above \
    the load that saw the slot free. Processors keep a store behind the branch it depends on; \
    the language does not promise it.";

/// The known survivors of gosched's core.
pub const SURVIVORS: &[Survivor] = &[
    Survivor {
        file: OWNER,
        function: "claim",
        operation: "self.queue.head.compare_exchange(Release, Acquire)",
        weakened: "failure: Acquire -> Relaxed",
        reason: OWNER_ACQUIRES,
    },
    Survivor {
        file: OWNER,
        function: "room_seen_afresh",
        operation: "self.queue.head.load(Acquire)",
        weakened: "Acquire -> Relaxed",
        reason: OWNER_ACQUIRES,
    },
];
