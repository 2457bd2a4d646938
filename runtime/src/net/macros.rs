//! What the sockets have in common, method by method.

/// Deadlines of both directions.
macro_rules! deadlines {
    ($type:ty) => {
        impl $type {
            /// When operations fail, in both directions; `None`: never. It holds for those that
            /// wait now, too. A time that has passed fails them at once.
            pub fn set_deadline(&self, deadline: Option<std::time::Instant>) {
                self.set_read_deadline(deadline);
                self.set_write_deadline(deadline);
            }

            /// When reads and receives fail; see [`set_deadline`](Self::set_deadline).
            pub fn set_read_deadline(&self, deadline: Option<std::time::Instant>) {
                self.socket.set_deadline(crate::netpoll::Direction::Read, deadline);
            }

            /// When writes and sends fail; see [`set_deadline`](Self::set_deadline).
            pub fn set_write_deadline(&self, deadline: Option<std::time::Instant>) {
                self.socket.set_deadline(crate::netpoll::Direction::Write, deadline);
            }
        }
    };
}

/// From std's socket and to it, its file, and its end.
macro_rules! common {
    ($type:ty, $std:ty) => {
        impl $type {
            /// Makes one of a socket of std's, which does not block from now on. It belongs to the
            /// runtime of the caller.
            ///
            /// # Errors
            ///
            /// If the caller is in no runtime, or the kernel's poller cannot take the socket.
            pub fn from_std(socket: $std) -> std::io::Result<Self> {
                socket.set_nonblocking(true)?;
                Ok(Self { socket: Socket::new(socket)? })
            }

            /// The socket as std's, which blocks.
            ///
            /// # Errors
            ///
            /// That of the system call.
            pub fn into_std(self) -> std::io::Result<$std> {
                let socket = self.socket.into_inner();
                socket.set_nonblocking(false)?;
                Ok(socket)
            }

            /// Ends all operations of those who share the socket: those that wait and those to come
            /// fail with [`Closed`](crate::net::Closed). The peer sees the end at once. The file is
            /// closed when the last reference is dropped.
            pub fn close(&self) {
                self.socket.close();
            }

            /// The socket's pending error, which this clears.
            ///
            /// # Errors
            ///
            /// That of the system call.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.socket.inner().take_error()
            }
        }

        /// The file does not block. For options that are not here, as with the crate socket2.
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.socket.inner().as_fd()
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsRawFd::as_raw_fd(self.socket.inner())
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.socket.fmt(f)
            }
        }
    };
}

/// The time to live of a socket's packets.
macro_rules! ttl {
    ($type:ty) => {
        impl $type {
            /// How many routers a packet may pass.
            ///
            /// # Errors
            ///
            /// That of the system call.
            pub fn ttl(&self) -> std::io::Result<u32> {
                self.socket.inner().ttl()
            }

            /// Sets how many routers a packet may pass.
            ///
            /// # Errors
            ///
            /// That of the system call.
            pub fn set_ttl(&self, ttl: u32) -> std::io::Result<()> {
                self.socket.inner().set_ttl(ttl)
            }
        }
    };
}

/// `Read` and `Write`, for a stream and for a reference to one.
macro_rules! stream_io {
    ($type:ty) => {
        impl std::io::Read for &$type {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.socket
                    .run(Direction::Read, |socket, seen| self.read_once(socket, seen, buffer))
            }

            fn read_vectored(
                &mut self,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                self.socket
                    .run(Direction::Read, |socket, seen| self.read_many(socket, seen, buffers))
            }
        }

        impl std::io::Write for &$type {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.socket.run(Direction::Write, |mut socket, _| socket.write(bytes))
            }

            fn write_vectored(
                &mut self,
                buffers: &[std::io::IoSlice<'_>],
            ) -> std::io::Result<usize> {
                self.socket.run(Direction::Write, |mut socket, _| socket.write_vectored(buffers))
            }

            /// Does nothing: what was written is the kernel's.
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        impl std::io::Read for $type {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                (&*self).read(buffer)
            }

            fn read_vectored(
                &mut self,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                (&*self).read_vectored(buffers)
            }
        }

        impl std::io::Write for $type {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                (&*self).write(bytes)
            }

            fn write_vectored(
                &mut self,
                buffers: &[std::io::IoSlice<'_>],
            ) -> std::io::Result<usize> {
                (&*self).write_vectored(buffers)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        impl $type {
            /// Reads, for futures; see [the module](crate::net) for those that are given up.
            pub fn poll_read(
                &self,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<std::io::Result<usize>> {
                self.socket.poll(Direction::Read, context, |socket, seen| {
                    self.read_once(socket, seen, buffer)
                })
            }

            /// Reads into several buffers, for futures.
            pub fn poll_read_vectored(
                &self,
                context: &mut Context<'_>,
                buffers: &mut [std::io::IoSliceMut<'_>],
            ) -> Poll<std::io::Result<usize>> {
                self.socket.poll(Direction::Read, context, |socket, seen| {
                    self.read_many(socket, seen, buffers)
                })
            }

            /// Writes, for futures; see [the module](crate::net) for those that are given up.
            pub fn poll_write(
                &self,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<std::io::Result<usize>> {
                self.socket.poll(Direction::Write, context, |mut socket, _| socket.write(bytes))
            }

            /// Writes from several buffers, for futures.
            pub fn poll_write_vectored(
                &self,
                context: &mut Context<'_>,
                buffers: &[std::io::IoSlice<'_>],
            ) -> Poll<std::io::Result<usize>> {
                self.socket
                    .poll(Direction::Write, context, |mut socket, _| socket.write_vectored(buffers))
            }

            /// Ends one direction, or both, while the other goes on: after [`Shutdown::Write`] the
            /// peer reads to the end of what was written.
            ///
            /// # Errors
            ///
            /// That of the system call.
            pub fn shutdown(&self, how: Shutdown) -> std::io::Result<()> {
                self.socket.inner().shutdown(how)
            }
        }
    };
}
