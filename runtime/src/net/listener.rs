//! Listening for TCP connections.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};
use std::time::Instant;

use super::socket::Socket;
use super::stream::TcpStream;
use crate::blocking;
use crate::netpoll::Direction;

/// A TCP socket that listens. As [`std::net::TcpListener`], and a goroutine that accepts parks.
///
/// Several goroutines may accept from one listener.
pub struct TcpListener {
    socket: Socket<std::net::TcpListener>,
}

common!(TcpListener, std::net::TcpListener);
ttl!(TcpListener);

impl TcpListener {
    /// Listens at an address, or at the first of a name's addresses that works. Port 0 is any that
    /// is free.
    ///
    /// # Errors
    ///
    /// If the name has no address, none works, or the caller is in no runtime.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        super::here()?;
        Self::from_std(blocking(|| std::net::TcpListener::bind(address))?)
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
    /// Those of the system call; where there are too many open files the connection stays in the
    /// queue. [`TimedOut`](io::ErrorKind::TimedOut) after the
    /// [deadline](TcpListener::set_deadline).
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = self.socket.run(Direction::Read, |socket, _| socket.accept())?;
        self.accepted(accepted)
    }

    /// Accepts, for futures.
    pub fn poll_accept(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accepted = self.socket.poll(Direction::Read, context, |socket, _| socket.accept());
        accepted.map(|accepted| self.accepted(accepted?))
    }

    fn accepted(
        &self,
        (stream, address): (std::net::TcpStream, SocketAddr),
    ) -> io::Result<(TcpStream, SocketAddr)> {
        stream.set_nonblocking(true)?;
        Ok((TcpStream::of(self.socket.sibling(stream)?), address))
    }

    /// The connections, one after the other, without end.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// When accepting fails; `None`: never. It holds for those who wait now, too. A time that has
    /// passed fails them at once.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.socket.set_deadline(Direction::Read, deadline);
    }
}

/// See [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}
