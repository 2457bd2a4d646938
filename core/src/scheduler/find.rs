//! Finding the next task: steps F1 to F5.
//!
//! The order is Go's. A processor looks at what costs least first, its own slot and ring, and at
//! last at the others'; but once in 61 slices at the global queue before all, or two tasks that
//! feed each other could keep its tasks waiting for ever.
//!
//= go1.27:src/runtime/proc.go#findRunnable
//= go1.27:src/runtime/proc.go#stealWork

use core::num::NonZeroUsize;

use super::machine::{Machine, Place};
use crate::host::Host;
use crate::memory::RaceCell;
use crate::observe::Event;
use crate::{Batch, NextSlot};

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// A task to run, while the machine holds a processor. `None` when it holds none any more.
    pub(super) fn find(&mut self) -> Option<H::Task> {
        while let Place::With(token) = &self.place {
            let id = token.id;
            let status = self.scheduler.processor(id).status();
            if let Some(task) = self.ahead.take() {
                return self.pass_to_locked(task).map(|task| self.begin(task, false));
            }
            // If it is asked to stop; or if the task that is locked to it has stopped, since
            // nothing else may run here.
            if status.must_stop() || self.locks > 0 {
                self.leave_processor();
                return None;
            }
            self.scheduler.retry_refused(Some(self.record.id));
            let found = self
                .look_here(status.must_yield())
                .or_else(|| self.look_global().map(|task| (task, false)))
                .or_else(|| self.look_around().map(|task| (task, false)));
            match found {
                Some((mut task, inherited)) => {
                    if self.searching {
                        // The host may panic when it is asked for a machine: then this task runs in
                        // the next step.
                        self.ahead = Some(task);
                        self.found();
                        task = self.ahead.take()?;
                    }
                    return self.pass_to_locked(task).map(|task| self.begin(task, inherited));
                }
                None => self.drop_processor(),
            }
        }
        None
    }

    /// F1: timers, the global queue now and then, the slot, the ring. Says whether the task
    /// inherits the slice.
    fn look_here(&mut self, must_yield: bool) -> Option<(H::Task, bool)> {
        self.take_due();
        let Machine { scheduler, place, .. } = self;
        let Place::With(token) = place else { unreachable!("the machine holds a processor") };
        let shared = &scheduler.shared;
        if token.slices % u64::from(shared.config.global_interval) == 0
            && !shared.global.is_empty()
        {
            if let Some(task) = shared.global.pop() {
                self.tell(Event::TookShare { count: 1 });
                return Some((task, false));
            }
        }
        let mut popped = token.queue.pop()?;
        if popped.inherits_slice && (must_yield || token.inherited >= shared.config.slot_chain.get())
        {
            // The chain has run long enough: its task queues up behind those in the ring.
            token.queue.push_or_overflow(popped.task, &shared.global);
            popped = token.queue.pop()?;
        }
        self.tell(Event::Popped { inherited: popped.inherits_slice });
        Some((popped.task, popped.inherits_slice))
    }

    /// F1, F2: a share of the global queue, and what input and output have made runnable.
    fn look_global(&mut self) -> Option<H::Task> {
        let processors = NonZeroUsize::new(self.scheduler.processors())?;
        let Machine { scheduler, place, searching, record, .. } = self;
        let Place::With(token) = place else { unreachable!("the machine holds a processor") };
        let shared = &scheduler.shared;
        if !shared.global.is_empty() {
            if let Some(task) = token.queue.take_share(&shared.global, processors) {
                let rest = token.queue.room_taken();
                scheduler.tell(Some(record.id), Event::TookShare { count: 1 + rest });
                if rest > 0 && !*searching {
                    // F2. The batch was invisible on its way: whoever looked missed it. A searcher
                    // wakes its successor in F5.
                    scheduler.published(Some(record.id));
                }
                return Some(task);
            }
        }
        if !shared.host.has_poller() {
            return None;
        }
        let look = shared.poller.look()?;
        let mut ready = Batch::with_memory();
        shared.host.poll(None, &mut ready);
        shared.poller.polled_at(shared.host.now());
        drop(look);
        self.accept(ready);
        self.pop_accepted()
    }

    /// The first of the tasks that were just accepted, unless a thief was faster.
    fn pop_accepted(&mut self) -> Option<H::Task> {
        let popped = self.held().queue.pop()?;
        self.tell(Event::Popped { inherited: false });
        Some(popped.task)
    }

    /// F1: the tasks whose timers are due on this processor go to its ring.
    fn take_due(&mut self) {
        if self.scheduler.host().has_poller() {
            let mut ready = Batch::with_memory();
            let id = self.held().id;
            self.scheduler.host().take_due(id, &mut ready);
            self.accept(ready);
        }
    }

    /// Puts tasks that have become runnable into the ring; those that find no room, into the global
    /// queue.
    fn accept(&mut self, mut ready: Batch<H::Task, H::Memory>) {
        if ready.is_empty() {
            return;
        }
        self.tell(Event::Polled { count: ready.len() });
        let Machine { scheduler, place, record, .. } = self;
        let Place::With(token) = place else { unreachable!("the machine holds a processor") };
        for task in core::iter::from_fn(|| ready.pop()) {
            token.queue.push_or_overflow(task, &scheduler.shared.global);
        }
        scheduler.published(Some(record.id));
    }

    /// F3, F4: searches the others, if there are not enough searchers already.
    fn look_around(&mut self) -> Option<H::Task> {
        let processors = self.scheduler.processors();
        if !self.searching {
            if processors < 2 || !self.scheduler.shared.idle.begin_search(processors) {
                return None;
            }
            self.searching = true;
            self.tell(Event::Searches);
        }
        let rounds = self.scheduler.config().steal_rounds;
        (1..=rounds).find_map(|round| {
            let next = if round == rounds { NextSlot::Take } else { NextSlot::Leave };
            self.steal_round(next)
        })
    }

    /// One visit to every other processor.
    fn steal_round(&mut self, next: NextSlot) -> Option<H::Task> {
        let random = self.random();
        let Machine { scheduler, place, record, .. } = self;
        let Place::With(token) = place else { unreachable!("the machine holds a processor") };
        let shared = &scheduler.shared;
        // SAFETY: the order is written while the world is stopped, and so while nobody else owns a
        // processor; we own one.
        let sweep = shared.order.with(|order| unsafe { &*order }.start(random));
        let view = shared.idle.view();
        if view.is_stopping() {
            return None;
        }
        for victim in sweep.filter(|&victim| victim != token.id) {
            // An idle processor has no tasks; it may have timers.
            if !view.is_idle(victim) {
                let stealer = &scheduler.processor(victim).stealer;
                if next == NextSlot::Take && stealer.has_next() {
                    shared.host.back_off();
                }
                if let Ok(stolen) = stealer.steal_into(&mut token.queue, next) {
                    let count = 1 + stolen.moved;
                    scheduler.tell(Some(record.id), Event::Stole { victim, count });
                    return Some(stolen.task);
                }
            }
            if next == NextSlot::Take && shared.host.has_poller() {
                let mut ready = Batch::with_memory();
                shared.host.take_due(victim, &mut ready);
                if !ready.is_empty() {
                    self.accept(ready);
                    return self.pop_accepted();
                }
            }
        }
        None
    }

    /// F5: a searcher has found work.
    pub(super) fn found(&mut self) {
        if core::mem::take(&mut self.searching) {
            let successor = self.scheduler.shared.idle.end_search();
            self.tell(Event::Found { successor });
            if let Some(processor) = successor {
                // SAFETY: `end_search` took it out of the idle word.
                let token = unsafe { self.scheduler.take_up(processor) };
                self.scheduler.give(Some(self.record.id), token, true);
            }
        }
    }

    /// Keeps the books of a task that is about to run.
    //= go1.27:src/runtime/proc.go#execute
    fn begin(&mut self, task: H::Task, inherited: bool) -> H::Task {
        if let Some(state) = self.scheduler.host().state(&task) {
            state.begin();
        }
        let token = self.held();
        if inherited {
            token.inherited += 1;
        } else {
            token.inherited = 0;
            token.slices += 1;
            let (id, slices) = (token.id, token.slices);
            let processor = self.scheduler.processor(id);
            processor.tell_slices(slices);
            // A request to yield was meant for the slice before.
            if processor.status().must_yield() {
                processor.yields();
            }
        }
        task
    }
}
