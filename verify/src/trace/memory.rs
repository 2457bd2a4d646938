//! What was replayed once need not be replayed again.
//!
//! Most executions of a small model tell the same lists. A comparison is a function of the program
//! and the lists alone, so those that were accepted are remembered, for all models of the process.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock};

use super::record::Seen;
use super::search::{Lists, Refusal, replay};
use crate::specification::Model;

/// How many runs are remembered.
const RUNS_MAX: usize = 200_000;

type Run = (String, Vec<Vec<Seen>>);

/// As [`replay`], but for a run that was accepted before.
///
/// # Errors
///
/// As [`replay`].
///
/// # Panics
///
/// As [`replay`].
pub fn remembered(model: &Model, lists: &Lists) -> Result<(), Box<Refusal>> {
    static ACCEPTED: OnceLock<Mutex<HashSet<Run>>> = OnceLock::new();
    let accepted = || {
        let runs = ACCEPTED.get_or_init(Mutex::default).lock();
        runs.unwrap_or_else(std::sync::PoisonError::into_inner)
    };
    let run = (model.program.describe(), lists.to_vec());
    if accepted().contains(&run) {
        return Ok(());
    }
    replay(model, lists)?;
    let mut accepted = accepted();
    if accepted.len() < RUNS_MAX {
        accepted.insert(run);
    }
    Ok(())
}
