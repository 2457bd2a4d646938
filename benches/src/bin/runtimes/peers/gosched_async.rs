//! gosched's tasks without stacks: `go_future` polls a future on the same scheduler. The channel is
//! smol's.

use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use async_channel::bounded;
use gosched_runtime::{JoinHandle, block_on, go_future};
use smol::future::yield_now;

use super::bell::Bell;
use super::gosched::runtime;
use super::{Peer, block_a_millisecond};
use crate::sample::{Meter, Sample, resident_bytes};
use crate::workload::{COMPUTING, Size, assert_computed, chunk, chunks, sum_below};

/// gosched, tasks without stacks.
#[derive(Debug)]
pub(crate) struct GoschedAsync;

/// Runs `root` as a task without a stack.
fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = runtime(workers);
    // The thread that wakes from outside is unknown to the runtime, and no task's sleep a deadlock.
    let _announced = runtime.outside();
    let task = runtime.run(|| go_future(root)).expect("a task was made");
    block_on(joined(task))
}

async fn joined<T>(task: JoinHandle<T>) -> T {
    task.await.expect("no task panics")
}

impl Peer for GoschedAsync {
    fn spawn(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let mut wave = Vec::with_capacity(size.tasks);
            let meter = Meter::start();
            let mut sum = 0;
            for _ in 0..size.rounds {
                wave.extend((0..size.tasks as u64).map(|n| go_future(async move { n })));
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
            let tasks: Vec<_> = (0..size.tasks).map(|_| go_future(one())).collect();
            for task in tasks {
                joined(task).await;
            }
            meter.stop(size.operations())
        })
    }

    fn ping_pong(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let (there, came) = bounded::<u64>(1);
            let (back, came_back) = bounded::<u64>(1);
            let other = go_future(async move {
                while let Ok(message) = came.recv().await {
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
            let (first, mut inbox) = bounded::<u64>(1);
            let mut tasks = Vec::with_capacity(size.tasks);
            for _ in 0..size.tasks {
                let (next, following) = bounded(1);
                let inbox = core::mem::replace(&mut inbox, following);
                tasks.push(go_future(async move {
                    while let Ok(message) = inbox.recv().await {
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
            let (press, pressed) = bounded(1);
            let meter = Meter::start();
            let outside = bell.press_from_outside(size.rounds, move || {
                press.try_send(()).expect("the task has taken the last one");
            });
            for _ in 0..size.rounds {
                pressed.recv().await.expect("the outside thread lives");
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
                    go_future(async move {
                        for _ in 0..size.rounds {
                            gosched_runtime::blocking(block_a_millisecond);
                        }
                    })
                })
                .collect();
            let computing: Vec<_> = (0..COMPUTING)
                .map(|seed| {
                    go_future(async move {
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
            // Nobody sends: those who wait are woken when the channel is closed.
            let (gate, opened) = bounded::<()>(1);
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::with_capacity(size.tasks);
            let before = resident_bytes();
            let meter = Meter::start();
            for _ in 0..size.tasks {
                let (opened, waiting) = (opened.clone(), Arc::clone(&waiting));
                tasks.push(go_future(async move {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    opened.recv().await.expect_err("nobody sends");
                }));
            }
            while waiting.load(Ordering::Relaxed) < size.tasks {
                yield_now().await;
            }
            let memory = resident_bytes();
            gate.close();
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
            leaf if part == 1 => go_future(async move { leaf }),
            first => go_future(node(first, part)),
        };
        let children: Vec<_> = (0..10).map(child).collect();
        let mut sum = 0;
        for child in children {
            sum += joined(child).await;
        }
        sum
    })
}
