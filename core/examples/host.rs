//! A host on std's threads: a runtime for closures, in a page.
//!
//! The [`Scheduler`] decides, this file does. It starts a thread when it is asked for a machine,
//! and each machine runs what `next` gives it. The work is a tree of closures, some of which block;
//! a monitor gives the processors of those to other machines.
//!
//! ```text
//! cargo run --release --example host
//! ```

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a host: its threads and its counter are its own"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, Nap, NoObserver, Scheduler, StartMachine};

/// A task: a closure that is given the machine it runs on. Boxed twice, to be one word.
type Task = Box<Box<dyn FnOnce(&mut Machine<Threads>) + Send>>;

fn task(run: impl FnOnce(&mut Machine<Threads>) + Send + 'static) -> Task {
    Box::new(Box::new(run))
}

/// The host: it can start threads.
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
        let name = format!("machine {}", start.id());
        // If no thread can be had, the closure is dropped, and with it `start`: a refusal.
        let _ = thread::Builder::new().name(name).spawn(move || {
            let mut machine = start.begin();
            while let Some(task) = machine.next() {
                task(&mut machine);
            }
        });
    }
}

/// Counts the leaves of a binary tree, a task for each node.
fn count(
    depth: u32,
    machine: &mut Machine<Threads>,
    leaves: Arc<AtomicU64>,
    done: mpsc::Sender<()>,
) {
    if depth == 0 {
        if leaves.fetch_add(1, Ordering::Relaxed) % 1000 == 0 {
            machine.block(|| thread::sleep(Duration::from_millis(5)));
        }
        return;
    }
    for _ in 0..2 {
        let (leaves, done) = (Arc::clone(&leaves), done.clone());
        let child = task(move |machine| count(depth - 1, machine, leaves, done));
        machine.spawn(child).expect("nobody shuts down while tasks run");
    }
}

fn main() {
    let scheduler = Scheduler::<_>::new(Threads, Config::new(2)).expect("two processors");
    let mut monitor = scheduler.monitor();
    let watch = thread::spawn(move || {
        let start = Instant::now();
        let mut retaken = 0;
        loop {
            let round = monitor.step(start.elapsed().as_nanos() as u64);
            retaken += round.retaken;
            match round.nap {
                Nap::For(nanoseconds) => thread::sleep(Duration::from_nanos(nanoseconds)),
                Nap::Deep => monitor.sleep(),
                Nap::End => return retaken,
            }
        }
    });

    let leaves = Arc::new(AtomicU64::new(0));
    let (done, all_done) = mpsc::channel();
    let root = Arc::clone(&leaves);
    scheduler.inject(task(move |machine| count(14, machine, root, done))).expect("it is open");
    // Every node holds a sender; when the last is gone, the tree is counted.
    assert!(all_done.recv().is_err());

    println!("{}", scheduler.snapshot().schedtrace(0));
    let left = scheduler.shutdown().expect("it was not shut down before");
    let retaken = watch.join().expect("the monitor ends with the scheduler");
    println!(
        "{} leaves; {} tasks left; {retaken} processors retaken from system calls",
        leaves.load(Ordering::Relaxed),
        left.len()
    );
    assert_eq!(leaves.load(Ordering::Relaxed), 1 << 14);
}
