//! Every short list of operations, against a `VecDeque`, with blocks so small that each list
//! crosses their edges: each way of filling, draining, linking and reusing a block occurs.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use gosched::{Batch, GlobalQueue};

use super::number;

#[derive(Clone, Copy, Debug)]
enum Op {
    Push,
    PushFront,
    /// Pushes a batch of two, in a block with room for a third.
    PushBatch,
    Pop,
    /// One of two processors takes its share.
    PopShare,
    PopAll,
}

const OPS: [Op; 6] = [Op::Push, Op::PushFront, Op::PushBatch, Op::Pop, Op::PopShare, Op::PopAll];

const LENGTH: u32 = if cfg!(miri) { 3 } else { 6 };

#[test]
fn every_short_list_of_operations_matches_the_reference() {
    for block in 1..=2 {
        for list in 0..OPS.len().pow(LENGTH) {
            let ops: Vec<Op> =
                (0..LENGTH).map(|i| OPS[list / OPS.len().pow(i) % OPS.len()]).collect();
            assert_eq!(run_queue(&ops, block), run_reference(&ops), "block {block}: {ops:?}");
        }
    }
}

/// What the operations returned, in order, with the length after each.
type Trace = Vec<(Vec<usize>, usize)>;

fn run_queue(ops: &[Op], block: usize) -> Trace {
    let queue = GlobalQueue::<NonZeroUsize>::with_memory_and_block(number(block));
    let mut fresh = (1..).map(number);
    let mut next = || fresh.next().expect("numbers do not end");
    let mut hand = Batch::new();
    let mut trace = Vec::new();
    for op in ops {
        match op {
            Op::Push => queue.push(next()),
            Op::PushFront => queue.push_front(next()),
            Op::PushBatch => {
                let mut batch = Batch::with_capacity(3);
                batch.extend([next(), next()]);
                queue.push_batch(batch);
            }
            Op::Pop => hand.extend(queue.pop()),
            Op::PopShare => {
                let before = hand.len();
                let share = queue.pop_share(number(2), usize::MAX, &mut hand);
                assert_eq!(hand.len(), before + share);
            }
            Op::PopAll => hand.append(&mut queue.pop_all()),
        }
        assert_eq!(queue.is_empty(), [0].contains(&queue.len()));
        let got = std::iter::from_fn(|| hand.pop()).map(NonZeroUsize::get).collect();
        trace.push((got, queue.len()));
    }
    trace
}

fn run_reference(ops: &[Op]) -> Trace {
    let mut queue = VecDeque::new();
    let mut fresh = 1..;
    let mut next = || fresh.next().expect("numbers do not end");
    let mut trace = Vec::new();
    for op in ops {
        let mut take = 0;
        match op {
            Op::Push => queue.push_back(next()),
            Op::PushFront => queue.push_front(next()),
            Op::PushBatch => queue.extend([next(), next()]),
            Op::Pop => take = queue.len().min(1),
            Op::PopShare => take = queue.len().min(queue.len() / 2 + 1),
            Op::PopAll => take = queue.len(),
        }
        let got = queue.drain(..take).collect();
        trace.push((got, queue.len()));
    }
    trace
}
