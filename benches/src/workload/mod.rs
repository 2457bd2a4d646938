//! The operation sequences that are timed.
//!
//! A workload is generic over the queue, so that all contenders run the same text. It has a timed
//! section and, around it, an untimed one that prepares and checks: tasks are random words, made in
//! advance, and the sum of all words taken must be the sum of all words pushed. A task that was
//! lost, or taken twice, changes that sum (by chance it does not once in 2^64). So every benchmark
//! is also a test, and no number stands for a queue that did not do the work.
//!
//! Before every operation the queue is made *opaque*: the compiler must assume that somebody looked
//! at it. In a scheduler a task runs between two operations, so counters that the owner keeps as
//! plain fields are in memory then, not in registers; a loop that let the compiler keep them there
//! would flatter such a queue.

mod clock;
mod fence;
mod handover;
mod overflow;
mod owner;
mod slot;
mod steal;
mod thief;

use core::hint::black_box;
use core::time::Duration;

pub use self::clock::timed;
pub use self::fence::{Fence, FencePair, VisitFence, each_fence};
pub use self::handover::Handover;
pub use self::overflow::Overflow;
pub use self::owner::Bursts;
pub use self::slot::{Kick, PingPong};
pub use self::steal::Steals;
pub use self::thief::{BusyThieves, Pause, Shares};
use crate::queue::{CAPACITY, Queue, Word};

/// Something to time, in rounds.
pub trait Workload {
    /// How many operations a round has; a time is given for one.
    fn operations(&self) -> u64;

    /// Runs so many rounds and returns the time of the timed sections alone.
    ///
    /// # Panics
    ///
    /// If a task was lost or doubled.
    fn run(&mut self, rounds: u64) -> Duration;
}

/// The tasks of a workload: random words, as many as a queue holds.
#[derive(Debug)]
pub struct Tasks(Box<[Word]>);

impl Tasks {
    /// The same words every time.
    #[must_use]
    pub fn new(count: usize) -> Self {
        assert!(count <= CAPACITY, "more tasks than a queue holds");
        let mut state = 0_u64;
        let words = core::iter::from_fn(|| Some(next_random(&mut state)));
        Self(words.filter_map(|word| Word::new(word as usize)).take(count).collect())
    }

    /// The words, such that the compiler does not know them.
    #[inline(always)]
    fn words(&self) -> &[Word] {
        black_box(&self.0)
    }

    fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        self.0.iter().for_each(|task| sum.add(*task));
        sum
    }
}

/// splitmix64: every state gives another word.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The sum of tasks, which stands for the collection of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum(usize);

impl Sum {
    #[inline(always)]
    fn add(&mut self, task: Word) {
        self.0 = self.0.wrapping_add(task.get());
    }

    /// Adds the task that must be there.
    #[inline(always)]
    fn add_some(&mut self, task: Option<Word>) {
        match task {
            Some(task) => self.add(task),
            None => lost(),
        }
    }

    fn join(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// Takes all that the queue holds, and returns how many that were.
    fn drain<Q: Queue>(&mut self, queue: &mut Q) -> usize {
        core::iter::from_fn(|| queue.pop()).inspect(|task| self.add(*task)).count()
    }

    fn times(self, count: u64) -> Self {
        Self(self.0.wrapping_mul(count as usize))
    }

    fn must_be(self, pushed: Self, queue: &str) {
        assert_eq!(self, pushed, "{queue}: a task was lost, or taken twice");
    }
}

#[cold]
#[inline(never)]
fn lost() -> ! {
    panic!("a queue that holds a task gave none")
}

/// Makes the compiler forget what it knows about the queue's fields.
#[inline(always)]
fn opaque<Q>(queue: &mut Q) -> &mut Q {
    black_box(queue)
}
