//! A host that does nothing by itself. A machine that it is asked for is kept until the test begins
//! it, or refused; the clock, the poller and the timers are what the test says they are; and every
//! event is written down.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use gosched::memory::{Hardware, HardwareParker};
use gosched::{
    Batch, Config, Deadline, Event, Host, Machine, Observer, Scheduler, StartMachine, Step,
    TaskState,
};

/// The capacity of the rings in these tests.
pub(crate) const CAP: usize = 4;

pub(crate) type Tested = Scheduler<Desk, CAP>;
pub(crate) type Worker = Machine<Desk, CAP>;
pub(crate) type Job = Arc<Body>;

/// A task.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) id: usize,
    pub(crate) state: Option<TaskState>,
    /// The machine it is locked to; `usize::MAX` for none.
    pub(crate) locked_to: AtomicUsize,
}

pub(crate) fn job(id: usize) -> Job {
    Arc::new(Body { id, state: None, locked_to: AtomicUsize::new(usize::MAX) })
}

/// A task that carries a status.
pub(crate) fn job_with_state(id: usize) -> Job {
    Arc::new(Body { id, state: Some(TaskState::new()), locked_to: AtomicUsize::new(usize::MAX) })
}

/// What the host does when it is asked for a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Keep,
    Refuse,
    Panic,
}

type Hook = Box<dyn FnOnce() + Send>;

/// The host, and its own observer.
pub(crate) struct Desk {
    pub(crate) log: Log,
    asked: Mutex<VecDeque<StartMachine<Desk, CAP>>>,
    answer: Mutex<Answer>,
    pub(crate) all_asleep: AtomicUsize,
    pub(crate) now: AtomicU64,
    pub(crate) has_poller: AtomicBool,
    /// What the next poll brings.
    pub(crate) incoming: Mutex<Vec<Job>>,
    /// Whether the next poll panics, after it has taken nothing.
    pub(crate) poll_panics: AtomicBool,
    pub(crate) breaks: AtomicUsize,
    /// Processor, time, task.
    pub(crate) timers: Mutex<Vec<(usize, u64, Job)>>,
    /// Run once, in the next back-off.
    pub(crate) on_back_off: Mutex<Option<Hook>>,
    pub(crate) back_offs: AtomicUsize,
    /// Run once, after the next question for the earliest deadline.
    pub(crate) on_deadline: Mutex<Option<Hook>>,
    pub(crate) resized: Mutex<Vec<(usize, usize)>>,
}

/// Every event, and who did it; does at one event, once, what the test told it to.
#[derive(Default)]
pub(crate) struct Log {
    events: Mutex<Vec<(Option<usize>, Event)>>,
    hook: Mutex<Option<(Event, Hook)>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Observer for Log {
    fn observe(&self, machine: Option<usize>, event: Event) {
        lock(&self.events).push((machine, event));
        let hook = lock(&self.hook).take_if(|(at, _)| *at == event);
        if let Some((_, hook)) = hook {
            hook();
        }
    }
}

impl Log {
    /// The events since the last call.
    pub(crate) fn take(&self) -> Vec<Event> {
        self.take_with_machines().into_iter().map(|(_, event)| event).collect()
    }

    pub(crate) fn take_with_machines(&self) -> Vec<(Option<usize>, Event)> {
        std::mem::take(&mut *lock(&self.events))
    }

    /// Does this at the next `event`.
    pub(crate) fn at(&self, event: Event, hook: impl FnOnce() + Send + 'static) {
        *lock(&self.hook) = Some((event, Box::new(hook)));
    }

    /// Panics if the event that [`at`](Log::at) waits for has not come.
    pub(crate) fn assert_came(&self) {
        assert!(lock(&self.hook).is_none(), "the event has not come");
    }
}

impl Host<CAP> for Desk {
    type Task = Job;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = Log;

    fn observer(&self) -> &Log {
        &self.log
    }

    fn start_machine(&self, start: StartMachine<Self, CAP>) {
        let answer = *lock(&self.answer);
        match answer {
            Answer::Keep => lock(&self.asked).push_back(start),
            Answer::Refuse => drop(start),
            Answer::Panic => panic!("the host was told to panic"),
        }
    }

    fn back_off(&self) {
        self.back_offs.fetch_add(1, Ordering::Relaxed);
        let hook = lock(&self.on_back_off).take();
        if let Some(hook) = hook {
            hook();
        }
    }

    fn has_poller(&self) -> bool {
        self.has_poller.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    fn poll(&self, _wait: Option<Deadline>, ready: &mut Batch<Job>) {
        assert!(!self.poll_panics.swap(false, Ordering::Relaxed), "the poll was told to panic");
        ready.extend(lock(&self.incoming).drain(..));
    }

    fn break_poll(&self) {
        self.breaks.fetch_add(1, Ordering::Relaxed);
    }

    fn take_due(&self, processor: usize, ready: &mut Batch<Job>) {
        let now = self.now();
        let mut timers = lock(&self.timers);
        while let Some(at) =
            timers.iter().position(|(of, when, _)| *of == processor && *when <= now)
        {
            ready.push(timers.remove(at).2);
        }
    }

    fn has_due(&self, processor: usize) -> bool {
        lock(&self.timers).iter().any(|(of, when, _)| *of == processor && *when <= self.now())
    }

    fn next_deadline(&self) -> Option<u64> {
        let earliest = lock(&self.timers).iter().map(|(_, when, _)| *when).min();
        let hook = lock(&self.on_deadline).take();
        if let Some(hook) = hook {
            hook();
        }
        earliest
    }

    fn resized(&self, from: usize, to: usize) {
        lock(&self.resized).push((from, to));
    }

    fn state<'a>(&self, task: &'a Job) -> Option<&'a TaskState> {
        task.state.as_ref()
    }

    fn locked_to(&self, task: &Job) -> Option<usize> {
        let id = task.locked_to.load(Ordering::Relaxed);
        (id != usize::MAX).then_some(id)
    }

    fn all_asleep(&self) {
        self.all_asleep.fetch_add(1, Ordering::Relaxed);
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            log: Log::default(),
            asked: Mutex::default(),
            answer: Mutex::new(Answer::Keep),
            all_asleep: AtomicUsize::new(0),
            now: AtomicU64::new(0),
            has_poller: AtomicBool::new(false),
            incoming: Mutex::default(),
            poll_panics: AtomicBool::new(false),
            breaks: AtomicUsize::new(0),
            timers: Mutex::default(),
            on_back_off: Mutex::new(None),
            back_offs: AtomicUsize::new(0),
            on_deadline: Mutex::new(None),
            resized: Mutex::default(),
        }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *lock(&self.answer) = answer;
    }

    /// How many machines were asked for and neither begun nor refused.
    pub(crate) fn asked(&self) -> usize {
        lock(&self.asked).len()
    }

    /// Takes the request that came first.
    pub(crate) fn request(&self) -> StartMachine<Desk, CAP> {
        lock(&self.asked).pop_front().expect("a machine was asked for")
    }

    /// Begins the machine that was asked for first.
    pub(crate) fn begin(&self) -> Worker {
        self.request().begin()
    }

    pub(crate) fn told_asleep(&self) -> usize {
        self.all_asleep.load(Ordering::Relaxed)
    }

    pub(crate) fn set_now(&self, now: u64) {
        self.now.store(now, Ordering::Relaxed);
    }

    pub(crate) fn add_timer(&self, processor: usize, when: u64, task: Job) {
        self.has_poller.store(true, Ordering::Relaxed);
        lock(&self.timers).push((processor, when, task));
    }
}

/// A scheduler with Go's numbers.
pub(crate) fn scheduler(processors: usize) -> Tested {
    with(Config::new(processors))
}

pub(crate) fn with(config: Config) -> Tested {
    Scheduler::new(Desk::new(), config).expect("the numbers make sense")
}

/// `config` with each form of the idle word.
pub(crate) fn with_both_forms(config: &Config) -> [Tested; 2] {
    [false, true].map(|many_words| with(Config { many_words, ..config.clone() }))
}

/// Go's numbers, with each form of the idle word.
pub(crate) fn in_both_forms(processors: usize) -> [Tested; 2] {
    with_both_forms(&Config::new(processors))
}

/// As many machines as processors, each with one.
pub(crate) fn busy(scheduler: &Tested) -> Vec<Worker> {
    (0..scheduler.processors()).map(|_| scheduler.machine().expect("there is room")).collect()
}

/// The task that the machine's next step gives.
pub(crate) fn next(machine: &mut Worker) -> usize {
    match machine.step() {
        Step::Run(task) => task.id,
        other => panic!("no task, but {other:?}"),
    }
}

/// Makes steps for as long as they give tasks.
pub(crate) fn run(machine: &mut Worker) -> Vec<usize> {
    std::iter::from_fn(|| match machine.step() {
        Step::Run(task) => Some(task.id),
        _ => None,
    })
    .collect()
}

/// Begins every machine that is asked for and lets all run until nothing is left, each a step at a
/// time. Returns what ran.
pub(crate) fn run_all(scheduler: &Tested, machines: &mut Vec<Worker>) -> Vec<usize> {
    let mut ran = Vec::new();
    // Twice: a machine may be given something just as it goes to sleep.
    let mut quiet = 0;
    while quiet < 2 {
        while scheduler.host().asked() > 0 {
            machines.push(scheduler.host().begin());
        }
        let before = ran.len();
        for machine in &mut *machines {
            if let Step::Run(task) = machine.step() {
                ran.push(task.id);
            }
        }
        let nothing = ran.len() == before && scheduler.host().asked() == 0;
        quiet = if nothing { quiet + 1 } else { 0 };
    }
    ran
}

/// The numbers of a batch's tasks, in order.
pub(crate) fn ids(batch: Batch<Job>) -> Vec<usize> {
    batch.into_iter().map(|task| task.id).collect()
}

pub(crate) fn batch(ids: impl IntoIterator<Item = usize>) -> Batch<Job> {
    ids.into_iter().map(job).collect()
}
