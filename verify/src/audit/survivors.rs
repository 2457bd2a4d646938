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
const QUEUE: &str = "core/src/local_queue/mod.rs";
const STEALER: &str = "core/src/local_queue/stealer.rs";

const THIEF_RELEASES: &str = "\
    Needed, and out of loom's sight: it matters only under load buffering, which loom and RC11 \
    do not have, and which the language and some processors do. The thief's loads of the slots \
    must not sink below its claim, or the owner may see the claim, reuse a slot, and the thief \
    read the new task for the old one (I3).";

const OWNER_ACQUIRES: &str = "\
    Needed, and out of loom's sight: it is the other side of the thief's Release on `head`, and \
    matters only under load buffering. The owner's store to a reused slot must not rise above \
    the load that saw the slot free. Processors keep a store behind the branch it depends on; \
    the language does not promise it.";

/// The known survivors of gosched's core.
pub const SURVIVORS: &[Survivor] = &[
    Survivor {
        file: QUEUE,
        function: "is_empty",
        operation: "self.tail.load(Acquire)",
        weakened: "Acquire -> Relaxed",
        reason: "\
            Not needed: when the tail equals the head, the claim that wrote this head was made \
            by somebody who knew this tail, so the Acquire of `head` has ordered already what \
            this one would. In `len`, where they may differ, the same load needs it.",
    },
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
    Survivor {
        file: STEALER,
        function: "steal_into",
        operation: "self.queue.head.load(Acquire)",
        weakened: "Acquire -> Relaxed",
        reason: "\
            Not needed for safety: with a tail older than the head the length is out of range, \
            and the thief looks again; with a stale head the compare-exchange fails. It keeps \
            thieves from looking twice.",
    },
    Survivor {
        file: STEALER,
        function: "claim",
        operation: "self.queue.head.compare_exchange(Release, Relaxed)",
        weakened: "Release -> Relaxed",
        reason: THIEF_RELEASES,
    },
];
