//! A property, in one thread: the structure against its reference, on random operation lists.
//!
//! A property runs all its inputs in one call, so this engine cannot stop it at the deadline; one
//! that takes too long is ended from outside, with its process.

use std::collections::BTreeSet;

use super::{End, Exploration};
use crate::claim::Property;

/// Runs `property` on `cases` inputs.
///
/// # Errors
///
/// With the property's message, when it does not hold.
///
/// # Panics
///
/// When the property itself panics.
pub fn explore(property: &Property, cases: u32) -> Result<Exploration, String> {
    let executions = (property.run)(cases)?;
    Ok(Exploration { executions, outcomes: BTreeSet::new(), end: End::Finished })
}
