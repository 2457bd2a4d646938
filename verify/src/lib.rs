//! The checkers of gosched: what is claimed about the core, and the engines that check it.
//!
//! Read in this order: [`world`] (a memory with threads), [`claim`] (what a claim and a model are),
//! [`tasks`] (why every task of a model carries a payload), `claims` (the claims themselves),
//! [`engine`] (how a model is run through many executions). The rest is the binary
//! `gosched-verify`: `report` (rows, verdicts, the table), `cli`, `compare` (the engines side by
//! side), and `audit` (would the claims notice if an ordering were weaker?), which stands on
//! [`instrument`] (worlds that wrap a world).
//!
//! A model of your own, of code that is generic over [`gosched::memory::Memory`], is a type that
//! implements [`claim::Model`]; the functions of [`engine`] run it.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

#[cfg(all(feature = "cli", feature = "explore", feature = "loom"))]
pub mod audit;
pub mod claim;
mod claims;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(all(feature = "cli", feature = "explore", feature = "loom", feature = "shuttle"))]
pub mod compare;
pub mod engine;
#[cfg(feature = "explore")]
pub mod explore;
pub mod instrument;
pub mod ops;
pub mod plain_queue;
#[cfg(feature = "cli")]
pub mod report;
pub mod specification;
pub mod tasks;
pub mod trace;
pub mod world;

/// The README's examples are tests, too. They stand here, where both crates are at hand.
#[cfg(all(doctest, feature = "explore"))]
#[doc = include_str!("../../README.md")]
struct Readme;
