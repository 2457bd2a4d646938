//! The runtimes that are written in Rust. Those of futures do the work in the same code, with their
//! own means; coroutines with stacks have a function a workload.
//!
//! Each does the work in the way its own documentation shows. The root is a task of the runtime and
//! not the thread that waits for it. What differs, because the runtimes do:
//!
//! | | channel | wakes a task from outside | a call that blocks |
//! |---|---|---|---|
//! | gosched | `slot`: a lock, `park` and `unpark`; room for 1 | `Handle::unpark` | `blocking` |
//! | gosched-async | async-channel, room for 1 | `Waker`, by the same channel | `blocking`, inside the poll |
//! | tokio | `sync::mpsc`, room for 1 | `Notify` | `spawn_blocking` |
//! | smol | async-channel, room for 1 | `Waker`, by the same channel | `unblock` |
//! | may | `sync::spsc`, unbounded | `Coroutine::unpark` | in the coroutine: it has no other place |
//! | Go | `chan`, no room | `chan`, room for 1 | the system call itself |

mod bell;
mod channels;
mod futures;
mod gosched;
mod gosched_async;
mod may;
mod slot;
mod smol;
mod tokio;

use crate::sample::Sample;
use crate::workload::{Size, Workload};

pub(crate) use gosched::Gosched;
pub(crate) use gosched_async::GoschedAsync;
pub(crate) use may::May;
pub(crate) use smol::Smol;
pub(crate) use tokio::Tokio;

/// A runtime, by what it does in each workload. `workers` is how many threads run tasks. Each
/// function sets the runtime up, measures from the first operation to the last, and panics if the
/// work was not done: a number is missing, a task did not answer.
pub(crate) trait Peer {
    /// `rounds` waves: spawns `tasks` tasks that return their number, then joins them all.
    fn spawn(workers: usize, size: Size) -> Sample;

    /// A tree with `tasks` leaves (a power of ten): each inner task spawns ten and adds up what
    /// they return; a leaf returns its number.
    fn skynet(workers: usize, size: Size) -> Sample;

    /// `tasks` tasks yield `rounds` times each.
    fn yield_now(workers: usize, size: Size) -> Sample;

    /// A message goes from the root to another task and comes back one more, `rounds` times.
    fn ping_pong(workers: usize, size: Size) -> Sample;

    /// A message goes `rounds` times through `tasks` tasks, each of which adds one.
    fn ring(workers: usize, size: Size) -> Sample;

    /// A thread outside the runtime wakes a task `rounds` times, a millisecond after it went to
    /// wait.
    fn wake(workers: usize, size: Size) -> Sample;

    /// `tasks` tasks block for a millisecond `rounds` times each;
    /// [`COMPUTING`](crate::workload::COMPUTING) others, spawned after them, compute and yield
    /// after each chunk.
    fn blocking(workers: usize, size: Size) -> Sample;

    /// `tasks` tasks wait to be woken. Their memory is taken when all do; then they are woken and
    /// joined.
    fn idle(workers: usize, size: Size) -> Sample;
}

/// Runs a workload.
pub(crate) fn measure<P: Peer>(workload: Workload, workers: usize, size: Size) -> Sample {
    let run = match workload {
        Workload::Spawn => P::spawn,
        Workload::Skynet => P::skynet,
        Workload::Yield => P::yield_now,
        Workload::PingPong => P::ping_pong,
        Workload::Ring => P::ring,
        Workload::Wake => P::wake,
        Workload::Blocking => P::blocking,
        Workload::Idle => P::idle,
    };
    run(workers, size)
}

/// The call that blocks: the thread sleeps in the system.
fn block_a_millisecond() {
    std::thread::sleep(core::time::Duration::from_millis(1));
}
