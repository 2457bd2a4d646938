//! System calls: the processor is left to others while a goroutine blocks in the kernel.
//!
//! ```text
//!    blocking(|| read(...))       the processor stays here, open to be taken
//!      │ 20 us later sysmon takes it, if work waits: another machine runs the others
//!    back: it kept the processor: goes on
//!          an idle one is there:  goes on with that
//!          none:                  queues up; its machine sleeps
//! ```
//!
//! DIFF: a goroutine whose last call lasted, so that its processor was taken, gives the processor
//! away at once when it enters the next; until one is short. It is spared sysmon's attention, and
//! others are spared the wait for sysmon. Go's calls all wait for sysmon, but for those that are
//! known to block (`entersyscallblock`).
//!
//= go1.27:src/runtime/proc.go#reentersyscall
//= go1.27:src/runtime/proc.go#exitsyscall

use std::thread;
use std::time::{Duration, Instant};

use gosched::scheduler::Exit;

use crate::fiber::Stop;
use crate::goroutine::{Kind, Status, WaitReason};
use crate::park::{checkpoint_here, suspend};
use crate::worker::Worker;

/// Runs `call`, which may block the thread: reading a file, a lock of std, foreign code. The other
/// goroutines go on: if the call takes more than 20 us and they need the processor, it is given to
/// another machine.
///
/// Two compare-exchanges, if the processor was not taken. Inside, the goroutine has no processor:
/// it may start and wake others, and if it parks, it parks with its thread. On a thread that runs
/// no goroutine it only calls.
///
/// Where goroutines are pinned, the others of the same thread wait until the call is over.
///
/// A panic of `call` goes on, after the end of the call.
pub fn blocking<R>(call: impl FnOnce() -> R) -> R {
    let Some((worker, goroutine)) = Worker::running() else { return call() };
    let lasts = goroutine.calls_last().get();
    if !worker.enter(lasts) {
        return call();
    }
    goroutine.set_status(Status::InSystemCall, WaitReason::None);
    let _leave = Leave { since: lasts.then(Instant::now) };
    call()
}

/// A call that is shorter costs less than it does to give a processor away.
const SHORT: Duration = Duration::from_micros(20);

/// Ends the system call, in a panic too.
struct Leave {
    /// When a call began whose processor was given away.
    since: Option<Instant>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        let Some((worker, goroutine)) = Worker::running() else {
            unreachable!("a goroutine in a system call does not switch")
        };
        let exit = worker.exit();
        let lasted = match self.since {
            Some(since) => since.elapsed() >= SHORT,
            None => exit != Exit::Kept,
        };
        goroutine.calls_last().set(lasted);
        goroutine.set_status(Status::Running, WaitReason::None);
        if thread::panicking() || goroutine.kind() != Kind::Stackful {
            // It cannot leave its stack now: without a processor it goes on to its next scheduling
            // point none the less.
            return;
        }
        if exit == Exit::NoProcessor {
            suspend(goroutine, Stop::NoProcessor);
        } else {
            checkpoint_here(worker, goroutine);
        }
    }
}
