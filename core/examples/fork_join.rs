//! Fork and join: two closures at once, if somebody has time for the second.
//!
//! `join(machine, a, b)` leaves `b` where others can steal it, and runs `a`. Then it waits for `b`,
//! and runs other tasks meanwhile, among them `b` itself if nobody took it. The two closures may
//! borrow: `join` returns when both have ended. So a task is a pointer to the caller's own stack,
//! and nothing is allocated.
//!
//! The program adds up and sorts numbers in place, on all processors, and checks both.
//!
//! ```text
//! cargo run --release -p gosched --example fork_join
//! ```

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a host: its threads and its locks are its own"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Instant;

use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine, Step};

type M = Machine<Threads>;

// ANCHOR: job
/// A task: a job on the stack of the `join` that waits for it.
struct Task(NonNull<Head>);

// SAFETY: it is the pointer, there and back. What it points to may change threads: see `join`.
unsafe impl gosched::Task for Task {
    fn into_word(self) -> NonNull<()> {
        self.0.cast()
    }

    unsafe fn from_word(word: NonNull<()>) -> Self {
        Self(word.cast())
    }
}

// SAFETY: `join` makes it of closures and results that are `Send`, and of nothing else.
unsafe impl Send for Task {}

impl Task {
    fn run(self, machine: &mut M) {
        // SAFETY: the job lives until it is done, and a task is run once.
        let run = unsafe { self.0.as_ref() }.run;
        run(self.0, machine);
    }
}

/// What every job begins with.
struct Head {
    run: fn(NonNull<Head>, &mut M),
}

#[repr(C)]
struct Job<F, R> {
    head: Head,
    closure: Mutex<Option<F>>,
    result: Mutex<Option<thread::Result<R>>>,
    waits: Thread,
    done: AtomicBool,
}

impl<F: FnOnce(&mut M) -> R, R> Job<F, R> {
    fn new(closure: F) -> Self {
        Self {
            head: Head { run: Self::run },
            closure: Mutex::new(Some(closure)),
            result: Mutex::new(None),
            waits: thread::current(),
            done: AtomicBool::new(false),
        }
    }

    fn run(head: NonNull<Head>, machine: &mut M) {
        // SAFETY: it is the head of such a job, in which this function was written by `new`; and
        // the job lives until it is done.
        let job = unsafe { head.cast::<Self>().as_ref() };
        let closure = job.closure.lock().expect("nobody panics").take();
        let closure = closure.expect("a job runs once");
        let result = catch_unwind(AssertUnwindSafe(|| closure(machine)));
        *job.result.lock().expect("nobody panics") = Some(result);
        let waits = job.waits.clone();
        // ORDER: Release: pairs with the Acquire in `is_done`. The job may be gone afterwards.
        job.done.store(true, Ordering::Release);
        waits.unpark();
    }

    fn is_done(&self) -> bool {
        // ORDER: Acquire: pairs with the Release in `run`: it comes after all that the job did.
        self.done.load(Ordering::Acquire)
    }
}
// ANCHOR_END: job

// ANCHOR: join
/// Runs `a` here, and `b` here or elsewhere at the same time; returns what both return.
fn join<A, B: Send>(
    machine: &mut M,
    a: impl FnOnce(&mut M) -> A,
    b: impl FnOnce(&mut M) -> B + Send,
) -> (A, B) {
    let job = Job::new(b);
    let stays = StaysOnTheStack;
    machine.spawn(Task(NonNull::from(&job).cast())).unwrap_or_else(|_| unreachable!("it is open"));
    let a = catch_unwind(AssertUnwindSafe(|| a(machine)));
    while !job.is_done() {
        match machine.step() {
            Step::Run(task) => task.run(machine),
            Step::Sleep => wait(machine, || job.is_done()),
            Step::Poll(_) | Step::Exit => unreachable!("no poller, and nobody shuts down"),
        }
    }
    std::mem::forget(stays);
    let b = job.result.into_inner().expect("nobody panics").expect("it is done");
    match (a, b) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(panic), _) | (_, Err(panic)) => resume_unwind(panic),
    }
}

/// There is nothing to run: another machine runs the job. Waits for it without a processor.
fn wait(machine: &mut M, is_done: impl Fn() -> bool) {
    // A machine that sleeps is given work, and nobody has any for this one. It leaves, and comes
    // back as a new one, which waits as in a system call.
    let scheduler = machine.scheduler().clone();
    *machine = scheduler.machine().expect("there may be as many machines as it takes");
    // It fails without a processor: then there is none to give away, nor to take back.
    let _ = machine.enter_long_blocking();
    while !is_done() {
        thread::park();
    }
    let _ = machine.exit_blocking();
}

/// While this lives, to unwind would free a job that somebody may run.
struct StaysOnTheStack;

impl Drop for StaysOnTheStack {
    fn drop(&mut self) {
        std::process::abort();
    }
}
// ANCHOR_END: join

// ANCHOR: host
/// The host: threads that run jobs, and count those that they take from others.
#[derive(Default)]
struct Threads {
    started: Mutex<Vec<JoinHandle<()>>>,
    taken: AtomicUsize,
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
        let thread = thread::Builder::new().spawn(move || {
            let mut machine = start.begin();
            while let Some(task) = machine.next() {
                machine.scheduler().host().taken.fetch_add(1, Ordering::Relaxed);
                task.run(&mut machine);
            }
        });
        self.started.lock().expect("nobody panics").extend(thread);
    }
}
// ANCHOR_END: host

/// Pieces of this size are not worth a task.
const GRAIN: usize = if cfg!(miri) { 4 } else { 2048 };

// ANCHOR: use
fn sum(machine: &mut M, numbers: &[u64]) -> u64 {
    if numbers.len() <= GRAIN {
        return numbers.iter().sum();
    }
    let (left, right) = numbers.split_at(numbers.len() / 2);
    let (left, right) = join(machine, |m| sum(m, left), |m| sum(m, right));
    left + right
}

/// Quicksort: what is smaller than the pivot beside what is not.
fn sort(machine: &mut M, numbers: &mut [u64]) {
    if numbers.len() <= GRAIN {
        return numbers.sort_unstable();
    }
    let last = numbers.len() - 1;
    numbers.swap(last / 2, last);
    let pivot = numbers[last];
    let mut smaller = 0;
    for index in 0..last {
        if numbers[index] < pivot {
            numbers.swap(index, smaller);
            smaller += 1;
        }
    }
    numbers.swap(smaller, last);
    let (left, right) = numbers.split_at_mut(smaller);
    join(machine, |m| sort(m, left), |m| sort(m, &mut right[1..]));
}
// ANCHOR_END: use

/// Numbers without an order: those of a multiplicative generator.
fn numbers(count: usize) -> Vec<u64> {
    let mut number = 1_u64;
    let mut next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        number >> 32
    };
    (0..count).map(|_| next()).collect()
}

pub(crate) fn main() {
    let count = if cfg!(miri) { 40 } else { 2_000_000 };
    let scheduler = Scheduler::<_>::new(Threads::default(), Config::new(2)).expect("two");
    // This thread is a machine, too.
    let mut machine = scheduler.machine().expect("the first");
    let mut numbers = numbers(count);

    let expected: u64 = numbers.iter().sum();
    let added = sum(&mut machine, &numbers);
    println!("the sum of {count} numbers: {added}");
    assert_eq!(added, expected);

    let begin = Instant::now();
    sort(&mut machine, &mut numbers);
    println!("sorted in {:?} on {} processors", begin.elapsed(), scheduler.processors());
    assert!(numbers.is_sorted());
    assert_eq!(sum(&mut machine, &numbers), expected);

    let fails = AssertUnwindSafe(|| join(&mut machine, |_| 1, |_| resume_unwind(Box::new("b"))));
    let panic: thread::Result<(i32, ())> = catch_unwind(fails);
    let panic = panic.err().and_then(|panic| panic.downcast_ref::<&str>().copied());
    println!("the second closure panicked; whoever joined was told {panic:?}");
    assert_eq!(panic, Some("b"));

    let left = machine.shutdown().expect("it was open");
    assert_eq!(left.len(), 0, "every job has ended");
    drop(machine);
    let started = std::mem::take(&mut *scheduler.host().started.lock().expect("nobody panics"));
    let threads = started.len();
    started.into_iter().for_each(|thread| thread.join().expect("no machine panics"));
    let taken = scheduler.host().taken.load(Ordering::Relaxed);
    println!("{threads} more threads were started, and took {taken} jobs");
}
