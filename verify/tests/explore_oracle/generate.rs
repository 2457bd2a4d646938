//! Random programs, of five mixes. Each mix makes one part of the axioms matter often.

use gosched::memory::Ordering;
use gosched::memory::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use crate::enumerate::bound;
use crate::program::{Change, Op, Program};

/// A sort of programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Loads, stores, read-modify-writes and strong exchanges of every ordering.
    StrongExchanges,
    /// Every operation there is.
    Everything,
    /// Most accesses are `SeqCst`, and so are the fences.
    SeqCst,
    /// Weak accesses among light, heavy and `SeqCst` fences.
    Asymmetric,
    /// Weak accesses among fences of every ordering.
    Fences,
    /// Each value is written once and no word is written more than twice, so that an outcome names
    /// its graph.
    Distinct,
}

/// Candidates of a program at most: more than that, and the brute force takes too long.
const CANDIDATES_MAX: u64 = 200_000;

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        (self.bits() >> 16) as usize % count
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// True once in `count` times.
    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A program of the mix that the oracle can manage.
pub(crate) fn program(mix: Mix, random: &mut Random) -> Program {
    loop {
        let program = any_program(mix, random);
        let writes: Vec<_> = program.threads.iter().flatten().filter(|op| op.may_write()).collect();
        let small = bound(&program) <= CANDIDATES_MAX;
        let most = (0..program.words)
            .map(|word| writes.iter().filter(|op| op.word(program.words) == Some(word)).count());
        if small && (mix != Mix::Distinct || most.max() <= Some(2)) {
            return program;
        }
    }
}

fn any_program(mix: Mix, random: &mut Random) -> Program {
    let about_fences = matches!(mix, Mix::SeqCst | Mix::Asymmetric | Mix::Fences);
    let words = random.one_of(if about_fences { &[1, 2, 2, 2, 3] } else { &[1, 2, 3] });
    let threads = random.one_of(if about_fences { &[2, 2, 2, 3] } else { &[2, 2, 2, 3, 3, 4] });
    let fences = matches!(mix, Mix::Asymmetric | Mix::Fences);
    let ops = if fences { 3 * threads } else { 5.max(threads + 1) }
        + random.below(if fences { 2 } else { 5 });
    let mut program = Program { words, threads: vec![Vec::new(); threads] };
    for number in 0..ops {
        let even = number < threads || fences && number < 3 * threads;
        let thread = if even { number % threads } else { random.below(threads) };
        // A fence orders what comes before it against what comes after.
        let between = program.threads[thread].last().is_some_and(|op| op.word(words).is_some());
        let mut maker = Maker { mix, words, number, between, random };
        program.threads[thread].push(maker.op());
    }
    program
}

struct Maker<'a> {
    mix: Mix,
    words: usize,
    /// Operations that were made before.
    number: usize,
    /// The operation before, in the thread, is an access.
    between: bool,
    random: &'a mut Random,
}

impl Maker<'_> {
    fn op(&mut self) -> Op {
        if self.between && !self.random.once_in(4) {
            match self.mix {
                Mix::Asymmetric if self.random.once_in(5) => return Op::Fence(SeqCst),
                Mix::Asymmetric => {
                    return self.random.one_of(&[Op::LightFence, Op::HeavyFence]);
                }
                Mix::Fences if !self.random.once_in(4) => return Op::Fence(SeqCst),
                Mix::Fences => return self.fence(),
                _ => {}
            }
        }
        match self.mix {
            Mix::StrongExchanges => match self.random.below(6) {
                0 | 1 => self.load(),
                2 => self.store(),
                3 => self.modify(),
                _ => self.exchange(false),
            },
            Mix::Everything => match self.random.below(11) {
                0 | 1 => self.load(),
                2 | 3 => self.store(),
                4 => self.modify(),
                5 => self.exchange(false),
                6 => self.exchange(true),
                7 => self.fence(),
                8 => self.random.one_of(&[Op::LightFence, Op::HeavyFence]),
                // Few wait, for most who do wait for ever.
                9 if self.random.once_in(3) => self.wait(),
                9 => self.load(),
                _ => self.random.one_of(&[Op::Park, Op::Unpark, Op::Unpark, Op::Unpark]),
            },
            Mix::SeqCst => match self.random.below(9) {
                0..=2 => self.load(),
                3..=5 => self.store(),
                6 => self.modify(),
                7 => self.exchange(false),
                _ => Op::Fence(SeqCst),
            },
            Mix::Asymmetric => match self.random.below(13) {
                0..=5 => self.load(),
                6..=11 => self.store(),
                _ => self.random.one_of(&[Op::LightFence, Op::HeavyFence]),
            },
            Mix::Fences => match self.random.below(13) {
                0..=4 => self.load(),
                5..=9 => self.store(),
                10 | 11 => self.modify(),
                _ => self.fence(),
            },
            Mix::Distinct => match self.random.below(8) {
                0..=2 => self.load(),
                3 | 4 => self.store(),
                5 => self.swap(),
                6 => self.exchange(false),
                _ => self.fence(),
            },
        }
    }

    fn word(&mut self) -> usize {
        self.random.below(self.words)
    }

    /// Values are few, so that exchanges find what they expect; or each is another.
    fn value(&mut self) -> u64 {
        if self.mix == Mix::Distinct {
            self.number as u64 + 1
        } else {
            1 + self.random.below(2) as u64
        }
    }

    /// One of the orderings, with the mix's preference.
    fn order(&mut self, orders: &[Ordering]) -> Ordering {
        match self.mix {
            Mix::SeqCst if !self.random.once_in(4) => SeqCst,
            Mix::Fences | Mix::Asymmetric if !self.random.once_in(4) => Relaxed,
            _ => self.random.one_of(orders),
        }
    }

    fn load(&mut self) -> Op {
        Op::Load { word: self.word(), order: self.order(&[Relaxed, Acquire, SeqCst]) }
    }

    fn store(&mut self) -> Op {
        let (word, value) = (self.word(), self.value());
        Op::Store { word, value, order: self.order(&[Relaxed, Release, SeqCst]) }
    }

    fn modify(&mut self) -> Op {
        let change = self.random.one_of(&[Change::Add, Change::Add, Change::Swap, Change::Max]);
        let (word, value) = (self.word(), self.value());
        let order = self.order(&[Relaxed, Acquire, Release, AcqRel, SeqCst]);
        Op::Modify { word, change, value, order }
    }

    fn swap(&mut self) -> Op {
        let (word, value) = (self.word(), self.value());
        let order = self.order(&[Relaxed, Acquire, Release, AcqRel, SeqCst]);
        Op::Modify { word, change: Change::Swap, value, order }
    }

    fn exchange(&mut self, weak: bool) -> Op {
        let (word, expected, new) = (self.word(), self.random.below(3) as u64, self.value());
        let success = self.order(&[Relaxed, Acquire, Release, AcqRel, SeqCst]);
        let failure = self.order(&[Relaxed, Acquire, SeqCst]);
        Op::Exchange { word, expected, new, success, failure, weak }
    }

    fn fence(&mut self) -> Op {
        Op::Fence(self.random.one_of(&[Acquire, Release, AcqRel, SeqCst]))
    }

    fn wait(&mut self) -> Op {
        let word = self.word();
        let value = 1 + self.random.below(2) as u64;
        Op::Await { word, value, order: self.order(&[Relaxed, Acquire, SeqCst]) }
    }
}
