#![doc = include_str!("../README.md")]

mod block_on;
mod blocking;
mod contain;
mod counters;
mod deadlock;
pub mod dump;
mod engine;
mod fiber;
mod goroutine;
mod join;
mod locals;
mod lock;
mod netpoll;
mod park;
mod pinned;
mod resize;
mod runtime;
mod spawn;
mod stack;
mod sysmon;
pub mod time;
mod timers;
mod token;
mod worker;

pub use self::block_on::block_on;
pub use self::blocking::blocking;
pub use self::goroutine::{Status, WaitReason};
pub use self::join::{Cancelled, JoinError, JoinHandle, Payload};
pub use self::locals::{GoroutineLocal, NoGoroutine};
pub use self::lock::{ThreadLock, lock_os_thread};
pub use self::park::{Handle, checkpoint, current, park, yield_now};
pub use self::resize::{SetProcessorsError, set_processors};
pub use self::runtime::{BuildError, Builder, Outside, RunError, Runtime, Shutdown, ShutdownError};
pub use self::spawn::{NoRuntime, go, go_future, try_go};
pub use self::stack::{DEFAULT_STACK_SIZE, MAX_STACK_SIZE, MIN_STACK_SIZE};
pub use self::token::Migrating;
