//! The examples of the explorer say what they should.
//!
//! Each example is compiled into this test as a module: what is checked is what a reader runs. The
//! right variants have exact counts, which depend on the model alone; the wrong ones are found,
//! and for the reason that the example gives. [`book`] has the programs that the book shows beside
//! them, [`diagram`] the picture.

#![cfg(feature = "explore")]

mod book;
#[path = "../../examples/explore_chase_lev.rs"]
mod chase_lev;
mod diagram;
mod free;
#[path = "../../examples/explore_peterson.rs"]
mod peterson;
#[path = "../../examples/explore_seqlock.rs"]
mod seqlock;
#[path = "../../examples/explore_spin_lock.rs"]
mod spin_lock;
#[path = "../../examples/explore_treiber_stack.rs"]
mod treiber_stack;

use gosched_verify::explore::{FaultKind, Quarantine, Report};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine::new();

/// The model holds, in exactly so many executions.
#[track_caller]
fn assert_holds(report: &Report, complete: u64, blocked: u64) {
    assert!(report.failure.is_none(), "{report:?}");
    assert!(report.exhaustive, "{report:?}");
    assert_eq!((report.complete, report.blocked), (complete, blocked), "{report:?}");
}

/// The model fails in this way, and says this.
#[track_caller]
fn assert_fails(report: &Report, kind: FaultKind, says: &str) {
    let failure = report.failure.as_ref().expect("the model is wrong");
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(says), "{failure}");
    assert!(!report.exhaustive, "a failure ends the search");
}

#[test]
fn a_spin_lock_has_an_execution_for_each_order_of_its_threads() {
    assert_holds(&spin_lock::explore(spin_lock::CORRECT, 2), 2, 2);
    assert_holds(&spin_lock::explore(spin_lock::CORRECT, 3), 6, 15);
    assert_holds(&spin_lock::explore(spin_lock::CORRECT, 4), 24, 124);
}

#[test]
fn a_spin_lock_that_unlocks_relaxed_has_a_data_race() {
    let report = spin_lock::explore(spin_lock::RELAXED, 2);
    assert_fails(&report, FaultKind::Race, "explore_spin_lock.rs");
}

#[test]
fn a_spin_lock_that_does_not_say_it_waits_is_taken_for_endless() {
    let report = spin_lock::explore(spin_lock::SILENT, 2);
    assert_fails(&report, FaultKind::UnboundedLoop, "20 events");
}

#[test]
fn a_treiber_stack_neither_loses_nor_doubles_a_value() {
    let publish = treiber_stack::explore_publish(treiber_stack::CORRECT);
    assert_holds(&publish, 22, 0);
    let early: Vec<&str> = publish.outcomes.keys().map(String::as_str).collect();
    assert_eq!(early, ["first 10", "first 11", "nothing yet"]);
    assert_holds(&treiber_stack::explore_reuse(treiber_stack::CORRECT), 27, 0);
}

#[test]
fn a_treiber_stack_that_pushes_relaxed_has_a_data_race() {
    let report = treiber_stack::explore_publish(treiber_stack::RELAXED);
    assert_fails(&report, FaultKind::Race, "explore_treiber_stack.rs");
}

#[test]
fn a_treiber_stack_without_a_tag_pops_a_value_twice() {
    let report = treiber_stack::explore_reuse(treiber_stack::UNTAGGED);
    assert_fails(&report, FaultKind::Panic, "of 10 and 11 came out [10, 11, 11]");
}

#[test]
fn a_seqlock_yields_what_one_write_wrote_or_nothing() {
    let report = seqlock::explore(seqlock::CORRECT);
    assert_holds(&report, 18, 0);
    let outcomes: Vec<_> =
        report.outcomes.iter().map(|(got, &count)| (got.as_str(), count)).collect();
    assert_eq!(outcomes, [("all 0", 1), ("all 1", 1), ("none", 16)]);
}

#[test]
fn a_seqlock_needs_the_fences_of_both_sides() {
    assert_fails(&seqlock::explore(seqlock::NO_WRITER_FENCE), FaultKind::Panic, "a torn read");
    assert_fails(&seqlock::explore(seqlock::NO_READER_FENCE), FaultKind::Panic, "a torn read");
}

#[test]
fn petersons_lock_works_with_seqcst_accesses_and_with_two_fences() {
    assert_holds(&peterson::explore(peterson::Variant::SeqCst), 12, 8);
    assert_holds(&peterson::explore(peterson::Variant::TwoFences), 12, 8);
}

#[test]
fn petersons_lock_fails_without_seqcst_and_with_one_fence() {
    let both = "both are in the critical section";
    let report = peterson::explore(peterson::Variant::ReleaseAcquire);
    assert_fails(&report, FaultKind::Panic, both);
    assert_fails(&peterson::explore(peterson::Variant::OneFence), FaultKind::Panic, both);
}

#[test]
fn a_chase_lev_deque_hands_out_each_task_once() {
    assert_holds(&chase_lev::explore(chase_lev::CORRECT, 1), 23, 0);
    assert_holds(&chase_lev::explore(chase_lev::CORRECT, 2), 535, 0);
}

#[test]
fn the_published_chase_lev_deque_yields_what_was_never_pushed() {
    let never = "never pushed";
    let relaxed = chase_lev::explore(chase_lev::RELAXED_ARRAY, 1);
    assert_fails(&relaxed, FaultKind::Panic, never);
    let message = &relaxed.failure.expect("it failed").message;
    assert!(message.contains("stolen [Some(0)]"), "a thief, from the new array: {message}");
    assert_fails(&chase_lev::explore(chase_lev::OLD_ARRAY, 1), FaultKind::Panic, never);
}

#[test]
fn a_chase_lev_deque_without_seqcst_fences_hands_out_a_task_twice() {
    let report = chase_lev::explore(chase_lev::WEAK_FENCES, 2);
    assert_fails(&report, FaultKind::Panic, "of tasks 1 and 2 came out");
}

#[test]
fn the_examples_run() {
    spin_lock::main();
    treiber_stack::main();
    seqlock::main();
    peterson::main();
    chase_lev::main();
}
