//! Random programs of six mixes, as proptest's strategies: a program that fails is shrunk.
//!
//! Each mix makes one part of the axioms matter often. A program is a grid: threads, and in each a
//! number of places, of which some stay empty. Shrinking empties more of them, and turns what is
//! left into what stands first in its list: a load, `Relaxed`, the first word.
//!
//! In half of the programs the threads form a *cycle*: the first access of each is to a word of its
//! own, the second to that of the next thread. Without one hardly any ordering or fence matters:
//! the weak outcomes of the literature are all of that shape.

use gosched::memory::Ordering;
use gosched::memory::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use proptest::bool::ANY;
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy};
use proptest::sample::select;
use proptest::strategy::Union;

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

/// Words of a program at most.
const WORDS_MAX: usize = 3;

/// A word before it is known how many there are: each of one, two or three is as likely.
const ANY_WORD: std::ops::Range<usize> = 0..6;

/// What a thread may do, place by place.
type Places = Vec<Option<Op>>;

/// The programs of a mix that the oracle can manage.
pub(crate) fn programs(mix: Mix) -> impl Strategy<Value = Program> {
    (words(mix), ANY, grid(mix))
        .prop_map(move |(words, is_cycle, threads)| assemble(mix, words, is_cycle, threads))
        .prop_filter("the oracle can manage it", move |program| is_manageable(mix, program))
}

fn is_manageable(mix: Mix, program: &Program) -> bool {
    let ops = || program.threads.iter().flatten();
    let writes =
        |word| ops().filter(|op| op.may_write() && op.word(program.words) == Some(word)).count();
    let distinct = mix != Mix::Distinct || (0..program.words).all(|word| writes(word) <= 2);
    ops().next().is_some() && distinct && bound(program) <= CANDIDATES_MAX
}

fn words(mix: Mix) -> BoxedStrategy<usize> {
    match mix {
        Mix::SeqCst | Mix::Asymmetric | Mix::Fences => select(&[1, 2, 2, 2, 3][..]).boxed(),
        _ => (1..=WORDS_MAX).boxed(),
    }
}

fn grid(mix: Mix) -> BoxedStrategy<Vec<Places>> {
    let grid = |threads, places| vec(places, threads..=threads).boxed();
    match mix {
        Mix::Asymmetric | Mix::Fences => Union::new_weighted(vec![
            (3, grid(2, around_a_fence(mix))),
            (1, grid(3, around_a_fence(mix))),
        ])
        .boxed(),
        Mix::SeqCst => Union::new_weighted(vec![
            (3, grid(2, in_a_row(mix, 4))),
            (1, grid(3, in_a_row(mix, 3))),
        ])
        .boxed(),
        _ => Union::new_weighted(vec![
            (3, grid(2, in_a_row(mix, 4))),
            (2, grid(3, in_a_row(mix, 3))),
            (1, grid(4, in_a_row(mix, 2))),
        ])
        .boxed(),
    }
}

fn in_a_row(mix: Mix, places: usize) -> BoxedStrategy<Places> {
    vec(weighted(0.85, op(mix)), places..=places).boxed()
}

/// A fence orders what comes before it against what comes after.
fn around_a_fence(mix: Mix) -> BoxedStrategy<Places> {
    let fence = match mix {
        Mix::Asymmetric => {
            select(
                &[
                    Op::LightFence,
                    Op::LightFence,
                    Op::HeavyFence,
                    Op::HeavyFence,
                    Op::Fence(SeqCst),
                ][..],
            )
            .boxed()
        }
        _ => Union::new_weighted(vec![(3, Just(Op::Fence(SeqCst)).boxed()), (1, fence())]).boxed(),
    };
    let access = || weighted(0.95, access(mix));
    (access(), weighted(0.8, fence), access(), weighted(0.2, op(mix)))
        .prop_map(|(first, fence, second, more)| vec![first, fence, second, more])
        .boxed()
}

/// The program of a grid: words are numbered, and of a cycle or not; values may be all different.
fn assemble(mix: Mix, words: usize, is_cycle: bool, threads: Vec<Places>) -> Program {
    let words = if is_cycle { threads.len().min(WORDS_MAX) } else { words };
    let mut written = 0;
    let mut finish = |(thread, places): (usize, Places)| -> Vec<Op> {
        let mut ops = Vec::new();
        for (place, op) in places.into_iter().enumerate() {
            let Some(mut op) = op else { continue };
            if let Some(word) = word_of(&mut op) {
                *word = match place {
                    0 if is_cycle => thread,
                    1 | 2 if is_cycle => thread + 1,
                    _ => *word,
                } % words;
            }
            if let (Mix::Distinct, Some(value)) = (mix, value_of(&mut op)) {
                written += 1;
                *value = written;
            }
            ops.push(op);
        }
        ops
    };
    let threads: Vec<Vec<Op>> = threads.into_iter().enumerate().map(&mut finish).collect();
    Program { words, threads: threads.into_iter().filter(|ops| !ops.is_empty()).collect() }
}

fn word_of(op: &mut Op) -> Option<&mut usize> {
    match op {
        Op::Load { word, .. }
        | Op::Store { word, .. }
        | Op::Modify { word, .. }
        | Op::Exchange { word, .. }
        | Op::Await { word, .. } => Some(word),
        Op::Fence(_) | Op::LightFence | Op::HeavyFence | Op::Park | Op::Unpark => None,
    }
}

/// What it may write.
fn value_of(op: &mut Op) -> Option<&mut u64> {
    match op {
        Op::Store { value, .. } | Op::Modify { value, .. } | Op::Exchange { new: value, .. } => {
            Some(value)
        }
        _ => None,
    }
}

/// One of several, the first so many times as likely as its number says.
fn one_of(choices: Vec<(u32, BoxedStrategy<Op>)>) -> BoxedStrategy<Op> {
    Union::new_weighted(choices).boxed()
}

fn op(mix: Mix) -> BoxedStrategy<Op> {
    let (load, store, modify) = (load(mix), store(mix), modify(mix));
    one_of(match mix {
        Mix::StrongExchanges => {
            vec![(2, load), (2, store), (1, modify), (3, exchange(mix, false))]
        }
        // Few wait, for most who do wait for ever.
        Mix::Everything => vec![
            (8, load),
            (6, store),
            (3, modify),
            (3, exchange(mix, false)),
            (3, exchange(mix, true)),
            (3, fence()),
            (3, select(&[Op::LightFence, Op::HeavyFence][..]).boxed()),
            (1, wait(mix)),
            (3, select(&[Op::Unpark, Op::Unpark, Op::Unpark, Op::Park][..]).boxed()),
        ],
        Mix::SeqCst => vec![
            (3, load),
            (3, store),
            (1, modify),
            (1, exchange(mix, false)),
            (1, Just(Op::Fence(SeqCst)).boxed()),
        ],
        Mix::Asymmetric => {
            vec![(6, load), (6, store), (1, select(&[Op::LightFence, Op::HeavyFence][..]).boxed())]
        }
        Mix::Fences => vec![(5, load), (5, store), (2, modify), (1, fence())],
        Mix::Distinct => {
            vec![(3, load), (2, store), (1, swap(mix)), (1, exchange(mix, false)), (1, fence())]
        }
    })
}

fn access(mix: Mix) -> BoxedStrategy<Op> {
    let modify = if mix == Mix::Fences { 2 } else { 1 };
    one_of(vec![(5, load(mix)), (5, store(mix)), (modify, self::modify(mix))])
}

/// Values are few, so that exchanges often find what they expect, and often not.
const VALUES: std::ops::RangeInclusive<u64> = 1..=2;

/// One of the orderings, with the mix's preference.
fn order(mix: Mix, orders: &'static [Ordering]) -> BoxedStrategy<Ordering> {
    let preferred = match mix {
        Mix::SeqCst => SeqCst,
        Mix::Fences | Mix::Asymmetric => Relaxed,
        Mix::Everything | Mix::StrongExchanges | Mix::Distinct => return select(orders).boxed(),
    };
    Union::new_weighted(vec![(3, Just(preferred).boxed()), (1, select(orders).boxed())]).boxed()
}

const OF_LOADS: &[Ordering] = &[Relaxed, Acquire, SeqCst];
const OF_STORES: &[Ordering] = &[Relaxed, Release, SeqCst];
const OF_MODIFIES: &[Ordering] = &[Relaxed, Acquire, Release, AcqRel, SeqCst];

fn load(mix: Mix) -> BoxedStrategy<Op> {
    (ANY_WORD, order(mix, OF_LOADS)).prop_map(|(word, order)| Op::Load { word, order }).boxed()
}

fn store(mix: Mix) -> BoxedStrategy<Op> {
    (ANY_WORD, VALUES, order(mix, OF_STORES))
        .prop_map(|(word, value, order)| Op::Store { word, value, order })
        .boxed()
}

fn change(mix: Mix, changes: &'static [Change]) -> BoxedStrategy<Op> {
    (ANY_WORD, select(changes), VALUES, order(mix, OF_MODIFIES))
        .prop_map(|(word, change, value, order)| Op::Modify { word, change, value, order })
        .boxed()
}

fn modify(mix: Mix) -> BoxedStrategy<Op> {
    change(mix, &[Change::Add, Change::Add, Change::Swap, Change::Max])
}

fn swap(mix: Mix) -> BoxedStrategy<Op> {
    change(mix, &[Change::Swap])
}

/// Half of them fail with less than they succeed with: that a failed exchange has its own ordering
/// shows in few programs, and in none where the two are alike.
fn exchange(mix: Mix, weak: bool) -> BoxedStrategy<Op> {
    let alike = (order(mix, OF_MODIFIES), order(mix, OF_LOADS)).boxed();
    let weaker = (select(&[Acquire, AcqRel, SeqCst][..]), Just(Relaxed)).boxed();
    (ANY_WORD, 0..=2_u64, VALUES, Union::new([alike, weaker]))
        .prop_map(move |(word, expected, new, (success, failure))| Op::Exchange {
            word,
            expected,
            new,
            success,
            failure,
            weak,
        })
        .boxed()
}

fn fence() -> BoxedStrategy<Op> {
    select(&[Acquire, Release, AcqRel, SeqCst][..]).prop_map(Op::Fence).boxed()
}

fn wait(mix: Mix) -> BoxedStrategy<Op> {
    (ANY_WORD, VALUES, order(mix, OF_LOADS))
        .prop_map(|(word, value, order)| Op::Await { word, value, order })
        .boxed()
}
