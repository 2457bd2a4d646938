//! The plain port of Go's queue: the baseline.
//!
//! It overflows as ours does: the older half and the new task, as one batch, into the same global
//! queue.

use std::sync::Arc;

use gosched::Batch;
use gosched_verify::plain_queue::PlainQueue;

use super::{CAPACITY, Global, Queue, Recent, Word, no_room};

/// Go's queue on the hardware.
#[derive(Debug)]
pub struct Plain(Arc<PlainQueue<CAPACITY>>);

impl Queue for Plain {
    const NAME: &'static str = "plain port";
    type Stealer = Arc<PlainQueue<CAPACITY>>;

    fn new() -> Self {
        Self(Arc::new(PlainQueue::new()))
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        self.0.put(task.get(), |_| no_room());
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, global: &Global) {
        let mut batch: Option<Batch<Word>> = None;
        self.0.put(task.get(), |word| {
            let batch = batch.get_or_insert_with(|| Batch::with_capacity(CAPACITY / 2 + 1));
            batch.push(Word::new(word).expect("a slot in use is not 0"));
        });
        if let Some(batch) = batch {
            global.push_batch(batch);
        }
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Word> {
        self.0.get().and_then(|(word, _)| Word::new(word))
    }

    fn stealer(&self) -> Self::Stealer {
        Arc::clone(&self.0)
    }

    #[inline(always)]
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
        self.0.steal(victim, false).and_then(Word::new)
    }
}

impl Recent for Plain {
    #[inline(always)]
    fn push_next(&mut self, task: Word) {
        self.0.put_next(task.get(), |_| no_room());
    }
}
