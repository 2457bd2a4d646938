//! Performs the operations on a real global queue and two batches, and on three plain lists.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use gosched::{Batch, GlobalQueue};

use super::{Global, GlobalOp};
use crate::ops::reference::fair_share;
use crate::ops::tracked::{Id, Kind, Ledger, Tracked};
use crate::ops::{Mismatch, Seen, agree};

const POPPED_NOTHING: &str = "a pop found nothing";
const SHARED: &str = "a share was of several tasks, and some stayed";
const SHARE_CUT: &str = "a share was cut by its bound";
const SHARE_JOINED: &str = "a share went behind tasks in the hand";
const TOOK_ALL: &str = "all of several tasks were taken";
const JOINED: &str = "a batch went behind other tasks";
const APPENDED: &str = "a batch was appended to another";
const ITERATED: &str = "an iterator was dropped with tasks in it";
const RENEWED: &str = "a queue was dropped with tasks in it";
const BLOCK_OF_ONE: &str = "each task had a block of its own";

pub(super) const MUST_SEE: &[&str] = &[
    POPPED_NOTHING,
    SHARED,
    SHARE_CUT,
    SHARE_JOINED,
    TOOK_ALL,
    JOINED,
    APPENDED,
    ITERATED,
    RENEWED,
    BLOCK_OF_ONE,
];

type Job = Box<Tracked>;

/// Everything there is: the real thing, and beside it the tasks that it should hold.
struct World {
    ledger: Ledger,
    block: NonZeroUsize,
    queue: GlobalQueue<Job>,
    in_queue: VecDeque<Id>,
    hand: Batch<Job>,
    in_hand: VecDeque<Id>,
    aside: Batch<Job>,
    in_aside: VecDeque<Id>,
    seen: Seen,
}

pub(super) fn perform(setup: &Global, ops: &[GlobalOp]) -> Result<Seen, Mismatch> {
    let block = NonZeroUsize::new(setup.block.into()).unwrap_or(NonZeroUsize::MIN);
    let mut world = World {
        ledger: Ledger::default(),
        block,
        queue: GlobalQueue::with_memory_and_block(block),
        in_queue: VecDeque::new(),
        hand: Batch::new(),
        in_hand: VecDeque::new(),
        aside: Batch::new(),
        in_aside: VecDeque::new(),
        seen: Seen::default(),
    };
    for (index, &op) in ops.iter().enumerate() {
        let step = world.step(op).and_then(|()| world.compare());
        step.map_err(|mismatch| mismatch.at(index, op))?;
    }
    world.finish()
}

impl World {
    fn step(&mut self, op: GlobalOp) -> Result<(), Mismatch> {
        match op {
            GlobalOp::Push => {
                self.queue.push(self.ledger.make());
                self.in_queue.push_back(self.ledger.made());
                self.seen.note(self.block.get() == 1 && self.in_queue.len() > 2, BLOCK_OF_ONE);
            }
            GlobalOp::PushFront => {
                self.queue.push_front(self.ledger.make());
                self.in_queue.push_front(self.ledger.made());
            }
            GlobalOp::PushBatch(count) => {
                let batch: Batch<Job> = (0..count).map(|_| self.ledger.make()).collect();
                self.in_queue.extend(newest(&self.ledger, count.into()));
                self.queue.push_batch(batch);
            }
            GlobalOp::PushHand => {
                self.seen.note(!self.in_queue.is_empty() && !self.in_hand.is_empty(), JOINED);
                self.queue.push_batch(core::mem::take(&mut self.hand));
                self.in_queue.append(&mut self.in_hand);
            }
            GlobalOp::Pop => {
                let found = self.queue.pop().map(|task| task.id());
                self.seen.note(self.in_queue.is_empty(), POPPED_NOTHING);
                agree("the pop", found, self.in_queue.pop_front())?;
            }
            GlobalOp::PopShare(processors, max) => self.pop_share(processors, max)?,
            GlobalOp::PopAll => {
                self.seen.note(self.in_queue.len() > 1, TOOK_ALL);
                self.hand.append(&mut self.queue.pop_all());
                self.in_hand.append(&mut self.in_queue);
            }
            GlobalOp::Renew => {
                self.seen.note(!self.in_queue.is_empty(), RENEWED);
                self.queue = GlobalQueue::with_memory_and_block(self.block);
                self.in_queue.clear();
            }
            _ => self.step_of_the_hand(op)?,
        }
        Ok(())
    }

    fn step_of_the_hand(&mut self, op: GlobalOp) -> Result<(), Mismatch> {
        match op {
            GlobalOp::HandPush => {
                self.hand.push(self.ledger.make());
                self.in_hand.push_back(self.ledger.made());
            }
            GlobalOp::HandPushFront => {
                self.hand.push_front(self.ledger.make());
                self.in_hand.push_front(self.ledger.made());
            }
            GlobalOp::HandPop => {
                let found = self.hand.pop().map(|task| task.id());
                agree("the pop of the hand", found, self.in_hand.pop_front())?;
            }
            GlobalOp::HandExtend(count) => {
                self.hand.extend((0..count).map(|_| self.ledger.make::<Job>()));
                self.in_hand.extend(newest(&self.ledger, count.into()));
            }
            GlobalOp::HandReserve(additional) => self.hand.reserve(additional.into()),
            GlobalOp::HandAppend => {
                self.seen.note(!self.in_hand.is_empty() && !self.in_aside.is_empty(), APPENDED);
                self.hand.append(&mut self.aside);
                self.in_hand.append(&mut self.in_aside);
            }
            GlobalOp::Swap => {
                core::mem::swap(&mut self.hand, &mut self.aside);
                core::mem::swap(&mut self.in_hand, &mut self.in_aside);
            }
            GlobalOp::HandIterate(taken) => self.iterate(taken.into())?,
            _ => unreachable!("an operation on the queue"),
        }
        Ok(())
    }

    fn pop_share(&mut self, processors: u8, max: u8) -> Result<(), Mismatch> {
        let processors = NonZeroUsize::new(processors.into()).unwrap_or(NonZeroUsize::MIN);
        let max = if max == u8::MAX { usize::MAX } else { max.into() };
        let found = self.queue.pop_share(processors, max, &mut self.hand);
        let expected = fair_share(self.in_queue.len(), processors.get(), max);
        self.seen.note(expected > 1 && expected < self.in_queue.len(), SHARED);
        self.seen
            .note(max < fair_share(self.in_queue.len(), processors.get(), usize::MAX), SHARE_CUT);
        self.seen.note(expected > 0 && !self.in_hand.is_empty(), SHARE_JOINED);
        self.in_hand.extend(self.in_queue.drain(..expected));
        agree("the size of the share", found, expected)
    }

    fn iterate(&mut self, taken: usize) -> Result<(), Mismatch> {
        let mut tasks = core::mem::take(&mut self.hand).into_iter();
        let mut expected = core::mem::take(&mut self.in_hand).into_iter();
        for _ in 0..taken.min(expected.len()) {
            agree("how many are left in the iterator", tasks.len(), expected.len())?;
            agree("the iterator", tasks.next().map(|task| task.id()), expected.next())?;
        }
        agree("how many are left in the iterator", tasks.len(), expected.len())?;
        self.seen.note(expected.len() > 0, ITERATED);
        if expected.len() == 0 {
            agree("the iterator's end", tasks.next().map(|task| task.id()), None)?;
        }
        Ok(())
    }

    /// What holds after each operation.
    fn compare(&self) -> Result<(), Mismatch> {
        let lists = [&self.in_queue, &self.in_hand, &self.in_aside];
        let [queue, hand, aside] = lists.map(VecDeque::len);
        agree("the length", self.queue.len(), queue)?;
        agree("the emptiness", self.queue.is_empty(), queue == 0)?;
        agree("the length of the hand", self.hand.len(), hand)?;
        agree("the emptiness of the hand", self.hand.is_empty(), hand == 0)?;
        agree("the length of what is aside", self.aside.len(), aside)?;
        agree("the number of living tasks", self.ledger.alive(), (queue + hand + aside) as isize)
    }

    /// Takes everything that is left out, in its order, and drops what held it.
    fn finish(mut self) -> Result<Seen, Mismatch> {
        for op in [GlobalOp::HandIterate(u8::MAX), GlobalOp::PopAll, GlobalOp::HandIterate(u8::MAX)]
        {
            self.step(op)?;
        }
        self.step(GlobalOp::Pop)?;
        let found: Vec<Id> = self.aside.into_iter().map(|task| task.id()).collect();
        agree("what was put aside", found, self.in_aside.into())?;
        drop(self.queue);
        agree("the number of living tasks at the end", self.ledger.alive(), 0)?;
        Ok(self.seen)
    }
}

/// The numbers of the `count` tasks that were made last.
fn newest(ledger: &Ledger, count: usize) -> impl Iterator<Item = Id> + use<> {
    ledger.made() + 1 - count..ledger.made() + 1
}
