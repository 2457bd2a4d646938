//! What the operations do under the lock, counted.

use std::num::NonZeroUsize;

use gosched::memory::Hardware;
use gosched::{Batch, GlobalQueue};

use crate::instrument::{Counted, Counts};

type Mem = Counted<Hardware>;
type Queue = GlobalQueue<NonZeroUsize, Mem>;

/// A task. Which one does not matter here.
const TASK: NonZeroUsize = NonZeroUsize::MIN;

fn batch(tasks: usize) -> Batch<NonZeroUsize, Mem> {
    std::iter::repeat_n(TASK, tasks).collect()
}

/// A queue of tasks that were pushed one by one, in blocks of four.
fn queue(tasks: usize) -> Queue {
    let queue = Queue::with_memory_and_block(TASK.saturating_add(3));
    (0..tasks).for_each(|_| queue.push(TASK));
    queue
}

/// Linking a batch, and taking all, costs the same for every size.
pub(super) fn link(_: u32) -> Result<u64, String> {
    let mut checked = 0;
    for before in [0, 1, 4, 7] {
        let cost = |tasks| {
            let (queue, batch) = (queue(before), batch(tasks));
            let ((), linked) = Mem::section(|| queue.push_batch(batch));
            let (all, taken) = Mem::section(|| queue.pop_all());
            (all.len() - tasks, linked, taken.locks, taken.accesses_under_lock)
        };
        let one = cost(1);
        for tasks in [2, 10, 100, 1_000] {
            if cost(tasks) != one {
                return Err(format!(
                    "behind {before} tasks, {tasks} cost {:?}, but one costs {one:?}",
                    cost(tasks)
                ));
            }
            checked += 1;
        }
    }
    Ok(checked)
}

/// What each operation costs when nobody is in the way.
pub(super) fn operations(_: u32) -> Result<u64, String> {
    // The length is stored once under each lock, and one header and one slot are written. A block
    // that comes or goes has its own header and its neighbour's written, too.
    for (name, before, writes, operation) in [
        ("push into a block with room", 1, 2, (|queue| queue.push(TASK)) as fn(&Queue)),
        ("push at the front of one", 1, 2, |queue| queue.push_front(TASK)),
        ("pop from a block", 2, 2, |queue| assert!(queue.pop().is_some())),
        ("pop of nothing", 0, 0, |queue| assert!(queue.pop().is_none())),
    ] {
        let queue = queue(before);
        let ((), counts) = Mem::section(|| operation(&queue));
        let expected = Counts {
            stores: 1,
            cell_writes: writes,
            locks: 1,
            accesses_under_lock: writes + 1,
            ..Counts::default()
        };
        if counts != expected {
            return Err(format!("{name}: {counts}, but expected {expected}"));
        }
    }
    let queue = queue(3);
    let (empty, counts) = Mem::section(|| queue.is_empty());
    let expected = Counts { loads: 1, ..Counts::default() };
    if empty || counts != expected {
        return Err(format!("is_empty: {counts}, but expected {expected}"));
    }
    Ok(5)
}
