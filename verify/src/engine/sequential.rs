//! A property, in one thread: the structure against its reference, on random operation lists.
//!
//! A property runs all its inputs in one call, so this engine cannot stop it at the deadline; one
//! that takes too long is ended from outside, with its process.

use super::{End, Exploration};
use crate::claim::Property;

/// Runs `property` on `cases` inputs.
///
/// # Panics
///
/// With the property's message, when it does not hold.
#[must_use]
pub fn explore(property: &Property, cases: u32) -> Exploration {
    match (property.run)(cases) {
        Ok(executions) => {
            Exploration { executions, outcomes: Default::default(), end: End::Finished }
        }
        Err(message) => panic!("{message}"),
    }
}
