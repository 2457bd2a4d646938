//! Listening for connections at a path.

use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Instant;

use super::{Socket, UnixStream};
use crate::netpoll::Direction;

/// A Unix socket that listens. As [`std::os::unix::net::UnixListener`], and a goroutine that
/// accepts parks. The file at the path stays when it is dropped.
pub struct UnixListener {
    socket: Socket<net::UnixListener>,
}

common!(UnixListener, net::UnixListener);

impl UnixListener {
    /// Listens at a path, which must not exist.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        crate::net::here()?;
        Self::from_std(net::UnixListener::bind(path)?)
    }

    /// Listens at an address, which may be one without a path.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        crate::net::here()?;
        Self::from_std(net::UnixListener::bind_addr(address)?)
    }

    /// The address it listens at.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.inner().local_addr()
    }

    /// Waits for a connection, which belongs to the same runtime as the listener.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`](crate::net::TcpListener::accept)'s.
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let accepted = self.socket.run(Direction::Read, |socket, _| socket.accept())?;
        self.accepted(accepted)
    }

    /// Accepts, for futures.
    pub fn poll_accept(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let accepted = self.socket.poll(Direction::Read, context, |socket, _| socket.accept());
        accepted.map(|accepted| self.accepted(accepted?))
    }

    fn accepted(
        &self,
        (stream, address): (net::UnixStream, SocketAddr),
    ) -> io::Result<(UnixStream, SocketAddr)> {
        stream.set_nonblocking(true)?;
        Ok((UnixStream::of(self.socket.sibling(stream)?), address))
    }

    /// When accepting fails; `None`: never. It holds for those who wait now, too. A time that has
    /// passed fails them at once.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.socket.set_deadline(Direction::Read, deadline);
    }
}
