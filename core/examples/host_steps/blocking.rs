//! Step 5: tasks that block in the operating system, tasks that run for long, and the monitor.

use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, Monitor, Nap, NoObserver, Scheduler, StartMachine};

type Task = Box<Box<dyn FnOnce(&mut Machine<Threads>) + Send>>;

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
                task(&mut machine);
            }
        });
    }
}

// ANCHOR: monitor
/// Drives a monitor. Says at the end how many processors it took, and how often it asked for one.
fn watch(mut monitor: Monitor<Threads>) -> JoinHandle<(usize, usize)> {
    thread::spawn(move || {
        let start = Instant::now();
        let (mut retaken, mut asked) = (0, 0);
        loop {
            let round = monitor.step(start.elapsed().as_nanos() as u64);
            retaken += round.retaken;
            asked += round.asked;
            match round.nap {
                Nap::For(nanoseconds) => thread::sleep(Duration::from_nanos(nanoseconds)),
                Nap::Deep => monitor.sleep(),
                Nap::End => return (retaken, asked),
            }
        }
    })
}
// ANCHOR_END: monitor

pub(crate) fn main() {
    let scheduler = Scheduler::<_>::new(Threads, Config::new(1)).expect("one processor");
    let watch = watch(scheduler.monitor());
    // ANCHOR: block
    let (says, hears) = mpsc::channel();
    let (ends, ended) = mpsc::channel();
    let blocks: Task = Box::new(Box::new(move |machine| {
        // The only processor is this task's, and the message comes from a task.
        let message: Result<&str, _> = machine.block(|| hears.recv());
        ends.send(message).expect("main listens");
    }));
    let speaks: Task = Box::new(Box::new(move |_| says.send("hello").expect("it listens")));
    scheduler.inject_batch([blocks, speaks].into_iter().collect()).expect("it is open");
    assert_eq!(ended.recv(), Ok(Ok("hello")));
    // ANCHOR_END: block

    // ANCHOR: long
    let (ends, ended) = mpsc::channel();
    let long: Task = Box::new(Box::new(move |machine| {
        while !machine.should_yield() {
            std::hint::spin_loop(); // A piece of work.
        }
        ends.send(()).expect("main listens");
    }));
    scheduler.inject(long).expect("it is open");
    ended.recv().expect("the monitor asks");
    // ANCHOR_END: long

    let left = scheduler.shutdown().expect("it was open");
    assert_eq!(left.len(), 0);
    let (retaken, asked) = watch.join().expect("the monitor ends with the scheduler");
    assert!(retaken >= 1 && asked >= 1, "retaken {retaken}, asked {asked}");
}
