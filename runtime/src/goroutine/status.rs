//! What a goroutine does, and what it waits for: what a dump shows.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a goroutine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// There is none: the descriptor is free.
    Free,
    /// It stands in a queue, or is about to.
    Runnable,
    /// It runs.
    Running,
    /// It waits; see its [`WaitReason`].
    Waiting,
    /// It is in a system call.
    InSystemCall,
    /// It has ended.
    Dead,
}

/// What a goroutine waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum WaitReason {
    /// It does not wait.
    None,
    /// [`park`](crate::park).
    Park,
    /// A future, in [`block_on`](crate::block_on).
    Future,
    /// The end of another goroutine.
    Join,
    /// The goroutines of a scope or a wait group.
    Group,
    /// A time.
    Sleep,
    /// Input or output.
    Io,
    /// One of several, in a select.
    Select,
}

impl Status {
    fn of(byte: u8) -> Self {
        match byte {
            1 => Self::Runnable,
            2 => Self::Running,
            3 => Self::Waiting,
            4 => Self::InSystemCall,
            5 => Self::Dead,
            _ => Self::Free,
        }
    }
}

impl WaitReason {
    fn of(byte: u8) -> Self {
        match byte {
            1 => Self::Park,
            2 => Self::Future,
            3 => Self::Join,
            4 => Self::Group,
            5 => Self::Sleep,
            6 => Self::Io,
            7 => Self::Select,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Free => "free",
            Self::Runnable => "runnable",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::InSystemCall => "in a system call",
            Self::Dead => "dead",
        })
    }
}

impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "nothing",
            Self::Park => "park",
            Self::Future => "future",
            Self::Join => "join",
            Self::Group => "group",
            Self::Sleep => "sleep",
            Self::Io => "input or output",
            Self::Select => "select",
        })
    }
}

/// A status and a reason, in one word.
pub(super) struct AtomicStatus(AtomicU32);

impl AtomicStatus {
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    pub(super) fn get(&self) -> (Status, WaitReason) {
        // ORDER: Relaxed: a picture of one instant.
        let [status, reason, ..] = self.0.load(Ordering::Relaxed).to_le_bytes();
        (Status::of(status), WaitReason::of(reason))
    }

    #[inline]
    pub(super) fn set(&self, status: Status, reason: WaitReason) {
        // ORDER: Relaxed: nobody acts on it.
        self.0.store(u32::from_le_bytes([status as u8, reason as u8, 0, 0]), Ordering::Relaxed);
    }
}
