//! Counterexamples and errors of the explorer, as a user sees them.
//!
//! * `pictures`: the diagrams of known failures, compared with files. `UPDATE=1 cargo test` writes
//!   the files anew.
//! * `replays`: a failure's schedule makes the same failure again, and one that does not fit says
//!   where.
//! * `freed`: memory that is used when it was freed, and the names of pointers.
//! * `unwinding`: failures, and the destructors and panics that come with them.
//! * `errors`: each way to use the explorer wrongly is told so.

#![cfg(feature = "explore")]

mod errors;
mod freed;
mod models;
mod pictures;
mod replays;
mod unwinding;

use gosched_verify::explore::Quarantine;

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine::new();
