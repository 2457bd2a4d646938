//! Go's scheduler as a small core that other runtimes can stand on, each step of it checked.
//!
//! The code here is the code that the model checkers run: every structure is generic over the
//! [shared memory](memory) it runs on, and a checker is one more memory. What was checked, by which
//! engine and how far, is printed by `gosched-verify`, the companion of this crate.
//!
//! The crate starts no thread, reads no clock, does no input or output. It is `no_std` with
//! `alloc`. Read it in this order:
//!
//! | module or type | is | Go's word |
//! |---|---|---|
//! | [`memory`] | the shared memory that the algorithms run on | - |
//! | [`Task`] | one word that owns a task | `guintptr` |
//! | [`LocalQueue`] | a processor's bounded ring and its `next` slot | `runq`, `runnext` |
//! | [`GlobalQueue`], [`Batch`] | the FIFO that all processors share | `sched.runq`, `gQueue` |
//! | [`Note`] | the one-shot event that a machine sleeps on | `note` |
//! | [`Permit`] | one task stops until another lets it go on | - |
//! | [`Completion`] | a task's result, and who waits for it | - |
//! | [`StealOrder`] | each victim once, in random order | `stealOrder` |
//!
//! # A worker finds its next task
//!
//! ```
//! use std::num::NonZeroUsize;
//!
//! use gosched::{GlobalQueue, NextSlot, Owner, StealOrder, Stealer};
//!
//! type Task = Box<dyn FnOnce() + Send>; // a fat pointer, so it is boxed once more
//!
//! fn find(
//!     own: &mut Owner<Box<Task>>,
//!     global: &GlobalQueue<Box<Task>>,
//!     others: &[Stealer<Box<Task>>],
//!     order: &StealOrder,
//!     seed: u32,
//! ) -> Option<Box<Task>> {
//!     let processors = NonZeroUsize::new(others.len() + 1).unwrap();
//!     if let Some(popped) = own.pop() {
//!         return Some(popped.task);
//!     }
//!     if let Some(task) = own.take_share(global, processors) {
//!         return Some(task);
//!     }
//!     let mut victims = order.start(seed).map(|victim| &others[victim]);
//!     victims.find_map(|victim| Some(victim.steal_into(own, NextSlot::Leave).ok()?.task))
//! }
//!
//! use gosched::LocalQueue;
//!
//! let global = GlobalQueue::new();
//! let mut busy = LocalQueue::new();
//! let mut idle = LocalQueue::new();
//! let (sender, ran) = std::sync::mpsc::channel();
//! for number in 0..4 {
//!     let sender = sender.clone();
//!     let task: Task = Box::new(move || sender.send(number).unwrap());
//!     busy.push_or_overflow(Box::new(task), &global);
//! }
//! let (others, order) = ([busy.stealer()], StealOrder::new(1));
//! while let Some(task) = find(&mut idle, &global, &others, &order, 7) {
//!     task();
//! }
//! assert_eq!(ran.try_iter().collect::<Vec<_>>(), [1, 0, 2, 3]); // a steal runs its newest first
//! ```
//!
//! # Features
//!
//! * `std` (default): std's mutex and a parker on it, and `membarrier` on Linux. Without it both
//!   spin, and both asymmetric fences are `SeqCst`.
//! * `portable-atomic`: for targets without 64-bit atomics.
//! * `loom`, `shuttle`: add the worlds `memory::Loom` and `memory::Shuttle`, to model-check what
//!   you build on this crate. They add types and change none.
//!
//! # Panics
//!
//! Misuse that a caller can cause is an error value or does not compile, but for the two `unsafe`
//! methods of [`Completion`], which say what they ask for. Invariants that only a bug
//! in this crate could break are asserted in debug builds and under every checker.

#![no_std]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core)]

#[cfg(not(any(target_has_atomic = "64", feature = "portable-atomic")))]
compile_error!(
    "gosched needs 64-bit atomics, which this target lacks: enable the feature `portable-atomic`"
);

/// Leaves the crate empty where it is not supported, so that the error above is the only one.
macro_rules! where_supported {
    ($($item:item)+) => {
        $(
            #[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
            $item
        )+
    };
}

where_supported! {
    extern crate alloc;
    #[cfg(feature = "std")]
    extern crate std;

    mod completion;
    mod config;
    mod global_queue;
    mod host;
    mod idle;
    mod local_queue;
    mod machine;
    pub mod memory;
    mod monitor;
    mod note;
    mod observe;
    mod permit;
    mod processor;
    pub mod scheduler;
    mod steal_order;
    mod task;
    mod task_state;

    pub use completion::Completion;
    pub use config::{Config, ConfigError};
    pub use global_queue::{Batch, BatchIntoIter, GlobalQueue};
    pub use host::{Deadline, Host};
    pub use idle::{IdleProcessors, IdleView, Put};
    pub use local_queue::{Full, LocalQueue, NextSlot, Owner, Popped, StealError, Stealer, Stolen};
    pub use monitor::{Monitor, Nap, Pace, Round};
    pub use note::Note;
    pub use observe::{Event, NoObserver, Observer, Place};
    pub use permit::{Give, Permit};
    pub use processor::ProcessorState;
    pub use scheduler::{Machine, Scheduler, StartMachine, Step};
    pub use steal_order::{StealOrder, StealSweep};
    pub use task::Task;
    pub use task_state::{TaskState, TaskStatus};
}
