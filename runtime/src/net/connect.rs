//! Addresses and connections: asking for names in a system call, connecting without one that
//! blocks.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Instant;

use socket2::{Domain, Protocol, Type};

use super::socket::Socket;
use crate::blocking;
use crate::netpoll::{Direction, timed_out};

/// The addresses of a name. The system's resolver may take its time: it is asked in
/// [`blocking`](crate::blocking).
pub(super) fn resolve(name: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    blocking(|| name.to_socket_addrs().map(Iterator::collect))
}

/// Does something with the addresses of a name, one after the other, until it succeeds.
pub(super) fn first<T>(
    name: impl ToSocketAddrs,
    mut with: impl FnMut(&SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for address in &resolve(name)? {
        match with(address) {
            Ok(done) => return Ok(done),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the name has no address")))
}

/// Connects to an address, until the deadline.
pub(super) fn connect(
    address: &SocketAddr,
    deadline: Option<Instant>,
) -> io::Result<Socket<std::net::TcpStream>> {
    if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
        return Err(timed_out());
    }
    let socket =
        socket2::Socket::new(Domain::for_address(*address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    let under_way = match socket.connect(&(*address).into()) {
        Ok(()) => false,
        Err(error) if is_under_way(&error) => true,
        Err(error) => return Err(error),
    };
    // It is registered only now: the kernel says of a socket before its connection that its peer
    // has hung up.
    let socket = Socket::new(std::net::TcpStream::from(socket))?;
    if under_way {
        socket.set_deadline(Direction::Write, deadline);
        socket.run(Direction::Write, |socket, _| is_connected(socket))?;
        socket.set_deadline(Direction::Write, None);
    }
    Ok(socket)
}

/// Whether the kernel goes on connecting. It does so, too, when the call is interrupted.
fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
        || matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn is_connected(socket: &std::net::TcpStream) -> io::Result<()> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_) => Ok(()),
        // BSD's kernels say `EINVAL` of a connection that was reset while it was made.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Err(error) => Err(error),
    }
}
