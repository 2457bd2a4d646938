//! crossbeam-deque: growable Chase-Lev deques.
//!
//! Its plain batch steal takes 32 tasks at most; with a limit it takes half, in one
//! compare-exchange if the deque is FIFO, one by one if it is LIFO. It never is full, so it never
//! overflows.

use crossbeam_deque::{Steal, Stealer, Worker};

use super::{CAPACITY, Global, Queue, Recent, Word};

/// `crossbeam_deque::Worker`, first in, first out.
#[derive(Debug)]
pub struct CrossbeamFifo(Worker<Word>);

impl Queue for CrossbeamFifo {
    const NAME: &'static str = "crossbeam fifo";
    const NOTE: &'static str = "unbounded: grows instead of overflowing";
    type Stealer = Stealer<Word>;

    fn new() -> Self {
        Self(Worker::new_fifo())
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        self.0.push(task);
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, _global: &Global) {
        self.0.push(task);
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
        steal_half(&self.0, victim)
    }
}

/// `crossbeam_deque::Worker`, last in, first out.
#[derive(Debug)]
pub struct CrossbeamLifo(Worker<Word>);

impl Queue for CrossbeamLifo {
    const NAME: &'static str = "crossbeam lifo";
    const NOTE: &'static str = "no slot: its newest end instead";
    type Stealer = Stealer<Word>;

    fn new() -> Self {
        Self(Worker::new_lifo())
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        self.0.push(task);
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, _global: &Global) {
        self.0.push(task);
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
        steal_half(&self.0, victim)
    }
}

impl Recent for CrossbeamLifo {
    #[inline(always)]
    fn push_next(&mut self, task: Word) {
        self.0.push(task);
    }
}

#[inline(always)]
fn steal_half(thief: &Worker<Word>, victim: &Stealer<Word>) -> Option<Word> {
    loop {
        match victim.steal_batch_with_limit_and_pop(thief, CAPACITY / 2) {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => core::hint::spin_loop(),
        }
    }
}
