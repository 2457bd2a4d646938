//! What gosched costs: beside plain atomics, and beside its peers in the same run.
//!
//! Read in this order: [`queue`] (the contenders, and what each cannot do), [`workload`] (the
//! operation sequences that are timed, and how they check themselves), [`statistics`] and
//! [`machine`] (what is said about the numbers). [`go`] builds what is compared in Go. Five
//! programs and one bench use them:
//!
//! | run | shows |
//! |---|---|
//! | `--bin ratios` | times, as ratios to the plain port of Go's queue, interleaved in one run |
//! | `--bin counts` | instructions and atomic operations, which no noise can blur |
//! | `--bin zero-cost` | that the trait `Memory` compiles to plain atomics |
//! | `--bin runtimes` | whole runtimes beside each other: Go's, gosched's, tokio, smol, may |
//! | `--bin http-peers` | the same as servers, under load |
//! | `cargo bench` | the same workloads under criterion: distributions, and changes since last time |

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

pub mod go;
pub mod machine;
pub mod queue;
pub mod statistics;
pub mod workload;
