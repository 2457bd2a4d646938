//! Elsewhere: the crate `polling`, which speaks kqueue, event ports and `poll`.
//!
//! Where the kernel tells of edges a socket is registered once, as on Linux. Where it does not, it
//! tells once of what it was asked for, and is asked anew by whoever waits: one system call for
//! each wait.
//!
//! A wake-up is taken by any poll there, also by one that merely looks; so it is remembered here,
//! and sent again.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use polling::{Events, PollMode, Poller};

use super::Direction;
use super::kernel::{Event, Timeout};

/// How many events are taken at a time.
const EVENTS: NonZeroUsize = NonZeroUsize::new(128).unwrap();
/// Not every kernel says that the peer will send no more.
pub(crate) const SHORT_IS_EMPTY: bool = false;

/// What the kernel is asked to tell of, where it tells once.
pub(super) struct Armed(Mutex<(bool, bool)>);

impl Armed {
    pub(super) fn new() -> Self {
        Self(Mutex::new((false, false)))
    }
}

/// The kernel's side of a poller.
pub(super) struct Kernel {
    poller: Poller,
    /// Whether the kernel tells of edges.
    edge: bool,
    /// Whether somebody wants the poll that waits to return.
    woken: AtomicBool,
}

impl Kernel {
    pub(super) fn new() -> io::Result<Self> {
        let poller = Poller::new()?;
        let edge = poller.supports_edge();
        Ok(Self { poller, edge, woken: AtomicBool::new(false) })
    }

    /// Registers a file for both directions. The caller removes it before it is closed.
    pub(super) fn add(&self, fd: RawFd, key: usize) -> io::Result<()> {
        let (what, mode) = if self.edge {
            (polling::Event::all(key), PollMode::Edge)
        } else {
            (polling::Event::none(key), PollMode::Oneshot)
        };
        // SAFETY: the caller's promise.
        unsafe { self.poller.add_with_mode(fd, what, mode) }
    }

    pub(super) fn remove(&self, fd: RawFd) {
        // SAFETY: the caller has not yet closed it.
        let _ = self.poller.delete(unsafe { BorrowedFd::borrow_raw(fd) });
    }

    /// Somebody waits.
    pub(super) fn arm(
        &self,
        armed: &Armed,
        fd: RawFd,
        key: usize,
        direction: Direction,
    ) -> io::Result<()> {
        if self.edge {
            return Ok(());
        }
        // Under the lock: or of two who ask at once the kernel might hear the first one last.
        let mut wanted = armed.0.lock().unwrap_or_else(PoisonError::into_inner);
        match direction {
            Direction::Read => wanted.0 = true,
            Direction::Write => wanted.1 = true,
        }
        let what = polling::Event::new(key, wanted.0, wanted.1);
        // SAFETY: the socket that waits is open.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        self.poller.modify_with_mode(fd, what, PollMode::Oneshot)
    }

    /// The kernel has told, and is asked for nothing now. To be called before who waits is woken.
    pub(super) fn disarm(armed: &Armed) {
        *armed.0.lock().unwrap_or_else(PoisonError::into_inner) = (false, false);
    }

    /// Polls, and tells of each event. True if somebody called [`wake`](Kernel::wake).
    pub(super) fn poll(&self, timeout: Timeout, mut tell: impl FnMut(Event)) -> bool {
        let mut events = Events::with_capacity(EVENTS);
        let wait = match timeout {
            Timeout::Now => Some(Duration::ZERO),
            Timeout::After(after) => Some(after),
            Timeout::Never => None,
        };
        // A call that was interrupted has no events; the caller knows what time it is.
        let _ = self.poller.wait(&mut events, wait);
        for event in events.iter() {
            // Who is told once of one direction is told no more of the other.
            let both = !self.edge;
            tell(Event {
                key: event.key,
                read: both || event.readable,
                write: both || event.writable,
                ended: true,
            });
        }
        if timeout == Timeout::Now {
            // ORDER: Acquire: pairs with the Release in `wake`: if we took the notification, we see
            // that.
            if self.woken.load(Ordering::Acquire) {
                let _ = self.poller.notify();
            }
            return false;
        }
        // ORDER: Acquire: as above; a poll that returns for two reasons takes both.
        self.woken.swap(false, Ordering::Acquire)
    }

    /// Makes the poll that waits, or the next one that does, return.
    pub(super) fn wake(&self) {
        // ORDER: Release: pairs with the Acquires in `poll`.
        self.woken.store(true, Ordering::Release);
        let _ = self.poller.notify();
    }
}
