//! smol: its executor on threads that each run `smol::block_on`, as `smol::spawn` has it.

use core::pin::Pin;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;

use async_channel::bounded;
use smol::future::{pending, yield_now};
use smol::{Executor, Task};

use super::bell::Bell;
use super::{Peer, block_a_millisecond};
use crate::sample::{Meter, Sample, resident_bytes};
use crate::workload::{COMPUTING, Size, assert_computed, chunk, chunks, sum_below};

/// smol.
#[derive(Debug)]
pub(crate) struct Smol;

/// `smol::spawn` has one like it, whose number of threads is an environment variable's.
static EXECUTOR: Executor<'static> = Executor::new();

fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> Task<T> {
    EXECUTOR.spawn(future)
}

/// Runs `root` as a task.
fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
    for _ in 0..workers {
        thread::spawn(|| smol::block_on(EXECUTOR.run(pending::<()>())));
    }
    smol::block_on(spawn(root))
}

impl Peer for Smol {
    fn spawn(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let mut wave = Vec::with_capacity(size.tasks);
            let meter = Meter::start();
            let mut sum = 0;
            for _ in 0..size.rounds {
                wave.extend((0..size.tasks as u64).map(|n| spawn(async move { n })));
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
            let tasks: Vec<_> = (0..size.tasks).map(|_| spawn(one())).collect();
            for task in tasks {
                task.await;
            }
            meter.stop(size.operations())
        })
    }

    fn ping_pong(workers: usize, size: Size) -> Sample {
        on(workers, async move {
            let (there, came) = bounded::<u64>(1);
            let (back, came_back) = bounded::<u64>(1);
            let other = spawn(async move {
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
            other.await;
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
                tasks.push(spawn(async move {
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
                task.await;
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
                    spawn(async move {
                        for _ in 0..size.rounds {
                            smol::unblock(block_a_millisecond).await;
                        }
                    })
                })
                .collect();
            let computing: Vec<_> = (0..COMPUTING)
                .map(|seed| {
                    spawn(async move {
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
        on(workers, async move {
            // Nobody sends: those who wait are woken when the channel is closed.
            let (gate, opened) = bounded::<()>(1);
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::with_capacity(size.tasks);
            let before = resident_bytes();
            let meter = Meter::start();
            for _ in 0..size.tasks {
                let (opened, waiting) = (opened.clone(), Arc::clone(&waiting));
                tasks.push(spawn(async move {
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
                task.await;
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
            leaf if part == 1 => spawn(async move { leaf }),
            first => spawn(node(first, part)),
        };
        let children: Vec<_> = (0..10).map(child).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        sum
    })
}
