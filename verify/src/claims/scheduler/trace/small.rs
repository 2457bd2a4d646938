//! Small runs: a thread for each task that runs at first, and one outside.
//!
//! If several machines run, the first runs its task and then waits until the others are done: that
//! its search for the next task meets theirs, too, is left to the larger runs.

use gosched::memory::Lock;
use gosched::{Batch, StartMachine, Step};

use super::MustShow;
use super::host::{Begun, PACE, TraceHost, Traced, TracedMachine, begin, check, run};
use crate::claim::{Model, Outcome, Witness};
use crate::specification::catalogue::On;
use crate::world::World;

/// A program in a few threads.
pub(super) struct Small {
    pub(super) program: On,
    pub(super) must_show: MustShow,
}

impl Model for Small {
    fn run<W: World>(&self) -> Outcome {
        let Begun { scheduler, mut running, injected } =
            begin::<W>(self.program, false, TraceHost::keep);
        let first = running.remove(0);
        let alone = running.is_empty();
        let others: Vec<_> = running
            .into_iter()
            .map(|(mut machine, task)| {
                W::spawn(move || {
                    run(&mut machine, task);
                    let _ = run_until_asleep(&mut machine);
                    machine
                })
            })
            .collect();
        let outside = (!injected.is_empty() || scheduler.host().model.program.monitor).then(|| {
            let scheduler = scheduler.clone();
            W::spawn(move || from_outside(&scheduler, injected))
        });
        let (mut machine, task) = first;
        run(&mut machine, task);
        if alone {
            let _ = run_until_asleep(&mut machine);
        }
        let mut machines = vec![machine];
        for other in others {
            machines.push(W::join(other));
        }
        if let Some(outside) = outside {
            W::join(outside);
        }
        settle(&scheduler, &mut machines);
        let outcome = check(&scheduler);
        drop(machines);
        drop(scheduler.host().asked.with(core::mem::take));
        outcome
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.must_show.into()
    }
}

/// Pushes the tasks; or is a monitor that looks twice.
fn from_outside<W: World>(scheduler: &Traced<W>, injected: Vec<super::host::Task>) {
    if injected.is_empty() {
        let mut monitor = scheduler.monitor_with(PACE);
        for now in [10, 20] {
            let _ = monitor.step(now);
        }
        return;
    }
    let mut batch = Batch::with_memory_and_capacity(injected.len());
    injected.into_iter().for_each(|task| batch.push(task));
    assert!(scheduler.inject_batch(batch).is_ok(), "it is open");
}

fn run_until_asleep<W: World>(machine: &mut TracedMachine<W>) -> bool {
    let mut ran = false;
    while let Step::Run(task) = machine.step() {
        run(machine, task);
        ran = true;
    }
    ran
}

fn begin_asked<W: World>(scheduler: &Traced<W>) -> Vec<TracedMachine<W>> {
    let asked = scheduler.host().asked.with(core::mem::take);
    let mut machines: Vec<_> = asked.into_iter().map(StartMachine::begin).collect();
    for machine in &mut machines {
        let _ = run_until_asleep(machine);
    }
    machines
}

/// Takes steps on all machines, those that are asked for included, until all sleep.
fn settle<W: World>(scheduler: &Traced<W>, machines: &mut Vec<TracedMachine<W>>) {
    loop {
        let begun = begin_asked(scheduler);
        let mut quiet = begun.is_empty();
        machines.extend(begun);
        for machine in machines.iter_mut() {
            quiet &= !run_until_asleep(machine);
        }
        if quiet && scheduler.host().asked.with(|asked| asked.is_empty()) {
            return;
        }
    }
}
