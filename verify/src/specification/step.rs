//! The steps by name: each is one atomic action on what the protocol shares.
//!
//! The letters are those of the idle word's protocol: A submit, F find, D drop, O hand off, X
//! system call, T stop the world. Steps that only Go's protocol has begin with G and name the
//! function. Schedules, coverage and the events of real code speak in these names.

use super::state::NONE;

/// Declares the steps, each with its name and what it does.
macro_rules! steps {
    ($($variant:ident = $name:literal, $text:literal;)+) => {
        /// A step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "`says` is the documentation")]
        pub enum Step { $($variant,)+ }

        impl Step {
            /// Every step.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// `A3`, `GW2`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it does, in a few words.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

steps! {
    End = "end", "the task ends";
    Submit = "A1", "publishes a task";
    SubmitFull = "A1", "ring full: takes half of it in hand";
    SubmitOverflow = "A1", "pushes the hand to the global queue";
    Buffered = "A1", "publishes a task, which nobody sees yet";
    Flush = "A1", "the publication becomes visible";
    Yield = "A1", "yields: pushes its task to the global queue";
    YieldLocally = "A1", "yields: pushes its task to its own ring";
    Inject = "A1", "pushes its tasks to the global queue";
    WakeNot = "A3", "no wake is needed";
    WakeNeeded = "A3", "nobody searches and a P is idle";
    WakeLost = "A4", "compare-exchange lost: no wake is needed any more";
    WakeTake = "A4", "takes the idle P and counts a searcher";
    WakeTakeBit = "A4", "takes the idle P's bit";
    WakeCount = "A4", "counts a searcher";
    Start = "A5", "starts a machine on it, not searching";
    StartSearching = "A5", "starts a machine on it, searching";
    AskHost = "A5", "no machine sleeps: asks the host for one";
    Started = "A5", "the host starts a machine on it";
    Refused = "A5", "the host refuses: its tasks to the global queue";
    RefusalKept = "A5", "remembers the refusal";
    RefusalDropped = "A5", "puts it down, and the count with it";
    SleeperNone = "A5", "no machine sleeps";
    SleeperSeen = "A5", "a machine sleeps";
    RetryNot = "A5", "no refusal to make up for, or no work";
    RetryNeeded = "A5", "a machine was refused, and there is work";
    RetryLost = "A5", "somebody else has tried again";
    Retry = "A5", "tries again after a refusal";
    NotAsked = "F1", "nothing else is asked of it";
    SearchCancelled = "F1", "asked to stop: takes itself off the count";
    FindStopped = "F1", "asked to stop: leaves its P to the stopper";
    LockedLeaves = "F1", "a task is locked to it: hands its P off";
    Pass = "F1", "the task is locked to another machine: gives it that, with its P";
    Pop = "F1", "takes a task from its own queue";
    OwnEmpty = "F1", "its own queue is empty";
    GlobalEmpty = "F1", "the global queue is empty";
    GlobalTake = "F1", "takes a task from the global queue";
    GlobalBatch = "F1", "takes a batch from the global queue in hand";
    Publish = "F2", "puts the hand into its ring";
    Join = "F3", "joins the searchers";
    JoinNot = "F3", "does not search";
    VisitEmpty = "F4", "finds it empty";
    Steal = "F4", "steals from it";
    FoundLast = "F5", "keeps the count, and takes the idle P for a successor";
    Found = "F5", "is no searcher any more";
    Drop = "D1", "gives its P up";
    DropStopped = "D1", "the world is being stopped: leaves its P to the stopper";
    DropCount = "D1", "takes itself off the count";
    Fence = "D3", "fence, and reads which Ps are idle";
    LookGlobalEmpty = "D4", "looks: the global queue is empty";
    LookGlobalWork = "D4", "looks: the global queue has work";
    LookEmpty = "D4", "looks: empty";
    LookRing = "D4", "looks: its ring is empty";
    LookWork = "D4", "looks: work";
    RetakeNot = "D5", "leaves it: a searcher is counted, or no P is idle";
    Retake = "D5", "takes the idle P and counts a searcher";
    RetakeBit = "D5", "takes the idle P's bit";
    RetakeCount = "D5", "counts a searcher";
    Park = "D6", "parks";
    HandWork = "O1", "hands off: the P has tasks";
    HandEmpty = "O1", "hands off: the P has no tasks";
    HandGlobalWork = "O1", "hands off: the global queue has work";
    HandGlobalEmpty = "O1", "hands off: the global queue is empty";
    HandStopped = "O1", "hands off: asked to stop, leaves it to the stopper";
    HandDrop = "O2", "hands off: gives the P up";
    Enter = "X1", "enters a system call";
    EnterStopped = "X1", "enters a system call: asked to stop, leaves its P to the stopper";
    EnterBlocking = "X1", "enters a blocking call";
    MonitorTake = "X1", "takes it from a system call";
    Exit = "X2", "leaves the call with its P";
    ExitLost = "X2", "leaves the call: its P was taken";
    ExitTake = "X2", "takes the idle P";
    ExitNone = "X2", "finds no idle P";
    GiveAway = "X3", "pushes its task to the global queue";
    Lock = "lock", "locks its task to the machine";
    Free = "lock", "takes the lock back";
    Arrive = "T3", "the stopper has it";
    StopWord = "T1", "says that the world is being stopped, and takes the idle Ps";
    StopAsk = "T2", "asks it to stop";
    StopAskCall = "T2", "asks it to stop: it is in a call";
    StopTake = "T2", "takes it from a system call";
    StopTakeLost = "T2", "it has left the call";
    StopCount = "T3", "counts those that are to come";
    StopAll = "T3", "has all: the world stands still";
    Resize = "T4", "changes the number of Ps";
    Resume = "T5", "opens the word: Ps without tasks are idle";
    ResumeGive = "T5", "has tasks: a machine for it";
    ResumeLookWork = "T5", "looks: work";
    ResumeLookEmpty = "T5", "looks: nothing";
    WakepNot = "GW1", "wakep: a searcher is counted, returns";
    WakepNeeded = "GW1", "wakep: reads nmspinning 0";
    WakepLost = "GW2", "wakep: compare-exchange lost, returns";
    WakepCount = "GW2", "wakep: nmspinning 0 -> 1";
    WakepTake = "GW3", "wakep: lock, takes the idle P";
    WakepNone = "GW3", "wakep: lock, no idle P, nmspinning - 1";
    WakepNoneNeed = "GW3", "wakep: lock, no idle P, needspinning = 1";
    WakepUncount = "GW4", "wakep: nmspinning - 1, unlock";
    WakepNeed = "GW4", "wakep: needspinning = 1, unlock";
    JoinMay = "GB0", "may search: not half of the busy Ps do";
    JoinClear = "GB2", "becomeSpinning: needspinning = 0";
    JoinCount = "GB1", "becomeSpinning: nmspinning + 1";
    ResetSpinning = "GN", "resetspinning: nmspinning - 1";
    LateClear = "GB2", "clears needspinning late";
    RetireNeed = "GR0", "lock, reads needspinning 1: nmspinning + 1";
    RetireTake = "GR0", "lock, takes tasks from the global queue";
    Retire = "GR0", "lock, idles its P";
    Uncount = "GR1", "nmspinning - 1";
    RecheckTake = "GR3", "re-check: lock, takes the idle P and tasks from the global queue";
    RecheckNone = "GR3", "re-check: lock, the global queue has work, no idle P: needspinning = 1";
    RecheckP = "GR3", "re-check: lock, takes the idle P";
    RecheckNoP = "GR3", "re-check: lock, no idle P: needspinning = 1";
    HandRead = "GK2", "handoffp: somebody searches or a P is idle";
    HandAllBusy = "GK2", "handoffp: all are busy and nobody searches";
    HandCas = "GK2", "handoffp: nmspinning 0 -> 1";
    HandCasLost = "GK2", "handoffp: compare-exchange lost";
    HandClear = "GK2", "handoffp: needspinning = 0";
    HandLockWork = "GK3", "handoffp: lock, the global queue has work";
    HandLockNeed = "GK3", "handoffp: lock, reads needspinning 1: nmspinning + 1";
    HandIdle = "GK3", "handoffp: lock, idles the P";
    InjectStart = "GI", "injectglist: lock, starts a machine on it, not searching";
    InjectNone = "GI", "injectglist: lock, no idle P: needspinning = 1";
    InjectEnd = "GI", "injectglist: has started as many as it pushed";
}

/// Who takes which step, and with which P.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// The actor.
    pub actor: u8,
    /// The step.
    pub step: Step,
    /// The P that it concerns, or [`NONE`].
    pub p: u8,
}

impl Label {
    /// A step that concerns no P but the actor's own.
    #[must_use]
    pub fn new(actor: usize, step: Step) -> Self {
        Self::on(actor, step, NONE)
    }

    /// A step that concerns `p`.
    #[must_use]
    pub fn on(actor: usize, step: Step, p: u8) -> Self {
        Self { actor: u8::try_from(actor).expect("there are few actors"), step, p }
    }
}
