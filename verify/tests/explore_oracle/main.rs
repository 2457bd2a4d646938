//! The explorer against brute force, on random programs.
//!
//! The explorer is clever: it builds consistent graphs only, and each by one way only. A mistake in
//! it would not crash; it would leave an execution out, and a check would pass that must not. So
//! here is a second implementation of the same memory model that is as stupid as possible and
//! shares no code with the first: all candidate executions of a small program, judged by the axioms
//! as they stand in the papers. Both must find the same number of complete executions, the same
//! number of blocked ones, the same outcomes, *each the same number of times*, and the same
//! deadlocks. Equal multisets of outcomes mean that no execution was missed and none was found
//! twice.
//!
//! ```text
//! cargo test -p gosched-verify --test explore_oracle
//! EXPLORE_ORACLE=2000 cargo test -p gosched-verify --test explore_oracle     programs of each mix
//! EXPLORE_ORACLE_SEED=7 ...                                                  other programs
//! ```

#![cfg(feature = "explore")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

mod axioms;
mod enumerate;
mod explored;
mod generate;
mod program;
mod relation;

use std::panic::{AssertUnwindSafe, catch_unwind};

use gosched_verify::explore::{FaultKind, Report};

use crate::enumerate::{Verdict, enumerate};
use crate::explored::explore;
use crate::generate::{Mix, Random};
use crate::program::Program;

/// Programs of each mix in the ordinary run.
const PROGRAMS: usize = 300;

fn from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

fn programs() -> usize {
    from_environment("EXPLORE_ORACLE").map_or(PROGRAMS, |count| count as usize)
}

/// Each mix has programs of its own.
fn random(mix: Mix) -> Random {
    Random(from_environment("EXPLORE_ORACLE_SEED").unwrap_or(1) << 8 | mix as u64)
}

/// What the two disagree on, if they do.
fn disagreement(verdict: &Verdict, report: &Report) -> Option<String> {
    if let Some(failure) = &report.failure {
        let expected = failure.kind == FaultKind::Deadlock && verdict.deadlocks;
        return (!expected).then(|| format!("the explorer reports {failure}"));
    }
    if verdict.deadlocks {
        return Some("the explorer sees no deadlock, and there is one".into());
    }
    if !report.exhaustive {
        return Some("the explorer is not through".into());
    }
    let ours = (report.complete, report.blocked);
    let theirs = (verdict.complete, verdict.blocked);
    if ours != theirs {
        return Some(format!(
            "complete and blocked executions: {ours:?}, by brute force {theirs:?}"
        ));
    }
    (report.outcomes != verdict.outcomes).then(|| {
        format!("outcomes: {:?},\n    by brute force {:?}", report.outcomes, verdict.outcomes)
    })
}

/// Compares the two on one program. A panic of the explorer itself is a disagreement too.
fn compare(program: &Program) -> (Verdict, Option<String>) {
    let verdict = enumerate(program);
    let report = catch_unwind(AssertUnwindSafe(|| explore(program, 1)));
    let disagreement = match report {
        Ok(report) => disagreement(&verdict, &report),
        Err(_) => Some("the explorer panics".into()),
    };
    (verdict, disagreement)
}

/// The programs with one operation less.
fn smaller(program: &Program) -> Vec<Program> {
    let mut programs = Vec::new();
    for (thread, ops) in program.threads.iter().enumerate() {
        for index in 0..ops.len() {
            let mut smaller = program.clone();
            smaller.threads[thread].remove(index);
            smaller.threads.retain(|ops| !ops.is_empty());
            programs.push(smaller);
        }
    }
    programs
}

/// The smallest program without an operation of this one, and without one of that, on which the two
/// still disagree.
fn shrink(program: Program, why: String) -> (Program, String) {
    for smaller in smaller(&program) {
        if let (_, Some(why)) = compare(&smaller) {
            return shrink(smaller, why);
        }
    }
    (program, why)
}

fn the_two_agree(mix: Mix) {
    let mut random = random(mix);
    let mut sum = Verdict::default();
    let mut deadlocks = 0;
    for number in 0..programs() {
        let program = generate::program(mix, &mut random);
        let (verdict, disagreement) = compare(&program);
        if let Some(why) = disagreement {
            println!("program {number} of {mix:?} was\n{program}");
            let (smallest, why) = shrink(program, why);
            panic!("program {number} of {mix:?}: {why}\nThe smallest such program:\n{smallest}");
        }
        sum.complete += verdict.complete;
        sum.blocked += verdict.blocked;
        sum.candidates += verdict.candidates;
        deadlocks += u32::from(verdict.deadlocks);
    }
    println!(
        "{mix:?}: {} programs, {} candidates, {} complete and {} blocked executions, \
         {deadlocks} programs with a deadlock",
        programs(),
        sum.candidates,
        sum.complete,
        sum.blocked,
    );
}

#[test]
fn the_two_agree_on_strong_exchanges() {
    the_two_agree(Mix::StrongExchanges);
}

#[test]
fn the_two_agree_on_everything() {
    the_two_agree(Mix::Everything);
}

#[test]
fn the_two_agree_on_seq_cst_accesses() {
    the_two_agree(Mix::SeqCst);
}

#[test]
fn the_two_agree_on_asymmetric_fences() {
    the_two_agree(Mix::Asymmetric);
}

#[test]
fn the_two_agree_on_fences() {
    the_two_agree(Mix::Fences);
}

/// Where values are distinct and no word is written more than twice, what was read and what is left
/// name the graph: so an outcome that comes twice would be a graph that was visited twice.
#[test]
fn no_graph_is_visited_twice() {
    let mut random = random(Mix::Distinct);
    let mut graphs = 0;
    for _ in 0..programs() {
        let program = generate::program(Mix::Distinct, &mut random);
        let report = explore(&program, 1);
        assert!(report.failure.is_none() && report.exhaustive, "{report:?}\n{program}");
        let once = report.outcomes.values().all(|&times| times == 1);
        assert!(once, "a graph was visited twice: {:?}\n{program}", report.outcomes);
        graphs += report.complete;
    }
    println!("{graphs} graphs, each once");
}

#[test]
fn the_counts_do_not_depend_on_the_number_of_jobs() {
    for mix in [Mix::StrongExchanges, Mix::Everything, Mix::SeqCst] {
        let mut random = random(mix);
        for _ in 0..programs() / 5 {
            let program = generate::program(mix, &mut random);
            let one = explore(&program, 1);
            for jobs in [2, 4] {
                let several = explore(&program, jobs);
                let kinds = [&one, &several].map(|r| r.failure.as_ref().map(|f| f.kind));
                assert_eq!(kinds[0], kinds[1], "{jobs} jobs\n{program}");
                if kinds[0].is_none() {
                    assert_eq!(one.outcomes, several.outcomes, "{jobs} jobs\n{program}");
                    let counts = [&one, &several].map(|r| (r.complete, r.blocked, r.exhaustive));
                    assert_eq!(counts[0], counts[1], "{jobs} jobs\n{program}");
                }
            }
        }
    }
}
