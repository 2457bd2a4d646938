//! The explorer on programs whose executions are known: the litmus tests of the literature, with
//! the verdict that RC11 gives, and the number of executions of each.
//!
//! Where a program is straight-line the brute force of `explore_oracle` counts it too, so that a
//! number in the table is never only what the explorer happens to say. The table is a page of the
//! book, made here:
//!
//! ```text
//! UPDATE=1 cargo test -p gosched-verify --test explore_litmus
//! ```

#![cfg(feature = "explore")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

#[path = "../explore_oracle/axioms.rs"]
mod axioms;
#[path = "../explore_oracle/enumerate.rs"]
mod enumerate;
#[path = "../explore_oracle/explored.rs"]
mod explored;
mod families;
mod native;
mod notation;
mod page;
#[path = "../explore_oracle/program.rs"]
mod program;
mod queue;
#[path = "../explore_oracle/relation.rs"]
mod relation;
mod table;

use gosched_verify::explore::Builder;

use crate::enumerate::{bound, enumerate};
use crate::explored::explore;
use crate::families::{FAMILIES, SPECIALS, Special};
use crate::notation::{is_like, parse};
use crate::table::{ASYMMETRIC, EXCHANGES, Litmus, MIXED, ORDERINGS, SHAPES, Shape, Weak};

/// One test in each of the orderings, with its name.
fn variants(shape: &Shape) -> impl Iterator<Item = (String, String, u64, Weak)> {
    ORDERINGS.iter().zip(shape.expected).map(|((name, orders), (complete, verdict))| {
        let program = ["$w", "$r", "$f"]
            .iter()
            .zip(orders)
            .fold(shape.program.to_owned(), |program, (from, to)| program.replace(from, to));
        (format!("{}: {name}", shape.name), program, complete, verdict)
    })
}

/// Whether the brute force can manage it in a moment.
const CANDIDATES_MAX: u64 = 100_000;

/// What is wrong with a row of the table, if anything is.
fn check(name: &str, text: &str, counts: (u64, u64), weak: Option<(&str, Weak)>) -> Option<String> {
    let program = parse(text);
    let report = explore(&program, 1);
    if let Some(failure) = report.failure {
        return Some(format!("{name}: {failure}"));
    }
    let found = (report.complete, report.blocked);
    if found != counts {
        return Some(format!("{name}: {found:?} executions, not {counts:?}"));
    }
    if bound(&program) <= CANDIDATES_MAX {
        let verdict = enumerate(&program);
        let by_force = (verdict.complete, verdict.blocked, &verdict.outcomes);
        if by_force != (found.0, found.1, &report.outcomes) {
            return Some(format!("{name}: {report:?}, by brute force {verdict:?}"));
        }
    }
    let (weak, verdict) = weak?;
    let seen = report.outcomes.keys().any(|outcome| is_like(outcome, weak));
    let allowed = verdict == Weak::Allowed;
    (seen != allowed).then(|| {
        format!("{name}: {weak:?} is {verdict:?}, and it is {seen} that it was found: {report:?}")
    })
}

fn assert_none(wrong: impl IntoIterator<Item = String>) {
    let wrong: Vec<String> = wrong.into_iter().collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn every_row_holds(rows: &[Litmus]) {
    assert_none(rows.iter().filter_map(|row| {
        check(row.name, row.program, (row.complete, row.blocked), Some((row.weak, row.verdict)))
    }));
}

#[test]
fn the_classic_shapes_have_their_verdicts_in_every_ordering() {
    assert_none(SHAPES.iter().flat_map(|shape| {
        variants(shape).filter_map(|(name, program, complete, verdict)| {
            check(&name, &program, (complete, 0), Some((shape.weak, verdict)))
        })
    }));
}

#[test]
fn mixed_orderings_and_fences_have_their_verdicts() {
    every_row_holds(MIXED);
}

#[test]
fn light_fences_order_against_heavy_ones_alone() {
    every_row_holds(ASYMMETRIC);
}

#[test]
fn read_modify_writes_and_release_sequences_have_their_verdicts() {
    every_row_holds(EXCHANGES);
}

#[test]
fn families_have_the_counts_of_their_formulas() {
    assert_none(FAMILIES.iter().flat_map(|family| {
        (1..).zip(family.complete).filter_map(|(n, &complete)| {
            check(&format!("{}, n = {n}", family.name), &family.program(n), (complete, 0), None)
        })
    }));
}

fn check_special(special: &Special) -> Option<String> {
    let report = Builder::default().explore(special.program);
    let kind = report.failure.as_ref().map(|failure| failure.kind);
    let expected = special.fault;
    let counts = (report.complete, report.blocked);
    let counted = expected.is_some() || counts == (special.complete, special.blocked);
    (kind != expected || !counted).then(|| format!("{}: {report:?}", special.name))
}

#[test]
fn locks_parking_and_choices_have_their_counts() {
    assert_none(SPECIALS.iter().filter_map(check_special));
}
