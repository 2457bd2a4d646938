//! The idle word alone, in both of its forms: what its orderings carry from one machine to another.
//!
//! These are the smallest models of the protocol: two threads, a step or two each, and a plain word
//! that stands for the work. Each form of the word must pass the same ones.

use gosched::memory::{Atomic, Ordering, RaceCell, Shared};
use gosched::{IdleProcessors, Put};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let claim = |name, sentence, cases| Claim { name, sentence, cases, properties: vec![] };
    vec![
        claim(
            "idle::a_processor_comes_with_all_that_was_left_in_it",
            "Whoever takes a processor out of the idle word sees what the one who put it there, or \
             who started the world with it, had done with it.",
            both(["put_or_take", "put_or_take_in_many_words"], |many_words| HandOver {
                starts: false,
                many_words,
            })
            .chain(both(["resume_or_take", "resume_or_take_in_many_words"], |many_words| {
                HandOver { starts: true, many_words }
            }))
            .collect(),
        ),
        claim(
            "idle::found_work_is_not_left_behind",
            "When a searcher that has found work is counted off while a processor is put down, a \
             successor is named, or another searcher is left, or the one who put it down looks and \
             sees the work.",
            both(["found_or_put", "found_or_put_in_many_words"], |many_words| FoundOrPut {
                other_searches: false,
                many_words,
            })
            .chain(both(["two_searchers", "two_searchers_in_many_words"], |many_words| {
                FoundOrPut { other_searches: true, many_words }
            }))
            .chain(both(["found_or_resume", "found_or_resume_in_many_words"], |many_words| {
                FoundOrResume { many_words }
            }))
            .collect(),
        ),
        claim(
            "idle::a_stopper_gets_every_processor",
            "A processor that is put down while the world is being stopped is taken by the stopper, \
             or handed to it: one of the two.",
            both(["put_or_stop", "put_or_stop_in_many_words"], |many_words| PutOrStop {
                many_words,
            })
            .collect(),
        ),
    ]
}

/// A case for each form of the word.
fn both<M: Model>(
    names: [&'static str; 2],
    model: impl Fn(bool) -> M,
) -> impl Iterator<Item = Case> {
    let cases = [false, true].map(|many_words| {
        let name = names[usize::from(many_words)];
        Case::new(name, "2 threads, 2 processors", Bounds::TWO_THREADS, model(many_words))
    });
    cases.into_iter()
}

/// An idle word, and what is passed on by it.
struct Bench<W: World> {
    idle: IdleProcessors<W>,
    /// What was left in processor 0.
    left: W::Cell<u32>,
    /// Not 0: there is work.
    work: W::AtomicU32,
}

impl<W: World> Bench<W> {
    fn new(many_words: bool) -> W::Arc<Self> {
        let idle = if many_words {
            IdleProcessors::with_memory_in_many_words(2)
        } else {
            IdleProcessors::with_memory(2)
        };
        let (left, work) = (W::Cell::new(0), W::AtomicU32::new(0));
        W::Arc::new(Self { idle, left, work })
    }

    fn leave(&self, value: u32) {
        self.left.with_mut(|left| {
            // SAFETY: the caller owns processor 0.
            unsafe { *left = value };
        });
    }

    /// D3 and D4.
    fn look(&self) -> bool {
        W::fence(Ordering::SeqCst);
        self.has_work()
    }

    fn has_work(&self) -> bool {
        // ORDER: Relaxed: what makes it visible is under check.
        self.work.load(Ordering::Relaxed) != 0
    }

    fn publish(&self) {
        // ORDER: Relaxed: what makes it visible is under check.
        self.work.store(1, Ordering::Relaxed);
    }
}

/// One thread puts processor 0 into the word, or starts the world with it; another takes it.
struct HandOver {
    starts: bool,
    many_words: bool,
}

impl Model for HandOver {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(self.many_words);
        let starts = self.starts;
        if starts {
            assert!(bench.idle.stop(|_| {}), "nobody else stops it");
        }
        let putter = W::spawn({
            let bench = bench.clone();
            move || {
                bench.leave(7);
                if starts {
                    bench.idle.resume([0].into_iter());
                } else {
                    assert_eq!(bench.idle.put(0, false), Put::Look, "nobody searches");
                }
            }
        });
        let taken = bench.idle.take(0);
        if taken.is_some() {
            bench.leave(8);
        }
        W::join(putter);
        format!("{taken:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "taken", seen_in: |outcome| outcome == "Some(0)" },
            Witness { name: "too early", seen_in: |outcome| outcome == "None" },
        ]
    }
}

/// A searcher publishes work and is counted off, while processor 0 is put down, by somebody who
/// searches as well or does not.
struct FoundOrPut {
    other_searches: bool,
    many_words: bool,
}

impl Model for FoundOrPut {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(self.many_words);
        let searches = self.other_searches;
        // So many processors that there may be two searchers.
        for _ in 0..=usize::from(searches) {
            assert!(bench.idle.begin_search(8), "there are not enough searchers");
        }
        let dropper = W::spawn({
            let bench = bench.clone();
            move || {
                let put = bench.idle.put(0, searches);
                (put, put == Put::Look && bench.look())
            }
        });
        bench.publish();
        let successor = bench.idle.end_search();
        let (put, seen) = W::join(dropper);
        assert!(successor.is_some() || seen, "the work is left behind: {put:?}");
        format!("{successor:?} {put:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "a successor", seen_in: |outcome| outcome == "Some(0) Leave" },
            Witness { name: "a look", seen_in: |outcome| outcome == "None Look" },
        ]
    }
}

/// The world is started with two idle processors, and whoever starts it looks; the machine that
/// takes the first searches and finds work.
struct FoundOrResume {
    many_words: bool,
}

impl Model for FoundOrResume {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(self.many_words);
        assert!(bench.idle.stop(|_| {}), "nobody else stops it");
        let starter = W::spawn({
            let bench = bench.clone();
            move || {
                bench.idle.resume(0..2);
                bench.look()
            }
        });
        let mut found = None;
        if bench.idle.take(0).is_some() && bench.idle.begin_search(8) {
            bench.publish();
            found = Some(bench.idle.end_search());
        }
        let seen = W::join(starter);
        assert!(found != Some(None) || seen, "the work is left behind");
        format!("{found:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![Witness { name: "a successor", seen_in: |outcome| outcome == "Some(Some(1))" }]
    }
}

/// Processor 0 is put down while the world is being stopped.
struct PutOrStop {
    many_words: bool,
}

impl Model for PutOrStop {
    fn run<W: World>(&self) -> Outcome {
        let bench = Bench::<W>::new(self.many_words);
        let dropper = W::spawn({
            let bench = bench.clone();
            move || bench.idle.put(0, false)
        });
        let mut taken = 0;
        assert!(bench.idle.stop(|_| taken += 1), "nobody else stops it");
        let put = W::join(dropper);
        assert_eq!(taken + usize::from(put == Put::Stopping), 1, "{put:?}, and {taken} taken");
        format!("{put:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "taken", seen_in: |outcome| outcome == "Look" },
            Witness { name: "handed over", seen_in: |outcome| outcome == "Stopping" },
        ]
    }
}
