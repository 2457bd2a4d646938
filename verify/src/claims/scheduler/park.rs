//! Parking a task and making it ready: no wake is lost, and none comes twice.

use gosched::memory::{Lock, Shared};
use gosched::scheduler::ReadyError;

use super::host::{Bench, SMALL, Setup, Task};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::a_wake_is_not_lost",
        sentence: "A task that parks until something comes is run after it has come, whether it \
                   came before, while or after the task parked; and of two who make it ready, one \
                   succeeds.",
        cases: vec![
            Case::new("park_or_ready", "2 machines, 1 task", SMALL, ParkOrReady),
            Case::new("ready_or_ready", "2 wakers, 1 task", SMALL, ReadyOrReady),
        ],
        properties: vec![],
    }]
}

/// What the task waits for, and the task while it waits.
#[derive(Default)]
struct Channel {
    sent: bool,
    waits: Option<Task>,
}

/// The task parks until a message comes, which another machine sends.
struct ParkOrReady;

impl Model for ParkOrReady {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(2, 1);
        setup.states = true;
        let bench = Bench::<W>::new(setup);
        let channel = W::Arc::new(W::Mutex::new(Channel::default()));
        let (mut parker, mut sender) = (bench.machine(), bench.machine());
        parker.spawn(bench.task(1)).expect("it is open");
        let gosched::Step::Run(task) = parker.step() else { panic!("the task is there") };
        let send = W::spawn({
            let channel = channel.clone();
            move || {
                let waits = channel.with(|channel| {
                    channel.sent = true;
                    channel.waits.take()
                });
                let woke = waits.is_some();
                if let Some(task) = waits {
                    sender.ready(task).expect("it waits");
                }
                (sender, woke)
            }
        });
        let parked = parker.park(task, |task| {
            channel.with(|channel| {
                if channel.sent {
                    return Err(task);
                }
                channel.waits = Some(task);
                Ok(())
            })
        });
        if let Err(task) = parked {
            bench.tasks.run(task.get());
        }
        let (mut sender, woke) = W::join(send);
        assert_eq!(woke, parked.is_ok(), "it waits, and nobody woke it, or the reverse");
        let ran = bench.settle([&mut parker, &mut sender]);
        assert_eq!(ran.len(), usize::from(woke), "the wake is lost");
        format!("{woke}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "it parked", seen_in: |outcome| outcome == "true" },
            Witness { name: "the message came first", seen_in: |outcome| outcome == "false" },
        ]
    }
}

/// Two who both know a task make it ready.
struct ReadyOrReady;

impl Model for ReadyOrReady {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.states = true;
        let bench = Bench::<W>::new(setup);
        let mut machine = bench.machine();
        machine.spawn(bench.task(1)).expect("it is open");
        let gosched::Step::Run(task) = machine.step() else { panic!("the task is there") };
        // A number can be given to two; what the types forbid, the status must.
        machine.park(task, |_| Ok(())).expect("the commit took it");
        let other = W::spawn({
            let bench = bench.clone();
            move || bench.scheduler.ready(task).is_ok()
        });
        let mine = match machine.ready(task) {
            Ok(()) => true,
            Err(ReadyError::NotWaiting { .. }) => false,
            Err(error) => panic!("{error}"),
        };
        let theirs = W::join(other);
        assert!(mine != theirs, "both have made it ready, or neither");
        assert_eq!(bench.settle([&mut machine]), [1], "it is run once");
        format!("{mine}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the one", seen_in: |outcome| outcome == "true" },
            Witness { name: "the other", seen_in: |outcome| outcome == "false" },
        ]
    }
}
