//! Unix sockets: those of [`std::os::unix::net`], for goroutines.

mod datagram;
mod listener;
mod stream;

pub use self::datagram::UnixDatagram;
pub use self::listener::UnixListener;
pub use self::stream::UnixStream;
use super::socket::{Seen, Socket};
