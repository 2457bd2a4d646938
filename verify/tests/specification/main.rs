//! The specification itself is tested: its reductions change no verdict, its searches agree, every
//! step of it is taken by some program, and its counterexamples are what they say.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

mod pages;

use std::time::{Duration, Instant};

use gosched_verify::specification::catalogue::{CAUGHT, On, SOUND, SUITES, WORD_SUITES, model};
use gosched_verify::specification::picture;
use gosched_verify::specification::properties::Property;
use gosched_verify::specification::schedule::{Verdict, confirm, find_violation};
use gosched_verify::specification::search::{Ending, Limits, System};
use gosched_verify::specification::settings::{AS_WRITTEN, Change, Design};
use gosched_verify::specification::state::State;
use gosched_verify::specification::step::Step;
use gosched_verify::specification::system::{Protocol, Reduction};
use gosched_verify::specification::timers::Timers;

const NONE: Reduction = Reduction { symmetry: false, local_steps_alone: false };

fn protocol(design: Design, changes: &[Change], on: On, reduction: Reduction) -> Protocol {
    Protocol::new(model(design, changes, on), reduction)
}

fn within<T>(search: impl FnOnce(&mut Limits<'_>) -> T) -> T {
    let deadline = Instant::now() + Duration::from_secs(300);
    search(&mut Limits { deadline, states: 50_000_000, watch: &mut |_| {} })
}

fn shortest(protocol: &Protocol) -> Verdict<Protocol> {
    within(|limits| find_violation(protocol, limits))
}

#[test]
fn the_reductions_change_no_verdict_and_no_length() {
    for design in [Design::Word, Design::Go] {
        for on in [("sub2", 2, 4, 2), ("subyield+leaf", 2, 3, 2), ("sys+leaf+monitor", 2, 3, 2)] {
            let reduced = shortest(&protocol(design, &[], on, Reduction::FULL)).search;
            for symmetry in [false, true] {
                let reduction = Reduction { symmetry, local_steps_alone: !symmetry };
                let one = shortest(&protocol(design, &[], on, reduction)).search;
                assert_eq!(one.ending, Ending::Complete, "{design:?} {on:?}");
                assert!(one.states > reduced.states, "{design:?} {on:?} {reduction:?}");
            }
        }
    }
    for caught in CAUGHT.iter().filter(|caught| caught.steps < 20) {
        let full = protocol(caught.design, &[caught.change], caught.on, NONE);
        let found = shortest(&full);
        let schedule = found.schedule.expect("it is caught without reductions, too");
        assert_eq!(schedule.property, caught.property, "{caught:?}");
        if caught.property != Property::NoLivelock {
            assert!(schedule.steps.len() <= caught.steps, "{caught:?}: {}", schedule.steps.len());
        }
    }
}

#[test]
fn both_searches_visit_the_same_states() {
    for design in [Design::Word, Design::Go] {
        for on in SUITES[0].programs {
            let protocol = protocol(design, &[], *on, Reduction::FULL);
            let breadth = within(|limits| {
                gosched_verify::specification::search::shortest_violation(&protocol, limits)
            });
            let depth = within(|limits| confirm(&protocol, limits)).search;
            assert_eq!(breadth.ending, Ending::Complete);
            assert_eq!(depth.ending, Ending::Complete);
            assert_eq!(
                (breadth.states, breadth.ends, breadth.taken),
                (depth.states, depth.ends, depth.taken)
            );
        }
    }
}

/// The steps that a protocol with nothing changed never takes: mutants have them.
const OF_MUTANTS: &[Step] = &[
    Step::Buffered,
    Step::Flush,
    Step::WakeTakeBit,
    Step::WakeCount,
    Step::DropCount,
    Step::LookRing,
    Step::RetakeBit,
    Step::RetakeCount,
    Step::LateClear,
    Step::WakepNoneNeed,
    Step::WakepUncount,
];

#[test]
fn the_suites_take_every_step() {
    let mut taken = 0;
    for design in [Design::Word, Design::Go] {
        for on in SUITES.iter().take(3).flat_map(|suite| suite.programs) {
            taken |= shortest(&protocol(design, &[], *on, Reduction::FULL)).search.taken;
        }
    }
    for on in WORD_SUITES.iter().flat_map(|suite| suite.programs) {
        taken |= shortest(&protocol(Design::Word, &[], *on, Reduction::FULL)).search.taken;
    }
    let never: Vec<_> = Step::ALL
        .iter()
        .filter(|step| taken & (1 << **step as u32) == 0 && !OF_MUTANTS.contains(step))
        .collect();
    assert!(never.is_empty(), "no program takes {never:?}");
    for step in OF_MUTANTS {
        assert_eq!(taken & (1 << *step as u32), 0, "{step:?} is no mutant's");
    }
}

/// Takes each step of a schedule again, and checks that it is one of the protocol's.
fn is_a_run(protocol: &Protocol, verdict: &Verdict<Protocol>) -> bool {
    let schedule = verdict.schedule.as_ref().expect("there is a schedule");
    let mut state = schedule.from;
    let mut out = Vec::new();
    schedule.steps.iter().all(|(label, next)| {
        System::successors(protocol, &state, &mut out);
        let is_one = out.iter().any(|one| one == &(*label, *next));
        state = *next;
        is_one
    })
}

#[test]
fn every_counterexample_is_a_run_that_ends_in_what_it_says() {
    for caught in CAUGHT {
        let protocol = protocol(caught.design, &[caught.change], caught.on, Reduction::FULL);
        let verdict = shortest(&protocol);
        assert!(is_a_run(&protocol, &verdict), "{caught:?}");
        let schedule = verdict.schedule.expect("there is a schedule");
        let last: State = schedule.steps.last().expect("it is not empty").1;
        match schedule.property {
            Property::NoLivelock | Property::NobodyStarves => {
                let entered = schedule.cycle_from.expect("a cycle is entered");
                let before = schedule.steps[entered - 1].1;
                assert_eq!(protocol.canonical(&before), protocol.canonical(&last), "{caught:?}");
                let round = schedule.steps[entered..].iter();
                let waits = round.map(|(_, state)| protocol.waits(state)).collect::<Vec<_>>();
                let starves = schedule.property == Property::NobodyStarves;
                assert!(!starves || waits.iter().all(|waits| *waits), "{caught:?}");
            }
            property => assert_eq!(protocol.violation(&last), Some(property), "{caught:?}"),
        }
    }
}

#[test]
fn every_property_fails_somewhere() {
    // Nobody is left to run the task that the call's P was handed off for.
    let on = ("subblock", 1, 1, 1);
    let stuck = shortest(&protocol(Design::Word, &[], on, Reduction::FULL));
    assert_eq!(stuck.search.ending, Ending::Violated(Property::EveryTaskRuns));
    for property in Property::ALL {
        let caught = CAUGHT.iter().any(|caught| caught.property == *property);
        let elsewhere = [Property::EveryTaskRuns, Property::TimerIsWatched].contains(property);
        assert!(caught || elsewhere, "nothing violates {property:?}");
    }
}

#[test]
fn a_timer_is_lost_in_go_as_written_alone() {
    let ending = |timers| within(|limits| find_violation(&timers, limits)).search.ending;
    assert_eq!(ending(Timers::GoAsWritten), Ending::Violated(Property::TimerIsWatched));
    assert_eq!(ending(Timers::GoRepaired), Ending::Complete);
    assert_eq!(ending(Timers::Word), Ending::Complete);
}

#[test]
fn every_change_is_in_the_catalogue() {
    for change in Change::ALL {
        let caught = CAUGHT.iter().any(|caught| caught.change == *change);
        let sound = SOUND.iter().any(|(_, changes)| changes.contains(change));
        assert!(caught || sound, "{change:?} is expected nowhere");
    }
}

#[test]
fn go_as_written_loses_work_on_two_processors() {
    let on = ("sub2+leaf", 2, 4, 2);
    let as_written = shortest(&protocol(Design::Go, &AS_WRITTEN, on, Reduction::FULL));
    assert_eq!(as_written.search.ending, Ending::Violated(Property::WorkIsConserved));
    let repaired = shortest(&protocol(Design::Go, &[], on, Reduction::FULL));
    assert_eq!(repaired.search.ending, Ending::Complete);
}

#[test]
fn the_picture_of_h1_has_a_row_for_each_step() {
    let on = ("sub2+block", 2, 4, 2);
    let protocol = protocol(Design::Go, &[Change::H1], on, Reduction::FULL);
    let schedule = shortest(&protocol).schedule.expect("H1 is found");
    let text = picture::draw(&protocol, &schedule);
    let numbered = |line: &&str| line[..3].trim().parse::<usize>().is_ok();
    assert_eq!(text.lines().filter(numbered).count(), 10, "{text}");
    assert!(text.contains("L1: every machine is parked"), "{text}");
    assert!(text.contains("P2 (idle)") || text.contains("P1 (idle)"), "{text}");
}

#[test]
fn a_search_without_time_is_incomplete() {
    let protocol = protocol(Design::Go, &[], ("inj1+inj1+sub", 2, 4, 2), Reduction::FULL);
    let mut limits = Limits { deadline: Instant::now(), states: 100_000, watch: &mut |_| {} };
    let verdict = confirm(&protocol, &mut limits);
    assert_eq!(verdict.search.ending, Ending::Incomplete);
    assert!(verdict.schedule.is_none());
}
