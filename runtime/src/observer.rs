//! What the core tells of its steps: counted, and written into a trace.
//!
//! The steps that each task takes are not asked for: `observe` decides by the kind of the event,
//! which is a constant where it is told, so for these no code is left. The runtime itself knows
//! when it switches. What remains happens when a machine looks for work, sleeps, or loses a
//! processor.

use std::sync::Arc;

use gosched::{Event, Observer};

use crate::counters::{AllCounters, Rare};
use crate::trace::{Instant, Tracer, What};
use crate::watch;
use crate::worker::Worker;

/// The observer of a runtime's scheduler.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(crate) counters: Arc<AllCounters>,
    pub(crate) tracer: Arc<Tracer>,
}

impl Observer for Watcher {
    #[inline(always)]
    fn observe(&self, machine: Option<usize>, event: Event) {
        match event {
            Event::Stole { .. }
            | Event::Polled { .. }
            | Event::Polls
            | Event::HandsOff { .. }
            | Event::Retaken { .. }
            | Event::AskedToYield { .. }
            | Event::Began { .. }
            | Event::PutDown { .. }
            | Event::Stopped { .. }
            | Event::Roused { .. }
            | Event::Started { .. }
            | Event::Resumed { .. } => self.note(machine, event),
            // Every switch and every submission tells these.
            _ => {}
        }
    }
}

impl Watcher {
    #[inline(never)]
    fn note(&self, machine: Option<usize>, event: Event) {
        // Not the worker's machine, which is in the middle of a step.
        let worker = Worker::here().filter(|worker| Some(worker.seat.machine) == machine);
        let of = |processor: Option<usize>| self.counters.of(processor);
        let here = worker.and_then(|worker| worker.seat.processor());
        match event {
            Event::Stole { count, .. } => {
                of(here).add_rare(Rare::Steals, 1);
                of(here).add_rare(Rare::Stolen, count as u64);
            }
            Event::Polled { count } => of(here).add_rare(Rare::Polled, count as u64),
            Event::HandsOff { processor } => of(Some(processor)).add_rare(Rare::HandOffs, 1),
            Event::Retaken { processor } => of(Some(processor)).add_rare(Rare::Retakes, 1),
            Event::AskedToYield { processor } => {
                of(Some(processor)).add_rare(Rare::PreemptRequests, 1);
            }
            _ => {}
        }
        match (event, worker) {
            (Event::Began { processor, .. }, worker) => {
                // After a sleep, of the machine and maybe of sysmon: the coarse time has stood
                // still.
                self.counters.set_coarse(self.tracer.now());
                if let Some(worker) = worker {
                    worker.hold(processor);
                }
            }
            (
                Event::HandsOff { processor }
                | Event::PutDown { processor, .. }
                | Event::Stopped { processor },
                Some(worker),
            ) => worker.lose(processor),
            _ => {}
        }
        if let Some(instant) = instant(event).filter(|_| watch::is(watch::TRACE)) {
            self.tracer.tell(0, What::Instant(instant));
        }
    }
}

/// What a trace shows of an event.
fn instant(event: Event) -> Option<Instant> {
    Some(match event {
        Event::Stole { victim, count } => Instant::Stole { victim, count },
        Event::Polled { count } => Instant::Polled { count },
        Event::HandsOff { processor } => Instant::HandsOff { processor },
        Event::Retaken { processor } => Instant::Retaken { processor },
        Event::AskedToYield { processor } => Instant::AskedToYield { processor },
        Event::Began { processor, .. } => Instant::Began { processor },
        Event::PutDown { processor, .. } => Instant::PutDown { processor },
        Event::Polls => Instant::Polls,
        Event::Roused { sleeper, processor, .. } => Instant::Roused { sleeper, processor },
        Event::Started { started, processor, .. } => Instant::Started { started, processor },
        Event::Stopped { processor } => Instant::Stopped { processor },
        Event::Resumed { processors } => Instant::Resumed { processors },
        _ => return None,
    })
}
