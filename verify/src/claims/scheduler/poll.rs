//! Timers and the poller: no deadline is slept through.

use gosched::{Batch, Deadline, Step};

use super::host::{Bench, SMALL, Setup};
use crate::claim::{Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![Claim {
        name: "scheduler::no_deadline_is_slept_through",
        sentence: "When a timer is set while a machine begins to poll, the machine polls until \
                   then or is called back; and when a poller leaves while a machine goes idle, one \
                   of them watches the timers.",
        cases: vec![
            Case::new("set_or_poll", "1 machine, 1 timer", SMALL, SetOrPoll),
            Case::new("leave_or_drop", "2 machines, 1 timer", SMALL, LeaveOrDrop),
        ],
        properties: vec![],
    }]
}

/// A timer is set while the machine goes idle and begins to poll.
struct SetOrPoll;

impl Model for SetOrPoll {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.timer = true;
        let bench = Bench::<W>::new(setup);
        let mut machine = bench.machine();
        let setter = W::spawn({
            let bench = bench.clone();
            move || {
                bench.task(1);
                bench.set_timer(100);
            }
        });
        let step = machine.step();
        W::join(setter);
        let Step::Poll(until) = step else { panic!("nobody else polls: {step:?}") };
        let knows = until == Deadline::At(100);
        assert!(knows || bench.poll_is_broken(), "it polls {until:?}, and the timer is due at 100");
        bench.end([machine]);
        format!("{knows}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "it knows", seen_in: |outcome| outcome == "true" },
            Witness { name: "it is called back", seen_in: |outcome| outcome == "false" },
        ]
    }
}

/// A poller comes back with nothing and finds no processor, while the one that has it goes idle:
/// the schedule of H2. The timer is not due yet.
struct LeaveOrDrop;

impl Model for LeaveOrDrop {
    fn run<W: World>(&self) -> Outcome {
        let mut setup = Setup::new(1, 1);
        setup.timer = true;
        let bench = Bench::<W>::new(setup);
        let mut poller = bench.machine();
        let Step::Poll(_) = poller.step() else { panic!("nobody else polls") };
        let mut idle = bench.machine();
        bench.task(1);
        bench.set_timer(100);
        let leaver = W::spawn(move || {
            poller.polled(Batch::with_memory());
            let polls = matches!(poller.step(), Step::Poll(_));
            (poller, polls)
        });
        let mine = matches!(idle.step(), Step::Poll(_));
        let (poller, theirs) = W::join(leaver);
        // A machine that was asked for looks and polls, too.
        let asked = !bench.asked().is_empty();
        assert!(mine || theirs || asked, "nobody watches the timer");
        bench.end([poller, idle]);
        format!("{mine} {theirs}")
    }
}
