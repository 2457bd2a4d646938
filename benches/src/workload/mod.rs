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
use core::sync::atomic::{AtomicBool, Ordering};
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

/// Ends the other threads of a workload, also when its own thread panics: else they would run on,
/// and nobody would hear of the panic.
#[derive(Debug)]
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        // ORDER: Relaxed: it says when to end, and nothing of what was done; `join` does.
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Global, Plain, Visit, VisitRecent, Word, each, each_recent};

    /// A queue that loses every task whose lowest three bits are zero, and gives another twice.
    struct Lossy(Plain);

    impl Queue for Lossy {
        const NAME: &'static str = "lossy";
        type Stealer = <Plain as Queue>::Stealer;

        fn new() -> Self {
            Self(Plain::new())
        }
        fn push(&mut self, task: Word) {
            self.0.push(if task.get().is_multiple_of(8) { Word::MIN } else { task });
        }
        fn push_or_overflow(&mut self, task: Word, _global: &Global) {
            self.push(task);
        }
        fn pop(&mut self) -> Option<Word> {
            self.0.pop()
        }
        fn stealer(&self) -> Self::Stealer {
            self.0.stealer()
        }
        fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
            self.0.steal(victim)
        }
    }

    struct Once;

    impl Visit for Once {
        fn visit<Q: Queue + 'static>(&mut self) {
            for fill in [1, 2, 5, CAPACITY] {
                Bursts::<Q>::new(fill).run(3);
                Steals::<Q>::new(fill).run(3);
                if let Some(mut handover) = Handover::<Q>::new(fill) {
                    handover.run(3);
                }
            }
            Overflow::<Q>::new().run(3);
        }
    }

    impl VisitRecent for Once {
        fn visit<Q: crate::queue::Recent + 'static>(&mut self) {
            PingPong::<Q>::new().run(3);
            Kick::<Q>::new().run(3);
        }
    }

    #[test]
    fn every_contender_does_the_whole_work_of_every_workload() {
        each(&mut Once);
        each_recent(&mut Once);
    }

    #[test]
    fn with_thieves_every_task_is_taken_once() {
        struct Shared;
        impl Visit for Shared {
            fn visit<Q: Queue + 'static>(&mut self) {
                for (burst, pause) in [(64, Pause::None), (1, Pause::TenMicroseconds)] {
                    let Some(mut busy) = BusyThieves::<Q>::new(burst, 1, pause) else { return };
                    let shares = busy.share(1000);
                    assert!(shares.owner + shares.stolen <= 1000 * burst as u64, "{}", Q::NAME);
                    assert!(shares.steals <= shares.stolen, "{}", Q::NAME);
                }
            }
        }
        each(&mut Shared);
    }

    #[test]
    #[should_panic(expected = "lossy: a task was lost, or taken twice")]
    fn a_queue_that_changes_a_task_is_found_out_in_a_burst() {
        Bursts::<Lossy>::new(CAPACITY).run(1);
    }

    #[test]
    #[should_panic(expected = "lossy: a task was lost, or taken twice")]
    fn a_queue_that_changes_a_task_is_found_out_by_a_steal() {
        Steals::<Lossy>::new(CAPACITY).run(1);
    }

    #[test]
    #[should_panic(expected = "pushed into a full queue")]
    fn a_panic_of_the_owner_ends_the_thieves() {
        /// Its ring is full from the beginning.
        struct Full(Plain);
        impl Queue for Full {
            const NAME: &'static str = "full";
            type Stealer = <Plain as Queue>::Stealer;

            fn new() -> Self {
                Self(Plain::new())
            }
            fn push(&mut self, _task: Word) {
                crate::queue::no_room()
            }
            fn push_or_overflow(&mut self, task: Word, _global: &Global) {
                self.push(task);
            }
            fn pop(&mut self) -> Option<Word> {
                self.0.pop()
            }
            fn stealer(&self) -> Self::Stealer {
                self.0.stealer()
            }
            fn steal(&mut self, victim: &Self::Stealer) -> Option<Word> {
                self.0.steal(victim)
            }
        }
        match BusyThieves::<Full>::new(8, 1, Pause::None) {
            Some(mut busy) => drop(busy.share(1)),
            None => crate::queue::no_room(),
        }
    }
}
