//! What happens under the queue's lock, counted: no allocation, no free, no task's drop, and as
//! many accesses to link a thousand tasks as to link one. And what is not allocated at all.

use std::num::NonZeroUsize;

use gosched::{Batch, GlobalQueue};

use super::number;
use super::probe::{Counts, Probe, is_held, measure};

type ProbedQueue = GlobalQueue<NonZeroUsize, Probe>;
type ProbedBatch = Batch<NonZeroUsize, Probe>;

fn batch_of(tasks: usize) -> ProbedBatch {
    (1..=tasks).map(number).collect()
}

#[test]
fn nothing_is_allocated_or_freed_under_the_lock() {
    let counts = measure(|| {
        for block in 1..=4 {
            let queue = ProbedQueue::with_memory_and_block(number(block));
            for task in (1..=20).map(number) {
                queue.push(task);
                queue.push_front(task);
                queue.push_batch(batch_of(task.get()));
            }
            for _ in 0..30 {
                queue.pop();
            }
            let mut share = Batch::with_memory();
            while queue.pop_share(number(3), 20, &mut share) > 2 {}
            queue.push_batch(share);
            drop(queue.pop_all());
            queue.push(number(1));
        }
    });
    assert_eq!(counts.calls_under_the_lock, 0, "{counts:?}");
    assert!(counts.calls > 100 && counts.locks > 300, "the test saw nothing: {counts:?}");
}

#[test]
fn the_probe_sees_an_allocation_under_a_lock() {
    use gosched::memory::{Lock, Memory};
    let lock = <Probe as Memory>::Mutex::new(());
    let counts = measure(|| lock.with(|()| drop(Box::new(1))));
    assert!(counts.calls_under_the_lock <= counts.calls);
    // The optimiser may remove a box, but not this one.
    let counts = measure(|| lock.with(|()| drop(std::hint::black_box(Box::new(1)))));
    assert_eq!((counts.locks, counts.calls_under_the_lock), (1, 2));
}

#[test]
fn no_task_is_dropped_under_the_lock() {
    struct Guarded;
    impl Drop for Guarded {
        fn drop(&mut self) {
            assert!(!is_held());
        }
    }
    let queue = GlobalQueue::<Box<Guarded>, Probe>::with_memory_and_block(number(2));
    queue.push_batch((0..20).map(|_| Box::new(Guarded)).collect());
    queue.push(Box::new(Guarded));
    drop(queue.pop());
    let mut share = Batch::with_memory();
    queue.pop_share(number(2), 7, &mut share);
    drop(share);
    drop(queue.pop_all());
    queue.push(Box::new(Guarded));
    drop(queue);
}

#[test]
fn a_batch_is_linked_in_the_same_number_of_accesses_whatever_its_size() {
    // In front of it: nothing, a block with room, a full block.
    for tasks_before in [0, 1, 64] {
        let link = |tasks: usize| {
            let queue = ProbedQueue::with_memory();
            (1..=tasks_before).for_each(|task| queue.push(number(task)));
            let mut batch = batch_of(tasks);
            batch.append(&mut batch_of(tasks));
            measure(|| queue.push_batch(batch))
        };
        let one = link(1);
        assert_eq!(one.locks, 1);
        for tasks in [2, 1_000] {
            assert_eq!((link(tasks).locks, link(tasks).accesses), (one.locks, one.accesses));
        }
        assert!(one.accesses <= 1, "one link is written: {one:?}");
    }
}

#[test]
fn taking_all_is_constant_too() {
    let take = |tasks| {
        let queue = ProbedQueue::with_memory();
        queue.push_batch(batch_of(tasks));
        measure(|| assert_eq!(queue.pop_all().len(), tasks))
    };
    assert_eq!(take(1).accesses, take(1_000).accesses);
}

#[test]
fn an_empty_batch_does_not_take_the_lock() {
    let queue = ProbedQueue::with_memory();
    assert_eq!(measure(|| queue.push_batch(Batch::with_memory())).locks, 0);
}

#[test]
fn tasks_that_come_and_go_allocate_nothing_at_any_length() {
    let (lengths, rounds) = if cfg!(miri) { (6, 10) } else { (20, 100) };
    for length in 0..lengths {
        let queue = ProbedQueue::with_memory_and_block(number(4));
        let come_and_go = |burst: usize| {
            (1..=burst).for_each(|task| queue.push(number(task)));
            (1..=burst).for_each(|_| assert!(queue.pop().is_some()));
        };
        (1..=length).for_each(|task| queue.push(number(task)));
        (1..=16).for_each(|_| come_and_go(1));
        let counts = measure(|| (0..rounds).for_each(|_| come_and_go(1)));
        assert_eq!(counts.calls, 0, "{length} tasks stay: {counts:?}");
        assert_eq!(counts.locks, 2 * rounds);
    }
}

#[test]
fn a_batch_within_its_capacity_allocates_nothing() {
    for capacity in [1, 2, 7, 64] {
        let mut batch = ProbedBatch::with_memory_and_capacity(capacity);
        let counts = measure(|| {
            for round in 0..10 {
                for task in (1..=capacity).map(number) {
                    if round % 2 == 0 { batch.push(task) } else { batch.push_front(task) }
                }
                while batch.pop().is_some() {}
            }
        });
        assert_eq!(counts, Counts::default(), "capacity {capacity}");
    }
}

#[test]
fn reserved_room_is_there_whatever_the_batch_holds() {
    for held in [0, 1, 7, 8, 9, 30] {
        for additional in [0, 1, 8, 100] {
            let mut batch = batch_of(held);
            batch.reserve(additional);
            let counts = measure(|| (1..=additional).for_each(|task| batch.push(number(task))));
            assert_eq!(counts.calls, 0, "{additional} behind {held}");
        }
    }
}

#[test]
fn a_batch_that_is_used_again_for_shares_allocates_nothing() {
    let queue = ProbedQueue::with_memory();
    let mut share = ProbedBatch::with_memory_and_capacity(128);
    queue.push_batch(batch_of(1_000));
    let calls = |share: &mut ProbedBatch| {
        let mut popped = 0;
        measure(|| popped = queue.pop_share(number(4), 128, share)).calls
    };
    assert_eq!(calls(&mut share), 0);
    while share.pop().is_some() {}
    assert_eq!(calls(&mut share), 0);
}
