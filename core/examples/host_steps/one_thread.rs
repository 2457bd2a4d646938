//! Step 1: tasks and one machine, on one thread that asks for every step.

use std::sync::mpsc;

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine, Step};

// ANCHOR: task
/// A task: a closure that is given the machine it runs on. Boxed twice, to be one word.
type Task = Box<Box<dyn FnOnce(&mut Machine<Alone>) + Send>>;

fn task(run: impl FnOnce(&mut Machine<Alone>) + Send + 'static) -> Task {
    Box::new(Box::new(run))
}
// ANCHOR_END: task

// ANCHOR: host
/// A host that has one thread and no more.
struct Alone;

impl Host for Alone {
    type Task = Task;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = NoObserver;

    fn observer(&self) -> &NoObserver {
        &NoObserver
    }

    fn start_machine(&self, start: StartMachine<Self>) {
        drop(start); // A refusal.
    }
}
// ANCHOR_END: host

pub(crate) fn main() {
    // ANCHOR: submit
    let scheduler = Scheduler::<_>::new(Alone, Config::new(1)).expect("one processor");
    let mut machine = scheduler.machine().expect("the first machine");
    let (says, said) = mpsc::channel();
    for parent in ["a", "b"] {
        let says = says.clone();
        let parent = task(move |machine| {
            says.send(parent).expect("somebody listens");
            let child = task(move |_| says.send("child").expect("somebody listens"));
            machine.spawn(child).expect("the machine has a processor");
        });
        machine.submit(parent).expect("the machine has a processor");
    }
    // ANCHOR_END: submit

    // ANCHOR: loop
    loop {
        match machine.step() {
            Step::Run(task) => task(&mut machine),
            Step::Sleep => break,
            Step::Poll(_) | Step::Exit => unreachable!("no poller, and no shutdown"),
        }
    }
    let said: Vec<_> = said.try_iter().collect();
    assert_eq!(said, ["a", "child", "b", "child"]);
    // ANCHOR_END: loop
}
