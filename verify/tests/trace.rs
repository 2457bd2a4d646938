//! The trace check itself: it accepts what the specification does, and refuses what it does not.
//!
//! Runs are made by the specification, whose steps are told as the scheduler would tell them, each
//! machine in a list of its own. What comes from the protocol must be accepted, whatever was lost
//! by the separation into lists; of what comes from a mutant of it, some must be refused. And one
//! run is written by hand, and then spoilt in every way.

#![allow(clippy::std_instead_of_core, reason = "a test has std")]

use std::time::{Duration, Instant};

use gosched_verify::specification::Model;
use gosched_verify::specification::catalogue::{On, SUITES, model};
use gosched_verify::specification::search::{Ending, Limits, shortest_violation};
use gosched_verify::specification::settings::{Change, Design};
use gosched_verify::specification::state::{INJECTOR, MACHINES_MAX, MONITOR};
use gosched_verify::specification::step::Step;
use gosched_verify::trace::beyond::Widened;
use gosched_verify::trace::map::told;
use gosched_verify::trace::record::OUTSIDE;
use gosched_verify::trace::{Kind, Seen, picture, replay};

/// A run of `model` to its end, each of whose steps is chosen by a number, as it would be told.
fn tell(model: &Model, seed: u64) -> Vec<Vec<Seen>> {
    let mut lists = vec![Vec::new(); OUTSIDE + 1];
    let mut state = model.initial();
    let mut random = seed;
    let mut begun = model.program.running.len();
    let mut out = Vec::new();
    loop {
        model.successors(&state, &mut out);
        if out.is_empty() {
            return lists;
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (label, next) = out[(random >> 33) as usize % out.len()];
        let actor = usize::from(label.actor);
        let list = if matches!(actor, MONITOR..) { OUTSIDE } else { actor };
        let told = told(&label, &state, &next);
        if matches!(label.step, Step::Start | Step::StartSearching) {
            // The machines are parked in the order of their numbers, and so are started.
            let machine = state.parked().expect("somebody is started");
            let searching = label.step == Step::StartSearching;
            let kind = if machine < begun { Kind::Roused } else { Kind::Started };
            begun = begun.max(machine + 1);
            let p = usize::from(label.p);
            lists[list].push(Seen::new(kind).on(p).flag(searching).machine(machine));
            lists[machine].push(Seen::new(Kind::Began).on(p).flag(searching));
        } else {
            lists[list].extend(told);
        }
        state = next;
    }
}

/// The programs that a trace can be told of: with one outsider at most, and no machine that
/// searches from the beginning.
fn programs() -> impl Iterator<Item = On> {
    let all = SUITES.iter().take(3).flat_map(|suite| suite.programs).copied();
    all.map(|(text, processors, _, capacity)| (text, processors, MACHINES_MAX, capacity)).filter(
        |on| {
            let program = model(Design::Word, &[], *on).program;
            let outsiders = program.injections.len() + usize::from(program.monitor);
            outsiders <= 1 && program.searchers == 0
        },
    )
}

#[test]
fn what_the_specification_does_is_accepted() {
    assert!(programs().count() > 15 && INJECTOR > MONITOR);
    for on in programs() {
        let model = model(Design::Word, &[], on);
        for seed in 0..40 {
            if let Err(refusal) = replay(&model, &tell(&model, seed)) {
                panic!("seed {seed}\n{}", picture::draw(&model, &refusal));
            }
        }
    }
}

#[test]
fn what_a_mutant_does_is_refused() {
    for (change, program) in [
        (Change::NoLook, "inj1+leaf"),
        (Change::NoSuccessor, "inj2+leaf"),
        (Change::BatchWithoutWake, "inj3+leaf"),
        (Change::ExitWithoutWake, "sys+leaf+monitor"),
        (Change::YieldWithoutWake, "yield+leaf"),
        (Change::InjectWithoutWake, "inj1+leaf"),
        (Change::HandOffWithoutLook, "sub+block"),
        (Change::CountKept, "sub2+leaf"),
    ] {
        let on = (program, 2, MACHINES_MAX, 2);
        let (mutant, design) = (model(Design::Word, &[change], on), model(Design::Word, &[], on));
        let refused = (0..200).filter(|&seed| replay(&design, &tell(&mutant, seed)).is_err());
        assert!(refused.count() > 0, "{change:?} was never refused");
    }
}

/// A task from outside comes while the machine of `leaf` is parked; it is taken by a second
/// machine, whose successor finds nothing.
fn by_hand() -> Vec<Vec<Seen>> {
    let seen = Seen::new;
    let rests = [seen(Kind::Looked), seen(Kind::Parked)];
    let mut lists = vec![Vec::new(); OUTSIDE + 1];
    lists[0] = vec![seen(Kind::Began).on(0), seen(Kind::PutDown).on(0).flag(true)];
    lists[0].extend(rests);
    lists[OUTSIDE] = vec![
        seen(Kind::SubmittedGlobal).of(1),
        seen(Kind::Woke).on(0),
        seen(Kind::Started).on(0).flag(true).machine(1),
    ];
    lists[1] = vec![
        seen(Kind::Began).on(0).flag(true),
        seen(Kind::TookShare).of(1),
        seen(Kind::Found).on(1),
        seen(Kind::Roused).on(1).flag(true).machine(0),
        seen(Kind::PutDown).on(0).flag(true),
    ];
    lists[1].extend(rests);
    lists[0].extend([seen(Kind::Began).on(1).flag(true), seen(Kind::PutDown).on(1).flag(true)]);
    lists[0].extend(rests);
    lists
}

#[test]
fn a_run_by_hand_is_refused_however_it_is_spoilt() {
    let model = model(Design::Word, &[], ("inj1+leaf", 2, MACHINES_MAX, 2));
    let right = by_hand();
    if let Err(refusal) = replay(&model, &right) {
        panic!("{}", picture::draw(&model, &refusal));
    }
    let mut spoilt = 0;
    for list in [0, 1, OUTSIDE] {
        for at in 0..right[list].len() {
            let was = right[list][at];
            let others = [
                Seen { flag: !was.flag, ..was },
                Seen { p: was.p ^ 1, ..was },
                Seen { count: was.count + 1, ..was },
                Seen { machine: was.machine ^ 1, ..was },
                Seen { kind: Kind::NotWoke, ..was },
            ];
            for other in others {
                // What is no step tells neither a number of tasks nor a machine; and a look may
                // have found the task, and left it to the searcher.
                let untold = (other.count, other.machine) != (was.count, was.machine);
                if was.kind == Kind::Began && untold
                    || was.kind == Kind::Looked && was.flag != other.flag
                {
                    continue;
                }
                if matches!(was.kind, Kind::Started | Kind::Roused) || other.machine == was.machine
                {
                    let mut wrong = right.clone();
                    wrong[list][at] = other;
                    assert!(replay(&model, &wrong).is_err(), "{list} {at}: {other:?}");
                    spoilt += 1;
                }
            }
            if was.kind != Kind::Began {
                let mut wrong = right.clone();
                wrong[list].remove(at);
                assert!(replay(&model, &wrong).is_err(), "{list} {at}: without {was:?}");
                spoilt += 1;
            }
        }
    }
    assert!(spoilt > 60, "{spoilt}");
}

#[test]
fn a_refusal_says_where_and_what_instead() {
    let model = model(Design::Word, &[], ("inj1+leaf", 2, MACHINES_MAX, 2));
    let mut wrong = by_hand();
    wrong[1][2] = Seen::new(Kind::Found);
    let refusal = replay(&model, &wrong).expect_err("a successor is needed");
    assert!(refusal.explained < refusal.events && !refusal.undecided);
    let picture = picture::draw(&model, &refusal);
    for part in ["machine 1 told: Found", "allowed: Found P2", "F1 takes a task"] {
        assert!(picture.contains(part), "{part} is not in\n{picture}");
    }
}

fn search_widened(changes: &[Change], on: On) -> Ending {
    let deadline = Instant::now() + Duration::from_secs(600);
    let mut limits = Limits { deadline, states: 10_000_000, watch: &mut |_| {} };
    shortest_violation(&Widened::new(model(Design::Word, changes, on)), &mut limits).ending
}

/// Cycles are not looked for: a thief that fails for ever is one.
#[test]
fn the_steps_beyond_violate_nothing() {
    for program in ["sub2+leaf", "inj2+leaf", "inj3+leaf", "sub2+block", "sys+leaf+monitor"] {
        let on = (program, 2, 4, 2);
        assert_eq!(search_widened(&[], on), Ending::Complete, "{program}");
    }
}

#[test]
fn a_mutant_with_the_steps_beyond_is_still_caught() {
    for change in [Change::NoLook, Change::NoSuccessor, Change::BatchWithoutWake] {
        let ending = search_widened(&[change], ("inj2+leaf", 2, 4, 2));
        assert!(matches!(ending, Ending::Violated(_)), "{change:?}: {ending:?}");
    }
}
