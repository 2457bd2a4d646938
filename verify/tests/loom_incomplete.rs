//! What loom does not see: a regression test of loom itself.
//!
//! Two threads, one word:
//!
//! ```text
//!    reader               writer
//!    word.load()          word.load()
//!                         word.store(1)        the reader reads 0, or 1
//! ```
//!
//! Both outcomes are possible, even sequentially consistent. loom 0.7.2 ends its
//! search with one of them (tokio-rs/loom#392): to find schedules worth trying it remembers, for
//! each atomic, the *last* access alone. The writer's load replaces the reader's, so when the store
//! comes, loom no longer knows that the reader's load conflicts with it.
//!
//! It matters here because *load, then store or compare-exchange* is the shape of every operation
//! of a work-stealing queue. So a model that passes under loom is *explored*, not proved, and
//! each loom check is compared with what sequentially consistent schedules reach.
//!
//! If this test fails after an update of loom, loom has changed: when it reaches both outcomes,
//! rejoice, state the new minimum version in `Cargo.toml`, and rewrite every text that cites #392
//! (`grep -r '#392'`).

#![cfg(all(feature = "loom", feature = "shuttle"))]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gosched::memory::{Loom, Shuttle};
use gosched_verify::claim::Model;
use gosched_verify::engine::judge::{Verdict, judge};
use gosched_verify::engine::selftest::LoadHidesLoad;
use gosched_verify::engine::shuttle::Schedules;
use gosched_verify::engine::{Exploration, Progress, Watch, loom, shuttle};

fn watch() -> Watch {
    Watch { deadline: Instant::now() + Duration::from_secs(60), progress: Progress::default() }
}

fn under_loom() -> Exploration {
    loom::explore(|| LoadHidesLoad.run::<Loom>(), loom::Bound::default(), &watch())
}

fn under_shuttle() -> Exploration {
    shuttle::explore(|| LoadHidesLoad.run::<Shuttle>(), Schedules::Random, 100, &watch())
}

#[test]
fn loom_misses_an_outcome_although_it_has_no_bound() {
    let one = BTreeSet::from(["read 0".to_owned()]);
    assert_eq!(under_loom().outcomes, one, "loom has changed: see the top of this file");
}

#[test]
fn random_schedules_reach_both_outcomes() {
    let both = BTreeSet::from(["read 0".to_owned(), "read 1".to_owned()]);
    assert_eq!(under_shuttle().outcomes, both);
}

#[test]
fn the_witness_finds_the_miss() {
    let verdict = judge(&under_loom(), Some(&under_shuttle()), &[]).verdict;
    assert_eq!(verdict.to_string(), "passed, loom incomplete (1 outcomes missed)");
    let Verdict::LoomIncomplete { missed: 1, examples } = verdict else { unreachable!() };
    assert_eq!(examples.len(), 1);
}
