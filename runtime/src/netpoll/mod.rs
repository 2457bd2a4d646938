//! netpoll: sockets that park goroutines, and the kernel's word for who goes on.
//!
//! ```text
//!    goroutine      read: would block ──► its waker to the descriptor ──► parks
//!                                                    ▲
//!    a machine      finds nothing to run ──► poll ───┘ the kernel tells of an edge
//!                                             │
//!                                             └──► the goroutine to the batch, and on
//! ```
//!
//! Every runtime has a poller, and a socket belongs to the runtime of the goroutine that makes it.
//! The core decides who polls, and when: a machine that finds nothing looks without waiting; one
//! that has no processor waits, one at a time; sysmon looks if nobody has for 10 ms. A look costs
//! nothing while nobody waits for input or output: that is counted.
//!
//! | file | is |
//! |---|---|
//! | `descriptor.rs` | what is known of a socket, and who waits |
//! | `alarm.rs` | deadlines |
//! | `list.rs` | all descriptors, never freed |
//! | `registration.rs` | a socket's tie to its poller |
//! | `kernel.rs`, `epoll.rs`, `portable.rs` | the system calls |
//!
//! DIFF: Go's descriptor knows one goroutine for each direction, and the file's lock keeps others
//! out. Here any number may wait, also as futures; an edge wakes them all, and those that find
//! nothing wait again.
//!
//= go1.27:src/runtime/netpoll.go#netpoll
//= go1.27:src/runtime/netpoll.go#netpollready

mod alarm;
mod descriptor;
#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
mod epoll;
mod kernel;
mod list;
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
mod portable;
mod registration;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Duration;

use gosched::Deadline;

use self::descriptor::Count;
pub(crate) use self::descriptor::Direction;
pub(crate) use self::kernel::SHORT_IS_EMPTY;
use self::kernel::{Event, Kernel, Timeout};
pub use self::registration::{Closed, NoPoller};
pub(crate) use self::registration::{Registration, closed, timed_out};
use crate::engine::{Batch, Engine};
use crate::park::wake_into;

/// A key has the descriptor's number in its lower half, and the generation in the upper.
const HALF: u32 = usize::BITS / 2;

/// A runtime's poller.
pub(crate) struct Netpoll {
    /// No two pollers of a process ever have the same.
    number: u64,
    kernel: Kernel,
    waiting: Arc<Count>,
    /// The runtime has shut down: nobody polls any more.
    closed: AtomicBool,
}

impl Netpoll {
    pub(crate) fn new() -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(descriptor::NOBODY + 1);
        Ok(Self {
            // ORDER: Relaxed: the number tells itself alone.
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            kernel: Kernel::new()?,
            waiting: Arc::new(AtomicUsize::new(0)),
            closed: AtomicBool::new(false),
        })
    }

    /// Whether somebody waits for input or output.
    #[inline]
    pub(crate) fn has_waiters(&self) -> bool {
        // ORDER: Relaxed: see where it is counted.
        self.waiting.load(Ordering::Relaxed) != 0
    }

    /// Polls, as [`Host::poll`](gosched::Host::poll) says.
    pub(crate) fn poll(&self, wait: Option<Deadline>, engine: &Engine, ready: &mut Batch) {
        if wait.is_none() && !self.has_waiters() {
            return;
        }
        loop {
            let timeout = match wait {
                None => Timeout::Now,
                Some(Deadline::Never) => Timeout::Never,
                Some(Deadline::At(at)) => {
                    Timeout::After(Duration::from_nanos(at.saturating_sub(engine.clock())))
                }
            };
            let mut any = false;
            let woken = self.kernel.poll(timeout, |event| any |= tell(event, engine, ready));
            // An edge that nobody waits for is no reason to return: the one who waits would look at
            // every queue, and come back. What was woken may need this machine, wherever it queues.
            let over = match wait {
                None => true,
                Some(Deadline::Never) => false,
                Some(Deadline::At(at)) => engine.is_over(at),
            };
            if any || woken || over {
                return;
            }
        }
    }

    /// Makes the poll that waits, or is about to, return.
    pub(crate) fn wake(&self) {
        self.kernel.wake();
    }

    /// The runtime has shut down. Whoever still waits, on threads of their own, has an error.
    pub(crate) fn close(&self) {
        // ORDER: Release: pairs with the Acquire in `is_closed`; and whoever keeps a waker does so
        // under a lock that we take below: before us, and we wake it, or after, and it sees this.
        self.closed.store(true, Ordering::Release);
        let list = list::list();
        let ours: Vec<_> = list.all().filter(|descriptor| descriptor.is_of(self.number)).collect();
        drop(list);
        for descriptor in ours {
            descriptor.side(Direction::Read).tell(true).wake();
            descriptor.side(Direction::Write).tell(true).wake();
        }
    }

    fn is_closed(&self) -> bool {
        // ORDER: Acquire: pairs with the Release in `close`.
        self.closed.load(Ordering::Acquire)
    }
}

/// Wakes whom a timer is for: of a deadline, those who wait for the socket.
pub(crate) fn wake_due(engine: &Engine, waker: Waker, ready: &mut Batch) {
    match alarm::side_woken_by(&waker) {
        Some(side) => _ = side.went_off().each(|waker| wake_into(engine, waker, ready)),
        None => wake_into(engine, waker, ready),
    }
}

/// Passes an event on to who waits for it. True if somebody does.
fn tell(event: Event, engine: &Engine, ready: &mut Batch) -> bool {
    let index = event.key & ((1 << HALF) - 1);
    let Some(descriptor) = list::find(index) else { return false };
    if key_of(index, descriptor.generation()) != event.key {
        // Its socket is gone; another may have the descriptor now.
        return false;
    }
    Kernel::disarm(&descriptor.armed);
    let mut any = false;
    for (told, direction) in [(event.read, Direction::Read), (event.write, Direction::Write)] {
        if told {
            let wakers = descriptor.side(direction).tell(event.ended);
            any |= wakers.each(|waker| wake_into(engine, waker, ready));
        }
    }
    any
}

fn key_of(index: usize, generation: u32) -> usize {
    // On 32 bits the upper half of the generation is lost. The highest key of all is the kernel's.
    let key = index | (generation as usize) << HALF;
    if key == usize::MAX { index } else { key }
}
