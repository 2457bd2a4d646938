//! Unix sockets: those of [`std::os::unix::net`], for goroutines.

mod datagram;
mod listener;
mod stream;

pub use self::datagram::UnixDatagram;
pub use self::listener::UnixListener;
pub use self::stream::UnixStream;
use super::socket::{Seen, Socket};
use crate::time::sleep;

/// How often it is tried again to reach a peer whose queue is full.
const RETRY: std::time::Duration = std::time::Duration::from_millis(1);
