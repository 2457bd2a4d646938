//! The ordering audit: would the claims notice if an ordering were weaker?
//!
//! A check that passes says nothing about an ordering that it never needed. So the audit turns the
//! question around. It takes each ordering of the code under test, makes it weaker, and runs the
//! claims: one of them *must* fail. Where none does, either the ordering is stronger than needed,
//! or the claims are blind there; both are findings, and each one that stays is written down with
//! its reason in [`SURVIVORS`].
//!
//! ```text
//!    discover     every case, nothing weakened        ->  which case reaches which site
//!    judge        for each ordering of each site:
//!                   the bottom first (Relaxed, no fence), then the steps between:
//!                     the cases that reach it, the cheapest first, until one fails
//!    compare      orderings in the source that no case reached; the list of known survivors
//! ```
//!
//! Read [`weaker`] (what is weaker than what), [`search`] (the steps above), [`child`] (one
//! experiment in a process of its own), [`source`] (what a site is called), [`verdict`] and
//! [`report`].
//!
//! What it cannot tell: it weakens one ordering at a time, so two that stand in for each other both
//! survive; and it sees what the engines see, so an ordering that matters only under load buffering
//! survives. Of the two engines, the explorer ([`Engine::Explore`]) is the faster one by far on the
//! models of the scheduler; [`Engine::Loom`] takes part where it ends in time.

pub mod child;
pub mod cli;
pub mod report;
pub mod search;
pub mod source;
pub mod survivors;
pub mod verdict;
pub mod weaker;

pub use self::child::{Engine, Job};
pub use self::search::{Case, Error, Limits, Subject, audit};
pub use self::source::Sources;
pub use self::survivors::{SURVIVORS, Survivor};
pub use self::verdict::{Audit, Row, Verdict};
