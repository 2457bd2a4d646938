//! A picture of the scheduler, taken without a lock.
//!
//! Each number is true of some instant during the call, not all of the same. The text is in the
//! shape of Go's `schedtrace`, so that what reads the one reads the other.
//!
//= go1.27:src/runtime/proc.go#schedtrace

use alloc::vec::Vec;
use core::fmt;

use super::Scheduler;
use crate::host::Host;
use crate::processor::ProcessorState;

/// One processor, at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessorSnapshot {
    /// What it was doing.
    pub state: ProcessorState,
    /// Tasks in its queue, the slot's included.
    pub queued: usize,
    /// Time slices begun on it.
    pub slices: u64,
    /// System calls begun on it.
    pub system_calls: u64,
    /// Whether it was asked to yield.
    pub must_yield: bool,
}

/// The scheduler, at about one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The processors in service.
    pub processors: Vec<ProcessorSnapshot>,
    /// How many of them were idle.
    pub idle: usize,
    /// How many machines searched.
    pub searching: usize,
    /// How many machines there were.
    pub machines: usize,
    /// How many of them slept.
    pub sleeping: usize,
    /// Tasks in the global queue.
    pub global: usize,
    /// Whether a machine waited in the poller.
    pub polling: bool,
    /// Whether the world was stopped, or being stopped.
    pub stopped: bool,
}

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// A picture of the scheduler. O(processors); takes no lock, allocates a list.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let view = self.shared.idle.view();
        let processor = |id| {
            let processor = self.processor(id);
            let status = processor.status();
            ProcessorSnapshot {
                state: status.state(),
                queued: processor.stealer.len(),
                slices: processor.slices(),
                system_calls: status.system_calls(),
                must_yield: status.must_yield(),
            }
        };
        let (machines, sleeping) = self.shared.pool.counts();
        Snapshot {
            processors: (0..self.processors()).map(processor).collect(),
            idle: view.idle(),
            searching: view.searching(),
            machines,
            sleeping,
            global: self.shared.global.len(),
            polling: self.shared.poller.is_waiting(),
            stopped: view.is_stopping(),
        }
    }
}

impl Snapshot {
    /// The line that Go's `schedtrace` would print this many milliseconds after the start.
    #[must_use]
    pub fn schedtrace(&self, milliseconds: u64) -> impl fmt::Display + '_ {
        Line { snapshot: self, milliseconds }
    }
}

struct Line<'a> {
    snapshot: &'a Snapshot,
    milliseconds: u64,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Snapshot { processors, idle, searching, machines, sleeping, global, .. } = self.snapshot;
        write!(
            f,
            "SCHED {}ms: gomaxprocs={} idleprocs={idle} threads={machines} \
             spinningthreads={searching} needspinning=0 idlethreads={sleeping} runqueue={global} [",
            self.milliseconds,
            processors.len(),
        )?;
        for processor in processors {
            write!(f, " {}", processor.queued)?;
        }
        f.write_str(" ] schedticks=[")?;
        for processor in processors {
            write!(f, " {}", processor.slices)?;
        }
        f.write_str(" ]")
    }
}
