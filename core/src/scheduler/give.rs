//! Giving a processor to a machine: steps A5, O1 and O2.
//!
//! A processor that has left the idle word, or a system call, is on its way to a machine; nothing
//! may stop the one who carries it. It goes to a machine that sleeps; where none does, the host is
//! asked to start one. The host may refuse. Then the processor goes back, and with it the searcher
//! that was counted for it, in one step; what it had to do is remembered ([`retry_refused`]).
//!
//! [`retry_refused`]: Scheduler::retry_refused

use core::fmt;

use super::Scheduler;
use crate::host::Host;
use crate::idle::Put;
use crate::machine::{Given, Record, Taken, Token};
use crate::memory::{Atomic, Memory, Ordering};
use crate::observe::Event;
use crate::scheduler::Machine;

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// **A2 to A5**: work was published. If nobody searches and a processor is idle, starts a
    /// searcher on it.
    #[inline]
    pub(super) fn published(&self, by: Option<usize>) {
        // ORDER: SeqCst: A2. Against the fence between D1 and D4: either we see the processor that
        // went idle, or the one who put it down sees the work.
        H::Memory::fence(Ordering::SeqCst);
        match self.shared.idle.wake_one() {
            Some(processor) => self.woke(by, processor),
            None => self.tell(by, Event::NotWoke),
        }
    }

    #[cold]
    fn woke(&self, by: Option<usize>, processor: usize) {
        self.tell(by, Event::Woke { processor });
        // SAFETY: `wake_one` took it out of the idle word.
        let token = unsafe { self.take_up(processor) };
        self.give(by, token, true);
    }

    /// **A5**: gives a processor to a machine, `searching` if a searcher was counted for it.
    #[cold]
    pub(super) fn give(&self, by: Option<usize>, token: Token<H, CAP>, searching: bool) {
        let processor = token.id;
        self.wake_monitor();
        match self.shared.pool.take() {
            Taken::Sleeper(record) => {
                self.tell(by, Event::Roused { sleeper: record.id, processor, searching });
                record.give(Given::Processor { token, searching, task: None });
            }
            Taken::Reserved(id) => {
                self.tell(by, Event::Started { started: id, processor, searching });
                self.shared.host.start_machine(StartMachine {
                    scheduler: self.clone(),
                    id,
                    carried: Some((token, searching)),
                });
            }
            Taken::Exhausted => self.refused(by, token, searching),
        }
    }

    /// There is no machine for this processor. Its tasks go where others find them, and it goes
    /// idle.
    pub(super) fn refused(&self, by: Option<usize>, mut token: Token<H, CAP>, searching: bool) {
        let processor = token.id;
        self.tell(by, Event::Refused { processor });
        self.shared.global.push_batch(token.queue.drain());
        // ORDER: Relaxed: a first word, so that the failure is known while the processor goes idle.
        // Whoever tries again for it may be too early; then it is told once more, below.
        self.shared.refused.store(1, Ordering::Relaxed);
        if self.put_down(token, searching) == Put::Look {
            // Once more: somebody may have tried again meanwhile, in vain, since the processor was
            // not idle yet, and our searcher was counted. (A store would do, and the explorer
            // agrees: the other's swap, if it read our first store, comes right after that. loom
            // objects.)
            // ORDER: Release: pairs with the fence of whoever tries again (in `published`); without
            // it that one may not see the processor idle, and the failure is forgotten.
            self.shared.refused.swap(1, Ordering::Release);
            // And that somebody may be the monitor, which then saw nothing left to do, and sleeps.
            self.wake_monitor();
            if self.shared.pool.sleepers() > 0 {
                // It fell asleep when the machine that was asked for was still to come.
                self.retry_refused_for_work(by);
            }
        }
        self.check_asleep();
    }

    /// As [`retry_refused`](Scheduler::retry_refused), if there is work: for a machine that has
    /// gone to sleep, or was found sleeping. Of the two who call it, the later one to take the
    /// pool's lock sees both the sleeper and the refusal.
    pub(super) fn retry_refused_for_work(&self, by: Option<usize>) {
        // ORDER: Relaxed: as `retry_refused`; the pool's lock orders it.
        if self.shared.refused.load(Ordering::Relaxed) != 0 && self.look() {
            self.retry_refused_now(by);
        }
    }

    /// Whether the host has refused a machine since somebody last tried.
    pub(super) fn is_refused(&self) -> bool {
        // ORDER: Relaxed: the monitor asks after its fence; the refuser makes one, and wakes it,
        // after it has told of the failure.
        self.shared.refused.load(Ordering::Relaxed) != 0
    }

    /// If the host has refused a machine since this was last called, tries again.
    #[inline]
    pub(super) fn retry_refused(&self, by: Option<usize>) {
        // ORDER: Relaxed: a hint; the swap decides.
        if self.shared.refused.load(Ordering::Relaxed) != 0 {
            self.retry_refused_now(by);
        }
    }

    #[cold]
    fn retry_refused_now(&self, by: Option<usize>) {
        // ORDER: Relaxed: the fence in `published` follows.
        if self.shared.refused.swap(0, Ordering::Relaxed) != 0 {
            self.published(by);
        }
    }

    /// Puts a processor down whose queue is empty. [`Put::Stopping`] means that it was handed to
    /// the stopper.
    pub(super) fn put_down(&self, token: Token<H, CAP>, searching: bool) -> Put {
        let id = token.id;
        let processor = self.processor(id);
        crate::memory::invariant!(
            H::Memory,
            processor.stealer.is_empty(),
            "processor {id} goes idle with tasks"
        );
        processor.rest();
        processor.lay_down(token);
        let put = self.shared.idle.put(id, searching);
        if put == Put::Stopping {
            processor.stop();
            self.arrive();
        }
        put
    }

    /// **D3, D4**: whether there is work anywhere.
    pub(super) fn look(&self) -> bool {
        // ORDER: SeqCst: D3. Against A2.
        H::Memory::fence(Ordering::SeqCst);
        let view = self.shared.idle.view();
        !self.shared.global.is_empty()
            || (0..self.processors()).any(|id| {
                !view.is_idle(id) && !self.processor(id).stealer.is_empty()
                    || self.shared.host.has_poller() && self.shared.host.has_due(id)
            })
    }

    /// **O1, O2**: finds somebody for a processor that the caller owns and has no machine for.
    pub(super) fn hand_off(&self, by: Option<usize>, token: Token<H, CAP>) {
        let id = token.id;
        let processor = self.processor(id);
        if processor.status().must_stop() {
            return self.surrender(by, token, false);
        }
        let host = &self.shared.host;
        if !processor.stealer.is_empty()
            || !self.shared.global.is_empty()
            || host.has_poller() && host.has_due(id)
        {
            self.tell(by, Event::HandsOff { processor: id });
            return self.give(by, token, false);
        }
        let put = self.put_down(token, false);
        self.tell(by, Event::PutDown { processor: id, look: put == Put::Look });
        if put == Put::Look {
            // A machine that goes idle would poll if nobody does. Nobody else will if this was the
            // last processor; and a timer must not wait for those that are busy.
            let all_idle = || self.shared.idle.view().idle() == self.processors();
            let wanted = || all_idle() || host.next_deadline().is_some();
            let found = self.look() || self.nobody_polls() && wanted();
            self.tell(by, Event::Looked { found });
            if let Some(processor) = found.then(|| self.shared.idle.take_for_work()).flatten() {
                self.tell(by, Event::TookForWork { processor });
                // SAFETY: it was taken out of the idle word.
                let token = unsafe { self.take_up(processor) };
                return self.give(by, token, true);
            }
        }
        self.check_asleep();
    }

    /// Makes the calling thread a machine, with a processor if one is idle.
    ///
    /// # Errors
    ///
    /// With the reason, if there are as many machines as there may be, or the scheduler has shut
    /// down.
    pub fn machine(&self) -> Result<Machine<H, CAP>, TooManyMachines> {
        let id = self.shared.pool.reserve().ok_or(TooManyMachines)?;
        let token = self.shared.idle.take(usize::MAX).map(|processor| {
            self.wake_monitor();
            // SAFETY: it was taken out of the idle word.
            unsafe { self.take_up(processor) }
        });
        Ok(Machine::new(self.clone(), Record::<H, CAP>::new(id), token, false))
    }
}

/// There are as many machines as the configuration allows, or the scheduler has shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyMachines;

impl fmt::Display for TooManyMachines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scheduler has shut down, or has as many machines as it may")
    }
}

impl core::error::Error for TooManyMachines {}

/// A machine to be started: what [`Host::start_machine`] is given.
///
/// Send it to the new thread and call [`begin`](StartMachine::begin) there. Dropping it refuses.
#[must_use = "dropping it refuses to start a machine"]
pub struct StartMachine<H: Host<CAP>, const CAP: usize = 256> {
    scheduler: Scheduler<H, CAP>,
    id: usize,
    /// The processor, and whether a searcher was counted for it. `None` once it has begun.
    carried: Option<(Token<H, CAP>, bool)>,
}

impl<H: Host<CAP>, const CAP: usize> StartMachine<H, CAP> {
    /// The machine's number, for the thread's name.
    #[must_use]
    pub fn id(&self) -> usize {
        self.id
    }

    /// Makes the calling thread the machine.
    #[must_use]
    pub fn begin(mut self) -> Machine<H, CAP> {
        let (token, searching) = self.carried.take().unzip();
        let scheduler = self.scheduler.clone();
        Machine::new(scheduler, Record::<H, CAP>::new(self.id), token, searching == Some(true))
    }
}

impl<H: Host<CAP>, const CAP: usize> Drop for StartMachine<H, CAP> {
    fn drop(&mut self) {
        if let Some((token, searching)) = self.carried.take() {
            self.scheduler.shared.pool.cancel();
            self.scheduler.refused(None, token, searching);
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> fmt::Debug for StartMachine<H, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartMachine").field("id", &self.id).finish_non_exhaustive()
    }
}
