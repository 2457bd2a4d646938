//! tokio's multi-threaded runtime, with I/O and timers on, as `#[tokio::main]` sets it up.

use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

use super::bell::Bell;
use super::{Peer, block_a_millisecond};
use crate::sample::{Meter, Sample, resident_bytes};
use crate::workload::{COMPUTING, Size, assert_computed, chunk, chunks, sum_below};

/// tokio.
#[derive(Debug)]
pub(crate) struct Tokio;

/// Runs `root` as a task.
fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(workers).enable_all().build().expect("threads, and epoll");
    runtime.block_on(async { joined(tokio::spawn(root)).await })
}

async fn joined<T>(task: JoinHandle<T>) -> T {
    task.await.expect("no task panics")
}

impl Peer for Tokio {
    fn spawn(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let mut wave = Vec::with_capacity(size.tasks);
            let meter = Meter::start();
            let mut sum = 0;
            for _ in 0..size.rounds {
                wave.extend((0..size.tasks as u64).map(|n| tokio::spawn(async move { n })));
                for task in wave.drain(..) {
                    sum += joined(task).await;
                }
            }
            let sample = meter.stop(size.operations());
            assert_eq!(sum, size.rounds as u64 * sum_below(size.tasks as u64));
            sample
        })
    }

    fn skynet(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let leaves = size.tasks as u64;
            let meter = Meter::start();
            let sum = node(0, leaves).await;
            let sample = meter.stop(size.operations());
            assert_eq!(sum, sum_below(leaves));
            sample
        })
    }

    fn yield_now(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let meter = Meter::start();
            let one = || async move {
                for _ in 0..size.rounds {
                    yield_now().await;
                }
            };
            let tasks: Vec<_> = (0..size.tasks).map(|_| tokio::spawn(one())).collect();
            for task in tasks {
                joined(task).await;
            }
            meter.stop(size.operations())
        })
    }

    fn ping_pong(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let (there, mut came) = mpsc::channel::<u64>(1);
            let (back, mut came_back) = mpsc::channel::<u64>(1);
            let other = tokio::spawn(async move {
                while let Some(message) = came.recv().await {
                    back.send(message + 1).await.expect("the root listens");
                }
            });
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                there.send(message).await.expect("the other listens");
                message = came_back.recv().await.expect("the other answers");
            }
            let sample = meter.stop(size.operations());
            drop(there);
            joined(other).await;
            assert_eq!(message, size.rounds as u64);
            sample
        })
    }

    fn ring(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let (first, mut inbox) = mpsc::channel::<u64>(1);
            let mut tasks = Vec::with_capacity(size.tasks);
            for _ in 0..size.tasks {
                let (next, following) = mpsc::channel(1);
                let mut inbox = core::mem::replace(&mut inbox, following);
                tasks.push(tokio::spawn(async move {
                    while let Some(message) = inbox.recv().await {
                        next.send(message + 1).await.expect("the next one listens");
                    }
                }));
            }
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                first.send(message).await.expect("the first one listens");
                message = inbox.recv().await.expect("the last one sends");
            }
            let sample = meter.stop(size.operations());
            drop(first);
            for task in tasks {
                joined(task).await;
            }
            assert_eq!(message, size.operations());
            sample
        })
    }

    fn wake(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let bell = Bell::new(size.rounds);
            let notify = Arc::new(Notify::new());
            let meter = Meter::start();
            let outside = bell.press_from_outside(size.rounds, {
                let notify = Arc::clone(&notify);
                move || notify.notify_one()
            });
            for _ in 0..size.rounds {
                notify.notified().await;
                bell.answer();
            }
            let sample = meter.stop(size.operations());
            outside.join().expect("the outside thread");
            sample.with_latencies(bell.latencies())
        })
    }

    fn blocking(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let meter = Meter::start();
            let blocked: Vec<_> = (0..size.tasks)
                .map(|_| {
                    tokio::spawn(async move {
                        for _ in 0..size.rounds {
                            joined(spawn_blocking(block_a_millisecond)).await;
                        }
                    })
                })
                .collect();
            let computing: Vec<_> = (0..COMPUTING)
                .map(|seed| {
                    tokio::spawn(async move {
                        let mut word = seed;
                        for _ in 0..chunks(size.rounds) {
                            word = chunk(word);
                            yield_now().await;
                        }
                        word
                    })
                })
                .collect();
            let mut words = Vec::new();
            for task in computing {
                words.push(joined(task).await);
            }
            let computed_at = meter.elapsed();
            for task in blocked {
                joined(task).await;
            }
            let sample = meter.stop(size.operations()).with_compute(computed_at);
            assert_computed(&words, size);
            sample
        })
    }

    fn idle(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let gate = Arc::new(Notify::new());
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::with_capacity(size.tasks);
            let before = resident_bytes();
            let meter = Meter::start();
            for _ in 0..size.tasks {
                let (gate, waiting) = (Arc::clone(&gate), Arc::clone(&waiting));
                tasks.push(tokio::spawn(async move {
                    let opened = gate.notified();
                    waiting.fetch_add(1, Ordering::Relaxed);
                    opened.await;
                }));
            }
            while waiting.load(Ordering::Relaxed) < size.tasks {
                yield_now().await;
            }
            let memory = resident_bytes();
            gate.notify_waiters();
            for task in tasks {
                joined(task).await;
            }
            meter.stop(size.operations()).with_memory(before, memory, size.tasks)
        })
    }
}

/// The sum of the leaves from `first` on. A leaf is a task without a box around its future.
fn node(first: u64, leaves: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(async move {
        let part = leaves / 10;
        let child = |index: u64| match first + index * part {
            leaf if part == 1 => tokio::spawn(async move { leaf }),
            first => tokio::spawn(node(first, part)),
        };
        let children: Vec<_> = (0..10).map(child).collect();
        let mut sum = 0;
        for child in children {
            sum += joined(child).await;
        }
        sum
    })
}
