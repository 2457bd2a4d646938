//! A goroutine as a dump sees it: read without a lock, and of one goroutine.
//!
//! A descriptor may become another goroutine's while it is read. The number is written after all
//! the rest, and taken back before; no number is used twice. So what was read between two looks at
//! the same number is that goroutine's.

use std::panic::Location;
use std::sync::atomic::{Ordering, fence};

use super::name::MAX_NAME;
use super::{Goroutine, Status, UNLOCKED, WaitReason};
use crate::runtime::Shared;

/// What was read. Nothing in it is allocated: a signal's handler may take one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picture {
    pub(crate) id: u64,
    pub(crate) status: Status,
    pub(crate) reason: WaitReason,
    pub(crate) location: &'static Location<'static>,
    /// The machine it is locked to by itself: not the one that it is pinned to.
    pub(crate) locked: Option<usize>,
    /// Since about when it waits, if it does.
    pub(crate) waiting_since: u64,
    name: ([u8; MAX_NAME], usize),
}

impl Picture {
    /// Its name; empty if it has none.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name.0[..self.name.1]
    }
}

impl Goroutine {
    /// A picture, if there is a goroutine, and it stays the same meanwhile; and if it belongs to
    /// `runtime`, where one is named.
    pub(crate) fn picture(&self, runtime: Option<&Shared>) -> Option<Picture> {
        // ORDER: Acquire: pairs with the Release of the number: we see what was written before it.
        let id = self.id.load(Ordering::Acquire);
        let (status, reason) = self.status();
        let picture = Picture {
            id,
            status,
            reason,
            location: self.location()?,
            // ORDER: Relaxed: a picture of one instant.
            locked: Some(self.locked.load(Ordering::Relaxed)).filter(|at| *at != UNLOCKED),
            // ORDER: Relaxed: as above.
            waiting_since: self.waiting_since.load(Ordering::Relaxed),
            name: self.name.get(),
        };
        if runtime.is_some_and(|runtime| !self.is_of(runtime)) {
            return None;
        }
        // ORDER: Acquire: pairs with the Release fence in `set_name`: if any of it is a later
        // goroutine's, the number below is no more what it was.
        fence(Ordering::Acquire);
        // ORDER: Relaxed: after the fence.
        let same = self.id.load(Ordering::Relaxed) == id;
        let alive = id != 0 && !matches!(status, Status::Free | Status::Dead);
        (same && alive).then_some(picture)
    }
}
