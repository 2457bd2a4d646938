//! Claims about the completion, in which a task leaves its result for the one who waits for it.
//!
//! The one who waits is a plain cell, as the task of the permit's models is: whoever is told to
//! wake it goes on with it in its own thread. So there is a race if two have it, or if the second
//! has not synchronised with the first.

use core::task::Poll;

use gosched::Completion;
use gosched::memory::{Atomic, AtomicInt, Ordering, RaceCell, Shared};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let claim = |name, sentence, cases| Claim { name, sentence, cases, properties: vec![] };
    vec![
        claim(
            "completion::the_result_is_seen_by_whoever_is_woken",
            "Whoever finds a completion ended, or is woken because it has, sees its result and all \
             that was done before, and gets the result once; and whoever is to be woken is handed \
             over with all that was done in it.",
            vec![
                two("one_poll", Woken { waiters: &[0] }),
                two("another_waiter", Woken { waiters: &[0, 1] }),
                two("the_same_and_another", Woken { waiters: &[0, 0, 1] }),
                Case::new("looks", "2 threads, who only ask", Bounds::TWO_THREADS, Looks),
            ],
        ),
        claim(
            "completion::no_end_is_missed",
            "Of the one who waits and the one who completes, one learns of the other: either the \
             last poll finds the result, or the one who completes gets the waiter that was left \
             last; also if the one who waits goes away. Nothing is dropped twice, or never.",
            vec![
                two("waits", Meeting::new(&[0])),
                two("waits_again", Meeting::new(&[0, 0])),
                two("waits_elsewhere", Meeting::new(&[0, 1])),
                two("to_and_fro", Meeting::new(&[0, 1, 1, 0])),
                two("never_waits", Meeting { leaves: true, ..Meeting::new(&[]) }),
                two("goes_away", Meeting { leaves: true, ..Meeting::new(&[0, 1]) }),
                Case::new(
                    "many",
                    "6 threads, 60 completions",
                    Bounds::MANY_THREADS,
                    Meeting { pairs: 3, rounds: 20, ..Meeting::new(&[0, 1, 1]) },
                ),
            ],
        ),
    ]
}

fn two(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "2 threads", Bounds::TWO_THREADS, model)
}

/// One polls, each time for the next waiter, and then stops; the last is none of those before, so
/// that whoever gets it knows that he has stopped.
struct Woken {
    waiters: &'static [u32],
}

/// What the two of them share.
struct Shop<W: World> {
    completion: Completion<u32, u32, W>,
    /// Written before the end.
    work: W::Cell<u32>,
    /// The one who waits: how often it has polled.
    polls: W::Cell<usize>,
}

impl<W: World> Shop<W> {
    fn new() -> Self {
        let (work, polls) = (W::Cell::new(0), W::Cell::new(0));
        Self { completion: Completion::with_memory(), work, polls }
    }

    fn complete(&self) -> Option<u32> {
        // SAFETY: nobody reads it before it has ended: that is what the model checks.
        self.work.with_mut(|work| unsafe { *work = 7 });
        // SAFETY: each model completes once.
        unsafe { self.completion.complete(9) }
    }

    fn assert_work_is_seen(&self) {
        // SAFETY: it has ended: that is what the model checks.
        assert_eq!(self.work.with(|work| unsafe { *work }), 7, "the work is stale");
    }

    /// As the one who waits.
    fn poll(&self, waiter: u32) -> bool {
        // SAFETY: we are the one who waits: that is what the model checks.
        self.polls.with_mut(|polls| unsafe { *polls += 1 });
        // SAFETY: as above.
        let poll = unsafe { self.completion.poll(|kept| *kept == waiter, || waiter) };
        if let Poll::Ready(result) = poll {
            assert_eq!(result, 9, "another result");
            self.assert_work_is_seen();
        }
        poll.is_ready()
    }
}

impl Model for Woken {
    fn run<W: World>(&self) -> Outcome {
        let shop = W::Arc::new(Shop::<W>::new());
        let waiters = self.waiters;
        let completes = W::spawn({
            let shop = shop.clone();
            move || {
                let woken = shop.complete();
                let stopped = woken.is_some() && woken.as_ref() == waiters.last();
                if stopped {
                    assert!(shop.poll(9), "it was woken, and there is no result");
                }
                (woken, stopped)
            }
        });
        let mut polls = waiters.iter().map(|waiter| shop.poll(*waiter));
        let found = polls.position(|ready| ready);
        let (woken, stopped) = W::join(completes);
        assert_eq!(found.is_none(), stopped, "who has the result: {found:?}, {woken:?}");
        assert!(shop.completion.has_ended(), "it was told");
        // SAFETY: the other thread is joined.
        let polls = shop.polls.with(|polls| unsafe { *polls });
        assert_eq!(polls, found.map_or(waiters.len() + 1, |at| at + 1), "polls were lost");
        format!("found {found:?}, woken {woken:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        let witness = |name, seen_in| Witness { name, seen_in };
        let mut witnesses: Vec<Witness> = vec![
            witness("woken", |outcome| outcome.starts_with("found None")),
            witness("it had ended before", |outcome| outcome == "found Some(0), woken None"),
        ];
        if self.waiters.len() > 1 {
            witnesses.push(witness("a wake was superfluous", |outcome| {
                outcome == "found Some(1), woken Some(0)"
            }));
            witnesses.push(witness("it ends while the waiter is changed", |outcome| {
                !outcome.starts_with("found Some(0)") && outcome.ends_with("woken None")
            }));
        }
        witnesses
    }
}

/// One asks whether it has ended, and looks at what was done if so.
struct Looks;

impl Model for Looks {
    fn run<W: World>(&self) -> Outcome {
        let shop = W::Arc::new(Shop::<W>::new());
        let completes = W::spawn({
            let shop = shop.clone();
            move || shop.complete()
        });
        let ended = shop.completion.has_ended();
        if ended {
            shop.assert_work_is_seen();
        }
        assert_eq!(W::join(completes), None, "nobody waits");
        format!("{ended}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "it has ended", seen_in: |outcome| outcome == "true" },
            Witness { name: "it has not", seen_in: |outcome| outcome == "false" },
        ]
    }
}

/// Pairs of which one polls and the other completes, several completions one after the other.
struct Meeting {
    waiters: &'static [u32],
    /// Whether the one who waits lets go of the completion after its last poll.
    leaves: bool,
    pairs: usize,
    rounds: usize,
}

impl Meeting {
    fn new(waiters: &'static [u32]) -> Self {
        Self { waiters, leaves: false, pairs: 1, rounds: 1 }
    }
}

/// A number, and how many like it there are. Relaxed: only counted in the end.
struct Counted<W: World> {
    number: u32,
    alive: W::Arc<W::AtomicU32>,
}

impl<W: World> Counted<W> {
    fn new(number: u32, alive: &W::Arc<W::AtomicU32>) -> Self {
        // ORDER: Relaxed: read when all threads are joined.
        alive.fetch_add(1, Ordering::Relaxed);
        Self { number, alive: alive.clone() }
    }
}

impl<W: World> Drop for Counted<W> {
    fn drop(&mut self) {
        // ORDER: Relaxed: read when all threads are joined.
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

type Ends<W> = Completion<Counted<W>, Counted<W>, W>;
type SharedEnds<W> = <W as gosched::memory::Memory>::Arc<Ends<W>>;

/// What a pair does one after the other.
type All<W> = Vec<SharedEnds<W>>;

/// What the one who waits has seen.
struct Waited<W: World> {
    /// Which poll was ready.
    found: Option<usize>,
    /// Unless it has left.
    ends: Option<SharedEnds<W>>,
}

impl Meeting {
    /// Polls for one waiter after the other, until there is a result.
    fn wait<W: World>(
        waiters: &[u32],
        leaves: bool,
        ends: SharedEnds<W>,
        alive: &W::Arc<W::AtomicU32>,
    ) -> Waited<W> {
        let mut polls = waiters.iter().map(|&waiter| Self::poll::<W>(&ends, waiter, alive));
        let found = polls.position(|ready| ready);
        let ended = ends.has_ended();
        assert!(ended || found.is_none(), "there was a result, and it has not ended");
        Waited { found, ends: (!leaves).then_some(ends) }
    }

    /// Completes one after the other. Whom it had to wake.
    fn complete<W: World>(all: All<W>, alive: &W::Arc<W::AtomicU32>) -> Vec<Option<u32>> {
        let complete = |ends: SharedEnds<W>| {
            // SAFETY: each is completed once, here.
            let waiter = unsafe { ends.complete(Counted::new(9, alive)) };
            waiter.map(|waiter| waiter.number)
        };
        all.into_iter().map(complete).collect()
    }

    fn all<W: World>(&self) -> All<W> {
        (0..self.rounds).map(|_| W::Arc::new(Ends::<W>::with_memory())).collect()
    }

    fn poll<W: World>(ends: &Ends<W>, waiter: u32, alive: &W::Arc<W::AtomicU32>) -> bool {
        // SAFETY: one thread polls, and later the one that has joined it.
        let poll =
            unsafe { ends.poll(|kept| kept.number == waiter, || Counted::new(waiter, alive)) };
        let Poll::Ready(result) = poll else { return false };
        assert_eq!(result.number, 9, "another result");
        true
    }

    /// Judges one completion, when both sides have done.
    fn judge<W: World>(
        &self,
        waited: Waited<W>,
        woken: Option<u32>,
        alive: &W::Arc<W::AtomicU32>,
    ) -> Outcome {
        let current = waited.found.unwrap_or(self.waiters.len()).checked_sub(1);
        let current = current.map(|at| self.waiters[at]);
        if waited.found.is_none() {
            assert_eq!(woken, current, "the end was missed");
        } else if woken.is_some() {
            assert_eq!(woken, current, "the wrong one is woken");
        }
        if let Some(ends) = waited.ends {
            let late = waited.found.is_none();
            assert!(!late || Self::poll::<W>(&ends, 8, alive), "the result is lost");
        }
        format!("found {:?}, woken {woken:?}", waited.found)
    }
}

impl Model for Meeting {
    fn run<W: World>(&self) -> Outcome {
        let alive = W::Arc::new(W::AtomicU32::new(0));
        let (waiters, leaves) = (self.waiters, self.leaves);
        let wait = move |all: All<W>, alive: &W::Arc<W::AtomicU32>| {
            let wait = |ends| Self::wait::<W>(waiters, leaves, ends, alive);
            all.into_iter().map(wait).collect::<Vec<_>>()
        };
        // Of the first pair this thread is one; of the others the one who waits begins first.
        let others = (1..self.pairs).map(|_| {
            let (all, alive) = (self.all::<W>(), alive.clone());
            let completed = all.clone();
            let waits = W::spawn({
                let alive = alive.clone();
                move || wait(all, &alive)
            });
            (waits, W::spawn(move || Self::complete::<W>(completed, &alive)))
        });
        let others: Vec<_> = others.collect();
        let all = self.all::<W>();
        let first = W::spawn({
            let (all, alive) = (all.clone(), alive.clone());
            move || Self::complete::<W>(all, &alive)
        });
        let mut both = vec![(wait(all, &alive), W::join(first))];
        let joined = |(waits, completes)| (W::join(waits), W::join(completes));
        both.extend(others.into_iter().map(joined));
        let each = both.into_iter().flat_map(|(waited, woken)| waited.into_iter().zip(woken));
        let mut outcomes: Vec<_> =
            each.map(|(waited, woken)| self.judge(waited, woken, &alive)).collect();
        // ORDER: Relaxed: all threads are joined.
        assert_eq!(alive.load(Ordering::Relaxed), 0, "what was not dropped");
        outcomes.sort();
        outcomes.dedup();
        outcomes.join("; ")
    }

    fn witnesses(&self) -> Vec<Witness> {
        let witness = |name, seen_in| Witness { name, seen_in };
        let mut witnesses: Vec<Witness> =
            vec![witness("nobody is woken", |outcome| outcome.contains("woken None"))];
        if !self.waiters.is_empty() {
            witnesses.push(witness("it was left waiting", |outcome| {
                outcome.contains("found None, woken Some")
            }));
            witnesses.push(witness("it had ended", |outcome| outcome.contains("found Some(0)")));
        }
        if self.waiters.len() > 1 {
            witnesses.push(witness("a later poll finds it", |outcome| {
                outcome.contains("found Some(1)")
            }));
        }
        witnesses
    }
}
