//! Performs the operations on two real local queues and on the reference, and compares.

use std::collections::VecDeque;

use gosched::{Batch, Full, GlobalQueue, LocalQueue, NextSlot, Owner, Stealer};

use super::{Local, LocalOp, Side, Start};
use crate::ops::reference::{LocalReference, Stolen, fair_share};
use crate::ops::tracked::{Id, Kind, Ledger, Tracked};
use crate::ops::{Mismatch, Seen, agree};

const FULL: &str = "a push found the ring full";
const NO_ROOM: &str = "a displaced task found no room";
const BATCH_CUT: &str = "a batch was larger than the room";
const OVERFLOWED: &str = "a push overflowed into the global queue";
const DISPLACED_OVERFLOWED: &str = "a displaced task overflowed into the global queue";
const NO_OVERFLOW: &str = "an overflow was refused, since there was room";
const DRAINED_BOTH: &str = "a drain took the slot's task and several of the ring";
const STOLE_MANY: &str = "a steal moved several tasks";
const STOLE_LESS: &str = "a thief without room took less than half";
const STOLE_SLOT: &str = "a thief took the slot's task";
const LEFT_SLOT: &str = "a thief left the slot's task";
const STOLE_FROM_NOBODY: &str = "a thief stole from a queue whose owner had left";
const SHARED: &str = "a share put several tasks into the ring";
const SHARE_CUT_BY_ROOM: &str = "a share was cut by the room";
const SHARE_CUT_BY_HALF: &str = "a share was cut to half a ring";
const WRAPPED: &str = "a head crossed its wrap";

pub(super) const MUST_SEE: &[&str] = &[
    FULL,
    NO_ROOM,
    BATCH_CUT,
    OVERFLOWED,
    DISPLACED_OVERFLOWED,
    NO_OVERFLOW,
    DRAINED_BOTH,
    STOLE_MANY,
    STOLE_LESS,
    STOLE_SLOT,
    LEFT_SLOT,
    STOLE_FROM_NOBODY,
    SHARED,
    SHARE_CUT_BY_ROOM,
    SHARE_CUT_BY_HALF,
    WRAPPED,
];

type Job = Box<Tracked>;

/// A local queue, with its reference.
struct Queue<const CAP: usize> {
    start: Start,
    /// None when the owner has left.
    owner: Option<Owner<Job, CAP>>,
    stealer: Stealer<Job, CAP>,
    reference: LocalReference,
}

impl<const CAP: usize> Queue<CAP> {
    fn new(start: Start) -> Self {
        let owner = LocalQueue::with_memory_starting_at(start.value());
        let stealer = owner.stealer();
        Self { start, owner: Some(owner), stealer, reference: LocalReference::new(CAP) }
    }

    fn compare(&self) -> Result<(), Mismatch> {
        let (len, is_empty) = (self.reference.len(), self.reference.is_empty());
        agree("the stealer's length", self.stealer.len(), len)?;
        agree("the stealer's emptiness", self.stealer.is_empty(), is_empty)?;
        let Some(owner) = &self.owner else { return Ok(()) };
        agree("the owner's length", owner.len(), len)?;
        agree("the owner's emptiness", owner.is_empty(), is_empty)
    }
}

/// Everything there is.
struct World<const CAP: usize> {
    ledger: Ledger,
    left: Queue<CAP>,
    right: Queue<CAP>,
    global: GlobalQueue<Job>,
    global_reference: VecDeque<Id>,
    seen: Seen,
}

pub(super) fn perform<const CAP: usize>(setup: &Local, ops: &[LocalOp]) -> Result<Seen, Mismatch> {
    let mut world = World::<CAP> {
        ledger: Ledger::default(),
        left: Queue::new(setup.left),
        right: Queue::new(setup.right),
        global: GlobalQueue::new(),
        global_reference: VecDeque::new(),
        seen: Seen::default(),
    };
    for (index, &op) in ops.iter().enumerate() {
        let step = world.step(op).and_then(|()| world.compare());
        step.map_err(|mismatch| mismatch.at(index, op))?;
    }
    world.finish()
}

impl<const CAP: usize> World<CAP> {
    fn step(&mut self, op: LocalOp) -> Result<(), Mismatch> {
        match op {
            LocalOp::Push(side) => self.push(side),
            LocalOp::PushNext(side) => self.push_next(side),
            LocalOp::PushBatch(side, offered) => self.push_batch(side, offered.into()),
            LocalOp::PushOrOverflow(side) => self.push_or_overflow(side),
            LocalOp::PushNextOrOverflow(side) => self.push_next_or_overflow(side),
            LocalOp::Overflow(side) => self.overflow(side),
            LocalOp::Pop(side) => pop(self.queue(side)),
            LocalOp::Drain(side) => self.drain(side),
            LocalOp::Steal(thief, slot) => self.steal(thief, slot),
            LocalOp::StealFromItself(side, slot) => steal_from_itself(self.queue(side), slot),
            LocalOp::TakeShare(side, processors) => self.take_share(side, processors.max(1).into()),
            LocalOp::Submit(count) => {
                for _ in 0..count {
                    self.global.push(self.ledger.make());
                    self.global_reference.push_back(self.ledger.made());
                }
                Ok(())
            }
            LocalOp::PopGlobal => self.pop_global(),
            LocalOp::OwnerLeaves(side) => {
                self.queue(side).owner = None;
                Ok(())
            }
            LocalOp::Renew(side) => {
                let queue = self.queue(side);
                *queue = Queue::new(queue.start);
                Ok(())
            }
        }
    }

    fn queue(&mut self, side: Side) -> &mut Queue<CAP> {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    /// The owner's handle, its reference, and what makes tasks; unless the owner has left.
    fn owner(
        &mut self,
        side: Side,
    ) -> Option<(&mut Owner<Job, CAP>, &mut LocalReference, &mut Ledger, &mut Seen)> {
        let queue = match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        };
        let owner = queue.owner.as_mut()?;
        Some((owner, &mut queue.reference, &mut self.ledger, &mut self.seen))
    }

    fn push(&mut self, side: Side) -> Result<(), Mismatch> {
        let Some((owner, reference, ledger, seen)) = self.owner(side) else { return Ok(()) };
        let found = owner.push(ledger.make()).map_err(|Full(task)| task.id());
        let expected = reference.push(ledger.made());
        seen.note(expected.is_err(), FULL);
        agree("the push", found, expected)
    }

    fn push_next(&mut self, side: Side) -> Result<(), Mismatch> {
        let Some((owner, reference, ledger, seen)) = self.owner(side) else { return Ok(()) };
        let found = owner.push_next(ledger.make()).map_err(|Full(task)| task.id());
        let expected = reference.push_next(ledger.made());
        seen.note(expected.is_err(), NO_ROOM);
        agree("the push into the slot", found, expected)
    }

    fn push_batch(&mut self, side: Side, offered: usize) -> Result<(), Mismatch> {
        let Some((owner, reference, ledger, seen)) = self.owner(side) else { return Ok(()) };
        let first = ledger.made() + 1;
        let mut tasks = (0..offered).map(|_| ledger.make());
        let found = owner.push_batch(&mut tasks);
        let kept = tasks.len();
        let expected = reference.push_batch(first..first + offered);
        seen.note(expected < offered, BATCH_CUT);
        agree("the number that were pushed", found, expected)?;
        agree("the number that stayed in the iterator", kept, offered - expected)
    }

    fn push_or_overflow(&mut self, side: Side) -> Result<(), Mismatch> {
        let Self { ledger, left, right, global, global_reference, seen } = self;
        let queue = if side == Side::Left { left } else { right };
        let Some(owner) = &mut queue.owner else { return Ok(()) };
        seen.note(queue.reference.room() == 0, OVERFLOWED);
        owner.push_or_overflow(ledger.make(), global);
        queue.reference.push_or_overflow(ledger.made(), global_reference);
        Ok(())
    }

    fn push_next_or_overflow(&mut self, side: Side) -> Result<(), Mismatch> {
        let Self { ledger, left, right, global, global_reference, seen } = self;
        let queue = if side == Side::Left { left } else { right };
        let Some(owner) = &mut queue.owner else { return Ok(()) };
        let in_global = global_reference.len();
        owner.push_next_or_overflow(ledger.make(), global);
        queue.reference.push_next_or_overflow(ledger.made(), global_reference);
        seen.note(global_reference.len() > in_global, DISPLACED_OVERFLOWED);
        Ok(())
    }

    fn overflow(&mut self, side: Side) -> Result<(), Mismatch> {
        let Some((owner, reference, ledger, seen)) = self.owner(side) else { return Ok(()) };
        let found = owner.overflow(ledger.make()).map(ids).map_err(|task| task.id());
        let expected = reference.overflow(ledger.made());
        seen.note(expected.is_err(), NO_OVERFLOW);
        agree("the overflow", found, expected)
    }

    fn drain(&mut self, side: Side) -> Result<(), Mismatch> {
        let Some((owner, reference, _, seen)) = self.owner(side) else { return Ok(()) };
        let found = ids(owner.drain());
        let in_ring = CAP - reference.room();
        let expected = reference.drain();
        seen.note(in_ring > 1 && expected.len() > in_ring, DRAINED_BOTH);
        agree("the drain", found, expected)
    }

    fn steal(&mut self, thief: Side, slot: NextSlot) -> Result<(), Mismatch> {
        let (thief, victim) = match thief {
            Side::Left => (&mut self.left, &mut self.right),
            Side::Right => (&mut self.right, &mut self.left),
        };
        steal(thief, victim, slot, &mut self.seen)
    }

    fn take_share(&mut self, side: Side, processors: usize) -> Result<(), Mismatch> {
        let Self { left, right, global, global_reference, seen, .. } = self;
        let queue = if side == Side::Left { left } else { right };
        let Some(owner) = &mut queue.owner else { return Ok(()) };
        let room = queue.reference.room();
        let fair = fair_share(global_reference.len(), processors, usize::MAX);
        seen.note(room + 1 < fair.min(CAP / 2), SHARE_CUT_BY_ROOM);
        seen.note(CAP / 2 < fair.min(room + 1), SHARE_CUT_BY_HALF);
        let count = processors.try_into().expect("at least one processor");
        let found = owner.take_share(global, count).map(|task| task.id());
        let expected = queue.reference.take_share(global_reference, processors);
        seen.note(queue.reference.room() + 1 < room, SHARED);
        agree("the first task of the share", found, expected)
    }

    fn pop_global(&mut self) -> Result<(), Mismatch> {
        let found = self.global.pop().map(|task| task.id());
        agree("the pop of the global queue", found, self.global_reference.pop_front())
    }

    /// What holds after each operation.
    fn compare(&self) -> Result<(), Mismatch> {
        self.left.compare()?;
        self.right.compare()?;
        let in_global = self.global_reference.len();
        agree("the global length", self.global.len(), in_global)?;
        let held = self.left.reference.len() + self.right.reference.len() + in_global;
        agree("the number of living tasks", self.ledger.alive(), held as isize)
    }

    /// Takes everything that is left out, in its order, and drops the queues.
    fn finish(mut self) -> Result<Seen, Mismatch> {
        while !self.global_reference.is_empty() {
            self.pop_global()?;
        }
        self.pop_global()?;
        let Self { ledger, left, right, global, mut seen, .. } = self;
        for mut queue in [left, right] {
            let before = usize::from(queue.start.before);
            seen.note(before > 0 && queue.reference.left() > before, WRAPPED);
            empty(&mut queue, &mut seen)?;
            queue.compare()?;
        }
        drop(global);
        agree("the number of living tasks at the end", ledger.alive(), 0)?;
        Ok(seen)
    }
}

/// Takes everything out of a queue: by its owner, or by a thief if that has left.
fn empty<const CAP: usize>(queue: &mut Queue<CAP>, seen: &mut Seen) -> Result<(), Mismatch> {
    let mut thief = Queue::new(queue.start);
    while !queue.reference.is_empty() {
        pop(queue)?;
        if queue.owner.is_none() {
            steal(&mut thief, queue, NextSlot::Take, seen)?;
            empty(&mut thief, seen)?;
        }
        queue.compare()?;
    }
    pop(queue)
}

fn pop<const CAP: usize>(queue: &mut Queue<CAP>) -> Result<(), Mismatch> {
    let Some(owner) = &mut queue.owner else { return Ok(()) };
    let found = owner.pop().map(|popped| (popped.task.id(), popped.inherits_slice));
    agree("the pop, and whether it inherits the slice", found, queue.reference.pop())
}

fn steal<const CAP: usize>(
    thief: &mut Queue<CAP>,
    victim: &mut Queue<CAP>,
    slot: NextSlot,
    seen: &mut Seen,
) -> Result<(), Mismatch> {
    let Some(owner) = &mut thief.owner else { return Ok(()) };
    let found = victim.stealer.steal_into(owner, slot).map(|stolen| Stolen {
        task: stolen.task.id(),
        moved: stolen.moved,
        from_next: stolen.from_next,
    });
    let half = (CAP - victim.reference.room()).div_ceil(2);
    let expected = victim.reference.steal_into(&mut thief.reference, slot);
    if let Ok(stolen) = expected {
        seen.note(stolen.moved > 1, STOLE_MANY);
        seen.note(stolen.from_next, STOLE_SLOT);
        seen.note(stolen.moved + 1 < half, STOLE_LESS);
        seen.note(victim.owner.is_none(), STOLE_FROM_NOBODY);
    }
    seen.note(expected.is_err() && !victim.reference.is_empty(), LEFT_SLOT);
    agree("the steal", found, expected)
}

fn steal_from_itself<const CAP: usize>(
    queue: &mut Queue<CAP>,
    slot: NextSlot,
) -> Result<(), Mismatch> {
    let Some(owner) = &mut queue.owner else { return Ok(()) };
    let found = queue.stealer.steal_into(owner, slot).map(|stolen| stolen.task.id());
    agree("the steal from itself", found, Err(gosched::StealError::Itself))
}

/// The numbers of a batch's tasks, in their order.
fn ids(batch: Batch<Job>) -> Vec<Id> {
    batch.into_iter().map(|task| task.id()).collect()
}
