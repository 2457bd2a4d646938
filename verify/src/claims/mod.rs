//! The claims, a module for each structure.
//!
//! To add one, write `pub(crate) fn claims() -> Vec<Claim>` in a module here and name it in
//! [`all`]. The module should also make sense without any engine: properties that use `proptest`
//! stand under `#[cfg(feature = "proptest")]`.

mod completion;
mod global_queue;
mod local_queue;
mod memory;
mod note;
mod permit;
pub(crate) mod plain_queue;
mod reference;
mod scheduler;
mod steal_order;
mod task;

use crate::claim::Claim;

/// Every claim, in the order of the book.
pub(crate) fn all() -> Vec<Claim> {
    [
        memory::claims(),
        task::claims(),
        local_queue::claims(),
        plain_queue::claims(),
        global_queue::claims(),
        note::claims(),
        permit::claims(),
        completion::claims(),
        scheduler::claims(),
        steal_order::claims(),
        crate::specification::claims(),
        reference::claims(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
