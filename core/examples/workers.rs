//! Three workers on threads run a million tasks that spawn one another.
//!
//! Run it with `cargo run --release -p gosched --example workers`.
//!
//! This is the use of the structures and nothing more: a worker without work tries again instead of
//! going to sleep, since the protocol for that is not part of this layer.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a host: its threads and its counter are its own"
)]

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gosched::{GlobalQueue, LocalQueue, NextSlot, Owner, StealOrder, Stealer};

const WORKERS: NonZeroUsize = NonZeroUsize::new(3).unwrap();
const TASKS: usize = 1_000_000;

/// A task: a number, boxed, as a stand-in for a closure or a future.
type Task = Box<usize>;

/// What the workers share.
struct Pool {
    global: GlobalQueue<Task>,
    stealers: Vec<Stealer<Task>>,
    order: StealOrder,
    done: AtomicUsize,
}

/// The next task: our own, a share of the global queue, or half of somebody else's. Every 61st time
/// the global queue comes first, so that nobody starves there.
fn find(own: &mut Owner<Task>, tick: u32, pool: &Pool) -> Option<Task> {
    if tick % 61 == 0 {
        if let Some(task) = pool.global.pop() {
            return Some(task);
        }
    }
    if let Some(popped) = own.pop() {
        return Some(popped.task);
    }
    if let Some(task) = own.take_share(&pool.global, WORKERS) {
        return Some(task);
    }
    // Our own queue is among the victims: stealing from it is refused, and costs nothing.
    let mut sweep = pool.order.start(tick.wrapping_mul(0x9E37_79B9));
    sweep.find_map(|victim| {
        let stolen = pool.stealers[victim].steal_into(own, NextSlot::Leave);
        stolen.ok().map(|stolen| stolen.task)
    })
}

/// Runs tasks until all are done; returns how many this worker ran.
fn work(mut own: Owner<Task>, pool: &Pool) -> usize {
    let mut ran = 0;
    for tick in 0.. {
        let Some(task) = find(&mut own, tick, pool) else {
            if pool.done.load(Ordering::Acquire) == TASKS {
                break;
            }
            thread::yield_now();
            continue;
        };
        ran += 1;
        // Task n spawns the tasks 2n and 2n + 1: the first into the slot, to run next.
        let child = *task * 2;
        if child <= TASKS {
            own.push_next_or_overflow(Box::new(child), &pool.global);
        }
        if child < TASKS {
            own.push_or_overflow(Box::new(child + 1), &pool.global);
        }
        pool.done.fetch_add(1, Ordering::Release);
    }
    ran
}

fn main() {
    let owners: Vec<Owner<Task>> = (0..WORKERS.get()).map(|_| LocalQueue::new()).collect();
    let pool = Pool {
        global: GlobalQueue::new(),
        stealers: owners.iter().map(Owner::stealer).collect(),
        order: StealOrder::new(WORKERS.get()),
        done: AtomicUsize::new(0),
    };
    pool.global.push(Box::new(1));
    let ran: Vec<usize> = thread::scope(|scope| {
        let workers: Vec<_> =
            owners.into_iter().map(|own| scope.spawn(|| work(own, &pool))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker panicked")).collect()
    });
    println!("{TASKS} tasks, by worker: {ran:?}");
    assert_eq!(ran.iter().sum::<usize>(), TASKS);
}
