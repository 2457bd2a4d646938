//! The explorer beside loom and shuttle: the same models, on the same machine, one after another.
//!
//! Three engines can run a model of two or three threads, and they promise different things. The
//! explorer is through when it has seen every execution that RC11 allows; loom when it has tried
//! what its reduction does not call redundant, within a bound on preemptions or without one; and
//! shuttle when it has drawn so many schedules. So the question is not only who is faster, but what
//! was seen for it: each row has the time and the outcomes, and the outcomes that are missing.
//!
//! ```text
//!    for each model
//!        for each round:  explorer, loom, loom with 2 preemptions, with 3, shuttle
//!                         each in a process of its own, which takes the time around the
//!                         exploration alone; one search at a time, on one core
//!    a row has the least time of its rounds
//! ```
//!
//! Read [`subject`] (which models, and who competes), `child` (one run), `race` (all of them),
//! [`report`] (the table) and [`cli`].

mod child;
pub mod cli;
mod race;
pub mod report;
pub mod subject;
