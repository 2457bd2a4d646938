//! Designs and changes: what is explored is a design with a set of changes to it.
//!
//! A change takes one piece of a design away, or does it in another way. Most must be caught: they
//! are the mutants, which show that the checker would notice. Some must not be: they show which
//! pieces the guarantees do not need.

use core::fmt;

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Design {
    /// The idle word: idle Ps and searchers in one word, changed by compare-exchange.
    Word,
    /// Go 1.27's protocol with the holes H1, H3 and H4 repaired.
    Go,
}

impl Design {
    /// `word`, `go`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Go => "go",
        }
    }
}

/// Declares the changes, each with its name and what it does.
macro_rules! changes {
    ($($(#[doc = $text:literal])+ $variant:ident = $name:literal,)+) => {
        /// A change to a design.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Change { $($(#[doc = $text])+ $variant,)+ }

        impl Change {
            /// Every change.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name on the command line and in the tables.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it does, in a sentence.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Self::$variant => concat!($($text),+).trim_ascii(),)+ }
            }
        }
    };
}

changes! {
    /// Who gives a P up never looks again.
    NoLook = "no-look",
    /// Who gives a P up looks at the global queue alone.
    NoLookAtQueues = "no-look-at-queues",
    /// Who gives a P up looks at the Ps' queues alone.
    NoLookAtGlobal = "no-look-at-global",
    /// Of those who give a P up, only searchers look.
    OnlySearchersLook = "only-searchers-look",
    /// The look may come before the step that gives the P up (the fence is missing).
    LookBeforeDrop = "look-before-drop",
    /// A publication may reach the others after the load that follows it (the fence is missing).
    LatePublication = "late-publication",
    /// The rest of what was stolen is published after the thief is no searcher any more.
    LateRest = "late-rest",
    /// A searcher that found work wakes nobody.
    NoSuccessor = "no-successor",
    /// Who hands a P off does not look again (the hole H1, on the word).
    HandOffWithoutLook = "hand-off-without-look",
    /// Who took a batch from the global queue without searching wakes nobody (H4, on the word).
    BatchWithoutWake = "batch-without-wake",
    /// A hand-off does not look whether the P has tasks.
    HandOffIgnoresTasks = "hand-off-ignores-tasks",
    /// A hand-off does not look at the global queue under the lock.
    HandOffIgnoresGlobal = "hand-off-ignores-global",
    /// Who gives a P up does not look at the global queue under the lock.
    DropIgnoresGlobal = "drop-ignores-global",
    /// A task that yields to the global queue wakes nobody.
    YieldWithoutWake = "yield-without-wake",
    /// A push from outside wakes nobody.
    InjectWithoutWake = "inject-without-wake",
    /// Who comes back from a call and finds no P gives the task away and wakes nobody.
    ExitWithoutWake = "exit-without-wake",
    /// The look at a P reads its ring and then, in another step, its slot.
    TornLook = "torn-look",
    /// The slot cannot be stolen.
    SlotNotStealable = "slot-not-stealable",
    /// A thief leaves in the slot what it takes from there.
    StealCopies = "steal-copies",
    /// The monitor takes a P from a call without the compare-exchange that tells the caller.
    TakeUntold = "take-untold",
    /// A searcher that gives its P up is not taken off the count.
    CountKept = "count-kept",
    /// A searcher that gives its P up stays a searcher.
    ParksAsSearcher = "parks-as-searcher",
    /// `needspinning` does not exist.
    NoNeed = "no-need",
    /// A wake that finds no P leaves `needspinning` as it is.
    WakeSetsNoNeed = "wake-sets-no-need",
    /// A look that finds no P leaves `needspinning` as it is.
    LookSetsNoNeed = "look-sets-no-need",
    /// `needspinning` is cleared only after the searcher is off the count again.
    LateClear = "late-clear",
    /// A wake returns at once if no P is idle.
    FastPath = "fast-path",
    /// The hole H1: a hand-off idles the P without reading `needspinning`.
    H1 = "h1",
    /// The hole H3: a failing wake sets `needspinning` before it takes itself off the count.
    H3 = "h3",
    /// The hole H4: a batch is carried to the ring outside the lock, and nobody is woken for it.
    H4 = "h4",
    /// Every drop is followed by a look, whoever else is counted.
    AlwaysLook = "always-look",
    /// A drop sets the idle bit and takes the searcher off the count in two steps.
    TwoStepDrop = "two-step-drop",
    /// A searcher that found work takes itself off the count, and then wakes as a submit does.
    TwoStepFound = "two-step-found",
    /// The idle set and the count are two words: a bit is taken before the count goes up, and set
    /// before the count goes down.
    TwoWords = "two-words",
    /// A submit wakes while a P is idle, however many search.
    NoThrottle = "no-throttle",
    /// Nobody searches without having been woken for it.
    NeverJoin = "never-join",
    /// Whoever finds nothing joins the searchers.
    AlwaysJoin = "always-join",
    /// An injection that finds no P leaves `needspinning` as it is.
    InjectSetsNoNeed = "inject-sets-no-need",
    /// A hand-off has no shortcut for the case that all Ps are busy.
    NoShortcut = "no-shortcut",
    /// `needspinning` is never cleared.
    NeverClear = "never-clear",
    /// A new searcher clears `needspinning` before it counts itself.
    ClearFirst = "clear-first",
    /// A batch is put into the ring under the lock, and nobody is woken for it (Go up to 1.24).
    FillUnderLock = "fill-under-lock",
    /// Every drop and every hand-off looks again, and `needspinning` does not exist.
    AllLook = "all-look",
    /// That the host has refused a machine is not remembered.
    RefusalForgotten = "refusal-forgotten",
    /// A P for which the host has no machine goes back, and the searcher stays counted.
    RefusalKeepsCount = "refusal-keeps-count",
    /// A P for which the host has no machine is not put down.
    RefusalKeepsProcessor = "refusal-keeps-p",
    /// A P for which the host has no machine goes idle with its tasks.
    RefusalKeepsTasks = "refusal-keeps-tasks",
    /// Who was refused a machine does not look whether one has fallen asleep meanwhile.
    RefusalIgnoresSleeper = "refusal-ignores-sleeper",
    /// Who falls asleep does not look whether a machine was refused.
    SleeperIgnoresRefusal = "sleeper-ignores-refusal",
    /// A refusal is remembered before the P has gone idle, and not again afterwards.
    RefusalKeptOnce = "refusal-kept-once",
    /// Who gives a P up sets its idle bit although the world is being stopped.
    DropIgnoresStop = "drop-ignores-stop",
    /// Who enters a call keeps the P open for takers although it is asked to stop.
    EnterIgnoresStop = "enter-ignores-stop",
    /// The stopper takes a P from a call without the compare-exchange that tells the caller.
    StopUntold = "stop-untold",
    /// The stopper does not wait for the Ps that are to come.
    StopWaitsNot = "stop-waits-not",
    /// The stopper leaves the Ps that are in calls.
    StopIgnoresCalls = "stop-ignores-calls",
    /// Who lets the world go on does not look whether there is work.
    ResumeWithoutLook = "resume-without-look",
    /// Who lets the world go on sets all Ps idle, whatever is in their queues.
    ResumeIgnoresTasks = "resume-ignores-tasks",
    /// A P that is taken out of service keeps what is in its slot.
    RetireKeepsSlot = "retire-keeps-slot",
    /// A locked task runs on the machine that finds it.
    LockedAnywhere = "locked-anywhere",
    /// A machine whose locked task has stopped goes on with other tasks.
    LockedTakesOthers = "locked-takes-others",
    /// A locked task is given to its machine only if that one sleeps already.
    PassToSleepersOnly = "pass-to-sleepers-only",
    /// No slice looks at the global queue first.
    GlobalNeverFirst = "global-never-first",
    /// A chain of tasks in the slot has no end.
    ChainWithoutEnd = "chain-without-end",
    /// A machine whose locked task has stopped sleeps among the others.
    LockedSleepsAmongOthers = "locked-sleeps-among-others",
}

/// A set of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes(u128);

impl Changes {
    /// The set of `changes`.
    #[must_use]
    pub fn of(changes: &[Change]) -> Self {
        Self(changes.iter().fold(0, |set, change| set | 1 << *change as u8))
    }

    /// Whether `change` is among them.
    #[must_use]
    pub fn has(self, change: Change) -> bool {
        self.0 & (1 << change as u8) != 0
    }
}

impl core::str::FromStr for Change {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|change| change.name() == name);
        known.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|change| change.name()).collect();
            format!("no such change; there are {}", names.join(", "))
        })
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Change::ALL.iter().filter(|change| self.has(**change));
        let names: Vec<_> = names.map(|change| change.name()).collect();
        f.write_str(&if names.is_empty() { "unchanged".into() } else { names.join("+") })
    }
}

/// Go 1.27's holes, which together make Go as it is written.
pub const AS_WRITTEN: [Change; 3] = [Change::H1, Change::H3, Change::H4];
