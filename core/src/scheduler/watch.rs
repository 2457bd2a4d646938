//! What the [monitor](crate::Monitor) sees and does.

use super::Scheduler;
use crate::Batch;
use crate::host::Host;
use crate::monitor::Sleep;
use crate::observe::{Event, Place};
use crate::processor::Status;

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.outside.is_closed()
    }

    /// Whether every processor is idle and no machine is to be asked for again, or the world stands
    /// still.
    pub(crate) fn is_at_rest(&self) -> bool {
        let view = self.shared.idle.view();
        view.is_stopping() || view.idle() == self.processors() && !self.is_refused()
    }

    pub(crate) fn status_of(&self, id: usize) -> Status {
        self.processor(id).status()
    }

    pub(crate) fn slices_of(&self, id: usize) -> u64 {
        self.processor(id).slices()
    }

    /// Whether nobody would miss the processor if it stayed in its system call for a while.
    pub(crate) fn is_unwanted(&self, id: usize) -> bool {
        let view = self.shared.idle.view();
        self.processor(id).stealer.is_empty() && view.idle() + view.searching() > 0
    }

    pub(crate) fn ask_to_yield(&self, id: usize) {
        self.processor(id).ask_to_yield();
        self.tell(None, Event::AskedToYield { processor: id });
    }

    /// Takes a processor out of the system call that `seen` shows, and hands it off. False if that
    /// call is over, or somebody else was faster.
    pub(crate) fn retake(&self, id: usize, seen: Status) -> bool {
        let processor = self.processor(id);
        if !processor.take(seen) {
            return false;
        }
        self.tell(None, Event::Retaken { processor: id });
        // SAFETY: the system call was ended by our change of the status word.
        let token = unsafe { processor.pick_up() };
        self.hand_off(None, token);
        true
    }

    pub(crate) fn retry_refused_by_monitor(&self) {
        self.retry_refused(None);
    }

    /// Polls without a wait, if nobody has polled since `stale` nanoseconds.
    pub(crate) fn poll_for_monitor(&self, now: u64, stale: u64) {
        let shared = &self.shared;
        if !shared.host.has_poller() || shared.poller.is_waiting() {
            return;
        }
        let Some(_look) = shared.poller.look() else { return };
        if shared.poller.is_stale(now, stale) {
            let _ = self.unless_closed((), |()| {
                let mut ready = Batch::with_memory();
                shared.host.poll(None, &mut ready);
                let count = ready.len();
                if count > 0 {
                    self.tell(None, Event::Polled { count });
                    shared.global.push_batch(ready);
                    self.tell(None, Event::Submitted { place: Place::Global, count });
                    self.published(None);
                }
            });
            shared.poller.polled_at(now);
        }
    }

    pub(crate) fn monitor_sleep(&self) -> &Sleep<H, CAP> {
        &self.shared.monitor
    }

    /// After a processor was taken up.
    pub(crate) fn wake_monitor(&self) {
        self.shared.monitor.wake();
    }
}
