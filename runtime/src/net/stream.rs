//! TCP connections.

use std::io::{self, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::connect;
use super::socket::{Seen, Socket};
use crate::netpoll::Direction;

/// A TCP connection. As [`std::net::TcpStream`], and a goroutine that waits for it parks.
///
/// Reading and writing go through `&TcpStream`, too, so that two goroutines can share it.
pub struct TcpStream {
    socket: Socket<std::net::TcpStream>,
}

common!(TcpStream, std::net::TcpStream);
deadlines!(TcpStream);
stream_io!(TcpStream);
ttl!(TcpStream);

impl TcpStream {
    pub(super) fn of(socket: Socket<std::net::TcpStream>) -> Self {
        Self { socket }
    }

    /// Connects to an address, or to the first of a name's addresses that answers. The system's
    /// resolver is asked in [`blocking`](crate::blocking).
    ///
    /// # Errors
    ///
    /// If the name has no address, none answers, or the caller is in no runtime.
    pub fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        super::here()?;
        connect::first(address, |address| connect::connect(address, None)).map(Self::of)
    }

    /// Connects to an address, and waits no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As [`connect`](TcpStream::connect), and [`TimedOut`](io::ErrorKind::TimedOut).
    pub fn connect_timeout(address: &SocketAddr, timeout: Duration) -> io::Result<Self> {
        super::here()?;
        // A time that no clock can tell is never.
        let deadline = Instant::now().checked_add(timeout);
        connect::connect(address, deadline).map(Self::of)
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// That of the system call: the peer may have gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.inner().peer_addr()
    }

    /// The address of this side.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.inner().local_addr()
    }

    /// Reads and leaves what was read in the socket. Waits until there is something.
    ///
    /// # Errors
    ///
    /// As a read's.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.run(Direction::Read, |socket, _| self.peek_once(socket, buffer))
    }

    /// Peeks, for futures.
    pub fn poll_peek(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll(Direction::Read, context, |socket, _| self.peek_once(socket, buffer))
    }

    fn peek_once(&self, socket: &std::net::TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let count = socket.peek(buffer)?;
        self.socket.end_or_closed(count, buffer.len())
    }

    fn read_once(
        &self,
        mut socket: &std::net::TcpStream,
        seen: Seen,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let count = socket.read(buffer)?;
        self.socket.took(seen, count, buffer.len());
        self.socket.end_or_closed(count, buffer.len())
    }

    fn read_many(
        &self,
        mut socket: &std::net::TcpStream,
        seen: Seen,
        buffers: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        let count = socket.read_vectored(buffers)?;
        // More buffers than the kernel takes at a time make a read short, too.
        if buffers.len() <= 8 {
            self.socket.took(seen, count, wanted);
        }
        self.socket.end_or_closed(count, wanted)
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.inner().nodelay()
    }

    /// Has small writes sent at once, rather than collected while an answer is due.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.inner().set_nodelay(nodelay)
    }
}
