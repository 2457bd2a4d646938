//! Sockets that park the goroutine, not the thread.
//!
//! They look like those of [`std::net`], and are used like them: an operation that has nothing to
//! do waits, and meanwhile the machine runs other goroutines. [`unix`] has those of
//! [`std::os::unix::net`].
//!
//! ```
//! use std::io::{Read, Write};
//! use gosched_runtime::net::{TcpListener, TcpStream};
//! use gosched_runtime::{Runtime, go};
//!
//! let runtime = Runtime::new()?;
//! let answer = runtime.run(|| -> std::io::Result<String> {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     go(move || -> std::io::Result<()> {
//!         let (mut connection, _) = listener.accept()?;
//!         connection.write_all(b"hello")
//!     });
//!     let mut answer = String::new();
//!     TcpStream::connect(address)?.read_to_string(&mut answer)?;
//!     Ok(answer)
//! })??;
//! assert_eq!(answer, "hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What all have in common
//!
//! *Sharing.* Every operation takes `&self`: share a socket by reference or in an
//! [`Arc`], read it in one goroutine and write it in another. Where several wait
//! for the same, whoever comes first is served.
//!
//! *Deadlines*, as Go's. An operation fails with [`TimedOut`](io::ErrorKind::TimedOut) when the
//! deadline has come, and at once if it has passed; nothing is done then. A deadline that is set
//! while operations wait holds for those, too. It stays until it is changed.
//!
//! *Closing.* Dropping the last reference closes the socket. `close` of one who shares it ends all
//! operations of the others, those that wait and those to come: they fail with [`Closed`].
//!
//! *Belonging.* A socket belongs to the runtime of the goroutine that makes it, and wherever it is
//! used, that runtime's machines wait for it: after its [shutdown](Runtime::shutdown) what would
//! wait fails with [`NoPoller`]. On a thread that runs no goroutine, make sockets in
//! [`Runtime::net`]; an operation there blocks the thread.
//!
//! *Futures.* The methods that begin with `poll_` are the same operations for futures, as in
//! `std::future::poll_fn(|context| socket.poll_read(context, &mut buffer)).await`, and any executor
//! may poll them. Whoever gives a poll up says so to nobody: its waker is kept until the kernel
//! tells of the socket, the deadline comes, or there are too many of them. Then all are woken, so
//! that those who still wait come again. So at most 32 are kept, or some times as many as have
//! waited for that direction at once; and a future may be polled although nothing has happened.
//!
//! With the feature `futures-io` the streams have that crate's `AsyncRead` and
//! `AsyncWrite`.
//!
//! *Cost.* The system call, and nothing else, if it has something to do. To wait costs two short
//! locks, and no system call of its own: the kernel knows each socket from its making.
//! An operation that does not wait is a scheduling point, too.
//!
//! *Errors* are those of the system call, and these. A process that runs out of file descriptors
//! has the system's error from `accept`, `bind` and `connect`; a connection that was not accepted
//! then stays in the listener's queue.

#[macro_use]
mod macros;

mod connect;
#[cfg(feature = "futures-io")]
mod futures_io;
mod listener;
mod socket;
mod stream;
mod udp;
pub mod unix;

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

pub use self::listener::{Incoming, TcpListener};
pub use self::stream::TcpStream;
pub use self::udp::UdpSocket;
pub use crate::netpoll::{Closed, NoPoller};
use crate::runtime::{Runtime, Shared};
use crate::worker::Worker;

thread_local! {
    /// The runtime whose [`Runtime::net`] this thread is in. Never set while a goroutine runs.
    static ENTERED: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

impl Runtime {
    /// Runs `make` on this thread, which runs no goroutine, so that the sockets it makes belong to
    /// this runtime. Inside a goroutine of the runtime it only calls.
    ///
    /// ```
    /// # use gosched_runtime::{Runtime, net::TcpListener};
    /// let runtime = Runtime::new()?;
    /// let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `make`; [`NoPoller::OtherRuntime`] inside a goroutine of another runtime.
    pub fn net<T>(&self, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if let Some((worker, _)) = Worker::running() {
            let same = Arc::ptr_eq(&worker.shared, self.shared());
            return if same { make() } else { Err(io::Error::other(NoPoller::OtherRuntime)) };
        }
        let before = ENTERED.replace(Some(Arc::clone(self.shared())));
        let _leave = Leave(before);
        make()
    }
}

/// Leaves [`Runtime::net`], in a panic too.
struct Leave(Option<Arc<Shared>>);

impl Drop for Leave {
    fn drop(&mut self) {
        drop(ENTERED.replace(self.0.take()));
    }
}

/// The runtime that a socket made here belongs to.
fn here() -> io::Result<Arc<Shared>> {
    if let Some((worker, _)) = Worker::running() {
        return Ok(Arc::clone(&worker.shared));
    }
    let entered = ENTERED.with_borrow(Option::clone);
    entered.ok_or_else(|| io::Error::other(NoPoller::NoRuntime))
}
