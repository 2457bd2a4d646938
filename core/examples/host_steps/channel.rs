//! Step 4: tasks that wait, and are made ready again: a channel.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine, TaskState};

// ANCHOR: task
/// Why a task has stopped.
enum Outcome {
    Done,
    Again,
    /// Until there is a message.
    Wait(Arc<Channel>),
}

type Run = Box<dyn FnMut(&mut Machine<Threads>) -> Outcome + Send>;

struct Body {
    state: TaskState,
    run: Run,
}

type Task = Box<Body>;

fn task(run: impl FnMut(&mut Machine<Threads>) -> Outcome + Send + 'static) -> Task {
    Box::new(Body { state: TaskState::new(), run: Box::new(run) })
}
// ANCHOR_END: task

// ANCHOR: channel
/// Messages, and the tasks that wait for one.
#[derive(Default)]
struct Channel {
    inside: Mutex<(VecDeque<u64>, Vec<Task>)>,
}

impl Channel {
    fn send(&self, message: u64, machine: &mut Machine<Threads>) {
        let mut inside = self.inside.lock().expect("nobody panics");
        inside.0.push_back(message);
        let waiter = inside.1.pop();
        drop(inside);
        if let Some(task) = waiter {
            machine.ready(task).expect("it waits");
        }
    }

    fn receive(&self) -> Option<u64> {
        self.inside.lock().expect("nobody panics").0.pop_front()
    }

    /// The commit of a task that has stopped: among those that wait, unless a message has come.
    fn wait(&self, task: Task) -> Result<(), Task> {
        let mut inside = self.inside.lock().expect("nobody panics");
        if inside.0.is_empty() {
            inside.1.push(task);
            Ok(())
        } else {
            Err(task)
        }
    }
}
// ANCHOR_END: channel

// ANCHOR: run
/// Runs a task until it stops, and does what it asks for.
fn run(machine: &mut Machine<Threads>, mut task: Task) {
    loop {
        match (task.run)(machine) {
            Outcome::Done => return task.state.end(),
            Outcome::Again => {
                return machine.yield_now(task).expect("the machine has a processor");
            }
            Outcome::Wait(channel) => match machine.park(task, |task| channel.wait(task)) {
                Ok(()) => return,
                Err(back) => task = back,
            },
        }
    }
}
// ANCHOR_END: run

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

    // ANCHOR: state
    fn state<'a>(&'a self, task: &'a Task) -> Option<&'a TaskState> {
        Some(&task.state)
    }
    // ANCHOR_END: state
}

const LAST: u64 = 1000;

/// Sends 1 to `LAST`, and lets others run after each.
fn producer(channel: Arc<Channel>) -> Task {
    let mut sent = 0;
    task(move |machine| {
        sent += 1;
        channel.send(sent, machine);
        if sent == LAST { Outcome::Done } else { Outcome::Again }
    })
}

// ANCHOR: consumer
/// Adds up what it receives.
fn consumer(channel: Arc<Channel>, says: mpsc::Sender<u64>) -> Task {
    let mut sum = 0;
    task(move |_| {
        while let Some(message) = channel.receive() {
            sum += message;
            if message == LAST {
                says.send(sum).expect("main listens");
                return Outcome::Done;
            }
        }
        Outcome::Wait(Arc::clone(&channel))
    })
}
// ANCHOR_END: consumer

pub(crate) fn main() {
    let scheduler = Scheduler::<_>::new(Threads, Config::new(2)).expect("two processors");
    let channel = Arc::<Channel>::default();
    let (says, said) = mpsc::channel();
    scheduler.inject(consumer(Arc::clone(&channel), says)).expect("it is open");
    scheduler.inject(producer(channel)).expect("it is open");
    assert_eq!(said.recv(), Ok(LAST * (LAST + 1) / 2));
    let left = scheduler.shutdown().expect("it was open");
    assert_eq!(left.len(), 0);
}
