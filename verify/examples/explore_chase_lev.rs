//! The Chase-Lev deque, explored: two bugs of the published C11 version.
//!
//! Run it with `cargo run --release -p gosched-verify --example explore_chase_lev`.
//!
//! The owner pushes and takes at the bottom, thieves steal at the top, and a full array is
//! replaced by one twice as large. Lê, Pop, Cohen and Zappa Nardelli published it with C11
//! orderings in 2013. Norris and Demsky ran what was printed through CDSChecker in the same year,
//! and found it wrong. Their benchmarks (`computersforpeace/model-checker-benchmarks` on GitHub,
//! `chase-lev-deque` and `chase-lev-deque-bugfix`) have it before and after, which differ in two
//! places:
//!
//! * A thief loads the pointer to the array as `Relaxed`. It may find the new array without what
//!   was copied into it, and steals what was never pushed. The load must be `Acquire`, and the
//!   store of the pointer `Release`.
//! * A push that has made a new array goes on with the old one, and the task is where nobody
//!   looks.
//!
//! Here the two arrays exist from the start, and the pointer is a number; when an array's memory
//! may be given back is left out. Indices are compared by their wrapping difference, because the
//! printed comparison of unsigned ones goes wrong when the owner takes from an empty deque at
//! index zero.
//!
//! Sources: D. Chase, Y. Lev, *Dynamic Circular Work-Stealing Deque*, SPAA 2005. N. M. Lê, A. Pop,
//! A. Cohen, F. Zappa Nardelli, *Correct and Efficient Work-Stealing for Weak Memory Models*,
//! PPoPP 2013. B. Norris, B. Demsky, *CDSChecker: Checking Concurrent Data Structures Written with
//! C/C++ Atomics*, OOPSLA 2013.

use gosched::memory::{Atomic, Memory, Ordering, Shared};
use gosched_verify::explore::{Builder, Explored, Report, thread};

type Word = <Explored as Memory>::AtomicU32;
type Arc<T> = <Explored as Memory>::Arc<T>;

/// What differs between the right deque and the wrong ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The ordering of a thief's load of the array.
    pub(crate) array_load: Ordering,
    /// Whether a push that has made a new array uses it.
    pub(crate) reload: bool,
    /// The fence between the owner's claim of the bottom and its look at the top, and the thief's
    /// between its look at the top and its look at the bottom.
    pub(crate) fence: Ordering,
}

/// The deque as it should be.
pub(crate) const CORRECT: Variant =
    Variant { array_load: Ordering::Acquire, reload: true, fence: Ordering::SeqCst };
/// The first bug of the published code.
pub(crate) const RELAXED_ARRAY: Variant = Variant { array_load: Ordering::Relaxed, ..CORRECT };
/// The second.
pub(crate) const OLD_ARRAY: Variant = Variant { reload: false, ..CORRECT };
/// No bug of the publication: what its two `SeqCst` fences are for.
pub(crate) const WEAK_FENCES: Variant = Variant { fence: Ordering::AcqRel, ..CORRECT };

// ANCHOR: deque
/// The deque. A slot holds 0 before anything is written to it.
struct Deque {
    top: Word,
    bottom: Word,
    /// Which array is in use: 0, the small one, or 1, the large one.
    array: Word,
    small: [Word; 1],
    large: [Word; 2],
    variant: Variant,
}

impl Deque {
    fn slots(&self, array: u32) -> &[Word] {
        if array == 0 { &self.small } else { &self.large }
    }

    fn slot(&self, array: u32, index: u32) -> &Word {
        let slots = self.slots(array);
        &slots[index as usize % slots.len()]
    }

    /// The owner's.
    fn push(&self, task: u32) {
        // ORDER: Relaxed: only the owner writes `bottom` and `array`.
        let bottom = self.bottom.load(Ordering::Relaxed);
        // ORDER: Acquire pairs with the thieves' exchange: they are done with the slot.
        let top = self.top.load(Ordering::Acquire);
        // ORDER: Relaxed: as above.
        let mut array = self.array.load(Ordering::Relaxed);
        if bottom.wrapping_sub(top) as usize >= self.slots(array).len() {
            let new = self.grow(array);
            if self.variant.reload {
                array = new;
            }
        }
        // ORDER: Relaxed: published by `bottom`.
        self.slot(array, bottom).store(task, Ordering::Relaxed);
        // ORDER: Release pairs with the thieves' load of `bottom`.
        Explored::fence(Ordering::Release);
        // ORDER: Relaxed, behind the fence.
        self.bottom.store(bottom + 1, Ordering::Relaxed);
    }

    /// Copies all tasks to a larger array, and puts it to use.
    fn grow(&self, old: u32) -> u32 {
        // ORDER: Relaxed: a top that is too old means tasks copied in vain.
        let (top, bottom) = (self.top.load(Ordering::Relaxed), self.bottom.load(Ordering::Relaxed));
        for index in top..bottom {
            // ORDER: Relaxed: the owner's own stores.
            let task = self.slot(old, index).load(Ordering::Relaxed);
            // ORDER: Relaxed: published by `array`.
            self.slot(old + 1, index).store(task, Ordering::Relaxed);
        }
        // ORDER: Release pairs with the thieves' load of `array`.
        self.array.store(old + 1, Ordering::Release);
        old + 1
    }

    /// The owner's: the task pushed last.
    fn take(&self) -> Option<u32> {
        // ORDER: Relaxed: only the owner writes `bottom` and `array`.
        let bottom = self.bottom.load(Ordering::Relaxed).wrapping_sub(1);
        // ORDER: Relaxed: as above.
        let array = self.array.load(Ordering::Relaxed);
        // ORDER: Relaxed: the fence orders it before the load of `top`.
        self.bottom.store(bottom, Ordering::Relaxed);
        // ORDER: SeqCst pairs with the fence in `steal`: either the thief sees that the task is
        // claimed, or the owner sees that the thief was there. Weaker: both have it.
        Explored::fence(self.variant.fence);
        // ORDER: Relaxed, behind the fence.
        let top = self.top.load(Ordering::Relaxed);
        let left = bottom.wrapping_sub(top) as i32;
        let mut task = None;
        if left >= 0 {
            // ORDER: Relaxed: the owner's own store.
            task = Some(self.slot(array, bottom).load(Ordering::Relaxed));
        }
        if left == 0 && !self.advance(top) {
            task = None;
        }
        if left <= 0 {
            // ORDER: Relaxed: nothing new is published.
            self.bottom.store(bottom.wrapping_add(1), Ordering::Relaxed);
        }
        task
    }

    /// A thief's: the task pushed first, if nobody else takes it.
    fn steal(&self) -> Option<u32> {
        // ORDER: Acquire pairs with the exchange of others: what they saw of `bottom`, we see.
        let top = self.top.load(Ordering::Acquire);
        // ORDER: SeqCst pairs with the fence in `take`.
        Explored::fence(self.variant.fence);
        // ORDER: Acquire pairs with the fence in `push`.
        let bottom = self.bottom.load(Ordering::Acquire);
        if bottom.wrapping_sub(top) as i32 <= 0 {
            return None;
        }
        // ORDER: Acquire pairs with the store in `grow`. Relaxed: a new array and no tasks in it.
        let array = self.array.load(self.variant.array_load);
        // ORDER: Relaxed: published by `bottom`, or by `array`.
        let task = self.slot(array, top).load(Ordering::Relaxed);
        self.advance(top).then_some(task)
    }

    /// Claims the task at the top.
    fn advance(&self, top: u32) -> bool {
        // ORDER: SeqCst as published; Relaxed on failure, since then the claimant leaves it alone.
        let (success, failure) = (Ordering::SeqCst, Ordering::Relaxed);
        self.top.compare_exchange(top, top + 1, success, failure).is_ok()
    }
}
// ANCHOR_END: deque

/// The owner pushes two tasks, which takes a second array, and takes until nothing is left;
/// thieves steal once each. Every task comes out once.
fn model(variant: Variant, thieves: usize) -> String {
    let deque = Deque {
        top: Word::new(0),
        bottom: Word::new(0),
        array: Word::new(0),
        small: [Word::new(0)],
        large: [Word::new(0), Word::new(0)],
        variant,
    };
    let deque = <Arc<Deque> as Shared<Deque>>::new(deque);
    let thieves: Vec<_> = (0..thieves)
        .map(|_| {
            let deque = deque.clone();
            thread::spawn(move || deque.steal())
        })
        .collect();
    deque.push(1);
    deque.push(2);
    let mut taken: Vec<u32> = [deque.take(), deque.take()].into_iter().flatten().collect();
    let stolen: Vec<_> = thieves.into_iter().map(thread::JoinHandle::join).collect();
    let outcome = format!("taken {taken:?}, stolen {stolen:?}");
    taken.extend(stolen.into_iter().flatten());
    taken.extend(deque.take());
    assert!(!taken.contains(&0), "a task came out that was never pushed: {outcome}");
    taken.sort_unstable();
    assert!(taken == [1, 2], "of tasks 1 and 2 came out {taken:?}: {outcome}");
    outcome
}

/// Explores a variant.
pub(crate) fn explore(variant: Variant, thieves: usize) -> Report {
    Builder::default().explore(move || model(variant, thieves))
}

pub(crate) fn main() {
    for thieves in 1..=2 {
        println!("{thieves} thieves: {}", line(&explore(CORRECT, thieves)));
    }
    println!("array loaded Relaxed: {}", line(&explore(RELAXED_ARRAY, 1)));
    println!("old array used: {}", line(&explore(OLD_ARRAY, 1)));
    println!("fences AcqRel: {}", line(&explore(WEAK_FENCES, 2)));
}

/// What came out, in a line.
fn line(report: &Report) -> String {
    match &report.failure {
        Some(failure) => format!("after {} executions, {failure}", report.complete),
        None => format!("{} executions, exhaustive: {}", report.complete, report.exhaustive),
    }
}
