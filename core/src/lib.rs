#![no_std]
#![doc = include_str!("../../README.md")]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod memory;
mod task;

pub use task::Task;
