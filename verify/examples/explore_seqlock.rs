//! A seqlock, explored: what a lock-free reader needs fences for.
//!
//! Run it with `cargo run --release -p gosched-verify --example explore_seqlock`.
//!
//! A writer makes a counter odd, writes the data and makes the counter even again. A reader takes
//! the data as a snapshot if it found the same even counter before and after. Two things are
//! easily got wrong, because `Acquire` and `Release` hold back in one direction only:
//!
//! * the reader's second load of the counter as `Acquire`: that holds back what comes *after* it,
//!   and the loads of the data come before;
//! * the writer's first store of the counter as `Release`: that holds back what comes *before* it,
//!   and the stores of the data come after.
//!
//! Each needs a fence between the counter and the data. The data are atomics, since the reader may
//! well look while the writer writes.
//!
//! Source: H.-J. Boehm, *Can Seqlocks Get Along with Programming Language Memory Models?*, MSPC
//! 2012.

use gosched::memory::{Atomic, Memory, Ordering, Shared};
use gosched_verify::explore::{Builder, Explored, Report, thread};

type Word = <Explored as Memory>::AtomicU32;
type Arc<T> = <Explored as Memory>::Arc<T>;

/// Which fences there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// A `Release` fence between the odd counter and the data.
    pub(crate) writer_fence: bool,
    /// An `Acquire` fence between the data and the second look at the counter.
    pub(crate) reader_fence: bool,
}

/// Both fences.
pub(crate) const CORRECT: Variant = Variant { writer_fence: true, reader_fence: true };
/// The odd counter is stored with `Release`, and no fence follows.
pub(crate) const NO_WRITER_FENCE: Variant = Variant { writer_fence: false, ..CORRECT };
/// The counter is loaded again with `Acquire`, and no fence precedes.
pub(crate) const NO_READER_FENCE: Variant = Variant { reader_fence: false, ..CORRECT };

// ANCHOR: seqlock
/// Two words that belong together.
struct Seqlock {
    counter: Word,
    data: [Word; 2],
    variant: Variant,
}

impl Seqlock {
    /// The only writer writes both words.
    fn write(&self, value: u32) {
        // ORDER: Relaxed: nobody else writes the counter.
        let counter = self.counter.load(Ordering::Relaxed);
        if self.variant.writer_fence {
            // ORDER: Relaxed, because the fence orders it before the data: with the reader's
            // fence, who has seen new data sees the odd counter too.
            self.counter.store(counter + 1, Ordering::Relaxed);
            // ORDER: Release pairs with the reader's fence.
            Explored::fence(Ordering::Release);
        } else {
            // ORDER: Release, and wrong: it does not keep the stores of the data from coming
            // first.
            self.counter.store(counter + 1, Ordering::Release);
        }
        for word in &self.data {
            // ORDER: Relaxed: the fences and the counter order the data.
            word.store(value, Ordering::Relaxed);
        }
        // ORDER: Release pairs with the reader's first load: who sees this counter sees the data.
        self.counter.store(counter + 2, Ordering::Release);
    }

    /// Both words as of one write, or none if a writer was in the way.
    fn try_read(&self) -> Option<[u32; 2]> {
        // ORDER: Acquire pairs with the writer's last store.
        let before = self.counter.load(Ordering::Acquire);
        // ORDER: Relaxed: as for the writer.
        let data = [0, 1].map(|index| self.data[index].load(Ordering::Relaxed));
        let after = if self.variant.reader_fence {
            // ORDER: Acquire pairs with the writer's fence.
            Explored::fence(Ordering::Acquire);
            // ORDER: Relaxed, because the fence orders it after the data.
            self.counter.load(Ordering::Relaxed)
        } else {
            // ORDER: Acquire, and wrong: it does not keep the loads of the data from coming later.
            self.counter.load(Ordering::Acquire)
        };
        (before % 2 == 0 && before == after).then_some(data)
    }
}
// ANCHOR_END: seqlock

/// One write against one read.
fn model(variant: Variant) -> String {
    let lock = Seqlock { counter: Word::new(0), data: [Word::new(0), Word::new(0)], variant };
    let lock = <Arc<Seqlock> as Shared<Seqlock>>::new(lock);
    let writer = {
        let lock = lock.clone();
        thread::spawn(move || lock.write(1))
    };
    let seen = lock.try_read();
    writer.join();
    if let Some([first, second]) = seen {
        assert!(first == second, "a torn read: {first} and {second}");
    }
    seen.map_or("none".into(), |[first, _]| format!("all {first}"))
}

/// Explores a variant.
pub(crate) fn explore(variant: Variant) -> Report {
    Builder::default().explore(move || model(variant))
}

pub(crate) fn main() {
    let correct = explore(CORRECT);
    let (complete, exhaustive) = (correct.complete, correct.exhaustive);
    println!("with both fences: {complete} executions, exhaustive: {exhaustive}");
    println!("what the reader got, and in how many executions: {:?}", correct.outcomes);
    for (name, variant) in [("writer", NO_WRITER_FENCE), ("reader", NO_READER_FENCE)] {
        match explore(variant).failure {
            Some(failure) => println!("without the {name}'s fence: {failure}"),
            None => println!("without the {name}'s fence: nothing found"),
        }
    }
}
