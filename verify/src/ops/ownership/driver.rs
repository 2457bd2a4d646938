//! Performs the operations, and accounts for every task and every drop.

use core::mem::{replace, take};
use core::num::NonZeroUsize;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use gosched::{Batch, Full, GlobalQueue, LocalQueue, NextSlot, Owner, StealError, Stealer};

use super::{Ownership, OwnershipOp};
use crate::ops::reference::{LocalReference, fair_share};
use crate::ops::tracked::{DropPanic, Id, Kind, Ledger};
use crate::ops::{Mismatch, Seen, agree};

const RETURNED: &str = "a task without room came back and was dropped";
const BATCH_CUT: &str = "tasks of a batch found no room";
const ITERATOR_PANICKED: &str = "a batch's iterator panicked after some tasks";
const STOLE_FROM_NOBODY: &str = "a thief stole after the owner had left";
const OWNER_WAS_LAST: &str = "the owner was the last handle of a queue with tasks";
const STEALER_WAS_LAST: &str = "the stealer was the last handle of a queue with tasks";
const ITERATOR_DROPPED: &str = "an iterator was dropped with tasks in it";
const GLOBAL_DROPPED: &str = "a global queue was dropped with tasks in it";
const HAND_DROPPED: &str = "a batch was dropped with tasks in it";
const PANICKED_AMONG_OTHERS: &str = "a drop panicked before other tasks' drops";

pub(super) const MUST_SEE: &[&str] = &[
    RETURNED,
    BATCH_CUT,
    ITERATOR_PANICKED,
    STOLE_FROM_NOBODY,
    OWNER_WAS_LAST,
    STEALER_WAS_LAST,
    ITERATOR_DROPPED,
    GLOBAL_DROPPED,
    HAND_DROPPED,
    PANICKED_AMONG_OTHERS,
];

const CAP: usize = 4;

/// What a batch's iterator panics with.
struct IteratorPanic;

/// Everything there is: the real thing, and beside it the tasks that it should hold.
struct World<K: Kind> {
    ledger: Ledger,
    /// The living task whose drop panics.
    armed: Option<Id>,
    arm_next: bool,
    owner: Option<Owner<K, CAP>>,
    stealer: Option<Stealer<K, CAP>>,
    in_local: LocalReference,
    thief: Owner<K, CAP>,
    in_thief: LocalReference,
    block: NonZeroUsize,
    global: GlobalQueue<K>,
    in_global: VecDeque<Id>,
    hand: Batch<K>,
    in_hand: VecDeque<Id>,
    held: VecDeque<K>,
    seen: Seen,
}

pub(super) fn perform<K: Kind>(setup: &Ownership, ops: &[OwnershipOp]) -> Result<Seen, Mismatch> {
    let block = NonZeroUsize::new(setup.block.into()).unwrap_or(NonZeroUsize::MIN);
    let owner = LocalQueue::with_memory();
    let mut world = World::<K> {
        ledger: Ledger::default(),
        armed: None,
        arm_next: false,
        stealer: Some(owner.stealer()),
        owner: Some(owner),
        in_local: LocalReference::new(CAP),
        thief: LocalQueue::with_memory(),
        in_thief: LocalReference::new(CAP),
        block,
        global: GlobalQueue::with_memory_and_block(block),
        in_global: VecDeque::new(),
        hand: Batch::new(),
        in_hand: VecDeque::new(),
        held: VecDeque::new(),
        seen: Seen::default(),
    };
    world.perform(ops).inspect_err(|_| world.ledger.disarm())?;
    Ok(world.seen)
}

impl<K: Kind> World<K> {
    fn perform(&mut self, ops: &[OwnershipOp]) -> Result<(), Mismatch> {
        for (index, &op) in ops.iter().enumerate() {
            let step = self.step(op).and_then(|()| self.account());
            step.map_err(|mismatch| mismatch.at(index, op))?;
        }
        self.finish()
    }

    fn step(&mut self, op: OwnershipOp) -> Result<(), Mismatch> {
        match op {
            OwnershipOp::Arm => {
                self.arm_next = K::DROPS && self.armed.is_none();
                Ok(())
            }
            OwnershipOp::Push => self.push(),
            OwnershipOp::PushNext => self.push_next(),
            OwnershipOp::PushBatch(offered) => self.push_batch(offered.into(), false),
            OwnershipOp::PushBatchThenPanic(offered) => self.push_batch(offered.into(), true),
            OwnershipOp::PushOrOverflow => self.push_or_overflow(false),
            OwnershipOp::PushNextOrOverflow => self.push_or_overflow(true),
            OwnershipOp::Overflow => self.overflow(),
            OwnershipOp::Pop => self.pop(),
            OwnershipOp::Drain => self.drain(),
            OwnershipOp::TakeShare(processors) => self.take_share(processors),
            OwnershipOp::Steal(slot) => self.steal(slot),
            OwnershipOp::ThiefPop => {
                let found = self.thief.pop().map(|popped| popped.task);
                let expected = self.in_thief.pop().map(|(task, _)| task);
                self.hold(found, expected)
            }
            OwnershipOp::DropOwner => self.drop_owner(),
            OwnershipOp::DropStealer => self.drop_stealer(),
            OwnershipOp::RenewLocal => self.renew_local(),
            OwnershipOp::RenewThief => {
                let (thief, tasks) =
                    (replace(&mut self.thief, LocalQueue::with_memory()), self.in_thief.drain());
                self.drop(thief, tasks)
            }
            _ => self.step_of_the_global_queue(op),
        }
    }

    fn step_of_the_global_queue(&mut self, op: OwnershipOp) -> Result<(), Mismatch> {
        match op {
            OwnershipOp::Submit => {
                let task = self.make();
                self.in_global.push_back(task.id());
                self.global.push(task);
            }
            OwnershipOp::SubmitFront => {
                let task = self.make();
                self.in_global.push_front(task.id());
                self.global.push_front(task);
            }
            OwnershipOp::SubmitHand => {
                self.global.push_batch(take(&mut self.hand));
                self.in_global.append(&mut self.in_hand);
            }
            OwnershipOp::PopGlobal => {
                let (found, expected) = (self.global.pop(), self.in_global.pop_front());
                self.hold(found, expected)?;
            }
            OwnershipOp::PopShare(processors, max) => {
                let processors = NonZeroUsize::new(processors.into()).unwrap_or(NonZeroUsize::MIN);
                let found = self.global.pop_share(processors, max.into(), &mut self.hand);
                let expected = fair_share(self.in_global.len(), processors.get(), max.into());
                self.in_hand.extend(self.in_global.drain(..expected));
                agree("the size of the share", found, expected)?;
            }
            OwnershipOp::PopAll => {
                self.hand.append(&mut self.global.pop_all());
                self.in_hand.append(&mut self.in_global);
            }
            OwnershipOp::Iterate(taken) => self.iterate(taken.into())?,
            OwnershipOp::DropHeld => {
                let Some(task) = self.held.pop_front() else { return Ok(()) };
                let id = task.id();
                self.drop(task, [id])?;
            }
            OwnershipOp::DropHand => {
                let (hand, tasks) = (take(&mut self.hand), take(&mut self.in_hand));
                self.seen.note(!tasks.is_empty(), HAND_DROPPED);
                self.drop(hand, tasks)?;
            }
            OwnershipOp::RenewGlobal => {
                let global =
                    replace(&mut self.global, GlobalQueue::with_memory_and_block(self.block));
                let tasks = take(&mut self.in_global);
                self.seen.note(!tasks.is_empty(), GLOBAL_DROPPED);
                self.drop(global, tasks)?;
            }
            _ => unreachable!("an operation on a local queue"),
        }
        Ok(())
    }

    /// Makes a task, which is armed if one was asked for.
    fn make(&mut self) -> K {
        let panics = take(&mut self.arm_next);
        let task = self.ledger.make_with::<K>(panics);
        if panics {
            self.armed = Some(task.id());
        }
        task
    }

    /// Holds a task that was taken out of somewhere.
    fn hold(&mut self, found: Option<K>, expected: Option<Id>) -> Result<(), Mismatch> {
        agree("the task that was taken", found.as_ref().map(K::id), expected)?;
        self.held.extend(found);
        Ok(())
    }

    /// Drops `thing`, which should drop exactly `tasks`, in this order, and panic if one is armed.
    fn drop<D>(&mut self, thing: D, tasks: impl IntoIterator<Item = Id>) -> Result<(), Mismatch> {
        let mut expected: Vec<Id> = tasks.into_iter().collect();
        let found = match catch_unwind(AssertUnwindSafe(|| drop(thing))) {
            Ok(()) => None,
            Err(panic) => match panic.downcast::<DropPanic>() {
                Ok(panic) => Some(*panic),
                Err(other) => resume_unwind(other),
            },
        };
        let armed = self.armed.take_if(|armed| expected.contains(armed));
        self.seen.note(armed.is_some() && armed != expected.last().copied(), PANICKED_AMONG_OTHERS);
        agree("the panic of a drop", found, armed.map(DropPanic))?;
        if !K::DROPS {
            expected.clear();
        }
        agree("what was dropped", self.ledger.new_drops(), expected)
    }

    fn push(&mut self) -> Result<(), Mismatch> {
        if self.owner.is_none() {
            return Ok(());
        }
        let task = self.make();
        let expected = self.in_local.push(task.id());
        let found = self.owner.as_mut().map_or(Ok(()), |owner| owner.push(task));
        self.returned(found, expected)
    }

    fn push_next(&mut self) -> Result<(), Mismatch> {
        if self.owner.is_none() {
            return Ok(());
        }
        let task = self.make();
        let expected = self.in_local.push_next(task.id());
        let found = self.owner.as_mut().map_or(Ok(()), |owner| owner.push_next(task));
        self.returned(found, expected)
    }

    /// Drops the task that came back, if one did.
    fn returned(
        &mut self,
        found: Result<(), Full<K>>,
        expected: Result<(), Id>,
    ) -> Result<(), Mismatch> {
        let came_back = found.as_ref().err().map(|Full(task)| task.id());
        self.seen.note(expected.is_err(), RETURNED);
        agree("the task that came back", came_back, expected.err())?;
        match found {
            Ok(()) => Ok(()),
            Err(Full(task)) => self.drop(task, expected.err()),
        }
    }

    fn push_batch(&mut self, offered: usize, then_panic: bool) -> Result<(), Mismatch> {
        let Some(mut owner) = self.owner.take() else { return Ok(()) };
        let tasks: Vec<K> = (0..offered).map(|_| self.make()).collect();
        let ids: Vec<Id> = tasks.iter().map(K::id).collect();
        let mut tasks = tasks.into_iter();
        let mut asked = std::iter::from_fn(|| match tasks.next() {
            None if then_panic => resume_unwind(Box::new(IteratorPanic)),
            task => task,
        });
        let result = catch_unwind(AssertUnwindSafe(|| owner.push_batch(&mut asked)));
        self.owner = Some(owner);
        let panics = then_panic && offered < self.in_local.room();
        let pushed = self.in_local.push_batch(ids.iter().copied());
        self.seen.note(panics && pushed > 0, ITERATOR_PANICKED);
        self.seen.note(pushed < offered, BATCH_CUT);
        let found = match result {
            Ok(count) => Some(count),
            Err(panic) if panic.is::<IteratorPanic>() => None,
            Err(other) => resume_unwind(other),
        };
        agree("the number that were pushed", found, (!panics).then_some(pushed))?;
        self.drop(tasks, ids[pushed..].iter().copied())
    }

    fn push_or_overflow(&mut self, next: bool) -> Result<(), Mismatch> {
        if self.owner.is_none() {
            return Ok(());
        }
        let task = self.make();
        let Some(owner) = &mut self.owner else { return Ok(()) };
        if next {
            self.in_local.push_next_or_overflow(task.id(), &mut self.in_global);
            owner.push_next_or_overflow(task, &self.global);
        } else {
            self.in_local.push_or_overflow(task.id(), &mut self.in_global);
            owner.push_or_overflow(task, &self.global);
        }
        Ok(())
    }

    fn overflow(&mut self) -> Result<(), Mismatch> {
        let Some(mut owner) = self.owner.take() else { return Ok(()) };
        let task = self.make();
        let expected = self.in_local.overflow(task.id());
        let found = owner.overflow(task);
        self.owner = Some(owner);
        match (found, expected) {
            (Ok(mut batch), Ok(tasks)) => {
                agree("the length of the overflow", batch.len(), tasks.len())?;
                self.hand.append(&mut batch);
                self.in_hand.extend(tasks);
                Ok(())
            }
            (Err(task), Err(id)) => self.drop(task, [id]),
            (found, expected) => agree("whether it overflowed", found.is_ok(), expected.is_ok()),
        }
    }

    fn pop(&mut self) -> Result<(), Mismatch> {
        let Some(owner) = &mut self.owner else { return Ok(()) };
        let found = owner.pop().map(|popped| popped.task);
        let expected = self.in_local.pop().map(|(task, _)| task);
        self.hold(found, expected)
    }

    fn drain(&mut self) -> Result<(), Mismatch> {
        let Some(owner) = &mut self.owner else { return Ok(()) };
        self.hand.append(&mut owner.drain());
        self.in_hand.extend(self.in_local.drain());
        Ok(())
    }

    fn take_share(&mut self, processors: u8) -> Result<(), Mismatch> {
        let Some(owner) = &mut self.owner else { return Ok(()) };
        let processors = NonZeroUsize::new(processors.into()).unwrap_or(NonZeroUsize::MIN);
        let found = owner.take_share(&self.global, processors);
        let expected = self.in_local.take_share(&mut self.in_global, processors.get());
        self.hold(found, expected)
    }

    fn steal(&mut self, slot: NextSlot) -> Result<(), Mismatch> {
        let Some(stealer) = &self.stealer else { return Ok(()) };
        let found = match stealer.steal_into(&mut self.thief, slot) {
            Ok(stolen) => Some(stolen.task),
            Err(StealError::Empty) => None,
            Err(error) => return agree("the steal's error", error, StealError::Empty),
        };
        let expected = self.in_local.steal_into(&mut self.in_thief, slot).ok();
        self.seen.note(expected.is_some() && self.owner.is_none(), STOLE_FROM_NOBODY);
        self.hold(found, expected.map(|stolen| stolen.task))
    }

    fn iterate(&mut self, taken: usize) -> Result<(), Mismatch> {
        let mut tasks = take(&mut self.hand).into_iter();
        for _ in 0..taken.min(self.in_hand.len()) {
            let expected = self.in_hand.pop_front();
            self.hold(tasks.next(), expected)?;
        }
        let rest = take(&mut self.in_hand);
        self.seen.note(!rest.is_empty(), ITERATOR_DROPPED);
        self.drop(tasks, rest)
    }

    fn drop_owner(&mut self) -> Result<(), Mismatch> {
        let Some(owner) = self.owner.take() else { return Ok(()) };
        let dropped = if self.stealer.is_none() { self.in_local.drain() } else { Vec::new() };
        self.seen.note(!dropped.is_empty(), OWNER_WAS_LAST);
        self.drop(owner, dropped)
    }

    fn drop_stealer(&mut self) -> Result<(), Mismatch> {
        let Some(stealer) = self.stealer.take() else { return Ok(()) };
        let dropped = if self.owner.is_none() { self.in_local.drain() } else { Vec::new() };
        self.seen.note(!dropped.is_empty(), STEALER_WAS_LAST);
        self.drop(stealer, dropped)
    }

    fn renew_local(&mut self) -> Result<(), Mismatch> {
        self.drop_owner()?;
        self.drop_stealer()?;
        let owner = LocalQueue::with_memory();
        self.stealer = Some(owner.stealer());
        self.owner = Some(owner);
        Ok(())
    }

    /// What holds after each operation: lengths, and that nothing was dropped but what was told.
    fn account(&mut self) -> Result<(), Mismatch> {
        let lens = [self.in_local.len(), self.in_thief.len(), self.in_global.len()];
        if let Some(stealer) = &self.stealer {
            agree("the local queue's length", stealer.len(), lens[0])?;
        }
        agree("the thief's length", self.thief.len(), lens[1])?;
        agree("the global length", self.global.len(), lens[2])?;
        agree("the length of the hand", self.hand.len(), self.in_hand.len())?;
        agree("what was dropped unasked", self.ledger.new_drops(), Vec::new())?;
        if !K::DROPS {
            return Ok(());
        }
        let alive = lens.iter().sum::<usize>() + self.in_hand.len() + self.held.len();
        agree("the number of living tasks", self.ledger.alive(), alive as isize)
    }

    /// Drops everything, one structure after the other.
    fn finish(&mut self) -> Result<(), Mismatch> {
        for op in [
            OwnershipOp::RenewThief,
            OwnershipOp::DropOwner,
            OwnershipOp::RenewGlobal,
            OwnershipOp::DropHand,
            OwnershipOp::DropStealer,
        ] {
            self.step(op)?;
        }
        while !self.held.is_empty() {
            self.step(OwnershipOp::DropHeld)?;
        }
        self.account()
    }
}
