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
//!
//! The programs are made by proptest, the same ones in every run, and one on which the two disagree
//! is shrunk before it is shown.

#![cfg(all(feature = "explore", feature = "proptest"))]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

mod axioms;
mod enumerate;
mod explored;
mod program;
mod relation;
mod strategies;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use gosched_verify::explore::{FaultKind, Report};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::enumerate::{Verdict, enumerate};
use crate::explored::explore;
use crate::program::{Op, Program};
use crate::strategies::Mix;

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
fn random(mix: Mix) -> TestRng {
    let seed = from_environment("EXPLORE_ORACLE_SEED").unwrap_or(1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8] = mix as u8;
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// How far a failing program is shrunk.
const SHRINK_STEPS: u32 = 20_000;

/// A program that fails a check.
struct Failure {
    /// How many programs passed before.
    number: usize,
    why: String,
    smallest: Program,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, why, smallest } = self;
        write!(f, "program {number}: {why}\nThe smallest program that fails:\n{smallest}")
    }
}

/// The first of so many programs of a mix that fails, shrunk.
fn first_failure(
    mix: Mix,
    programs: usize,
    check: impl Fn(&Program) -> Result<(), String>,
) -> Option<Failure> {
    let config = Config {
        cases: u32::try_from(programs).expect("so many programs take years"),
        failure_persistence: None,
        max_local_rejects: u32::MAX,
        max_shrink_iters: SHRINK_STEPS,
        ..Config::default()
    };
    let passed = Cell::new(0);
    let has_failed = Cell::new(false);
    let ran =
        TestRunner::new_with_rng(config, random(mix)).run(&strategies::programs(mix), |program| {
            match check(&program) {
                Ok(()) => {
                    passed.set(passed.get() + usize::from(!has_failed.get()));
                    Ok(())
                }
                Err(why) => {
                    has_failed.set(true);
                    Err(TestCaseError::fail(why))
                }
            }
        });
    match ran {
        Ok(()) => {
            assert_eq!(passed.get(), programs, "{mix:?}: not all programs were run");
            None
        }
        Err(TestError::Fail(why, smallest)) => {
            Some(Failure { number: passed.get(), why: why.message().to_owned(), smallest })
        }
        Err(TestError::Abort(why)) => panic!("{mix:?}: proptest gave up: {why}"),
    }
}

/// Runs a check on so many programs of a mix.
fn for_each_program(mix: Mix, programs: usize, check: impl Fn(&Program) -> Result<(), String>) {
    if let Some(failure) = first_failure(mix, programs, check) {
        panic!("{mix:?}, {failure}");
    }
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

fn the_two_agree(mix: Mix) {
    let sum = RefCell::new(Verdict::default());
    let deadlocks = Cell::new(0);
    for_each_program(mix, programs(), |program| {
        let (verdict, disagreement) = compare(program);
        let mut sum = sum.borrow_mut();
        sum.complete += verdict.complete;
        sum.blocked += verdict.blocked;
        sum.candidates += verdict.candidates;
        deadlocks.set(deadlocks.get() + u32::from(verdict.deadlocks));
        disagreement.map_or(Ok(()), Err)
    });
    let Verdict { candidates, complete, blocked, .. } = sum.into_inner();
    println!(
        "{mix:?}: {} programs, {candidates} candidates, {complete} complete and {blocked} blocked \
         executions, {} programs with a deadlock",
        programs(),
        deadlocks.get(),
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
    let graphs = Cell::new(0);
    for_each_program(Mix::Distinct, programs(), |program| {
        let report = explore(program, 1);
        if report.failure.is_some() || !report.exhaustive {
            return Err(format!("{report:?}"));
        }
        if report.outcomes.values().any(|&times| times != 1) {
            return Err(format!("a graph was visited twice: {:?}", report.outcomes));
        }
        graphs.set(graphs.get() + report.complete);
        Ok(())
    });
    println!("{} graphs, each once", graphs.get());
}

#[test]
fn the_counts_do_not_depend_on_the_number_of_jobs() {
    for mix in [Mix::StrongExchanges, Mix::Everything, Mix::SeqCst] {
        for_each_program(mix, programs() / 5, |program| {
            let one = explore(program, 1);
            [2, 4].into_iter().try_for_each(|jobs| same(&one, &explore(program, jobs), jobs))
        });
    }
}

/// Whether a search by several finds what the search by one has found. Where it fails, which of the
/// failing executions is found first may differ, and so may the counts.
fn same(one: &Report, several: &Report, jobs: usize) -> Result<(), String> {
    let kinds = [one, several].map(|r| r.failure.as_ref().map(|f| f.kind));
    let found = [one, several].map(|r| (r.complete, r.blocked, r.exhaustive, &r.outcomes));
    if kinds[0] != kinds[1] || kinds[0].is_none() && found[0] != found[1] {
        return Err(format!("{jobs} jobs: {several:?}\nand one: {one:?}"));
    }
    Ok(())
}

/// A failure would be of little use if it came as it was found.
#[test]
fn a_failing_program_is_shrunk() {
    let failing = |program: &Program| {
        let reads = |op: &&Op| op.reads() && !op.may_write();
        let fails = program.threads.iter().flatten().filter(reads).count() >= 2;
        if fails { Err("two loads".into()) } else { Ok(()) }
    };
    let failure = first_failure(Mix::SeqCst, 100, failing).expect("some program has two loads");
    let ops = failure.smallest.threads.iter().flatten().count();
    assert_eq!((ops, failure.why.as_str()), (2, "two loads"), "{failure}");
}
