//! may: coroutines with stacks of their own, 32 KiB each, its default.
//!
//! A stack and its guard are two mappings, and Linux gives a process 65530 unless told otherwise
//! (`vm.max_map_count`), so the workloads with many live tasks are smaller here; `limited` says by
//! how much. Where many tasks come and go, stacks are pooled up to 20000 and not to 1000, its
//! default: above the pool each spawn maps and unmaps its stack, which costs six times as much. The
//! pool is filled at the start: its memory is in the peak, and was before the measurement.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;

use may::coroutine::{self, JoinHandle, park, sleep, yield_now};
use may::go;
use may::sync::spsc;

use super::bell::Bell;
use super::{Peer, block_a_millisecond};
use crate::sample::{Meter, Sample, resident_bytes};
use crate::workload::{COMPUTING, Size, Workload, assert_computed, chunk, chunks, sum_below};

/// may.
#[derive(Debug)]
pub(crate) struct May;

/// In words of 8 bytes.
const STACK: usize = 0x1000;

/// Stacks that are kept: its default, and enough for a wave of tasks.
const POOL: usize = 1000;
const LARGE_POOL: usize = 20_000;

impl May {
    /// What it can do of a workload with many live tasks; and of the one that blocks, which it does
    /// one call a worker at a time.
    pub(crate) fn limited(workload: Workload, size: Size) -> Size {
        let Size { tasks, rounds } = size;
        match workload {
            Workload::Spawn => Size { tasks, rounds: rounds.div_ceil(5) },
            Workload::Skynet => Size { tasks: tasks.min(10_000), rounds },
            Workload::Blocking => Size { tasks, rounds: rounds.div_ceil(10) },
            Workload::Idle => Size { tasks: tasks.min(20_000), rounds },
            _ => size,
        }
    }
}

/// Runs `root` as a coroutine.
fn on<T: Send + 'static>(workers: usize, root: impl FnOnce() -> T + Send + 'static) -> T {
    on_pool(POOL, workers, root)
}

fn on_pool<T: Send + 'static>(
    pool: usize,
    workers: usize,
    root: impl FnOnce() -> T + Send + 'static,
) -> T {
    may::config().set_workers(workers).set_stack_size(STACK).set_pool_capacity(pool);
    joined(go!(root))
}

fn joined<T>(task: JoinHandle<T>) -> T {
    task.join().expect("no coroutine panics")
}

impl Peer for May {
    fn spawn(workers: usize, size: Size) -> Sample {
        on_pool(LARGE_POOL, workers, move || {
            let mut wave = Vec::with_capacity(size.tasks);
            let meter = Meter::start();
            let mut sum = 0;
            for _ in 0..size.rounds {
                wave.extend((0..size.tasks as u64).map(|n| go!(move || n)));
                sum += wave.drain(..).map(joined).sum::<u64>();
            }
            let sample = meter.stop(size.operations());
            assert_eq!(sum, size.rounds as u64 * sum_below(size.tasks as u64));
            sample
        })
    }

    fn skynet(workers: usize, size: Size) -> Sample {
        on_pool(LARGE_POOL, workers, move || {
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
            let tasks: Vec<_> = (0..size.tasks).map(|_| go!(one)).collect();
            tasks.into_iter().for_each(joined);
            meter.stop(size.operations())
        })
    }

    fn ping_pong(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let (there, came) = spsc::channel::<u64>();
            let (back, came_back) = spsc::channel::<u64>();
            let other = go!(move || {
                while let Ok(message) = came.recv() {
                    back.send(message + 1).expect("the root listens");
                }
            });
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                there.send(message).expect("the other listens");
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
            let (first, mut inbox) = spsc::channel::<u64>();
            let mut tasks = Vec::with_capacity(size.tasks);
            for _ in 0..size.tasks {
                let (next, following) = spsc::channel();
                let inbox = core::mem::replace(&mut inbox, following);
                tasks.push(go!(move || {
                    while let Ok(message) = inbox.recv() {
                        next.send(message + 1).expect("the next one listens");
                    }
                }));
            }
            let meter = Meter::start();
            let mut message = 0;
            for _ in 0..size.rounds {
                first.send(message).expect("the first one listens");
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
        on(workers, move || {
            let bell = Bell::new(size.rounds);
            let woken = coroutine::current();
            let meter = Meter::start();
            let outside = bell.press_from_outside(size.rounds, move || woken.unpark());
            for _ in 0..size.rounds {
                park();
                bell.answer();
            }
            let sample = meter.stop(size.operations());
            outside.join().expect("the outside thread");
            sample.with_latencies(bell.latencies())
        })
    }

    fn blocking(workers: usize, size: Size) -> Sample {
        on(workers, move || {
            let meter = Meter::start();
            let one = move || (0..size.rounds).for_each(|_| block_a_millisecond());
            let blocked: Vec<_> = (0..size.tasks).map(|_| go!(one)).collect();
            let computing: Vec<_> = (0..COMPUTING)
                .map(|seed| {
                    go!(move || {
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
            let waiting = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::with_capacity(size.tasks);
            let before = resident_bytes();
            let meter = Meter::start();
            for _ in 0..size.tasks {
                let waiting = Arc::clone(&waiting);
                tasks.push(go!(move || {
                    waiting.fetch_add(1, Ordering::Relaxed);
                    park();
                }));
            }
            // One that yields comes before those that were spawned, and never lets them run.
            while waiting.load(Ordering::Relaxed) < size.tasks {
                sleep(Duration::from_millis(1));
            }
            let memory = resident_bytes();
            tasks.iter().for_each(|task| task.coroutine().unpark());
            tasks.into_iter().for_each(joined);
            meter.stop(size.operations()).with_memory(before, memory, size.tasks)
        })
    }
}

/// The sum of the leaves from `first` on.
fn node(first: u64, leaves: u64) -> u64 {
    let part = leaves / 10;
    let child = |index: u64| match first + index * part {
        leaf if part == 1 => go!(move || leaf),
        first => go!(move || node(first, part)),
    };
    let children: Vec<_> = (0..10).map(child).collect();
    children.into_iter().map(joined).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_limited_stays_within_the_mappings_of_a_process() {
        for workload in Workload::ALL {
            let size = May::limited(workload, workload.size(1.0));
            let live = match workload {
                Workload::Skynet => size.tasks * 10 / 9 + 1,
                _ => size.tasks,
            };
            assert!((live + POOL).max(LARGE_POOL) * 2 < 65_530, "{workload}: {live}");
        }
    }
}
