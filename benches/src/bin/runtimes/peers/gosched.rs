//! gosched's goroutines, which may move between threads, as Go's do; 256 KiB of stack each, its
//! default, of which memory is used as far as it is touched.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gosched_runtime::{
    Handle, JoinHandle, Migrating, Runtime, blocking, current, go, park, yield_now,
};

use super::bell::Bell;
use super::slot::channel;
use super::{Peer, block_a_millisecond};
use crate::sample::{Meter, Sample, resident_bytes};
use crate::workload::{COMPUTING, Size, assert_computed, chunk, chunks, sum_below};

/// gosched, tasks with stacks.
#[derive(Debug)]
pub(crate) struct Gosched;

pub(super) fn runtime(workers: usize) -> Runtime {
    // SAFETY: nothing here keeps anything of its thread across a scheduling point: locks are
    // released before a goroutine parks, and what it holds is `Send`.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(workers).migrating(migrating);
    builder.build().expect("threads, and epoll")
}

/// Runs `root` as a goroutine.
fn on<T: Send + 'static>(workers: usize, root: impl FnOnce() -> T + Send + 'static) -> T {
    runtime(workers).run(root).expect("no goroutine panics")
}

fn joined<T>(task: JoinHandle<T>) -> T {
    task.join_or_unwind()
}

impl Peer for Gosched {
    fn spawn(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let mut wave = Vec::with_capacity(size.tasks);
            let meter = Meter::start();
            let mut sum = 0;
            for _ in 0..size.rounds {
                wave.extend((0..size.tasks as u64).map(|n| go(move || n)));
                sum += wave.drain(..).map(joined).sum::<u64>();
            }
            let sample = meter.stop(size.operations());
            assert_eq!(sum, size.rounds as u64 * sum_below(size.tasks as u64));
            sample
        })
    }

    fn skynet(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let leaves = size.tasks as u64;
            let meter = Meter::start();
            let sum = node(0, leaves);
            let sample = meter.stop(size.operations());
            assert_eq!(sum, sum_below(leaves));
            sample
        })
    }

    fn yield_now(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let meter = Meter::start();
            let one = move || (0..size.rounds).for_each(|_| yield_now());
            let tasks: Vec<_> = (0..size.tasks).map(|_| go(one)).collect();
            tasks.into_iter().for_each(joined);
            meter.stop(size.operations())
        })
    }

    fn ping_pong(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let (there, came) = channel::<u64>();
            let (back, came_back) = channel::<u64>();
            let other = go(move || {
                while let Some(message) = came.recv() {
                    back.send(message + 1);
                }
            });
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                there.send(message);
                message = came_back.recv().expect("the other answers");
            }
            let sample = meter.stop(size.operations());
            drop(there);
            joined(other);
            assert_eq!(message, size.rounds as u64);
            sample
        })
    }

    fn ring(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let (first, mut inbox) = channel::<u64>();
            let mut tasks = Vec::with_capacity(size.tasks);
            for _ in 0..size.tasks {
                let (next, following) = channel();
                let inbox = core::mem::replace(&mut inbox, following);
                tasks.push(go(move || {
                    while let Some(message) = inbox.recv() {
                        next.send(message + 1);
                    }
                }));
            }
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                first.send(message);
                message = inbox.recv().expect("the last one sends");
            }
            let sample = meter.stop(size.operations());
            drop(first);
            tasks.into_iter().for_each(joined);
            assert_eq!(message, size.operations());
            sample
        })
    }

    fn wake(workers: usize, size: Size) -> Sample {
        let runtime = runtime(workers);
        // All goroutines are asleep, and the thread that wakes them is unknown to the runtime.
        let _announced = runtime.outside();
        let run = runtime.run(move || {
            let bell = Bell::new(size.rounds);
            let woken = current().expect("this is a goroutine");
            let meter = Meter::start();
            let outside = bell.press_from_outside(size.rounds, move || woken.unpark());
            for answers in 0..size.rounds {
                // A park may end without an unpark.
                while !bell.is_pressed(answers) {
                    park();
                }
                bell.answer();
            }
            let sample = meter.stop(size.operations());
            outside.join().expect("the outside thread");
            sample.with_latencies(bell.latencies())
        });
        run.expect("no goroutine panics")
    }

    fn blocking(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let meter = Meter::start();
            let one = move || (0..size.rounds).for_each(|_| blocking(block_a_millisecond));
            let blocked: Vec<_> = (0..size.tasks).map(|_| go(one)).collect();
            let computing: Vec<_> = (0..COMPUTING)
                .map(|seed| {
                    go(move || {
                        (0..chunks(size.rounds)).fold(seed, |word, _| {
                            let word = chunk(word);
                            yield_now();
                            word
                        })
                    })
                })
                .collect();
            let words: Vec<_> = computing.into_iter().map(joined).collect();
            let computed_at = meter.elapsed();
            blocked.into_iter().for_each(joined);
            let sample = meter.stop(size.operations()).with_compute(computed_at);
            assert_computed(&words, size);
            sample
        })
    }

    fn idle(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let gate = Arc::new(Gate::new(size.tasks));
            let mut tasks = Vec::with_capacity(size.tasks);
            let before = resident_bytes();
            let meter = Meter::start();
            for _ in 0..size.tasks {
                let gate = Arc::clone(&gate);
                tasks.push(go(move || gate.wait()));
            }
            while gate.waiting() < size.tasks {
                yield_now();
            }
            let memory = resident_bytes();
            gate.open();
            tasks.into_iter().for_each(joined);
            meter.stop(size.operations()).with_memory(before, memory, size.tasks)
        })
    }
}

/// What the waiting goroutines wait for.
#[derive(Debug)]
struct Gate {
    opened: AtomicBool,
    waiting: Mutex<Vec<Handle>>,
}

impl Gate {
    fn new(tasks: usize) -> Self {
        let waiting = Mutex::new(Vec::with_capacity(tasks));
        Self { opened: AtomicBool::new(false), waiting }
    }

    fn wait(&self) {
        let handle = current().expect("this is a goroutine");
        self.waiting.lock().expect("nobody panics with it").push(handle);
        while !self.opened.load(Ordering::Acquire) {
            park();
        }
    }

    fn waiting(&self) -> usize {
        self.waiting.lock().expect("nobody panics with it").len()
    }

    fn open(&self) {
        self.opened.store(true, Ordering::Release);
        let waiting = core::mem::take(&mut *self.waiting.lock().expect("nobody panics with it"));
        waiting.iter().for_each(Handle::unpark);
    }
}

/// The sum of the leaves from `first` on.
fn node(first: u64, leaves: u64) -> u64 {
    let part = leaves / 10;
    let child = |index: u64| match first + index * part {
        leaf if part == 1 => go(move || leaf),
        first => go(move || node(first, part)),
    };
    let children: Vec<_> = (0..10).map(child).collect();
    children.into_iter().map(joined).sum()
}
