//! Claims about the scheduler.

mod host;
mod wake;

use crate::claim::Claim;

pub(crate) fn claims() -> Vec<Claim> {
    wake::claims()
}
