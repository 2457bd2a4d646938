//! `gosched::LocalQueue`.

use gosched::{LocalQueue, NextSlot, Owner, Stealer};

use super::{Global, Queue, Recent, Word, no_room};

/// Our queue.
#[derive(Debug)]
pub struct Ours(Owner<Word>);

impl Queue for Ours {
    const NAME: &'static str = "gosched";
    type Stealer = Stealer<Word>;

    fn new() -> Self {
        Self(LocalQueue::new())
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        if self.0.push(task).is_err() {
            no_room();
        }
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, global: &Global) {
        self.0.push_or_overflow(task, global);
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Word> {
        self.0.pop().map(|popped| popped.task)
    }

    fn stealer(&self) -> Self::Stealer {
        self.0.stealer()
    }

    #[inline(always)]
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
        victim.steal_into(&mut self.0, NextSlot::Leave).ok().map(|stolen| stolen.task)
    }
}

impl Recent for Ours {
    #[inline(always)]
    fn push_next(&mut self, task: Word) {
        if self.0.push_next(task).is_err() {
            no_room();
        }
    }
}
