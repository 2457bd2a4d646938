//! st3: tokio's queue as a crate, with the polish done.
//!
//! A steal is two compare-exchanges, and a second thief meanwhile is told "busy"; it overflows by
//! its own `drain`, which claims half at once.

use gosched::Batch;
use st3::fifo;
use st3::lifo;

use super::{CAPACITY, Global, Queue, Recent, Word, no_room};

/// `st3::fifo::Worker`.
#[derive(Debug)]
pub struct St3Fifo(fifo::Worker<Word>);

impl Queue for St3Fifo {
    const NAME: &'static str = "st3 fifo";
    type Stealer = fifo::Stealer<Word>;

    fn new() -> Self {
        Self(fifo::Worker::new(CAPACITY))
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        if self.0.push(task).is_err() {
            no_room();
        }
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, global: &Global) {
        if let Err(task) = self.0.push(task) {
            overflow(task, global, |batch| {
                if let Ok(half) = self.0.drain(half) {
                    half.for_each(|task| batch.push(task));
                }
            });
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Word> {
        self.0.pop()
    }

    fn stealer(&self) -> Self::Stealer {
        self.0.stealer()
    }

    #[inline(always)]
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
        victim.steal_and_pop(&self.0, half).ok().map(|(task, _)| task)
    }
}

/// `st3::lifo::Worker`.
#[derive(Debug)]
pub struct St3Lifo(lifo::Worker<Word>);

impl Queue for St3Lifo {
    const NAME: &'static str = "st3 lifo";
    const NOTE: &'static str = "no slot: its newest end instead";
    type Stealer = lifo::Stealer<Word>;

    fn new() -> Self {
        Self(lifo::Worker::new(CAPACITY))
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        if self.0.push(task).is_err() {
            no_room();
        }
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, global: &Global) {
        if let Err(task) = self.0.push(task) {
            overflow(task, global, |batch| {
                if let Ok(half) = self.0.drain(half) {
                    half.for_each(|task| batch.push(task));
                }
            });
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Word> {
        self.0.pop()
    }

    fn stealer(&self) -> Self::Stealer {
        self.0.stealer()
    }

    #[inline(always)]
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
        victim.steal_and_pop(&self.0, half).ok().map(|(task, _)| task)
    }
}

impl Recent for St3Lifo {
    #[inline(always)]
    fn push_next(&mut self, task: Word) {
        self.push(task);
    }
}

fn half(count: usize) -> usize {
    count - count / 2
}

/// Gives what `drain` puts into the batch, and the task, to the global queue.
#[cold]
fn overflow(task: Word, global: &Global, drain: impl FnOnce(&mut Batch<Word>)) {
    let mut batch = Batch::with_capacity(CAPACITY / 2 + 1);
    drain(&mut batch);
    batch.push(task);
    global.push_batch(batch);
}
