//! Packets by Unix sockets.

use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

use super::{RETRY, Socket, sleep};
use crate::netpoll::Direction;

/// A Unix socket for packets. As [`std::os::unix::net::UnixDatagram`], and a goroutine that waits
/// for a packet parks.
pub struct UnixDatagram {
    socket: Socket<net::UnixDatagram>,
}

common!(UnixDatagram, net::UnixDatagram);
deadlines!(UnixDatagram);

impl UnixDatagram {
    /// A socket at a path, which must not exist.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        crate::net::here()?;
        Self::from_std(net::UnixDatagram::bind(path)?)
    }

    /// A socket without an address.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn unbound() -> io::Result<Self> {
        crate::net::here()?;
        Self::from_std(net::UnixDatagram::unbound()?)
    }

    /// Two that are connected with each other.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn pair() -> io::Result<(Self, Self)> {
        crate::net::here()?;
        let (one, other) = net::UnixDatagram::pair()?;
        Ok((Self::from_std(one)?, Self::from_std(other)?))
    }

    /// Sets the peer of [`send`](UnixDatagram::send).
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.socket.inner().connect(path)
    }

    /// The address of the peer, if one was set.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.inner().peer_addr()
    }

    /// The address of the socket.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.inner().local_addr()
    }

    /// Sends a packet to the peer that was set. Waits while the peer's queue is full.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.run(Direction::Write, |socket, _| socket.send(bytes))
    }

    /// Sends a packet to who is at a path. While that one's queue is full it tries again each
    /// millisecond: the kernel tells of room only who is connected.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        let path = path.as_ref();
        loop {
            let sent =
                self.socket.run(Direction::Write, |socket, _| match socket.send_to(bytes, path) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                    sent => sent.map(Some),
                });
            if let Some(count) = sent? {
                return Ok(count);
            }
            sleep(RETRY);
        }
    }

    /// Receives a packet; what does not fit into the buffer is lost.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.run(Direction::Read, |socket, _| self.receive(socket, buffer))
    }

    /// Receives a packet, and says from whom it is.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.run(Direction::Read, |socket, _| socket.recv_from(buffer))
    }

    fn receive(&self, socket: &net::UnixDatagram, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.end_or_closed(socket.recv(buffer)?, buffer.len())
    }

    /// Sends, for futures; see [the module](crate::net) for those that are given up.
    pub fn poll_send(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll(Direction::Write, context, |socket, _| socket.send(bytes))
    }

    /// Receives, for futures; see [the module](crate::net) for those that are given up.
    pub fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll(Direction::Read, context, |socket, _| self.receive(socket, buffer))
    }

    /// Ends one direction, or both.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.inner().shutdown(how)
    }
}
