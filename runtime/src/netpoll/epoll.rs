//! Linux: epoll, edge-triggered, and an event file that wakes it.
//!
//! One system call for each poll, whether it waits or not. The wake-up is level-triggered, and only
//! a poll that waits takes it back: one that merely looks cannot take it from the one it is for.
//!
//! The kernel tells with `EPOLLRDHUP` that the peer will send no more. A short read then says
//! nothing: the end is still to be read. Where it does not tell so, a short read from a TCP socket
//! says that the socket was empty, and the next read waits without asking.
//!
//= go1.27:src/runtime/netpoll_epoll.go#netpoll

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::kernel::{Event, Timeout};

/// How many events are taken at a time, on the stack.
const EVENTS: usize = 128;
/// The event file's key: no socket has it.
const WAKE: u64 = u64::MAX;
/// Whether a short read proves that a TCP socket is empty, unless the kernel has told of an end.
pub(crate) const SHORT_IS_EMPTY: bool = true;

/// What a descriptor keeps of its being armed: nothing, as it is registered for good.
pub(super) struct Armed;

impl Armed {
    pub(super) fn new() -> Self {
        Self
    }
}

/// The kernel's side of a poller.
pub(super) struct Kernel {
    epoll: OwnedFd,
    event: OwnedFd,
    /// Whether the event file has been written to since a poll that waits last read it.
    woken: AtomicBool,
    /// Whether the kernel knows `epoll_pwait2`, which counts nanoseconds.
    precise: AtomicBool,
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

impl Kernel {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let epoll = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: a new file, which nobody else closes.
        let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
        // SAFETY: no pointers.
        let event = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: as above.
        let event = unsafe { OwnedFd::from_raw_fd(event) };
        let precise = AtomicBool::new(cfg!(target_pointer_width = "64"));
        let kernel = Self { epoll, event, woken: AtomicBool::new(false), precise };
        kernel.control(libc::EPOLL_CTL_ADD, kernel.event.as_raw_fd(), libc::EPOLLIN, WAKE)?;
        Ok(kernel)
    }

    fn control(&self, what: i32, fd: RawFd, flags: i32, key: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: flags.cast_unsigned(), u64: key };
        // SAFETY: the event is read before the call returns.
        check(unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), what, fd, &raw mut event) })?;
        Ok(())
    }

    /// Registers a file for both directions. The caller removes it before it is closed.
    pub(super) fn add(&self, fd: RawFd, key: usize) -> io::Result<()> {
        let flags = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLPRI | libc::EPOLLRDHUP;
        self.control(libc::EPOLL_CTL_ADD, fd, flags | libc::EPOLLET, key as u64)
    }

    pub(super) fn remove(&self, fd: RawFd) {
        // It fails for a file that was closed behind our back, and then there is nothing to do.
        let _ = self.control(libc::EPOLL_CTL_DEL, fd, 0, 0);
    }

    /// Somebody waits: nothing to do, as every edge is told.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "other kernels must be told")]
    pub(super) fn arm(
        &self,
        _armed: &Armed,
        _fd: RawFd,
        _key: usize,
        _direction: super::Direction,
    ) -> io::Result<()> {
        Ok(())
    }

    /// The kernel has told of an edge: nothing to do, as it goes on telling.
    pub(super) fn disarm(_armed: &Armed) {}

    /// Polls, and tells of each event. True if somebody called [`wake`](Kernel::wake); a poll that
    /// does not wait leaves that to the one that does.
    pub(super) fn poll(&self, timeout: Timeout, mut tell: impl FnMut(Event)) -> bool {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS];
        // An interrupted call has no events; the caller knows what time it is.
        let count = usize::try_from(self.wait(&mut events, timeout)).unwrap_or(0);
        let mut woken = false;
        for event in &events[..count] {
            let (flags, key) = (event.events.cast_signed(), event.u64);
            if key == WAKE {
                woken = timeout != Timeout::Now;
                continue;
            }
            let broken = libc::EPOLLHUP | libc::EPOLLERR;
            let ended = libc::EPOLLRDHUP | libc::EPOLLPRI | broken;
            tell(Event {
                key: key as usize,
                read: flags & (libc::EPOLLIN | ended) != 0,
                write: flags & (libc::EPOLLOUT | broken) != 0,
                ended: flags & ended != 0,
            });
        }
        if woken {
            let mut count = 0_u64;
            // SAFETY: eight bytes, for an event file's count.
            unsafe { libc::read(self.event.as_raw_fd(), (&raw mut count).cast(), 8) };
            // ORDER: Release: pairs with the Acquire in `wake`: who writes again does so after our
            // read. One who does not, since we have not yet come here, wanted this poll to return.
            self.woken.store(false, Ordering::Release);
        }
        woken
    }

    fn wait(&self, events: &mut [libc::epoll_event; EVENTS], timeout: Timeout) -> i32 {
        let epoll = self.epoll.as_raw_fd();
        let room = EVENTS as i32;
        // ORDER: Relaxed: it tells itself alone.
        if let (Timeout::After(after), true) = (timeout, self.precise.load(Ordering::Relaxed)) {
            let time = timespec(after);
            let (time, none) = (&raw const time, null_mut::<libc::sigset_t>());
            let call = libc::SYS_epoll_pwait2;
            // SAFETY: room for so many events, a time, and no mask of signals.
            let result =
                unsafe { libc::syscall(call, epoll, events.as_mut_ptr(), room, time, none, 8) };
            if result >= 0 || io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
                return result as i32;
            }
            // An old kernel, or a sandbox.
            // ORDER: Relaxed: as above.
            self.precise.store(false, Ordering::Relaxed);
        }
        let milliseconds = match timeout {
            Timeout::Now => 0,
            Timeout::Never => -1,
            // Up: to be early would mean to be called again and again.
            Timeout::After(after) => {
                after.as_nanos().div_ceil(1_000_000).try_into().unwrap_or(i32::MAX)
            }
        };
        // SAFETY: room for so many events.
        unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), room, milliseconds) }
    }

    /// Makes the poll that waits, or the next one that does, return.
    pub(super) fn wake(&self) {
        // ORDER: Acquire: pairs with the Release in `poll`.
        if !self.woken.swap(true, Ordering::Acquire) {
            let one = 1_u64;
            // SAFETY: eight bytes, for an event file's count.
            unsafe { libc::write(self.event.as_raw_fd(), (&raw const one).cast(), 8) };
        }
    }
}

/// A time for the kernel; one that is too long is as long as can be.
fn timespec(after: Duration) -> libc::timespec {
    // SAFETY: a structure of numbers.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    time.tv_sec = after.as_secs().try_into().unwrap_or(libc::time_t::MAX);
    time.tv_nsec = after.subsec_nanos().into();
    time
}
