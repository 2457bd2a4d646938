//! Large runs: a thread for each machine, in the real loop.

use gosched::memory::{Atomic, Lock, Ordering};
use gosched::{Batch, StartMachine};

use super::MustShow;
use super::host::{Begun, CAP, PACE, Task, TraceHost, Traced, TracedMachine, begin, check, run};
use crate::claim::{Model, Outcome, Witness};
use crate::specification::catalogue::On;
use crate::world::World;

/// A program in as many threads as there are machines.
pub(super) struct Large {
    pub(super) program: On,
    pub(super) must_show: MustShow,
}

impl Model for Large {
    fn run<W: World>(&self) -> Outcome {
        let Begun { scheduler, running, injected } = begin::<W>(self.program, true, start_thread);
        let machines: Vec<_> = running
            .into_iter()
            .map(|(machine, task)| W::spawn(move || turn(machine, Some(task))))
            .collect();
        let monitor = scheduler.host().model.program.monitor.then(|| {
            let scheduler = scheduler.clone();
            W::spawn(move || watch(&scheduler))
        });
        if !injected.is_empty() {
            let mut batch = Batch::with_memory_and_capacity(injected.len());
            injected.into_iter().for_each(|task| batch.push(task));
            assert!(scheduler.inject_batch(batch).is_ok(), "it is open");
        }
        // ORDER: Acquire: pairs with the Release of the last task.
        while scheduler.host().left.load(Ordering::Acquire) > 0 {
            W::yield_now();
        }
        if let Some(monitor) = monitor {
            W::join(monitor);
        }
        // What comes after everything is at rest is no part of the program.
        loop {
            let now = scheduler.snapshot();
            if now.sleeping == now.machines {
                break;
            }
            W::yield_now();
        }
        let left = scheduler.shutdown().expect("it was not shut down before");
        assert_eq!(left.len(), 0, "tasks are left");
        machines.into_iter().for_each(W::join);
        loop {
            let threads = scheduler.host().threads.with(core::mem::take);
            if threads.is_empty() {
                break;
            }
            threads.into_iter().for_each(W::join);
        }
        check(&scheduler)
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.must_show.into()
    }
}

fn start_thread<W: World>(host: &TraceHost<W>, start: StartMachine<TraceHost<W>, CAP>) {
    let thread = W::spawn(move || turn(start.begin(), None));
    host.threads.with(|threads| threads.push(thread));
}

/// The machine's loop.
fn turn<W: World>(mut machine: TracedMachine<W>, first: Option<Task>) {
    if let Some(task) = first {
        run(&mut machine, task);
    }
    while let Some(task) = machine.next() {
        run(&mut machine, task);
    }
}

/// A monitor with a clock of its own, as long as tasks are left.
fn watch<W: World>(scheduler: &Traced<W>) {
    let mut monitor = scheduler.monitor_with(PACE);
    let mut now = 0;
    // ORDER: Relaxed: it ends a moment later otherwise.
    while scheduler.host().left.load(Ordering::Relaxed) > 0 {
        now += 10;
        let _ = monitor.step(now);
        W::yield_now();
    }
}
