//! concurrent-queue, bounded: any number of producers and consumers, a stamp for each slot.
//!
//! async-executor builds its local queues of it. It has no batch operation: half is taken one by
//! one, by a thief and at an overflow.

use std::sync::Arc;

use concurrent_queue::ConcurrentQueue;
use gosched::Batch;

use super::{CAPACITY, Global, Queue, Word, no_room};

/// `concurrent_queue::ConcurrentQueue::bounded`.
#[derive(Debug)]
pub struct Concurrent(Arc<ConcurrentQueue<Word>>);

impl Queue for Concurrent {
    const NAME: &'static str = "concurrent-queue";
    const NOTE: &'static str = "no batches: half is moved one by one";
    type Stealer = Arc<ConcurrentQueue<Word>>;

    fn new() -> Self {
        Self(Arc::new(ConcurrentQueue::bounded(CAPACITY)))
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        if self.0.push(task).is_err() {
            no_room();
        }
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, global: &Global) {
        if let Err(full) = self.0.push(task) {
            self.overflow(full.into_inner(), global);
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Word> {
        self.0.pop().ok()
    }

    fn stealer(&self) -> Self::Stealer {
        Arc::clone(&self.0)
    }

    #[inline(always)]
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
        let len = victim.len();
        let first = victim.pop().ok()?;
        for task in victim.try_iter().take((len - len / 2).saturating_sub(1)) {
            self.push(task);
        }
        Some(first)
    }
}

impl Concurrent {
    #[cold]
    fn overflow(&self, task: Word, global: &Global) {
        let mut batch = Batch::with_capacity(CAPACITY / 2 + 1);
        self.0.try_iter().take(CAPACITY / 2).for_each(|task| batch.push(task));
        batch.push(task);
        global.push_batch(batch);
    }
}
