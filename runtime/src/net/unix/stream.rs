//! Connections by Unix sockets.

use std::io::{self, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

use socket2::{Domain, SockAddr, Type};

use super::{RETRY, Seen, Socket, sleep};
use crate::netpoll::Direction;

/// A connection by Unix sockets. As [`std::os::unix::net::UnixStream`], and a goroutine that waits
/// for it parks.
///
/// Reading and writing go through `&UnixStream`, too, so that two goroutines can share it.
pub struct UnixStream {
    socket: Socket<net::UnixStream>,
}

common!(UnixStream, net::UnixStream);
deadlines!(UnixStream);
stream_io!(UnixStream);

impl UnixStream {
    pub(super) fn of(socket: Socket<net::UnixStream>) -> Self {
        Self { socket }
    }

    /// Connects to who listens at a path.
    ///
    /// While the listener's queue is full it tries again each millisecond: the kernel says nothing
    /// when there is room again. It does so for as long as it takes, as there is no deadline yet.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        crate::net::here()?;
        let address = SockAddr::unix(path)?;
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        loop {
            match socket.connect(&address) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(RETRY),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
            }
        }
        Ok(Self { socket: Socket::new(net::UnixStream::from(OwnedFd::from(socket)))? })
    }

    /// Two that are connected with each other.
    ///
    /// # Errors
    ///
    /// Those of the system call, or the caller is in no runtime.
    pub fn pair() -> io::Result<(Self, Self)> {
        crate::net::here()?;
        let (one, other) = net::UnixStream::pair()?;
        Ok((Self::from_std(one)?, Self::from_std(other)?))
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

    /// A short read says nothing here: the kernel also ends one where files were passed.
    fn read_once(
        &self,
        mut socket: &net::UnixStream,
        _seen: Seen,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let count = socket.read(buffer)?;
        self.socket.end_or_closed(count, buffer.len())
    }

    fn read_many(
        &self,
        mut socket: &net::UnixStream,
        _seen: Seen,
        buffers: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        let count = socket.read_vectored(buffers)?;
        self.socket.end_or_closed(count, wanted)
    }
}
