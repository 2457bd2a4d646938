//! Whether anybody watches: one word for the whole process, read where goroutines switch.
//!
//! A trace and a measurement of latency want to know of every switch; nobody else does. Each switch
//! asks this word, in one load from a fixed address. Whoever then finds that it is another runtime
//! that is watched has lost a little time.

use std::sync::atomic::{AtomicU32, Ordering};

/// Traces that run, in the low half.
pub(crate) const TRACE: u32 = 0xffff;
/// Runtimes that measure latency, in the high half.
pub(crate) const LATENCY: u32 = 0xffff_0000;

static WATCHED: AtomicU32 = AtomicU32::new(0);

/// Whether there is one of these.
#[inline(always)]
pub(crate) fn is(what: u32) -> bool {
    // ORDER: Relaxed: a trace begins at no instant in particular.
    WATCHED.load(Ordering::Relaxed) & what != 0
}

/// Whether anybody watches anything.
#[inline(always)]
pub(crate) fn is_any() -> bool {
    is(TRACE | LATENCY)
}

/// One of these, while it lives.
#[derive(Debug)]
pub(crate) struct Watching(u32);

impl Watching {
    /// One more of `what`: [`TRACE`] or [`LATENCY`].
    pub(crate) fn new(what: u32) -> Self {
        let one = what & what.wrapping_neg();
        // ORDER: Relaxed: as above.
        WATCHED.fetch_add(one, Ordering::Relaxed);
        Self(one)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // ORDER: Relaxed: as above.
        WATCHED.fetch_sub(self.0, Ordering::Relaxed);
    }
}
