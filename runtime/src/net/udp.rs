//! UDP sockets.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::task::{Context, Poll};

use super::connect;
use super::socket::Socket;
use crate::blocking;
use crate::netpoll::Direction;

/// A UDP socket. As [`std::net::UdpSocket`], and a goroutine that waits for a packet parks.
pub struct UdpSocket {
    socket: Socket<std::net::UdpSocket>,
}

common!(UdpSocket, std::net::UdpSocket);
deadlines!(UdpSocket);
ttl!(UdpSocket);

impl UdpSocket {
    /// A socket at an address, or at the first of a name's addresses that works. Port 0 is any that
    /// is free.
    ///
    /// # Errors
    ///
    /// If the name has no address, none works, or the caller is in no runtime.
    pub fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        super::here()?;
        Self::from_std(blocking(|| std::net::UdpSocket::bind(address))?)
    }

    /// Sets the peer of [`send`](UdpSocket::send); packets of others are not received from then on.
    ///
    /// # Errors
    ///
    /// If the name has no address, or the system call fails.
    pub fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        connect::first(address, |address| self.socket.inner().connect(address))
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

    /// Sends a packet to the peer that was set.
    ///
    /// # Errors
    ///
    /// Those of the system call; the refusal of an earlier packet among them.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.run(Direction::Write, |socket, _| socket.send(bytes))
    }

    /// Sends a packet to an address: the first of the name's, for which the resolver is asked in
    /// [`blocking`](crate::blocking).
    ///
    /// # Errors
    ///
    /// If the name has no address, and those of the system call.
    pub fn send_to(&self, bytes: &[u8], address: impl ToSocketAddrs) -> io::Result<usize> {
        // The resolver may take its time.
        let address = blocking(|| address.to_socket_addrs().map(|mut all| all.next()))?;
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
        let address = address.ok_or_else(none)?;
        self.socket.run(Direction::Write, |socket, _| socket.send_to(bytes, address))
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

    /// As [`recv`](UdpSocket::recv), and leaves the packet in the socket.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.run(Direction::Read, |socket, _| socket.peek(buffer))
    }

    /// As [`recv_from`](UdpSocket::recv_from), and leaves the packet in the socket.
    ///
    /// # Errors
    ///
    /// Those of the system call.
    pub fn peek_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.run(Direction::Read, |socket, _| socket.peek_from(buffer))
    }

    fn receive(&self, socket: &std::net::UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.end_or_closed(socket.recv(buffer)?, buffer.len())
    }

    /// Sends, for futures; see [the module](crate::net) for those that are given up.
    pub fn poll_send(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll(Direction::Write, context, |socket, _| socket.send(bytes))
    }

    /// Sends to an address, for futures.
    pub fn poll_send_to(
        &self,
        context: &mut Context<'_>,
        bytes: &[u8],
        address: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.socket.poll(Direction::Write, context, |socket, _| socket.send_to(bytes, address))
    }

    /// Receives, for futures; see [the module](crate::net) for those that are given up.
    pub fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll(Direction::Read, context, |socket, _| self.receive(socket, buffer))
    }

    /// Receives and says from whom, for futures.
    pub fn poll_recv_from(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.socket.poll(Direction::Read, context, |socket, _| socket.recv_from(buffer))
    }

    /// Whether packets may go to all of a network.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.socket.inner().broadcast()
    }

    /// Lets packets go to all of a network.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.socket.inner().set_broadcast(broadcast)
    }

    /// Joins a group, at an interface of this machine.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn join_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket.inner().join_multicast_v4(group, interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn leave_multicast_v4(&self, group: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket.inner().leave_multicast_v4(group, interface)
    }

    /// Joins a group, at an interface of this machine.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.inner().join_multicast_v6(group, interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    ///
    /// That of the system call.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.inner().leave_multicast_v6(group, interface)
    }
}
