//! Sending sleeping machines home, so that a burst of system calls does not leave its threads
//! behind for ever.
//!
//! DIFF: Go never ends an idle M (golang/go#14592).

use super::Scheduler;
use crate::host::Host;
use crate::machine::Given;

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// Has the machine leave that has slept longest, unless no more than `keep` sleep: it is told
    /// to [exit](super::Step::Exit). Whether one was.
    ///
    /// A machine that was sent home and has not left yet still counts. If the scheduler may have no
    /// more machines at that moment, and needs one, it is as if the host had refused one: so a host
    /// that calls this should run a [`Monitor`](crate::Monitor), which tries again.
    pub fn dismiss(&self, keep: usize) -> bool {
        let Some(record) = self.shared.pool.dismiss(keep) else { return false };
        record.give(Given::Leave);
        true
    }

    /// How many machines sleep that could be given a processor, or be sent home: not those that
    /// tasks are locked to. Takes the lock of the pool.
    #[must_use]
    pub fn sleeping(&self) -> usize {
        self.shared.pool.sleepers()
    }
}
