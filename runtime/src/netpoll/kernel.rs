//! Which of the kernel's pollers it is, and what they have in common.

use std::time::Duration;

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub(super) use super::epoll::{Armed, Kernel};
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
pub(super) use super::portable::{Armed, Kernel};

#[cfg(all(target_os = "linux", not(feature = "portable-poller")))]
pub(crate) use super::epoll::SHORT_IS_EMPTY;
#[cfg(any(not(target_os = "linux"), feature = "portable-poller"))]
pub(crate) use super::portable::SHORT_IS_EMPTY;

/// What the kernel tells of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// What it was registered with.
    pub(super) key: usize,
    /// A read may succeed, or fail.
    pub(super) read: bool,
    /// A write may.
    pub(super) write: bool,
    /// After a short read there may be more.
    pub(super) ended: bool,
}

/// How long a poll may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timeout {
    Now,
    After(Duration),
    Never,
}
