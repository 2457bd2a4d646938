//! An executor for futures, in a hundred lines.
//!
//! The crate `async-task` makes one word of a future and of what wakes it. The [`Scheduler`] queues
//! such words, and its machines poll the futures behind them. A future that is woken goes to the
//! `next` slot of the machine that woke it, or to the global queue if that was another thread; one
//! that was woken while it was polled has yielded, and goes behind all others.
//!
//! What comes after the executor uses it: the sieve of primes, where each filter is a task and
//! talks to the next over a channel of another crate; tasks that yield; a panic, which comes out
//! where its task is awaited; and a shutdown in the middle of things.
//!
//! ```text
//! cargo run --release -p gosched --example executor
//! ```

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a host: its threads and its locks are its own"
)]

use std::cell::RefCell;
use std::future::poll_fn;
use std::iter;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use async_channel::{Receiver, Sender};
use async_task::{Builder, Runnable, ScheduleInfo, Task, WithInfo};
use gosched::memory::{Hardware, HardwareParker};
use gosched::{Config, Host, Machine, NoObserver, Scheduler, StartMachine};

// ANCHOR: task
/// A task: a future that has been woken, and is to be polled.
struct Woken(Runnable);

// SAFETY: both directions are `async-task`'s own, and a `Runnable` may change threads.
unsafe impl gosched::Task for Woken {
    fn into_word(self) -> NonNull<()> {
        self.0.into_raw()
    }

    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: by the caller's promise the word came out of `into_word`, and comes back once.
        Self(unsafe { Runnable::from_raw(word) })
    }
}
// ANCHOR_END: task

// ANCHOR: host
/// The host: threads that poll what they are given.
#[derive(Default)]
struct Threads {
    started: Mutex<Vec<JoinHandle<()>>>,
    /// Tasks that were woken after the shutdown.
    late: Mutex<Vec<Woken>>,
}

thread_local! {
    /// The machine that this thread is. Wakers find it here while a future is polled.
    static MACHINE: RefCell<Option<Machine<Threads>>> = const { RefCell::new(None) };
}

impl Host for Threads {
    type Task = Woken;
    type Memory = Hardware;
    type Parker = HardwareParker;
    type Observer = NoObserver;

    fn observer(&self) -> &NoObserver {
        &NoObserver
    }

    fn start_machine(&self, start: StartMachine<Self>) {
        let thread = thread::Builder::new().spawn(move || {
            MACHINE.set(Some(start.begin()));
            while let Some(task) = MACHINE.with_borrow_mut(|machine| machine.as_mut()?.next()) {
                task.0.run();
            }
            drop(MACHINE.take());
        });
        self.started.lock().expect("nobody panics").extend(thread);
    }
}
// ANCHOR_END: host

// ANCHOR: schedule
/// Queues a task that was woken.
fn schedule(scheduler: &Scheduler<Threads>, task: Woken, info: ScheduleInfo) {
    let refused = MACHINE.with_borrow_mut(|machine| {
        let own = |machine: &&mut Machine<Threads>| {
            std::ptr::eq(machine.scheduler().host(), scheduler.host())
        };
        match machine.as_mut().filter(own) {
            // It was woken while it was polled, as one is that yields: the others come first.
            Some(machine) if info.woken_while_running => machine.yield_now(task),
            Some(machine) => machine.spawn(task),
            None => scheduler.inject(task),
        }
    });
    // After a shutdown the task comes back. Its future must not be dropped here: whoever wakes it
    // may hold a lock that a destructor wants, the lock of a channel say.
    let late = refused.err().map(|closed| closed.0);
    scheduler.host().late.lock().expect("nobody panics").extend(late);
}
// ANCHOR_END: schedule

// ANCHOR: executor
/// Runs futures on as many threads as it was made for.
#[derive(Clone)]
struct Executor(Scheduler<Threads>);

impl Executor {
    fn new(processors: usize) -> Self {
        let config = Config::new(processors);
        Self(Scheduler::<_>::new(Threads::default(), config).expect("at least one processor"))
    }

    /// Runs `future` beside the caller. What it returns, or its panic, comes out where the returned
    /// task is awaited; dropping that cancels it.
    fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Task<T> {
        let scheduler = self.0.clone();
        let schedule = move |woken, info| schedule(&scheduler, Woken(woken), info);
        let builder = Builder::new().propagate_panic(true);
        let (first, task) = builder.spawn(|()| future, WithInfo(schedule));
        first.schedule();
        task
    }

    /// Polls `future` on this thread, which must be no machine, until it has come to its end.
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }

    /// Ends every thread. Drops the futures that are queued, and those that this wakes. A future
    /// that waits for something else is kept by what it waits for.
    fn shutdown(&self) {
        let queued = self.0.shutdown().expect("it was open");
        let Threads { started, late } = self.0.host();
        let threads = mem::take(&mut *started.lock().expect("nobody panics"));
        threads.into_iter().for_each(|thread| thread.join().expect("no machine panics"));
        drop(queued);
        let woken = || mem::take(&mut *late.lock().expect("nobody panics"));
        iter::repeat_with(woken).take_while(|woken| !woken.is_empty()).for_each(drop);
    }
}

/// Wakes the thread that waits in `block_on`.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
// ANCHOR_END: executor

// ANCHOR: sieve
/// The first primes, each with a task that lets through what it does not divide.
async fn primes(executor: &Executor, count: usize) -> Vec<u32> {
    let (sends, mut numbers) = async_channel::bounded(1);
    executor.spawn(count_up(sends)).detach();
    let mut primes = Vec::new();
    while primes.len() < count {
        let prime = numbers.recv().await.expect("numbers do not end");
        primes.push(prime);
        let (sends, rest) = async_channel::bounded(1);
        executor.spawn(filter(prime, numbers, sends)).detach();
        numbers = rest;
    }
    // The last receiver is dropped here. The task before it fails to send, and ends, and so on.
    primes
}

async fn count_up(sends: Sender<u32>) {
    for number in 2.. {
        if sends.send(number).await.is_err() {
            return;
        }
    }
}

async fn filter(prime: u32, numbers: Receiver<u32>, sends: Sender<u32>) {
    while let Ok(number) = numbers.recv().await {
        if number % prime != 0 && sends.send(number).await.is_err() {
            return;
        }
    }
}
// ANCHOR_END: sieve

/// Lets all others run that are ready.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Squares from many tasks, each of which yields before it answers.
fn squares(executor: &Executor, count: u64) -> u64 {
    let square = |number| async move {
        yield_now().await;
        number * number
    };
    let tasks: Vec<_> = (0..count).map(|number| executor.spawn(square(number))).collect();
    executor.block_on(async {
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        sum
    })
}

/// The panic of a task, where it is awaited.
fn panics(executor: &Executor) -> Option<&'static str> {
    // As `panic!`, without the message on the standard error.
    let task = executor.spawn(async { resume_unwind(Box::new("on purpose")) });
    let caught = catch_unwind(AssertUnwindSafe(|| executor.block_on(task)));
    caught.err()?.downcast_ref::<&str>().copied()
}

/// Shuts down while tasks yield for ever. How many futures are left, before and after?
fn shutdown(executor: &Executor, count: usize) -> (usize, usize) {
    let held = Arc::new(());
    for _ in 0..count {
        let held = Arc::clone(&held);
        let endless = async move {
            while Arc::strong_count(&held) > 0 {
                yield_now().await;
            }
        };
        executor.spawn(endless).detach();
    }
    let before = Arc::strong_count(&held) - 1;
    executor.shutdown();
    (before, Arc::strong_count(&held) - 1)
}

pub(crate) fn main() {
    let (count, size) = if cfg!(miri) { (5, 20) } else { (100, 10_000) };
    let executor = Executor::new(2);

    let primes = executor.block_on(primes(&executor, count));
    println!("the sieve, a task for each prime: {primes:?}");
    let expected = (2..=primes[primes.len() - 1]).filter(|n| (2..*n).all(|d| n % d != 0));
    assert_eq!(primes, expected.collect::<Vec<u32>>());

    let sum = squares(&executor, size);
    println!("{size} tasks that yield: the sum of their squares is {sum}");
    assert_eq!(sum, (size - 1) * size * (2 * size - 1) / 6);

    let panic = panics(&executor);
    println!("a task panicked; whoever awaited it was told {panic:?}");
    assert_eq!(panic, Some("on purpose"));

    println!("{}", executor.0.snapshot().schedtrace(0));
    let (before, after) = shutdown(&executor, count);
    println!("{before} tasks that never end; after the shutdown {after} are left");
    assert_eq!((before, after), (count, 0));
}
