//! The global queue and the batch, one thread at a time. What the queue does between threads is
//! checked by the claims `global_queue::*`.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]
#![allow(clippy::disallowed_types, reason = "counters beside the structures under test")]

mod exhaustive;
mod ownership;
mod probe;
mod under_the_lock;

use std::num::NonZeroUsize;

use gosched::memory::Hardware;
use gosched::{Batch, GlobalQueue};

fn number(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("not zero")
}

fn numbers(range: std::ops::RangeInclusive<usize>) -> impl Iterator<Item = NonZeroUsize> {
    range.map(number)
}

fn popped(queue: &GlobalQueue<NonZeroUsize>) -> Vec<usize> {
    std::iter::from_fn(|| queue.pop()).map(NonZeroUsize::get).collect()
}

#[test]
fn tasks_leave_in_the_order_they_came() {
    let queue = GlobalQueue::new();
    numbers(1..=200).for_each(|task| queue.push(task));
    assert_eq!(queue.len(), 200);
    assert!(popped(&queue).into_iter().eq(1..=200));
    assert!(queue.is_empty());
    assert_eq!(queue.pop(), None);
}

#[test]
fn a_task_at_the_front_leaves_first() {
    let queue = GlobalQueue::new();
    numbers(1..=100).for_each(|task| queue.push_front(task));
    queue.push(number(101));
    assert!(popped(&queue).into_iter().eq((1..=100).rev().chain([101])));
}

#[test]
fn a_batch_stays_together_and_in_order() {
    let queue = GlobalQueue::new();
    queue.push(number(1));
    queue.push_batch(numbers(2..=50).collect());
    queue.push(number(51));
    queue.push_batch(Batch::new());
    queue.push_batch(numbers(52..=52).collect());
    assert_eq!(queue.len(), 52);
    assert!(popped(&queue).into_iter().eq(1..=52));
}

#[test]
fn a_share_is_gos_rule_for_every_small_queue() {
    for len in 0..=if cfg!(miri) { 5 } else { 20 } {
        for processors in 1..=6 {
            for max in 0..=8 {
                let queue = GlobalQueue::with_memory_and_block(number(3));
                queue.push_batch(numbers(1..=len).collect());
                let mut share: Batch<_> = numbers(77..=77).collect();
                let expected = max.min(len).min(len / processors + 1);
                assert_eq!(queue.pop_share(number(processors), max, &mut share), expected);
                let share: Vec<usize> = share.into_iter().map(NonZeroUsize::get).collect();
                assert_eq!(share[0], 77, "a share goes behind what is in the hand");
                assert!(share[1..].iter().copied().eq(1..=expected), "oldest first: {share:?}");
                assert!(popped(&queue).into_iter().eq(expected + 1..=len), "the rest stays");
            }
        }
    }
}

#[test]
fn a_share_has_no_least_and_no_largest_size() {
    let queue = GlobalQueue::new();
    let mut share = Batch::new();
    assert_eq!(queue.pop_share(NonZeroUsize::MAX, usize::MAX, &mut share), 0);
    queue.push_batch(numbers(1..=10).collect());
    assert_eq!(queue.pop_share(NonZeroUsize::MAX, usize::MAX, &mut share), 1);
    assert_eq!(queue.pop_share(NonZeroUsize::MIN, usize::MAX, &mut share), 9);
    assert_eq!((share.len(), queue.len()), (10, 0));
}

#[test]
fn pop_all_takes_all() {
    let queue = GlobalQueue::new();
    queue.push_batch(numbers(1..=70).collect());
    queue.push(number(71));
    assert!(queue.pop_all().into_iter().eq(numbers(1..=71)));
    assert!(queue.is_empty());
    assert!(queue.pop_all().is_empty());
    queue.push(number(1));
    assert_eq!(popped(&queue), [1]);
}

#[test]
fn a_batch_grows_at_both_ends() {
    let mut batch = Batch::new();
    for task in numbers(1..=100) {
        batch.push_front(task);
        batch.push(task);
    }
    assert_eq!(batch.len(), 200);
    assert!(
        batch.into_iter().eq(numbers(1..=100)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .chain(numbers(1..=100)))
    );
}

#[test]
fn appending_moves_everything_behind() {
    let mut batch: Batch<NonZeroUsize> = numbers(1..=3).collect();
    let mut other = numbers(4..=20).collect();
    batch.append(&mut other);
    assert!(other.is_empty());
    batch.append(&mut other);
    batch.push(number(21));
    other.append(&mut batch);
    assert!(batch.is_empty());
    let mut other = other.into_iter();
    assert_eq!(other.len(), 21);
    assert!(other.by_ref().eq(numbers(1..=21)));
    assert_eq!((other.len(), other.next()), (0, None));
}

#[test]
fn every_constructor_makes_an_empty_queue_or_batch() {
    let queues: [GlobalQueue<NonZeroUsize>; 4] = [
        GlobalQueue::new(),
        GlobalQueue::default(),
        GlobalQueue::<_, Hardware>::with_memory(),
        GlobalQueue::with_memory_and_block(NonZeroUsize::MIN),
    ];
    for queue in queues {
        assert_eq!(format!("{queue:?}"), "GlobalQueue { len: 0, .. }");
    }
    let batches: [Batch<NonZeroUsize>; 5] = [
        Batch::new(),
        Batch::default(),
        Batch::with_capacity(0),
        Batch::<_, Hardware>::with_memory(),
        Batch::with_memory_and_capacity(7),
    ];
    for batch in batches {
        assert_eq!(format!("{batch:?}"), "Batch { len: 0, .. }");
    }
}

#[test]
fn queue_and_batch_go_where_threads_need_them() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<GlobalQueue<Box<std::cell::Cell<u8>>>>();
    is_sync::<GlobalQueue<Box<std::cell::Cell<u8>>>>();
    is_send::<Batch<Box<std::cell::Cell<u8>>>>();
}
