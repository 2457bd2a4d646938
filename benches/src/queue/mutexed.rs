//! A `VecDeque` behind std's mutex: what one writes before one measures.
//!
//! A thief holds one lock at a time, as two that steal from each other would deadlock otherwise:
//! the loot rests in a buffer of the thief's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{CAPACITY, Global, Queue, Word};

/// `Mutex<VecDeque>`.
#[derive(Debug)]
pub struct Mutexed {
    tasks: Arc<Mutex<VecDeque<Word>>>,
    loot: Vec<Word>,
}

impl Queue for Mutexed {
    const NAME: &'static str = "Mutex<VecDeque>";
    const NOTE: &'static str = "unbounded: grows instead of overflowing";
    type Stealer = Arc<Mutex<VecDeque<Word>>>;

    fn new() -> Self {
        Self {
            tasks: Arc::new(Mutex::new(VecDeque::with_capacity(CAPACITY))),
            loot: Vec::with_capacity(CAPACITY),
        }
    }

    #[inline(always)]
    fn push(&mut self, task: Word) {
        lock(&self.tasks).push_back(task);
    }

    #[inline(always)]
    fn push_or_overflow(&mut self, task: Word, _global: &Global) {
        lock(&self.tasks).push_back(task);
    }

    #[inline(always)]
    fn pop(&mut self) -> Option<Word> {
        lock(&self.tasks).pop_front()
    }

    fn stealer(&self) -> Self::Stealer {
        Arc::clone(&self.tasks)
    }

    #[inline(always)]
    fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
        {
            let mut tasks = lock(victim);
            let half = tasks.len() - tasks.len() / 2;
            self.loot.extend(tasks.drain(..half));
        }
        let first = self.loot.pop()?;
        if !self.loot.is_empty() {
            lock(&self.tasks).extend(self.loot.drain(..));
        }
        Some(first)
    }
}

/// A panic of another thread has failed the run already.
#[inline(always)]
fn lock(tasks: &Mutex<VecDeque<Word>>) -> MutexGuard<'_, VecDeque<Word>> {
    tasks.lock().unwrap_or_else(PoisonError::into_inner)
}
