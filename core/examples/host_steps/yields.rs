//! Step 3: tasks that stop in the middle, to let others run.

use std::sync::mpsc;
use std::thread;

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine};

// ANCHOR: task
/// Why a task has stopped.
enum Outcome {
    Done,
    Again,
}

type Run = Box<dyn FnMut(&mut Machine<Threads>) -> Outcome + Send>;

/// A task: a function that is called until it is done.
struct Body(Run);

type Task = Box<Body>;

fn task(run: impl FnMut(&mut Machine<Threads>) -> Outcome + Send + 'static) -> Task {
    Box::new(Body(Box::new(run)))
}

/// Runs a task until it stops, and does what it asks for.
fn run(machine: &mut Machine<Threads>, mut task: Task) {
    match (task.0)(machine) {
        Outcome::Done => {}
        Outcome::Again => machine.yield_now(task).expect("the machine has a processor"),
    }
}
// ANCHOR_END: task

struct Threads;

impl Host for Threads {
    type Task = Task;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = NoObserver;

    fn observer(&self) -> &NoObserver {
        &NoObserver
    }

    fn start_machine(&self, start: StartMachine<Self>) {
        let _ = thread::Builder::new().spawn(move || {
            let mut machine = start.begin();
            while let Some(task) = machine.next() {
                run(&mut machine, task);
            }
        });
    }
}

pub(crate) fn main() {
    // ANCHOR: main
    let scheduler = Scheduler::<_>::new(Threads, Config::new(1)).expect("one processor");
    let (says, said) = mpsc::channel();
    let count_to_three = |name: char| {
        let (says, mut count) = (says.clone(), 0);
        task(move |_| {
            count += 1;
            says.send(format!("{name}{count}")).expect("main listens");
            if count == 3 { Outcome::Done } else { Outcome::Again }
        })
    };
    let both = ['a', 'b'].map(count_to_three).into_iter().collect();
    scheduler.inject_batch(both).expect("it is open");
    let said: Vec<_> = said.iter().take(6).collect();
    assert_eq!(said, ["a1", "b1", "a2", "b2", "a3", "b3"]);
    // ANCHOR_END: main
    let left = scheduler.shutdown().expect("it was open");
    assert_eq!(left.len(), 0);
}
