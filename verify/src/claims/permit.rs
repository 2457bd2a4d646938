//! Claims about the permit, by which one task stops until another lets it go on.
//!
//! The task of these models is a plain cell. Whoever has it touches it, so two who think that they
//! have it race; and so do two of whom the second has not synchronised with the first. To make it
//! ready is to run it: a giver that gets the task goes on with it in its own thread.

use gosched::memory::{Atomic, Ordering, RaceCell, Shared};
use gosched::{Give, Permit};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    let claim = |name, sentence, cases| Claim { name, sentence, cases, properties: vec![] };
    vec![
        claim(
            "permit::no_permit_is_lost",
            "Once a permit was given, its task goes on, whether the permit came before it stopped, \
             while it did, or after; and the task then sees what was written before by everyone \
             who gave one.",
            vec![
                Case::new("payload", "2 threads", Bounds::TWO_THREADS, Payload),
                stopping(&[2], 2, nothing_is_lost),
                stopping(&[1, 1], 1, nothing_is_lost),
                stopping(&[1, 1], 2, nothing_is_lost),
                stopping(&[2, 1], 1, nothing_is_lost),
                stopping(&[20; 5], 60, nothing_is_lost),
            ],
        ),
        claim(
            "permit::one_giver_gets_the_task",
            "Each time that a task parks, one of all who give it a permit gets it, with all that \
             was done in it before; and each permit that no other came before lets it go on once.",
            vec![
                stopping(&[1], 1, one_gets_the_task),
                stopping(&[1, 1], 1, one_gets_the_task),
                stopping(&[1, 1], 2, one_gets_the_task),
                stopping(&[2, 1], 2, one_gets_the_task),
                stopping(&[20; 5], 60, one_gets_the_task),
            ],
        ),
    ]
}

fn stopping(gives: &'static [usize], stops: usize, holds: fn(&End)) -> Case {
    // With two preemptions loom misses some of their outcomes.
    let longer = Bounds { loom_fast: Some(4), loom_thorough: None, ..Bounds::THREE_THREADS };
    let (name, shape, bounds) = match (gives, stops) {
        ([1], 1) => ("one_give", "2 threads, 1 stop", Bounds::TWO_THREADS),
        ([2], 2) => ("two_gives", "2 threads, 2 stops", Bounds::TWO_THREADS),
        ([1, 1], 1) => ("two_givers", "3 threads, 1 stop", Bounds::THREE_THREADS),
        ([1, 1], 2) => ("two_givers_two_stops", "3 threads, 2 stops", Bounds::THREE_THREADS),
        ([2, 1], 1) => ("three_gives", "3 threads, 1 stop", longer),
        ([2, 1], 2) => ("three_gives_two_stops", "3 threads, 2 stops", longer),
        _ => ("many", "6 threads, 100 gives, 60 stops", Bounds::MANY_THREADS),
    };
    Case::new(name, shape, bounds, Stopping { gives, stops, holds })
}

/// How a task came to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// It took a permit before it stopped.
    Taken,
    /// A permit came before it was parked.
    Refused,
    /// It was parked, and a giver got it.
    Resumed,
}

/// The task stops once; a giver writes a cell that the task reads when it goes on.
struct Payload;

impl Payload {
    /// By whoever has the task.
    fn go_on<W: World>(payload: &W::Cell<u32>, task: &W::Cell<Option<How>>, how: How) {
        task.with_mut(|task| {
            // SAFETY: we have the task: that is what the model checks.
            let before = unsafe { (*task).replace(how) };
            assert_eq!(before, None, "the task went on twice");
        });
        // SAFETY: written before the one permit that there is: that is what the model checks.
        assert_eq!(payload.with(|payload| unsafe { *payload }), 7, "the payload is stale");
    }
}

impl Model for Payload {
    fn run<W: World>(&self) -> Outcome {
        let cells = (W::Cell::new(0_u32), W::Cell::new(None));
        let shared = W::Arc::new((cells, Permit::<W>::with_memory()));
        let giver = W::spawn({
            let shared = shared.clone();
            move || {
                let ((payload, task), permit) = &*shared;
                // SAFETY: the task reads it after the permit, which has yet to come.
                payload.with_mut(|payload| unsafe { *payload = 7 });
                let gave = permit.give();
                if gave == Give::Parked {
                    Self::go_on::<W>(payload, task, How::Resumed);
                }
                gave
            }
        });
        let ((payload, task), permit) = &*shared;
        if permit.take() {
            Self::go_on::<W>(payload, task, How::Taken);
        } else if !permit.park() {
            Self::go_on::<W>(payload, task, How::Refused);
        }
        let gave = W::join(giver);
        // SAFETY: the other thread is joined.
        let how = task.with(|task| unsafe { *task }).expect("the permit was lost");
        assert_eq!(gave == Give::Parked, how == How::Resumed, "{how:?} by {gave:?}");
        assert!(!permit.is_given() && !permit.take(), "the permit is used up");
        format!("{how:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        let witness = |name, seen_in| Witness { name, seen_in };
        vec![
            witness("taken", |outcome| outcome == "Taken"),
            witness("refused", |outcome| outcome == "Refused"),
            witness("resumed", |outcome| outcome == "Resumed"),
        ]
    }
}

/// One task that wants to stop `stops` times, and somebody who gives `gives[i]` permits for each
/// `i`.
struct Stopping {
    gives: &'static [usize],
    stops: usize,
    holds: fn(&End),
}

/// What all of them use.
struct Bench<W: World> {
    permit: Permit<W>,
    stops: usize,
    task: W::Cell<Body>,
    /// How many permits each giver has given, or is about to give. Relaxed: the permit alone makes
    /// them visible.
    told: Vec<W::AtomicU32>,
}

/// The task.
#[derive(Clone, Debug, Default)]
struct Body {
    went_on: Vec<How>,
    /// What it saw of `told` when it last went on.
    heard: Vec<u32>,
}

/// What one thread did.
#[derive(Clone, Debug, Default)]
struct Did {
    gave: Vec<Give>,
    /// How many times it parked the task.
    parked: usize,
}

impl<W: World> Bench<W> {
    /// Has the task, and runs it until it is parked or has ended. Whether it is parked.
    fn run_task(&self, mut went_on: Option<How>) -> bool {
        loop {
            if let Some(how) = went_on {
                // ORDER: Relaxed: what makes it visible is under check.
                let heard = self.told.iter().map(|told| told.load(Ordering::Relaxed)).collect();
                self.task.with_mut(|task| {
                    // SAFETY: we have the task: that is what the model checks.
                    let task = unsafe { &mut *task };
                    task.went_on.push(how);
                    task.heard = heard;
                });
            }
            // SAFETY: as above.
            if self.task.with(|task| unsafe { (*task).went_on.len() }) == self.stops {
                return false;
            }
            went_on = if self.permit.take() {
                Some(How::Taken)
            } else if self.permit.park() {
                return true;
            } else {
                Some(How::Refused)
            };
        }
    }

    /// Gives `count` permits, and runs the task whenever it gets it.
    fn give(&self, giver: usize, count: usize) -> Did {
        let mut did = Did::default();
        for told in 1..=count {
            // ORDER: Relaxed: what makes it visible is under check.
            self.told[giver].store(u32::try_from(told).expect("few"), Ordering::Relaxed);
            let gave = self.permit.give();
            did.gave.push(gave);
            if gave == Give::Parked {
                did.parked += usize::from(self.run_task(Some(How::Resumed)));
            }
        }
        did
    }
}

/// What was done, and what is left, when all threads have ended.
#[derive(Debug)]
struct End {
    gives: &'static [usize],
    stops: usize,
    task: Body,
    all: Did,
    /// A permit waits.
    left: bool,
}

impl End {
    /// The task has not ended: it is parked.
    fn waits(&self) -> bool {
        self.task.went_on.len() < self.stops
    }

    fn gave(&self, give: Give) -> usize {
        self.all.gave.iter().filter(|gave| **gave == give).count()
    }

    fn went_on(&self, how: How) -> usize {
        self.task.went_on.iter().filter(|went_on| **went_on == how).count()
    }
}

/// Whoever gave a permit that no other came before lets the task go on; and once all are used up,
/// the task has heard everybody.
fn nothing_is_lost(end: &End) {
    let given = end.gave(Give::Parked) + end.gave(Give::Kept);
    let used = end.task.went_on.len() + usize::from(end.left);
    assert!(used >= given, "a permit was lost: {end:?}");
    if !end.left {
        let told = end.gives.iter().map(|count| u32::try_from(*count).expect("few"));
        assert!(end.task.heard.iter().copied().eq(told), "somebody was not heard: {end:?}");
    }
}

/// As many givers got the task as it was parked, but for the one who is yet to come; and no permit
/// lets it go on twice.
fn one_gets_the_task(end: &End) {
    let given = end.gave(Give::Parked) + end.gave(Give::Kept);
    let used = end.task.went_on.len() + usize::from(end.left);
    assert_eq!(used, given, "permits used, and given: {end:?}");
    assert_eq!(end.went_on(How::Resumed), end.gave(Give::Parked), "{end:?}");
    assert_eq!(end.all.parked, end.gave(Give::Parked) + usize::from(end.waits()), "{end:?}");
    assert!(!(end.waits() && end.left), "the task waits beside a permit: {end:?}");
}

impl Model for Stopping {
    fn run<W: World>(&self) -> Outcome {
        let bench = W::Arc::new(Bench::<W> {
            permit: Permit::with_memory(),
            stops: self.stops,
            task: W::Cell::new(Body::default()),
            told: self.gives.iter().map(|_| W::AtomicU32::new(0)).collect(),
        });
        let givers = self.gives.iter().enumerate().map(|(giver, count)| {
            let bench = bench.clone();
            W::spawn(move || bench.give(giver, *count))
        });
        let givers: Vec<_> = givers.collect();
        let mut all = Did { parked: usize::from(bench.run_task(None)), ..Did::default() };
        for giver in givers {
            let did = W::join(giver);
            all.gave.extend(did.gave);
            all.parked += did.parked;
        }
        // SAFETY: all who had the task are joined.
        let task = bench.task.with(|task| unsafe { (*task).clone() });
        let left = bench.permit.is_given();
        let end = End { gives: self.gives, stops: self.stops, task, all, left };
        (self.holds)(&end);
        let last = bench.permit.give();
        let expected = match (end.waits(), end.left) {
            (true, _) => Give::Parked,
            (false, false) => Give::Kept,
            (false, true) => Give::Already,
        };
        assert_eq!(last, expected, "the word is not what became of it: {end:?}");
        // Two are as many as more: outcomes are compared, and there are enough of them.
        let [parked, kept, already] =
            [Give::Parked, Give::Kept, Give::Already].map(|give| end.gave(give).min(2));
        let [taken, refused] = [How::Taken, How::Refused].map(|how| end.went_on(how).min(2));
        format!(
            "parked {parked} kept {kept} already {already}, taken {taken} refused {refused}, \
             left {} waits {}",
            end.left,
            end.waits()
        )
    }

    fn witnesses(&self) -> Vec<Witness> {
        let witness = |name, seen_in| Witness { name, seen_in };
        let mut witnesses: Vec<Witness> = vec![
            witness("a giver gets the task", |outcome| !outcome.contains("parked 0")),
            witness("a permit is kept", |outcome| !outcome.contains("kept 0")),
        ];
        let gives: usize = self.gives.iter().sum();
        // On the hardware many do not meet in each window.
        let few = gives <= 3;
        if few {
            witnesses.push(witness("a permit is taken", |outcome| !outcome.contains("taken 0")));
            witnesses.push(witness("one comes while the task stops", |outcome| {
                !outcome.contains("refused 0")
            }));
        }
        if gives > 1 {
            witnesses.push(witness("two are one", |outcome| !outcome.contains("already 0")));
        }
        if few && gives > 1 && gives > self.stops {
            witnesses.push(witness("one is left", |outcome| outcome.contains("left true")));
        }
        if gives > 1 && self.stops > 1 {
            witnesses.push(witness("the task waits", |outcome| outcome.contains("waits true")));
            witnesses.push(witness("it is parked twice", |outcome| outcome.contains("parked 2")));
        }
        witnesses
    }
}
