//! The runtimes whose tasks are futures: one piece of code does the work on each, with what each
//! has for it.

use core::fmt;
use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::sync::Arc;

use super::Peer;
use super::bell::Bell;
use crate::sample::{Meter, Sample, resident_bytes};
use crate::workload::{COMPUTING, Size, assert_computed, chunk, chunks, sum_below};

/// What a runtime of futures has for the work.
pub(crate) trait Futures: 'static {
    /// A task that was spawned: its result, when it has ended.
    type Task<T: Send + 'static>: Future<Output = T> + Send;
    /// How its tasks tell each other.
    type Means: Means;

    /// Runs `root` as a task.
    fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T;
    fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Self::Task<T>;
    fn yields() -> impl Future<Output = ()> + Send;
    /// [`block_a_millisecond`](super::block_a_millisecond), where this runtime has it done.
    fn blocks() -> impl Future<Output = ()> + Send;
}

/// Channels with room for one message, and what tasks wait for that a thread outside may give.
pub(crate) trait Means: 'static {
    type Sender: Send + 'static;
    type Receiver: Send + 'static;
    type Signal: Clone + Send + Sync + 'static;

    fn channel() -> (Self::Sender, Self::Receiver);
    /// Panics if nobody listens.
    fn send(sender: &Self::Sender, message: u64) -> impl Future<Output = ()> + Send;
    /// `None` if nobody sends any more.
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send;

    fn signal() -> Self::Signal;
    /// Lets one go on: who waits, or the next one.
    fn let_one(signal: &Self::Signal);
    /// Lets all go on whose future of [`given`](Means::given) was made.
    fn let_all(signal: &Self::Signal);
    fn given(signal: &Self::Signal) -> impl Future<Output = ()> + Send;
}

/// A task's result by its handle, where no task panics.
#[derive(Debug)]
pub(crate) struct Joined<H>(pub(crate) H);

impl<T, E: fmt::Debug, H: Future<Output = Result<T, E>> + Unpin> Future for Joined<H> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(context).map(|result| result.expect("no task panics"))
    }
}

impl<R: Futures> Peer for R {
    fn spawn(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let mut wave = Vec::with_capacity(size.tasks);
            let meter = Meter::start();
            let mut sum = 0;
            for _ in 0..size.rounds {
                wave.extend((0..size.tasks as u64).map(|n| R::spawn(async move { n })));
                for task in wave.drain(..) {
                    sum += task.await;
                }
            }
            let sample = meter.stop(size.operations());
            assert_eq!(sum, size.rounds as u64 * sum_below(size.tasks as u64));
            sample
        })
    }

    fn skynet(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let leaves = size.tasks as u64;
            let meter = Meter::start();
            let sum = node::<R>(0, leaves).await;
            let sample = meter.stop(size.operations());
            assert_eq!(sum, sum_below(leaves));
            sample
        })
    }

    fn yield_now(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let meter = Meter::start();
            let one = || async move {
                for _ in 0..size.rounds {
                    R::yields().await;
                }
            };
            let tasks: Vec<_> = (0..size.tasks).map(|_| R::spawn(one())).collect();
            for task in tasks {
                task.await;
            }
            meter.stop(size.operations())
        })
    }

    fn ping_pong(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let (there, mut came) = R::Means::channel();
            let (back, mut came_back) = R::Means::channel();
            let other = R::spawn(async move {
                while let Some(message) = R::Means::receive(&mut came).await {
                    R::Means::send(&back, message + 1).await;
                }
            });
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                R::Means::send(&there, message).await;
                message = R::Means::receive(&mut came_back).await.expect("the other answers");
            }
            let sample = meter.stop(size.operations());
            drop(there);
            other.await;
            assert_eq!(message, size.rounds as u64);
            sample
        })
    }

    fn ring(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let (first, mut inbox) = R::Means::channel();
            let mut tasks = Vec::with_capacity(size.tasks);
            for _ in 0..size.tasks {
                let (next, following) = R::Means::channel();
                let mut inbox = core::mem::replace(&mut inbox, following);
                tasks.push(R::spawn(async move {
                    while let Some(message) = R::Means::receive(&mut inbox).await {
                        R::Means::send(&next, message + 1).await;
                    }
                }));
            }
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                R::Means::send(&first, message).await;
                message = R::Means::receive(&mut inbox).await.expect("the last one sends");
            }
            let sample = meter.stop(size.operations());
            drop(first);
            for task in tasks {
                task.await;
            }
            assert_eq!(message, size.operations());
            sample
        })
    }

    fn wake(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let bell = Bell::new(size.rounds);
            let signal = R::Means::signal();
            let meter = Meter::start();
            let outside = bell.press_from_outside(size.rounds, {
                let signal = signal.clone();
                move || R::Means::let_one(&signal)
            });
            for _ in 0..size.rounds {
                R::Means::given(&signal).await;
                bell.answer();
            }
            let sample = meter.stop(size.operations());
            outside.join().expect("the outside thread");
            sample.with_latencies(bell.latencies())
        })
    }

    fn blocking(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let meter = Meter::start();
            let block = || async move {
                for _ in 0..size.rounds {
                    R::blocks().await;
                }
            };
            let compute = |seed| async move {
                let mut word = seed;
                for _ in 0..chunks(size.rounds) {
                    word = chunk(word);
                    R::yields().await;
                }
                word
            };
            let blocked: Vec<_> = (0..size.tasks).map(|_| R::spawn(block())).collect();
            let computing: Vec<_> = (0..COMPUTING).map(|seed| R::spawn(compute(seed))).collect();
            let mut words = Vec::new();
            for task in computing {
                words.push(task.await);
            }
            let computed_at = meter.elapsed();
            for task in blocked {
                task.await;
            }
            let sample = meter.stop(size.operations()).with_compute(computed_at);
            assert_computed(&words, size);
            sample
        })
    }

    fn idle(workers: usize, size: Size) -> Sample {
        R::on(workers, async move {
            let gate = R::Means::signal();
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::with_capacity(size.tasks);
            let before = resident_bytes();
            let meter = Meter::start();
            for _ in 0..size.tasks {
                let (gate, waiting) = (gate.clone(), Arc::clone(&waiting));
                tasks.push(R::spawn(async move {
                    let opened = R::Means::given(&gate);
                    waiting.fetch_add(1, Ordering::Relaxed);
                    opened.await;
                }));
            }
            while waiting.load(Ordering::Relaxed) < size.tasks {
                R::yields().await;
            }
            let memory = resident_bytes();
            R::Means::let_all(&gate);
            for task in tasks {
                task.await;
            }
            meter.stop(size.operations()).with_memory(before, memory, size.tasks)
        })
    }
}

/// The sum of the leaves from `first` on. A leaf is a task without a box around its future.
fn node<R: Futures>(first: u64, leaves: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        let part = leaves / 10;
        let child = |index: u64| match first + index * part {
            leaf if part == 1 => R::spawn(async move { leaf }),
            first => R::spawn(node::<R>(first, part)),
        };
        let children: Vec<_> = (0..10).map(child).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        sum
    })
}
