//! A socket and its tie to the poller: trying, waiting, trying again.
//!
//! Every operation is one closure around a system call that does not block. It is tried first, and
//! mostly that is all. If it would block, the goroutine parks until the kernel tells of an edge:
//! once for each, as the edge may have been for somebody else, or for less than is wanted.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::goroutine::WaitReason;
use crate::netpoll::{Direction, Registration, SHORT_IS_EMPTY, closed};
use crate::park::{checkpoint, wait_for};
use crate::runtime::Shared;

/// A socket of std's, registered. The fields are dropped in this order: the kernel forgets the
/// socket before it is closed.
pub(crate) struct Socket<S> {
    registration: Registration,
    inner: S,
}

/// What an operation began with; for [`Socket::took`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen(u64);

impl<S: AsFd> Socket<S> {
    /// A socket of the runtime that the caller is in. `inner` must not block.
    pub(crate) fn new(inner: S) -> io::Result<Self> {
        Self::of(super::here()?, inner)
    }

    fn of(shared: Arc<Shared>, inner: S) -> io::Result<Self> {
        let registration = Registration::new(inner.as_fd(), shared)?;
        Ok(Self { registration, inner })
    }

    /// A socket of the same runtime as this one.
    pub(crate) fn sibling<T: AsFd>(&self, inner: T) -> io::Result<Socket<T>> {
        Socket::of(Arc::clone(self.registration.shared()), inner)
    }

    /// The socket, without its tie.
    pub(crate) fn into_inner(self) -> S {
        let Self { registration, inner } = self;
        drop(registration);
        inner
    }

    pub(crate) fn inner(&self) -> &S {
        &self.inner
    }

    /// Does an operation: a goroutine parks while it would block, a thread waits.
    #[inline]
    pub(crate) fn run<T>(
        &self,
        direction: Direction,
        mut call: impl FnMut(&S, Seen) -> io::Result<T>,
    ) -> io::Result<T> {
        let seen = match self.attempt(direction, &mut call) {
            Ok(result) => {
                checkpoint();
                return result;
            }
            Err(seen) => seen,
        };
        self.wait(direction, seen, call)
    }

    #[cold]
    fn wait<T>(
        &self,
        direction: Direction,
        seen: Seen,
        mut call: impl FnMut(&S, Seen) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut first = Some(seen);
        wait_for(WaitReason::Io, |context| {
            match first.take().map(|seen| self.keep(direction, seen, context)) {
                Some(Ok(true)) => Poll::Pending,
                Some(Err(error)) => Poll::Ready(Err(error)),
                Some(Ok(false)) | None => self.poll(direction, context, &mut call),
            }
        })
    }

    /// Polls an operation.
    pub(crate) fn poll<T>(
        &self,
        direction: Direction,
        context: &Context<'_>,
        mut call: impl FnMut(&S, Seen) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            let seen = match self.attempt(direction, &mut call) {
                Ok(result) => return Poll::Ready(result),
                Err(seen) => seen,
            };
            match self.keep(direction, seen, context) {
                Ok(true) => return Poll::Pending,
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn keep(&self, direction: Direction, seen: Seen, context: &Context<'_>) -> io::Result<bool> {
        self.registration.wait(direction, seen.0, context.waker())
    }

    /// Tries an operation once. If it would block, what it had seen.
    #[inline]
    fn attempt<T>(
        &self,
        direction: Direction,
        call: &mut impl FnMut(&S, Seen) -> io::Result<T>,
    ) -> Result<io::Result<T>, Seen> {
        loop {
            let seen = match self.registration.begin(direction) {
                Ok(seen) => Seen(seen),
                Err(error) => return Ok(Err(error)),
            };
            let side = self.registration.side(direction);
            if side.is_spent(seen.0) {
                return Err(seen);
            }
            match call(&self.inner, seen) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(seen),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What failed since another closed the socket has that reason.
                Err(_) if self.registration.is_closed() => return Ok(Err(closed())),
                result => return Ok(result),
            }
        }
    }

    /// A read of a TCP stream took so many bytes of so many that were wanted. If it was fewer, the
    /// socket was empty, and the next read need not ask.
    #[inline]
    pub(crate) fn took(&self, seen: Seen, count: usize, wanted: usize) {
        if SHORT_IS_EMPTY && 0 < count && count < wanted {
            self.registration.side(Direction::Read).set_spent(seen.0);
        }
    }

    /// The end of a stream, or the reason for it: that another has closed the socket. So for
    /// packets: of one that is connected the kernel says that it has received nothing.
    #[inline]
    pub(crate) fn end_or_closed(&self, count: usize, wanted: usize) -> io::Result<usize> {
        if count == 0 && wanted > 0 && self.registration.is_closed() {
            return Err(closed());
        }
        Ok(count)
    }

    pub(crate) fn set_deadline(&self, direction: Direction, deadline: Option<Instant>) {
        self.registration.set_deadline(direction, deadline);
    }

    /// Ends all operations, and shuts the kernel's socket down, so that the peer knows.
    pub(crate) fn close(&self) {
        if self.registration.close() {
            // A socket that is not connected cannot be shut down, and need not.
            let _ = socket2::SockRef::from(&self.inner).shutdown(std::net::Shutdown::Both);
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
