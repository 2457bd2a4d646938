//! A socket's tie to its runtime's poller: how its operations begin, wait and fail.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use super::descriptor::{Descriptor, NEVER, Side, Wait, Wakers};
use super::{Direction, key_of, list};
use crate::engine::Engine;
use crate::runtime::Shared;
use crate::worker::Worker;

/// A registered socket. To be dropped before the socket is closed.
pub(crate) struct Registration {
    descriptor: &'static Descriptor,
    fd: RawFd,
    shared: Arc<Shared>,
}

/// The socket was closed by `close` of another who shares it, or of this one.
///
/// What an [`io::Error`] of kind [`Other`](io::ErrorKind::Other) holds then, for
/// [`io::Error::downcast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the socket was closed while others shared it")
    }
}

impl std::error::Error for Closed {}

/// A socket would have to be waited for, and nobody can wake: its runtime has shut down, or there
/// is none, since it is made by a thread that runs no goroutine.
///
/// What an [`io::Error`] of kind [`Other`](io::ErrorKind::Other) holds then, for
/// [`io::Error::downcast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoPoller {
    /// The thread runs no goroutine, and so it is unclear which runtime the socket belongs to.
    /// [`Runtime::net`](crate::Runtime::net) says it.
    NoRuntime,
    /// [`Runtime::net`](crate::Runtime::net) was called inside a goroutine of another runtime.
    OtherRuntime,
    /// The socket's runtime has shut down.
    Shutdown,
}

impl fmt::Display for NoPoller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRuntime => {
                "this thread runs no goroutine: make the socket in `Runtime::net` or `Runtime::run`"
            }
            Self::OtherRuntime => "a goroutine's sockets belong to its own runtime",
            Self::Shutdown => "the runtime that the socket belongs to has shut down",
        })
    }
}

impl std::error::Error for NoPoller {}

impl Registration {
    /// Registers a socket that does not block.
    pub(crate) fn new(socket: BorrowedFd<'_>, shared: Arc<Shared>) -> io::Result<Self> {
        let netpoll = &shared.engine().netpoll;
        let descriptor = {
            let mut list = list::list();
            let none = || io::Error::from_raw_os_error(libc::ENFILE);
            let descriptor = list.pop().ok_or_else(none)?;
            descriptor.begin(netpoll.number, &netpoll.waiting);
            descriptor
        };
        let registration = Self { descriptor, fd: socket.as_raw_fd(), shared };
        // One that fails gives the descriptor back as it is dropped.
        let netpoll = &registration.shared.engine().netpoll;
        netpoll.kernel.add(registration.fd, registration.key())?;
        Ok(registration)
    }

    fn key(&self) -> usize {
        key_of(self.descriptor.index as usize, self.descriptor.generation())
    }

    fn engine(&self) -> &Engine {
        self.shared.engine()
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn side(&self, direction: Direction) -> &'static Side {
        self.descriptor.side(direction)
    }

    /// An operation begins. What it has seen, for [`wait`](Registration::wait).
    ///
    /// # Errors
    ///
    /// If the socket was closed, or the deadline is over.
    #[inline]
    pub(crate) fn begin(&self, direction: Direction) -> io::Result<u64> {
        let side = self.side(direction);
        let seen = side.edges();
        if self.is_closed() {
            return Err(closed());
        }
        let deadline = side.deadline();
        if deadline != NEVER && self.engine().is_over(deadline) {
            return Err(timed_out());
        }
        Ok(seen)
    }

    /// Keeps the waker until something has changed since `seen`. False if it has: the operation is
    /// to be tried again.
    ///
    /// # Errors
    ///
    /// If the runtime has shut down, or the kernel cannot be asked.
    pub(crate) fn wait(&self, direction: Direction, seen: u64, waker: &Waker) -> io::Result<bool> {
        let netpoll = &self.engine().netpoll;
        let goes_on = || !self.is_closed() && !netpoll.is_closed();
        let wait = self.side(direction).wait(self.engine(), seen, waker, goes_on);
        if netpoll.is_closed() {
            return Err(io::Error::other(NoPoller::Shutdown));
        }
        let Wait::Kept(timer) = wait else { return Ok(false) };
        netpoll.kernel.arm(&self.descriptor.armed, self.fd, self.key(), direction)?;
        self.tell_scheduler(timer);
        // A goroutine with a processor leaves it when it parks, and its machine sees to the
        // polling. For whoever waits otherwise a machine may have to be woken that does; the time
        // says that a poll that waits needs not be broken.
        let has_machine = Worker::running().is_some_and(|(worker, _)| {
            // One that unwinds after a system call may go on without.
            // SAFETY: the running goroutine, and one look at a field.
            let holds_one = || unsafe { worker.machine() }.processor().is_some();
            !worker.inside.get() && Arc::ptr_eq(&worker.shared, &self.shared) && holds_one()
        });
        if !has_machine {
            self.shared.scheduler().timer_added(NEVER);
        }
        Ok(true)
    }

    fn tell_scheduler(&self, timer: Option<u64>) {
        if let Some(when) = timer {
            self.shared.scheduler().timer_added(when);
        }
    }

    /// Changes when operations of one direction fail, also of those that wait.
    pub(crate) fn set_deadline(&self, direction: Direction, deadline: Option<Instant>) {
        let deadline = deadline.map_or(NEVER, |deadline| self.engine().time_of(deadline));
        let (late, timer) = self.side(direction).set_deadline(deadline, self.engine());
        late.wake();
        self.tell_scheduler(timer);
    }

    /// Ends all operations, those that wait among them. False if it was closed before.
    pub(crate) fn close(&self) -> bool {
        let first = self.descriptor.close();
        self.side(Direction::Read).tell(true).wake();
        self.side(Direction::Write).tell(true).wake();
        first
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.descriptor.is_closed()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.engine().netpoll.kernel.remove(self.fd);
        let stale = self.descriptor.end(self.engine());
        let mut list = list::list();
        self.descriptor.disown();
        list.push(self.descriptor);
        drop(list);
        // Of futures that were dropped while they waited. They may do anything when they go.
        stale.into_iter().for_each(Wakers::forget);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("fd", &self.fd).finish_non_exhaustive()
    }
}

/// The error of a socket that was closed by `close`.
#[cold]
pub(crate) fn closed() -> io::Error {
    io::Error::other(Closed)
}

/// The error of a deadline that has come.
#[cold]
pub(crate) fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the deadline is over")
}
