//! What is expected of each design and of each change to it.
//!
//! [`CAUGHT`] is the table of mutants: the program on which a change is found soonest, what it
//! violates, and the length of the shortest schedule, local steps counted. [`SOUND`] are the
//! changes that violate nothing. [`SUITES`] are the programs on which a design must be clean, and
//! [`WORD_SUITES`] those on which the idle word must be.

use super::common::Model;
use super::program::Program;
use super::properties::Property::{
    self, CountIsExact as S13, IdleIsEmpty as S6, LockedIsApart as S21, NoLivelock as CYCLE,
    NobodyStarves as L4, OneOwner as S4, OnePlace as S1, ParksWithNothing as S15,
    SearcherHasNoWork as S14, StopEnds as L10, WorkIsConserved as L1, WorldStandsStill as S22,
};
use super::settings::Change as C;
use super::settings::Design::{Go, Word};
use super::settings::{Change, Changes, Design};

/// A program's line, its Ps, its machines, and its rings' capacity.
pub type On = (&'static str, usize, usize, usize);

/// A change that must be caught.
#[derive(Clone, Copy, Debug)]
pub struct Caught {
    /// The design that is changed.
    pub design: Design,
    /// The change.
    pub change: Change,
    /// The program on which the schedule is shortest, of those of the suites.
    pub on: On,
    /// What it violates.
    pub property: Property,
    /// How many steps the shortest schedule has.
    pub steps: usize,
}

/// A set of programs.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// Its name.
    pub name: &'static str,
    /// What is in it.
    pub says: &'static str,
    /// The programs.
    pub programs: &'static [On],
    /// The programs that `--thorough` adds.
    pub thorough: &'static [On],
}

/// The model of a program under a changed design.
///
/// # Panics
///
/// If the program is not well-formed.
#[must_use]
pub fn model(
    design: Design,
    changes: &[Change],
    (text, processors, machines, capacity): On,
) -> Model {
    let program = Program::new(text, processors, machines, capacity);
    let program = program.expect("the catalogue's programs are well-formed");
    Model { program, design, changes: Changes::of(changes) }
}

const fn caught(
    design: Design,
    change: Change,
    on: On,
    property: Property,
    steps: usize,
) -> Caught {
    Caught { design, change, on, property, steps }
}

/// The mutants. Go's holes are the first three of its table.
pub const CAUGHT: &[Caught] = &[
    caught(Word, C::NoLook, ("inj1+searcher", 2, 4, 2), L1, 6),
    caught(Word, C::NoLookAtQueues, ("sub2+block", 2, 4, 2), L1, 8),
    caught(Word, C::NoLookAtGlobal, ("inj1+searcher", 2, 4, 2), L1, 8),
    caught(Word, C::OnlySearchersLook, ("sub2+leaf", 2, 4, 2), L1, 8),
    caught(Word, C::LookBeforeDrop, ("inj1+searcher", 2, 4, 2), L1, 9),
    caught(Word, C::LatePublication, ("sub2+block", 2, 4, 2), L1, 10),
    caught(Word, C::LateRest, ("sub4", 2, 4, 3), L1, 28),
    caught(Word, C::NoSuccessor, ("inj2+leaf", 2, 4, 2), L1, 14),
    caught(Word, C::HandOffWithoutLook, ("sub2+block", 2, 4, 2), L1, 6),
    caught(Word, C::BatchWithoutWake, ("inj2+leaf", 2, 4, 2), L1, 16),
    caught(Word, C::HandOffIgnoresTasks, ("subsys+sys+monitor", 2, 4, 2), S6, 7),
    caught(Word, C::YieldWithoutWake, ("subyield+leaf", 2, 4, 2), L1, 13),
    caught(Word, C::InjectWithoutWake, ("inj1+leaf", 2, 4, 2), L1, 1),
    caught(Word, C::ExitWithoutWake, ("sys+leaf+monitor", 2, 4, 2), L1, 12),
    caught(Word, C::TornLook, ("subyieldl+leaf", 2, 4, 2), L1, 14),
    caught(Word, C::SlotNotStealable, ("sub2+searcher", 2, 4, 2), CYCLE, 11),
    caught(Word, C::StealCopies, ("sub2+searcher", 2, 4, 2), S1, 4),
    caught(Word, C::TakeUntold, ("sys+leaf+monitor", 2, 4, 2), S4, 3),
    caught(Word, C::CountKept, ("leaf+searcher", 2, 4, 2), S13, 5),
    caught(Word, C::ParksAsSearcher, ("leaf+searcher", 2, 4, 2), S15, 5),
    caught(Word, C::RefusalForgotten, ("sub2+refuse1", 2, 4, 2), L1, 9),
    caught(Word, C::RefusalKeptOnce, ("inj1+leaf+refuse1", 2, 4, 2), L1, 19),
    caught(Word, C::RefusalKeepsCount, ("sub2+refuse1", 2, 4, 2), S13, 7),
    caught(Word, C::RefusalKeepsProcessor, ("sub2+refuse1", 2, 4, 2), S4, 7),
    caught(Word, C::RefusalKeepsTasks, ("subblock+leaf+refuse1", 2, 4, 2), S6, 8),
    caught(Word, C::RefusalIgnoresSleeper, ("inj1+leaf+refuse1", 2, 4, 2), L1, 16),
    caught(Word, C::SleeperIgnoresRefusal, ("inj1+leaf+refuse1", 2, 4, 2), L1, 16),
    caught(Word, C::DropIgnoresStop, ("leaf+stop", 2, 4, 2), L10, 13),
    caught(Word, C::EnterIgnoresStop, ("sys+stop", 2, 4, 2), L10, 4),
    caught(Word, C::StopUntold, ("sys+stop", 2, 4, 2), S4, 4),
    caught(Word, C::StopIgnoresCalls, ("sys+stop", 2, 4, 2), L10, 4),
    caught(Word, C::StopWaitsNot, ("leaf+stop", 2, 4, 2), S22, 4),
    caught(Word, C::ResumeWithoutLook, ("inj1+leaf+stop", 2, 4, 2), L1, 12),
    caught(Word, C::ResumeIgnoresTasks, ("sub+stop", 2, 4, 2), S6, 10),
    caught(Word, C::RetireKeepsSlot, ("sub+resize", 2, 4, 2), S6, 10),
    caught(Word, C::LockedAnywhere, ("lockyieldfree+leaf", 2, 4, 2), S21, 6),
    caught(Word, C::LockedTakesOthers, ("locksubyieldfree+leaf", 2, 4, 2), S21, 7),
    caught(Word, C::PassToSleepersOnly, ("lockyieldfree+leaf", 2, 4, 2), S1, 7),
    caught(Word, C::LockedSleepsAmongOthers, ("lockyieldfree+leaf", 2, 4, 2), S15, 8),
    caught(Word, C::GlobalNeverFirst, ("loop+inj1", 1, 1, 2), L4, 26),
    caught(Word, C::ChainWithoutEnd, ("subloop", 1, 1, 2), L4, 14),
    caught(Go, C::H1, ("sub2+block", 2, 4, 2), L1, 10),
    caught(Go, C::H3, ("sub2+leaf", 2, 4, 2), L1, 25),
    caught(Go, C::H4, ("inj2+leaf", 2, 4, 2), L1, 19),
    caught(Go, C::FillUnderLock, ("inj1+sys+leaf+monitor", 2, 4, 2), L1, 27),
    caught(Go, C::NoLook, ("sub2+searcher", 2, 4, 2), L1, 8),
    caught(Go, C::NoLookAtQueues, ("sub2+searcher", 2, 4, 2), L1, 9),
    caught(Go, C::NoLookAtGlobal, ("subyield+leaf", 2, 4, 2), L1, 18),
    caught(Go, C::LookBeforeDrop, ("sub2+searcher", 2, 4, 2), L1, 11),
    caught(Go, C::LatePublication, ("sub2+searcher", 2, 4, 2), L1, 12),
    caught(Go, C::LateRest, ("sub4", 2, 4, 3), L1, 34),
    caught(Go, C::NoSuccessor, ("inj2+leaf", 2, 4, 2), L1, 18),
    caught(Go, C::NoNeed, ("sub2+block", 2, 4, 2), L1, 9),
    caught(Go, C::WakeSetsNoNeed, ("sub2+block", 2, 4, 2), L1, 9),
    caught(Go, C::LookSetsNoNeed, ("inj2+leaf", 2, 4, 2), L1, 26),
    caught(Go, C::LateClear, ("sub2+leaf+leaf", 3, 4, 2), L1, 25),
    caught(Go, C::FastPath, ("inj2+leaf", 2, 4, 2), L1, 19),
    caught(Go, C::DropIgnoresGlobal, ("subsys+sys+monitor", 2, 4, 2), L1, 35),
    caught(Go, C::HandOffIgnoresTasks, ("subsys+sys+monitor", 2, 4, 2), S14, 13),
    caught(Go, C::HandOffIgnoresGlobal, ("subsys+sys+monitor", 2, 4, 2), L1, 34),
    caught(Go, C::YieldWithoutWake, ("subyield+leaf", 2, 4, 2), L1, 17),
    caught(Go, C::InjectWithoutWake, ("inj1+leaf", 2, 4, 2), L1, 1),
    caught(Go, C::TornLook, ("subyieldl+leaf", 2, 4, 2), L1, 19),
    caught(Go, C::SlotNotStealable, ("sub2+searcher", 2, 4, 2), CYCLE, 13),
];

/// The changes that violate nothing: what they take away is redundant.
pub const SOUND: &[(Design, &[Change])] = &[
    (Word, &[C::AlwaysLook]),
    (Word, &[C::TwoStepDrop]),
    (Word, &[C::TwoStepFound]),
    (Word, &[C::TwoWords]),
    (Word, &[C::NoThrottle]),
    (Word, &[C::NeverJoin]),
    (Word, &[C::AlwaysJoin]),
    (Go, &[C::InjectSetsNoNeed]),
    (Go, &[C::NoShortcut]),
    (Go, &[C::NeverClear]),
    (Go, &[C::ClearFirst]),
    (Go, &[C::NeverJoin]),
    (Go, &[C::AlwaysJoin]),
    (Go, &[C::AllLook]),
    (Go, &[C::AllLook, C::H1, C::H3]),
];

/// The programs.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "submits_2p",
        says: "2 Ps: submits, overflow, yields, searchers",
        programs: &[
            ("sub2", 2, 4, 2),
            ("sub2+sub", 2, 4, 2),
            ("sub2+leaf", 2, 4, 2),
            ("sub3", 2, 4, 3),
            ("sub4", 2, 4, 3),
            ("sub4+leaf", 2, 4, 3),
            ("sub3", 2, 4, 1),
            ("sub2+sub", 2, 4, 1),
            ("sub3+leaf", 2, 4, 1),
            ("tree", 2, 4, 2),
            ("yield+sub", 2, 4, 2),
            ("yield+leaf", 2, 4, 2),
            ("yieldl+sub", 2, 4, 2),
            ("subyield+leaf", 2, 4, 2),
            ("subyieldl+leaf", 2, 4, 2),
            ("sub2+searcher", 2, 4, 2),
        ],
        thorough: &[],
    },
    Suite {
        name: "injections_2p",
        says: "2 Ps: tasks pushed from outside",
        programs: &[
            ("inj1+leaf", 2, 4, 2),
            ("inj2+leaf", 2, 4, 2),
            ("inj3+leaf", 2, 4, 2),
            ("inj1+sub", 2, 4, 2),
            ("inj1+searcher", 2, 4, 2),
            ("inj1+inj1+sub", 2, 4, 2),
        ],
        thorough: &[],
    },
    Suite {
        name: "calls_2p",
        says: "2 Ps: system calls, blocking calls, the monitor",
        programs: &[
            ("sys+leaf+monitor", 2, 4, 2),
            ("sub+block", 2, 4, 2),
            ("sub2+block", 2, 4, 2),
            ("sub2+sys+monitor", 2, 4, 2),
            ("subsys+sys+monitor", 2, 4, 2),
            ("sub2sys+leaf+monitor", 2, 4, 2),
        ],
        thorough: &[("inj1+sys+leaf+monitor", 2, 4, 2), ("inj1+sub+sys+monitor", 2, 4, 2)],
    },
    Suite {
        name: "calls_and_injections_2p",
        says: "2 Ps: system calls, the monitor, and tasks pushed from outside",
        programs: &[("inj1+sys+leaf+monitor", 2, 4, 2), ("inj1+sub+sys+monitor", 2, 4, 2)],
        thorough: &[],
    },
    Suite {
        name: "submits_3p",
        says: "3 Ps, 4 machines: submits, yields, injections, calls",
        programs: &[
            ("sub2+leaf", 3, 4, 2),
            ("sub2+leaf+searcher", 3, 4, 2),
            ("sub2+sub", 3, 4, 2),
            ("sub3", 3, 4, 2),
            ("inj1+sub2", 3, 4, 2),
            ("inj1+inj2+leaf", 3, 4, 2),
            ("yield+yield+sub", 3, 4, 2),
            ("sub2+block", 3, 4, 2),
        ],
        thorough: &[
            ("sub2+leaf", 3, 5, 2),
            ("sub2+leaf+searcher", 3, 5, 2),
            ("sub2+sub", 3, 5, 2),
            ("sub3", 3, 5, 3),
            ("tree+leaf", 3, 5, 2),
            ("sub2+leaf+leaf", 4, 5, 2),
        ],
    },
    Suite {
        name: "calls_3p",
        says: "3 Ps, 4 machines: system calls and the monitor",
        programs: &[("sub2+sys+monitor", 3, 4, 2)],
        thorough: &[("sub2+sys+monitor+searcher", 3, 4, 2), ("sub2+sys+monitor", 3, 5, 2)],
    },
];

/// The programs that the idle word alone is searched on: refusals, stops, locks, and no end.
pub const WORD_SUITES: &[Suite] = &[
    Suite {
        name: "refusals_2p",
        says: "2 Ps: a host that refuses to start a machine, once or twice",
        programs: &[
            ("sub2+refuse1", 2, 4, 2),
            ("sub2+refuse2", 2, 4, 2),
            ("sub2+leaf+refuse1", 2, 4, 2),
            ("inj1+leaf+refuse1", 2, 4, 2),
            ("sys+leaf+monitor+refuse1", 2, 4, 2),
        ],
        thorough: &[
            ("subblock+refuse1", 2, 4, 2),
            ("inj2+leaf+refuse2", 2, 4, 2),
            ("sub2+sub+refuse1", 2, 4, 2),
            ("sub+block+refuse1", 2, 4, 2),
            ("sub+refuse1+stop", 2, 4, 2),
        ],
    },
    Suite {
        name: "stops_2p",
        says: "2 Ps: the world is stopped once, and goes on",
        programs: &[
            ("leaf+stop", 2, 4, 2),
            ("sub2+stop", 2, 4, 2),
            ("sys+stop", 2, 4, 2),
            ("sys+leaf+stop", 2, 4, 2),
            ("sub+sys+stop", 2, 4, 2),
            ("block+leaf+stop", 2, 4, 2),
            ("yield+sub+stop", 2, 4, 2),
            ("inj1+leaf+stop", 2, 4, 2),
            ("leaf+searcher+stop", 2, 4, 2),
        ],
        thorough: &[
            ("sub2+leaf+stop", 2, 4, 2),
            ("inj1+sub+stop", 2, 4, 2),
            ("sub+block+stop", 2, 4, 2),
            ("sub+sys+monitor+stop", 2, 4, 2),
            ("sub2+leaf+stop", 3, 4, 2),
        ],
    },
    Suite {
        name: "resizes_2p",
        says: "2 Ps, then 1, then 2 again",
        programs: &[
            ("leaf+resize", 2, 4, 2),
            ("sub2+resize", 2, 4, 2),
            ("sys+leaf+resize", 2, 4, 2),
            ("inj1+leaf+resize", 2, 4, 2),
        ],
        thorough: &[("sub2+leaf+resize", 2, 4, 2), ("sub+sys+resize", 2, 4, 2)],
    },
    Suite {
        name: "locks_2p",
        says: "2 Ps: a task that is locked to its machine yields, and makes calls",
        programs: &[
            ("lockyieldfree", 2, 4, 2),
            ("lockyieldfree+sub", 2, 4, 2),
            ("locksubyieldfree+leaf", 2, 4, 2),
            ("lockyieldlfree+sub", 2, 4, 2),
            ("lockblockfree+sub", 2, 4, 2),
            ("locksysfree+leaf+monitor", 2, 4, 2),
        ],
        thorough: &[
            ("lockyieldfree+sub2", 2, 4, 2),
            ("locksysfree+sub+monitor", 2, 4, 2),
            ("lockyieldfree+sub+stop", 2, 4, 2),
        ],
    },
    Suite {
        name: "endless",
        says: "1 and 2 Ps: tasks that ready each other for ever, and others that wait",
        programs: &[
            ("loop+inj1", 1, 1, 2),
            ("loop+inj2", 1, 2, 2),
            ("subloop", 1, 1, 2),
            ("subloop+inj1", 1, 2, 2),
            ("loop+loop+inj1", 2, 3, 2),
            ("subloop+loop", 2, 3, 2),
            ("loop+inj1", 2, 2, 2),
            ("subloop+loop+inj1", 2, 2, 2),
        ],
        thorough: &[],
    },
];
