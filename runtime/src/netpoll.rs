//! netpoll.

use std::io;

use gosched::Deadline;

use crate::engine::Batch;

pub(crate) struct Netpoll {}

impl Netpoll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }
    pub(crate) fn has_waiters(&self) -> bool {
        false
    }
    pub(crate) fn poll(&self, _wait: Option<Deadline>, _now: impl Fn() -> u64, _ready: &mut Batch) {
    }
    pub(crate) fn wake(&self) {}
}
