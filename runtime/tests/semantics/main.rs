//! What a program may rely on, one claim a test: the order in which goroutines run, their end,
//! their panics, wrong use, and the end of a runtime. Each with goroutines that migrate and with
//! pinned ones, where both mean something.
//!
//! The claims about scheduling are those of Go's own scheduler tests, in our own words.

mod deadlock;
mod ending;
mod hostile;
mod kinds;
mod locked;
mod machines;
mod migration;
mod misuse;
mod outside;
mod progress;
mod resize;
mod shutdown;
