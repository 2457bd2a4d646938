//! What the operations cost when nobody is in the way, in numbers that no noise can blur.
//!
//! The table is the one in the book's essay on the local queue. The plain port of Go's queue stands
//! beside it: what the owner's plain fields save is seen in the loads and read-modify-writes.

use std::num::NonZeroUsize;

use gosched::memory::Hardware;
use gosched::{LocalQueue, NextSlot, Owner};

use crate::instrument::{Counted, Counts};
use crate::plain_queue::PlainQueue;

type Mem = Counted<Hardware>;
type Queue = Owner<NonZeroUsize, 8, Mem>;

/// A task. Which one does not matter here.
const TASK: NonZeroUsize = NonZeroUsize::MIN;

/// Atomic loads, stores and read-modify-writes. Everything else must be zero.
struct Cost(u64, u64, u64);

/// Compares what `operation` did with what it should cost.
fn expect<R>(name: &str, cost: &Cost, operation: impl FnOnce() -> R) -> Result<R, String> {
    let (result, counts) = Mem::section(operation);
    let &Cost(loads, stores, rmws) = cost;
    let expected = Counts { loads, stores, rmws, ..Counts::default() };
    if counts == expected {
        Ok(result)
    } else {
        Err(format!("{name} should cost {expected:?} but cost {counts:?}"))
    }
}

/// A ring of eight that holds `len` tasks.
fn ring(len: usize) -> Queue {
    let mut owner = LocalQueue::with_memory();
    assert_eq!(owner.push_batch([TASK; 8].into_iter().take(len)), len);
    owner
}

/// The costs of the shipped queue.
pub(super) fn shipped(_: u32) -> Result<u64, String> {
    let mut owner = ring(4);
    expect("push", &Cost(0, 2, 0), || owner.push(TASK))?.map_err(|full| full.to_string())?;
    expect("pop from the ring", &Cost(1, 0, 1), || owner.pop())?.ok_or("lost")?;
    expect("push into an empty slot", &Cost(0, 1, 0), || owner.push_next(TASK))?
        .map_err(|full| full.to_string())?;
    expect("push into a full slot", &Cost(0, 2, 1), || owner.push_next(TASK))?
        .map_err(|full| full.to_string())?;
    expect("pop from the slot", &Cost(0, 0, 1), || owner.pop())?.ok_or("lost")?;
    expect("push of a batch of three", &Cost(1, 4, 0), || owner.push_batch([TASK; 3]))?;
    expect("is_empty of a full ring", &Cost(2, 0, 0), || owner.is_empty())?;
    expect("is_empty of nothing", &Cost(4, 0, 0), || ring_of_nothing().is_empty())?;
    expect("len", &Cost(5, 0, 0), || owner.len())?;

    let mut thief = ring(0);
    let victim = ring(8).stealer();
    let steal = || victim.steal_into(&mut thief, NextSlot::Leave);
    let stolen = expect("a steal of four", &Cost(6, 4, 1), steal)?;
    let moved = stolen.map_err(|error| error.to_string())?.moved;
    if moved == 3 { Ok(10) } else { Err(format!("half of eight is four, not {moved} and one")) }
}

fn ring_of_nothing() -> Queue {
    LocalQueue::with_memory()
}

/// The costs of the plain port.
pub(super) fn plain(_: u32) -> Result<u64, String> {
    let queue = PlainQueue::<8, Mem>::new();
    let no_overflow = |_| unreachable!("there is room");
    expect("put", &Cost(2, 2, 0), || queue.put(1, no_overflow))?;
    expect("get from the ring", &Cost(4, 0, 1), || queue.get())?.ok_or("lost")?;
    expect("put into an empty slot", &Cost(1, 0, 1), || queue.put_next(1, no_overflow))?;
    expect("put into a full slot", &Cost(3, 2, 1), || queue.put_next(1, no_overflow))?;
    expect("get from the slot", &Cost(1, 0, 1), || queue.get())?.ok_or("lost")?;
    Ok(5)
}
