//! Timers.

use crate::engine::Batch;

pub(crate) struct Timers {}

impl Timers {
    pub(crate) fn new(_processors: usize) -> Self {
        Self {}
    }
    pub(crate) fn any(&self) -> bool {
        false
    }
    pub(crate) fn take_due(&self, _processor: usize, _now: impl Fn() -> u64, _ready: &mut Batch) {}
    pub(crate) fn has_due(&self, _processor: usize, _now: impl Fn() -> u64) -> bool {
        false
    }
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        None
    }
    pub(crate) fn resized(&self, _from: usize, _to: usize) {}
}
