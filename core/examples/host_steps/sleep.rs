//! Step 6: tasks that sleep: timers, and a poller that waits for the earliest.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Batch, Config, Deadline, Host, Machine, NoObserver, Scheduler, StartMachine};

/// Why a task has stopped.
enum Outcome {
    Done,
    /// Until this time, on the host's clock.
    SleepUntil(u64),
}

type Run = Box<dyn FnMut(&mut Machine<Clock>) -> Outcome + Send>;

struct Body(Run);

type Task = Box<Body>;

// ANCHOR: timers
/// A host with a clock, and tasks that sleep.
struct Clock {
    start: Instant,
    sleepers: Mutex<Sleepers>,
    changed: Condvar,
}

#[derive(Default)]
struct Sleepers {
    /// By deadline; the number tells those of one deadline apart.
    by_deadline: BTreeMap<(u64, usize), Task>,
    count: usize,
    /// Whether the poll that waits must return.
    broken: bool,
}

impl Clock {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().expect("nobody panics")
    }

    fn add(&self, deadline: u64, task: Task) {
        let mut sleepers = self.sleepers();
        sleepers.count += 1;
        let number = sleepers.count;
        sleepers.by_deadline.insert((deadline, number), task);
    }
}

impl Sleepers {
    fn earliest(&self) -> Option<u64> {
        self.by_deadline.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Moves the tasks that are due behind those in `ready`.
    fn take_due(&mut self, now: u64, ready: &mut Batch<Task>) {
        while self.earliest().is_some_and(|deadline| deadline <= now) {
            ready.extend(self.by_deadline.pop_first().map(|(_, task)| task));
        }
    }
}
// ANCHOR_END: timers

// ANCHOR: run
/// Runs a task until it stops, and does what it asks for.
fn run(machine: &mut Machine<Clock>, mut task: Task) {
    if let Outcome::SleepUntil(deadline) = (task.0)(machine) {
        let scheduler = machine.scheduler().clone();
        let parked = machine.park(task, |task| {
            scheduler.host().add(deadline, task);
            Ok(())
        });
        assert!(parked.is_ok(), "the commit took it");
        scheduler.timer_added(deadline);
    }
}
// ANCHOR_END: run

impl Host for Clock {
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

    // ANCHOR: host
    fn has_poller(&self) -> bool {
        self.next_deadline().is_some()
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn next_deadline(&self) -> Option<u64> {
        self.sleepers().earliest()
    }

    fn has_due(&self, _processor: usize) -> bool {
        self.next_deadline().is_some_and(|deadline| deadline <= self.now())
    }

    fn take_due(&self, _processor: usize, ready: &mut Batch<Task>) {
        self.sleepers().take_due(self.now(), ready);
    }
    // ANCHOR_END: host

    // ANCHOR: poll
    fn poll(&self, wait: Option<Deadline>, ready: &mut Batch<Task>) {
        let mut sleepers = self.sleepers();
        if let Some(Deadline::At(deadline)) = wait {
            let for_at_most = Duration::from_nanos(deadline.saturating_sub(self.now()));
            let goes_on = |sleepers: &mut Sleepers| !sleepers.broken;
            let waited = self.changed.wait_timeout_while(sleepers, for_at_most, goes_on);
            sleepers = waited.expect("nobody panics").0;
            sleepers.broken = false;
        }
        sleepers.take_due(self.now(), ready);
    }

    fn break_poll(&self) {
        self.sleepers().broken = true;
        self.changed.notify_all();
    }
    // ANCHOR_END: poll
}

pub(crate) fn main() {
    let host = Clock { start: Instant::now(), sleepers: Mutex::default(), changed: Condvar::new() };
    let scheduler = Scheduler::<_>::new(host, Config::new(1)).expect("one processor");
    // ANCHOR: main
    let (says, said) = mpsc::channel();
    let nap = Duration::from_millis(100).as_nanos() as u64;
    let (sleepers, begin) = (50, Instant::now());
    for _ in 0..sleepers {
        let (says, mut wakes) = (says.clone(), None);
        let sleeper = Body(Box::new(move |machine| {
            let now = machine.scheduler().host().now();
            if let Some(wakes) = wakes {
                says.send(now >= wakes).expect("main listens");
                return Outcome::Done;
            }
            wakes = Some(now + nap);
            Outcome::SleepUntil(now + nap)
        }));
        scheduler.inject(Box::new(sleeper)).expect("it is open");
    }
    assert!(said.iter().take(sleepers).all(|in_time| in_time), "nobody wakes early");
    // On one processor, fifty sleep at once: it takes far less than fifty naps.
    assert!(begin.elapsed() < Duration::from_nanos(nap) * sleepers as u32);
    // ANCHOR_END: main
    let left = scheduler.shutdown().expect("it was open");
    assert_eq!(left.len(), 0);
}
