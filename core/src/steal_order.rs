//! The order in which a thief visits its victims: each exactly once, from a random start, in a
//! random direction and stride.
//!
//! A walk around a circle of `n` places, `k` places a step, visits every place before it comes back
//! to the first exactly if `k` and `n` have no common divisor. So a random start and a random `k`
//! from the numbers coprime to `n` give a sweep that misses nobody, needs no list of its own and no
//! shuffle, and in which two thieves seldom follow each other:
//!
//! ```text
//!    n = 10, coprimes 1 3 7 9
//!    start 4, step 3:    4 7 0 3 6 9 2 5 8 1
//!    start 4, step 9:    4 3 2 1 0 9 8 7 6 5
//! ```
//!
//! These are few of the `n!` orders (`n` times the number of coprimes), and that is enough: what
//! matters is that thieves start at different places and do not queue up behind one another.
//!
//! The order is a function of the seed, so that a simulation can repeat it. Where random numbers
//! come from is the caller's business.
//!
//! `//= go1.27:src/runtime/proc.go#stealOrder`, `#randomOrder`, `#randomEnum`

use alloc::vec::Vec;
use core::iter::FusedIterator;

/// The sweeps over `count` victims, numbered from 0.
///
/// ```
/// use gosched::StealOrder;
///
/// let order = StealOrder::new(10);
/// let sweep: Vec<usize> = order.start(14).collect();
/// assert_eq!(sweep, [4, 7, 0, 3, 6, 9, 2, 5, 8, 1]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StealOrder {
    count: usize,
    /// The numbers from 1 to `count` that have no divisor in common with it, ascending.
    coprimes: Vec<usize>,
}

impl StealOrder {
    /// The sweeps over `count` victims. O(`count` log `count`) once; allocates.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut order = Self::default();
        order.resize(count);
        order
    }

    /// The number of victims.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Changes the number of victims. Sweeps that were started go on over the old number.
    /// O(`count` log `count`); allocates only if it needs more memory than it ever did.
    pub fn resize(&mut self, count: usize) {
        self.count = count;
        self.coprimes.clear();
        self.coprimes.extend((1..=count).filter(|&step| greatest_common_divisor(step, count) == 1));
    }

    /// A sweep: every victim from 0 to `count - 1`, each exactly once. Without victims it is empty.
    ///
    /// Equal seeds give equal sweeps. There are `count * φ(count)` sweeps, φ being the number of
    /// steps (the numbers up to `count` that are coprime to it), and that many successive seeds,
    /// counted from 0, give each of them once. Over all 2³² seeds some sweeps come up once more
    /// often than others, unless their number divides 2³²; and if it exceeds 2³², some never do.
    ///
    /// O(1) to start and O(1) for each victim; does not allocate.
    pub fn start(&self, seed: u32) -> StealSweep {
        let seed = seed as usize;
        let (position, choice) = match self.count {
            0 => (0, 0),
            count => (seed % count, seed / count),
        };
        // Every count has the coprime 1, but for no victims at all.
        let step = match self.coprimes.len() {
            0 => 0,
            steps => self.coprimes[choice % steps],
        };
        StealSweep { count: self.count, position, step, left: self.count }
    }
}

/// One sweep over all victims: see [`StealOrder::start`].
#[derive(Clone, Debug)]
pub struct StealSweep {
    count: usize,
    /// The next victim, if there is one.
    position: usize,
    step: usize,
    left: usize,
}

impl Iterator for StealSweep {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let victim = self.position;
        // `position + step` modulo `count`, without its overflow: both are at most `count`.
        let to_the_end = self.count - self.position;
        self.position =
            if self.step < to_the_end { self.position + self.step } else { self.step - to_the_end };
        Some(victim)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for StealSweep {}
impl FusedIterator for StealSweep {}

/// Euclid's algorithm.
fn greatest_common_divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
