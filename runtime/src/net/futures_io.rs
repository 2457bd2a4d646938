//! The traits of the crate futures-io, for streams and for references to them.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use super::TcpStream;
use super::unix::UnixStream;

macro_rules! futures_io {
    ($($type:ty)+) => {$(
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().shared().poll_read(context, buffer)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().shared().poll_read_vectored(context, buffers)
            }
        }

        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().shared().poll_write(context, bytes)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffers: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().shared().poll_write_vectored(context, buffers)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.get_mut().shared().shutdown(Shutdown::Write))
            }
        }
    )+};
}

/// The stream itself, of a stream or of a reference to one.
trait Shared {
    type Stream;
    fn shared(&self) -> &Self::Stream;
}

macro_rules! shared {
    ($($type:ty)+) => {$(
        impl Shared for $type {
            type Stream = Self;
            fn shared(&self) -> &Self {
                self
            }
        }

        impl Shared for &$type {
            type Stream = $type;
            fn shared(&self) -> &$type {
                self
            }
        }
    )+};
}

shared! { TcpStream UnixStream }
futures_io! { TcpStream &TcpStream UnixStream &UnixStream }
