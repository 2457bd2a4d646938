//! Step 2: the host starts a thread when it is asked for a machine.

use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine};

type Task = Box<Box<dyn FnOnce(&mut Machine<Threads>) + Send>>;

// ANCHOR: host
/// A host that starts threads, and keeps them to wait for their end.
#[derive(Default)]
struct Threads {
    started: Mutex<Vec<JoinHandle<()>>>,
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
        let name = format!("machine {}", start.id());
        // Without a thread the closure is dropped, and with it `start`: a refusal.
        let thread = thread::Builder::new().name(name).spawn(move || {
            let mut machine = start.begin();
            while let Some(task) = machine.next() {
                task(&mut machine);
            }
        });
        self.started.lock().expect("nobody panics").extend(thread);
    }
}
// ANCHOR_END: host

pub(crate) fn main() {
    // ANCHOR: inject
    let scheduler = Scheduler::<_>::new(Threads::default(), Config::new(2)).expect("it is right");
    let (says, said) = mpsc::channel();
    for number in 1..=100 {
        let says = says.clone();
        let task: Task = Box::new(Box::new(move |_| says.send(number).expect("main listens")));
        scheduler.inject(task).expect("it is open");
    }
    let sum: u32 = said.iter().take(100).sum();
    assert_eq!(sum, 5050);
    // ANCHOR_END: inject

    // ANCHOR: shutdown
    let left = scheduler.shutdown().expect("it was open");
    assert_eq!(left.len(), 0);
    let threads = std::mem::take(&mut *scheduler.host().started.lock().expect("nobody panics"));
    assert!(!threads.is_empty());
    for thread in threads {
        thread.join().expect("no machine panics");
    }
    // ANCHOR_END: shutdown
}
