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

const DEADLOCK: &str = "core/src/scheduler/deadlock.rs";
const POLL: &str = "core/src/scheduler/poll.rs";
const SHUTDOWN: &str = "core/src/scheduler/shutdown.rs";

const MUTEX_ORDERS_IT: &str = "\
    Needed, and out of the engines' sight: what was queued is ordered by the global queue's mutex. \
    Were our section of it before the other's, the other would have left after that, and our load \
    have read from its own future: load buffering, which RC11 forbids and the language does not.";

const POLLER_IS_THE_HOSTS: &str = "\
    For the host, which may take its poller apart after a shutdown: what the last poll did happens \
    before the shutdown returns. The one model that shows it, \
    `scheduler::a_shutdown_waits_for_those_who_poll/poll_or_shutdown`, has 60,825 executions, too \
    many to be run for each weakening within the budget of this page.";

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
    Survivor {
        file: DEADLOCK,
        function: "wait_for_them",
        operation: "self.word.load(Acquire)",
        weakened: "Acquire -> Relaxed",
        reason: MUTEX_ORDERS_IT,
    },
    Survivor {
        file: DEADLOCK,
        function: "drop",
        operation: "self.scheduler.shared.outside.word.fetch_sub(Release)",
        weakened: "Release -> Relaxed",
        reason: "\
            For what an outsider does by other ways than `inject`, such as `timer_added`: `inject` \
            releases by its own count, and no model has an outsider that does anything else.",
    },
    Survivor {
        file: POLL,
        function: "is_waiting",
        operation: "self.waits.load(Acquire)",
        weakened: "Acquire -> Relaxed",
        reason: POLLER_IS_THE_HOSTS,
    },
    Survivor {
        file: POLL,
        function: "leave",
        operation: "self.waits.store(Release)",
        weakened: "Release -> Relaxed",
        reason: POLLER_IS_THE_HOSTS,
    },
    Survivor {
        file: SHUTDOWN,
        function: "end",
        operation: "H::Memory::fence(SeqCst)",
        weakened: "SeqCst -> none",
        reason: POLLER_IS_THE_HOSTS,
    },
];
