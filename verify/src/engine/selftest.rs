//! Claims about the checkers themselves: each ends in one kind of verdict.
//!
//! A checker that always says *passed* passes every test that only looks at true claims. These
//! claims are false, empty, endless or deadly on purpose. `gosched-verify check --selftest` runs
//! them in place of the real ones; the tests of the binary say how each must end.

use core::time::Duration;

use gosched::memory::{Atomic, AtomicInt, Ordering, Shared};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Property, Witness};
use crate::world::World;

/// The claims, named after the verdict they must get.
#[must_use]
pub fn claims() -> Vec<Claim> {
    let few = Bounds { shuttle: 100, stress: 10, ..Bounds::TWO_THREADS };
    let case = |name, model| Case::new(name, "2 threads", few, model);
    vec![
        claim("selftest::passes", vec![case("count", Count { expected: 2, shown: "main 0" })]),
        claim("selftest::fails", vec![case("count", Count { expected: 3, shown: "main 0" })]),
        claim("selftest::is_vacuous", vec![case("count", Count { expected: 2, shown: "main 7" })]),
        claim("selftest::crashes", vec![Case::new("abort", "1 thread", few, Abort)]),
        claim("selftest::hangs", vec![Case::new("sleep", "1 thread", few, Sleep)]),
        claim("selftest::is_incomplete", vec![Case::new("endless", "4 threads", few, Endless)]),
        claim(
            "selftest::loom_misses",
            vec![Case::new("loom_392", "2 threads", few, LoadHidesLoad)],
        ),
        Claim {
            properties: vec![
                property("holds", |cases| Ok(cases.into())),
                property("fails", |_| Err("minimal failing input: [Push, Pop]".into())),
            ],
            ..claim("selftest::property", vec![])
        },
    ]
}

fn claim(name: &'static str, cases: Vec<Case>) -> Claim {
    Claim { name, sentence: "A claim about the checkers.", cases, properties: vec![] }
}

fn property(name: &'static str, run: fn(u32) -> Result<u64, String>) -> Property {
    Property { name, shape: "no input", cases: 10, run }
}

/// Two threads count to two, which may be expected or not.
struct Count {
    expected: u32,
    shown: &'static str,
}

impl Model for Count {
    fn run<W: World>(&self) -> Outcome {
        let word = W::Arc::new(W::AtomicU32::new(0));
        let other = W::spawn({
            let word = word.clone();
            // ORDER: Relaxed: counted atomically, read after the join.
            move || word.fetch_add(1, Ordering::Relaxed)
        });
        // ORDER: Relaxed: as above.
        let mine = word.fetch_add(1, Ordering::Relaxed);
        W::join(other);
        // ORDER: Relaxed: as above.
        assert_eq!(word.load(Ordering::Relaxed), self.expected, "the selftest's count");
        format!("main {mine}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        match self.shown {
            "main 0" => vec![Witness { name: "main was first", seen_in: |line| line == "main 0" }],
            _ => vec![Witness { name: "main was eighth", seen_in: |line| line == "main 7" }],
        }
    }
}

/// Ends its process.
struct Abort;

impl Model for Abort {
    fn run<W: World>(&self) -> Outcome {
        eprintln!("the selftest aborts now");
        std::process::abort()
    }
}

/// Never ends, and gives no engine a chance to notice.
struct Sleep;

impl Model for Sleep {
    fn run<W: World>(&self) -> Outcome {
        std::thread::sleep(Duration::MAX);
        unreachable!("the longest sleep is over")
    }
}

/// Ends each time, but has more schedules than anybody can wait for, and slow ones.
struct Endless;

impl Model for Endless {
    fn run<W: World>(&self) -> Outcome {
        std::thread::sleep(Duration::from_millis(2));
        let word = W::Arc::new(W::AtomicU32::new(0));
        let others: Vec<_> = (0..3)
            .map(|_| {
                let word = word.clone();
                // ORDER: Relaxed: the number of schedules matters here, nothing else.
                W::spawn(move || (0..8).for_each(|_| word.store(1, Ordering::Relaxed)))
            })
            .collect();
        others.into_iter().for_each(W::join);
        "done".into()
    }
}

/// `load` beside `load; store` on one word, the smallest program of which loom misses an outcome
/// (tokio-rs/loom#392). `tests/loom_incomplete.rs` tells the story.
#[derive(Debug)]
pub struct LoadHidesLoad;

impl Model for LoadHidesLoad {
    fn run<W: World>(&self) -> Outcome {
        let word = W::Arc::new(W::AtomicU32::new(0));
        let reader = W::spawn({
            let word = word.clone();
            // ORDER: Relaxed: one word alone; coherence decides what may be read.
            move || word.load(Ordering::Relaxed)
        });
        let writer = W::spawn(move || {
            // ORDER: Relaxed: as above. This load makes loom forget the reader's.
            word.load(Ordering::Relaxed);
            // ORDER: Relaxed: as above.
            word.store(1, Ordering::Relaxed);
        });
        let read = W::join(reader);
        W::join(writer);
        format!("read {read}")
    }
}
