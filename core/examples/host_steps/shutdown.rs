//! Step 7: the report that everybody waits for ever, and the end.

use std::sync::{Mutex, mpsc};
use std::thread;

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine};

/// Why a task has stopped.
enum Outcome {
    Done,
    /// Until somebody wakes it. In this program nobody does.
    Wait,
}

type Run = Box<dyn FnMut(&mut Machine<Threads>) -> Outcome + Send>;

struct Body(Run);

type Task = Box<Body>;

fn task(run: impl FnMut(&mut Machine<Threads>) -> Outcome + Send + 'static) -> Task {
    Box::new(Body(Box::new(run)))
}

struct Threads {
    waiting: Mutex<Vec<Task>>,
    deadlocks: mpsc::Sender<()>,
}

fn run(machine: &mut Machine<Threads>, mut task: Task) {
    if let Outcome::Wait = (task.0)(machine) {
        let scheduler = machine.scheduler().clone();
        let parked = machine.park(task, |task| {
            scheduler.host().waiting.lock().expect("nobody panics").push(task);
            Ok(())
        });
        assert!(parked.is_ok(), "the commit took it");
    }
}

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

    // ANCHOR: report
    fn all_asleep(&self) {
        // Nobody listens any more when the program ends.
        let _ = self.deadlocks.send(());
    }
    // ANCHOR_END: report
}

pub(crate) fn main() {
    let (deadlocks, reports) = mpsc::channel();
    let host = Threads { waiting: Mutex::default(), deadlocks };
    let scheduler = Scheduler::<_>::new(host, Config::new(1)).expect("one processor");

    // ANCHOR: deadlock
    let outside = scheduler.outside();
    for _ in 0..3 {
        scheduler.inject(task(|_| Outcome::Wait)).expect("it is open");
    }
    assert!(reports.try_recv().is_err(), "this thread may still submit");
    drop(outside);
    reports.recv().expect("the host is told");
    let waiting = scheduler.host().waiting.lock().expect("nobody panics").len();
    assert_eq!(waiting, 3);
    // ANCHOR_END: deadlock

    // ANCHOR: shutdown
    let (says, left) = mpsc::channel();
    let last = task(move |machine| {
        for _ in 0..3 {
            machine.submit(task(|_| unreachable!("it never runs"))).expect("it has a processor");
        }
        says.send(machine.shutdown().expect("it was open")).expect("main listens");
        Outcome::Done
    });
    scheduler.inject(last).expect("it is open");
    let left = left.recv().expect("the task ends");
    assert_eq!(left.len(), 3);
    assert!(scheduler.inject(task(|_| Outcome::Done)).is_err(), "the task comes back");
    // ANCHOR_END: shutdown
}
