//! A machine without work: steps D1 to D6, and tasks that are locked to a machine.
//!
//= go1.27:src/runtime/proc.go#stopm
//= go1.27:src/runtime/proc.go#stoplockedm
//= go1.27:src/runtime/proc.go#startlockedm

use super::machine::{Machine, Place, Step};
use crate::host::Host;
use crate::idle::Put;
use crate::machine::Given;
use crate::observe::Event;

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// D1 to D5: puts the processor down, since there is nothing to run; and takes one up again if
    /// there is something after all.
    pub(super) fn drop_processor(&mut self) {
        let (token, searching) = self.let_go();
        let processor = token.id;
        let put = self.scheduler.put_down(token, searching);
        match put {
            Put::Stopping => self.tell(Event::Stopped { processor }),
            Put::Leave => self.tell(Event::PutDown { processor, look: false }),
            Put::Look => {
                self.tell(Event::PutDown { processor, look: true });
                let found = self.scheduler.look();
                self.tell(Event::Looked { found });
                if found {
                    self.take_for_work();
                }
            }
        }
    }

    /// D5: there is work somewhere. Becomes a searcher if nobody is.
    pub(super) fn take_for_work(&mut self) {
        if let Some(processor) = self.scheduler.shared.idle.take_for_work() {
            self.tell(Event::TookForWork { processor });
            self.scheduler.wake_monitor();
            // SAFETY: it was taken out of the idle word.
            let token = unsafe { self.scheduler.take_up(processor) };
            self.hold(token, true);
        }
    }

    /// Gives the processor away, whatever there is in its queue; and the task that came with it.
    pub(super) fn leave_processor(&mut self) {
        if let Some(task) = self.ahead.take() {
            self.scheduler.shared.global.push(task);
        }
        let by = Some(self.record.id);
        let processor = self.held().id;
        if self.scheduler.processor(processor).status().must_stop() {
            let (token, searching) = self.let_go();
            self.scheduler.surrender(by, token, searching);
        } else {
            // A searcher leaves as if it had found something: with a successor, if one is needed.
            self.found();
            let (token, _) = self.let_go();
            self.scheduler.hand_off(by, token);
        }
    }

    /// D6: the machine has no processor. Polls if nobody does, else sleeps.
    pub(super) fn rest(&mut self) -> Step<H::Task> {
        if self.locks > 0 {
            return self.rest_locked();
        }
        if let Some(deadline) = self.scheduler.begin_poll() {
            self.tell(Event::Polls);
            self.go("poll", Place::Polling);
            return Step::Poll(deadline);
        }
        self.go_to_sleep()
    }

    /// D6: the machine sleeps, until somebody gives it a processor.
    pub(super) fn go_to_sleep(&mut self) -> Step<H::Task> {
        self.tell(Event::Parked);
        let asleep = self.scheduler.shared.pool.sleep(&self.record);
        if asleep {
            self.scheduler.retry_refused_for_work(Some(self.record.id));
        }
        self.asleep_or_gone(asleep)
    }

    /// The machine waits for the task that is locked to it, which brings a processor.
    fn rest_locked(&mut self) -> Step<H::Task> {
        self.tell(Event::Parked);
        let asleep = self.scheduler.shared.pool.sleep_locked(&self.record);
        self.asleep_or_gone(asleep)
    }

    fn asleep_or_gone(&mut self, asleep: bool) -> Step<H::Task> {
        if asleep {
            self.go("sleep", Place::Asleep);
            self.scheduler.check_asleep();
            Step::Sleep
        } else {
            self.depart();
            Step::Exit
        }
    }

    /// If the task is locked to another machine, gives it to that one, together with the processor.
    pub(super) fn pass_to_locked(&mut self, task: H::Task) -> Option<H::Task> {
        let Some(id) = self.scheduler.host().locked_to(&task) else {
            return Some(task);
        };
        if id == self.record.id {
            return Some(task);
        }
        let Some(record) = self.scheduler.shared.pool.take_locked(id) else {
            // Its machine is gone: any will do.
            return Some(task);
        };
        let (token, _) = self.let_go();
        let processor = token.id;
        self.tell(Event::Roused { sleeper: record.id, processor, searching: false });
        record.give(Given::Processor { token, searching: false, task: Some(task) });
        None
    }

    /// Locks the task that runs now to this machine: it runs nowhere else, and the machine runs
    /// nothing else, until as many [`unlock`](Machine::unlock)s. Returns the machine's number,
    /// which [`Host::locked_to`] must return for that task from now on.
    //= go1.27:src/runtime/proc.go#LockOSThread
    pub fn lock(&mut self) -> usize {
        if self.locks == 0 {
            self.scheduler.shared.pool.lock(&self.record, true);
        }
        self.locks += 1;
        self.record.id
    }

    /// Takes one [`lock`](Machine::lock) back. True if it was the last: the task runs anywhere from
    /// now on. Without a lock it does nothing, and says false.
    //= go1.27:src/runtime/proc.go#UnlockOSThread
    pub fn unlock(&mut self) -> bool {
        if self.locks == 1 {
            self.scheduler.shared.pool.lock(&self.record, false);
        }
        let last = self.locks == 1;
        self.locks = self.locks.saturating_sub(1);
        last
    }
}
