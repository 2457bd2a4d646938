//! On real threads: every task runs exactly once, whatever happens beside it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, Nap, NoObserver, Scheduler, StartMachine};

type Run = Box<dyn FnOnce(&mut Machine<Threads>) + Send>;
type Task = Box<Run>;

fn task(run: impl FnOnce(&mut Machine<Threads>) + Send + 'static) -> Task {
    Box::new(Box::new(run))
}

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
        let thread = thread::spawn(move || {
            let mut machine = start.begin();
            while let Some(task) = machine.next() {
                task(&mut machine);
            }
        });
        self.started.lock().unwrap().push(thread);
    }
}

/// A running scheduler with a monitor.
struct Running {
    scheduler: Scheduler<Threads>,
    watch: JoinHandle<()>,
}

impl Running {
    fn new(processors: usize, max_processors: usize) -> Self {
        let mut config = Config::new(processors);
        config.max_processors = max_processors;
        let scheduler = Scheduler::new(Threads::default(), config).unwrap();
        let mut monitor = scheduler.monitor();
        let watch = thread::spawn(move || {
            let start = Instant::now();
            loop {
                match monitor.step(start.elapsed().as_nanos() as u64).nap {
                    Nap::For(nanoseconds) => thread::sleep(Duration::from_nanos(nanoseconds)),
                    Nap::Deep => monitor.sleep(),
                    Nap::End => return,
                }
            }
        });
        Self { scheduler, watch }
    }

    /// Shuts down, and checks that nothing is left: no task, no machine, no thread.
    fn end(self) {
        let left = self.scheduler.shutdown().unwrap();
        assert_eq!(left.len(), 0, "every task has run");
        self.watch.join().unwrap();
        let threads = std::mem::take(&mut *self.scheduler.host().started.lock().unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(self.scheduler.snapshot().machines, 0);
    }
}

/// How often each of a number of tasks ran, and who waits for the last.
struct Tally {
    runs: Vec<AtomicUsize>,
    left: AtomicUsize,
    done: mpsc::SyncSender<()>,
}

impl Tally {
    fn new(tasks: usize) -> (Arc<Self>, mpsc::Receiver<()>) {
        let (done, all_done) = mpsc::sync_channel(1);
        let runs = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
        (Arc::new(Self { runs, left: AtomicUsize::new(tasks), done }), all_done)
    }

    fn ran(&self, id: usize) {
        self.runs[id].fetch_add(1, Ordering::Relaxed);
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.send(()).unwrap();
        }
    }

    /// Waits for the last, then checks that each ran once.
    fn wait(&self, all_done: &mpsc::Receiver<()>, scheduler: &Scheduler<Threads>) {
        if all_done.recv_timeout(Duration::from_secs(60)).is_err() {
            panic!("tasks are stranded: {}", scheduler.snapshot().schedtrace(60_000));
        }
        assert!(self.runs.iter().all(|runs| runs.load(Ordering::Relaxed) == 1));
    }
}

/// Task `id` of a binary tree in an array; some block.
fn tree(id: usize, tally: Arc<Tally>, blocks: usize) -> Task {
    task(move |machine| {
        for child in [2 * id + 1, 2 * id + 2] {
            if child < tally.runs.len() {
                machine.spawn(tree(child, Arc::clone(&tally), blocks)).unwrap();
            }
        }
        if blocks > 0 && id % blocks == 0 {
            machine.block(|| thread::sleep(Duration::from_micros(200)));
        }
        tally.ran(id);
    })
}

#[test]
fn a_tree_of_ten_thousand_tasks_runs_on_four_processors() {
    let running = Running::new(4, 4);
    let (tally, done) = Tally::new(10_000);
    running.scheduler.inject(tree(0, Arc::clone(&tally), 0)).unwrap();
    tally.wait(&done, &running.scheduler);
    running.end();
}

#[test]
fn blocking_calls_leave_the_processors_to_the_others() {
    let running = Running::new(2, 2);
    let (tally, done) = Tally::new(5_000);
    running.scheduler.inject(tree(0, Arc::clone(&tally), 50)).unwrap();
    tally.wait(&done, &running.scheduler);
    running.end();
}

/// One processor, whose task waits in a call for what another task does.
#[test]
fn a_task_that_blocks_until_another_has_run_is_not_in_its_way() {
    let running = Running::new(1, 1);
    let (sender, receiver) = mpsc::channel();
    let (done, all_done) = mpsc::channel();
    let first = task(move |machine| {
        machine.spawn(task(move |_| sender.send(7).unwrap())).unwrap();
        let got = machine.block(|| receiver.recv_timeout(Duration::from_secs(60)));
        done.send(got.unwrap()).unwrap();
    });
    running.scheduler.inject(first).unwrap();
    assert_eq!(all_done.recv_timeout(Duration::from_secs(60)), Ok(7));
    running.end();
}

#[test]
fn the_world_is_stopped_and_resized_while_tasks_run() {
    let running = Running::new(2, 4);
    let (tally, done) = Tally::new(20_000);
    running.scheduler.inject(tree(0, Arc::clone(&tally), 500)).unwrap();
    for count in [1, 3, 4, 2, 1, 4, 3].into_iter().cycle().take(200) {
        let mut world = running.scheduler.stop_the_world().unwrap();
        world.set_processors(count).unwrap();
        assert!(running.scheduler.snapshot().stopped);
        drop(world);
        thread::sleep(Duration::from_micros(100));
    }
    tally.wait(&done, &running.scheduler);
    assert_eq!(running.scheduler.processors(), 2, "the 200th of them");
    running.end();
}

/// Nothing runs between the return of `stop_the_world` and the end of the stop.
#[test]
fn no_task_runs_in_a_stopped_world() {
    let running = Running::new(3, 3);
    let (tally, done) = Tally::new(20_000);
    running.scheduler.inject(tree(0, Arc::clone(&tally), 0)).unwrap();
    for _ in 0..100 {
        let world = running.scheduler.stop_the_world().unwrap();
        let before = tally.left.load(Ordering::Acquire);
        for _ in 0..100 {
            thread::yield_now();
        }
        assert_eq!(tally.left.load(Ordering::Acquire), before);
        drop(world);
    }
    tally.wait(&done, &running.scheduler);
    running.end();
}

#[test]
fn what_threads_inject_runs_once() {
    const EACH: usize = 3_000;
    let running = Running::new(3, 3);
    let (tally, done) = Tally::new(4 * EACH);
    let injectors: Vec<_> = (0..4)
        .map(|thread| {
            let (scheduler, tally) = (running.scheduler.clone(), Arc::clone(&tally));
            thread::spawn(move || {
                let outside = scheduler.outside();
                for id in thread * EACH..(thread + 1) * EACH {
                    let tally = Arc::clone(&tally);
                    scheduler.inject(task(move |_| tally.ran(id))).unwrap();
                    if id % 100 == 0 {
                        thread::sleep(Duration::from_micros(50)); // let the machines fall asleep
                    }
                }
                drop(outside);
            })
        })
        .collect();
    injectors.into_iter().for_each(|thread| thread.join().unwrap());
    tally.wait(&done, &running.scheduler);
    running.end();
}

/// A shutdown in the middle: what has not run comes back, and together it is everything.
#[test]
fn a_shutdown_in_the_middle_loses_nothing() {
    for round in 0..20 {
        let running = Running::new(3, 3);
        let ran = Arc::new(AtomicU64::new(0));
        let injector = thread::spawn({
            let (scheduler, ran) = (running.scheduler.clone(), Arc::clone(&ran));
            move || {
                let mut accepted = 0;
                loop {
                    let ran = Arc::clone(&ran);
                    let counts = task(move |_| {
                        ran.fetch_add(1, Ordering::Relaxed);
                    });
                    if scheduler.inject(counts).is_err() {
                        return accepted;
                    }
                    accepted += 1;
                }
            }
        });
        thread::sleep(Duration::from_micros(300 * round));
        let left = running.scheduler.shutdown().unwrap().len() as u64;
        let accepted = injector.join().unwrap();
        running.watch.join().unwrap();
        let threads = std::mem::take(&mut *running.scheduler.host().started.lock().unwrap());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(ran.load(Ordering::Relaxed) + left, accepted);
    }
}
