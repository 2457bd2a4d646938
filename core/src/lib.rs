#![no_std]
#![doc = include_str!("../../README.md")]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod global_queue;
mod local_queue;
pub mod memory;
mod note;
mod steal_order;
mod task;

pub use global_queue::{Batch, BatchIntoIter, GlobalQueue};
pub use local_queue::{Full, LocalQueue, NextSlot, Owner, Popped, StealError, Stealer, Stolen};
pub use note::Note;
pub use steal_order::{StealOrder, StealSweep};
pub use task::Task;
