//! Step 8: what the scheduler does, told by its events and its snapshot.

use std::sync::Mutex;

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Event, Host, Machine, Observer, Place, Scheduler, StartMachine, Step};

// ANCHOR: observer
/// Writes every event down.
#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl Observer for Log {
    fn observe(&self, _machine: Option<usize>, event: Event) {
        self.0.lock().expect("nobody panics").push(event);
    }
}

impl Log {
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }
}
// ANCHOR_END: observer

#[derive(Default)]
struct Watched {
    log: Log,
}

type Task = Box<Box<dyn FnOnce(&mut Machine<Watched>) + Send>>;

impl Host for Watched {
    type Task = Task;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = Log;

    fn observer(&self) -> &Log {
        &self.log
    }

    fn start_machine(&self, start: StartMachine<Self>) {
        drop(start);
    }
}

pub(crate) fn main() {
    let scheduler = Scheduler::<_>::new(Watched::default(), Config::new(1)).expect("one processor");
    let log = &scheduler.host().log;
    let mut machine = scheduler.machine().expect("the first machine");
    // ANCHOR: submit
    assert_eq!(log.take(), [Event::Began { processor: 0, searching: false }]);
    machine.submit(Box::new(Box::new(|_| {}))).expect("the machine has a processor");
    let submitted = Event::Submitted { place: Place::Ring, count: 1 };
    assert_eq!(log.take(), [submitted, Event::NotWoke]);
    // ANCHOR_END: submit

    // ANCHOR: snapshot
    let snapshot = scheduler.snapshot();
    assert_eq!(snapshot.processors[0].queued, 1);
    assert_eq!(
        snapshot.schedtrace(5).to_string(),
        "SCHED 5ms: gomaxprocs=1 idleprocs=0 threads=1 spinningthreads=0 needspinning=0 \
         idlethreads=0 runqueue=0 [ 1 ] schedticks=[ 0 ]"
    );
    // ANCHOR_END: snapshot

    // ANCHOR: sleep
    let Step::Run(task) = machine.step() else { unreachable!("there is a task") };
    task(&mut machine);
    assert_eq!(log.take(), [Event::Popped { inherited: false }]);
    assert!(matches!(machine.step(), Step::Sleep));
    let went_to_sleep = [
        Event::PutDown { processor: 0, look: true }, // D1, D2
        Event::Looked { found: false },              // D4
        Event::Parked,                               // D6
    ];
    assert_eq!(log.take(), went_to_sleep);
    // ANCHOR_END: sleep
}
