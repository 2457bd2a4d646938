//! Random programs, and the smallest that fails: proptest.
//!
//! Each program draws its operations from a *palette* of eight that is drawn first, with
//! repetitions. So there are programs that only push, that never drain, that steal at every second
//! step: when every operation is equally likely at all times, queues hover around empty, and what
//! happens to full ones is not tested. (This is swarm testing: Groce and others, ISSTA 2012.)
//!
//! The random numbers are the same in every run: a check that fails today fails tomorrow. More of
//! them are had by asking for more programs.

use std::cell::RefCell;

use proptest::array::{uniform4, uniform8};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::prop_oneof;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::encoding::Operation;
use super::{Language, Program, Seen};

/// The longest random program.
pub const LONGEST: usize = 120;

/// How far a failing program is shrunk.
const SHRINK_STEPS: u32 = 200_000;

/// Random programs of a language, of at most `longest` operations.
pub fn programs<L: Language>(longest: usize) -> impl Strategy<Value = Program<L>> {
    let palette = uniform8(0..L::Op::CODES);
    // Small numbers mostly: most capacities are small.
    let number = || prop_oneof![3 => 0_u8..6, 1 => any::<u8>()];
    let ops = vec((0_usize..8, number(), number()), 0..=longest);
    (uniform4(any::<u8>()), palette, ops).prop_map(|(setup, palette, ops)| Program {
        setup: L::from_bytes(setup),
        ops: ops.into_iter().map(|(code, a, b)| L::Op::decode([palette[code], a, b])).collect(),
    })
}

/// Runs `cases` random programs; returns how many it ran.
///
/// # Errors
///
/// With the smallest failing program found, as a Rust expression; or with what no program did,
/// although some had to.
pub fn check<L: Language>(cases: u32) -> Result<u64, String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: SHRINK_STEPS,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = RefCell::new(Seen::default());
    let result = TestRunner::new_with_rng(config, rng).run(&programs::<L>(LONGEST), |program| {
        let saw = program.run().map_err(|mismatch| TestCaseError::fail(mismatch.to_string()))?;
        seen.borrow_mut().merge(saw);
        Ok(())
    });
    match result {
        Ok(()) => complete::<L>(&seen.into_inner(), cases),
        Err(TestError::Fail(reason, program)) => Err(format!(
            "{reason}\n\
             the smallest program that fails, for the known programs of `ops::{}`:\n{program:?}",
            L::NAME
        )),
        Err(TestError::Abort(reason)) => Err(format!("proptest gave up: {reason}")),
    }
}

/// Whether the programs did all that they had to. Asked of a full run alone: a few programs may
/// well miss something.
fn complete<L: Language>(seen: &Seen, cases: u32) -> Result<u64, String> {
    const FULL_RUN: u32 = 500;
    let missing = seen.missing::<L>();
    if cases >= FULL_RUN && !missing.is_empty() {
        return Err(format!("in {cases} random programs it never happened that {missing:?}"));
    }
    Ok(u64::from(cases))
}
