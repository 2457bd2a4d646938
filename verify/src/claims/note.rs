//! Claims about the note, the one-shot event that a machine sleeps on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gosched::Note;
use gosched::memory::{Atomic, Hardware, Ordering, Park, RaceCell, Shared};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Property, Witness};
use crate::instrument::Counted;
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            name: "note::wake_is_not_lost",
            sentence: "A sleep returns once the note was woken, whether the wake came before, while \
                       or after the thread went to sleep; and each wake ends one sleep.",
            cases: vec![
                case("one_wake", OneWake),
                case("to_and_fro", ToAndFro { turns: 2 }),
                Case::new(
                    "to_and_fro_for_long",
                    "2 threads, 20 turns",
                    Bounds::MANY_THREADS,
                    ToAndFro { turns: 20 },
                ),
            ],
            properties: vec![],
        },
        Claim {
            name: "note::payload_is_visible",
            sentence: "What a thread wrote before it woke the note is seen by the thread that \
                       consumes the event, whether it slept, came late, or only tried.",
            cases: vec![
                case("sleep", Payload { how: Consume::Sleep }),
                case("try_sleep", Payload { how: Consume::Try }),
                case("try_then_sleep", Payload { how: Consume::TryThenSleep }),
            ],
            properties: vec![],
        },
        Claim {
            name: "note::spurious_wakes_are_harmless",
            sentence: "A parker that returns without having been asked to, or that is asked to \
                       late, ends no sleep and loses no wake.",
            cases: vec![Case::new(
                "park_returns_at_once",
                "2 threads",
                // Without a bound these are 55,000 executions.
                Bounds { loom_fast: Some(3), ..Bounds::TWO_THREADS },
                Restless,
            )],
            properties: vec![],
        },
        Claim {
            name: "note::double_wake_is_caught",
            sentence: "Where invariants are checked, a second wake without a sleep in between \
                       panics, and leaves the note woken.",
            cases: vec![],
            properties: vec![Property {
                name: "second_wake",
                shape: "a fixed sequence",
                cases: 1,
                run: double_wake,
            }],
        },
    ]
}

fn case(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "2 threads", Bounds::TWO_THREADS, model)
}

/// A cell that the waker writes and the sleeper reads, without synchronisation of its own.
struct Payload {
    how: Consume,
}

/// How the event is consumed.
#[derive(Clone, Copy)]
enum Consume {
    Sleep,
    Try,
    TryThenSleep,
}

impl Model for Payload {
    fn run<W: World>(&self) -> Outcome {
        let shared = W::Arc::new((W::Cell::new(0_u32), Note::<W>::with_memory()));
        let waker = W::spawn({
            let shared = shared.clone();
            move || {
                let (payload, note) = &*shared;
                // SAFETY: the sleeper reads it after the wake, which has yet to come.
                payload.with_mut(|payload| unsafe { *payload = 7 });
                note.wake();
            }
        });
        let (payload, note) = &*shared;
        let at_once = match self.how {
            Consume::Sleep => false,
            Consume::Try | Consume::TryThenSleep => note.try_sleep(),
        };
        let consumed = match self.how {
            Consume::Try => at_once,
            Consume::Sleep => {
                note.sleep();
                true
            }
            Consume::TryThenSleep => {
                if !at_once {
                    note.sleep();
                }
                true
            }
        };
        if consumed {
            // SAFETY: the waker woke us after its last access: that is what the model checks.
            assert_eq!(payload.with(|payload| unsafe { *payload }), 7, "the payload is stale");
            assert!(!note.is_woken(), "the event was consumed");
        }
        W::join(waker);
        assert_eq!(note.try_sleep(), !consumed, "one wake, one event");
        format!("tried {at_once}, consumed {consumed}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        match self.how {
            Consume::Sleep => vec![],
            Consume::Try | Consume::TryThenSleep => vec![
                Witness {
                    name: "the wake came first",
                    seen_in: |outcome| outcome.contains("tried true"),
                },
                Witness {
                    name: "it came later",
                    seen_in: |outcome| outcome.contains("tried false"),
                },
            ],
        }
    }
}

/// A parker that counts the calls, with a world's atomics, and returns spuriously at first.
#[derive(Debug)]
struct Watched<W: World> {
    parker: W::Parker,
    parks: W::AtomicU32,
    unparks: W::AtomicU32,
    spurious: u32,
}

impl<W: World> Watched<W> {
    /// `spurious`: how many calls of `park` return at once.
    fn returning_spuriously(spurious: u32) -> Self {
        Self { spurious, ..Self::new() }
    }

    fn count(counter: &W::AtomicU32) -> u32 {
        // ORDER: Relaxed: one thread alone writes each counter; it must order nothing for the note.
        let count = counter.load(Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        counter.store(count + 1, Ordering::Relaxed);
        count
    }
}

impl<W: World> Park for Watched<W> {
    fn new() -> Self {
        Self {
            parker: W::Parker::new(),
            parks: W::AtomicU32::new(0),
            unparks: W::AtomicU32::new(0),
            spurious: 0,
        }
    }
    fn park(&self) {
        if Self::count(&self.parks) >= self.spurious {
            self.parker.park();
        }
    }
    fn unpark(&self) {
        Self::count(&self.unparks);
        self.parker.unpark();
    }
}

/// One thread wakes, the other sleeps; the parker tells who came first.
struct OneWake;

impl Model for OneWake {
    fn run<W: World>(&self) -> Outcome {
        let parker = Watched::<W>::returning_spuriously(0);
        let note = W::Arc::new(Note::<W, _>::with_memory_and_parker(parker));
        let waker = W::spawn({
            let note = note.clone();
            move || note.wake()
        });
        note.sleep();
        W::join(waker);
        assert!(!note.is_woken() && !note.try_sleep(), "one wake, one event");
        // ORDER: Relaxed: the waker is joined.
        let parks = note.parker().parks.load(Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        let unparks = note.parker().unparks.load(Ordering::Relaxed);
        assert_eq!(parks > 0, unparks > 0, "the parker is used by both or by nobody");
        assert!(unparks <= 1, "one wake, one unpark");
        format!("parked {}", parks > 0)
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the wake came first", seen_in: |outcome| outcome == "parked false" },
            Witness { name: "the sleep came first", seen_in: |outcome| outcome == "parked true" },
        ]
    }
}

/// Two threads hand a turn to and fro, each by the other's note; the turn is a plain cell.
struct ToAndFro {
    turns: u32,
}

impl ToAndFro {
    /// One thread's half: waits for its turn if it is not the first, counts, hands over.
    fn play<W: World>(
        turns: u32,
        first: bool,
        (turn, mine, yours): (&W::Cell<u32>, &Note<W>, &Note<W>),
    ) {
        for round in 0..turns {
            if !first {
                mine.sleep();
            }
            turn.with_mut(|turn| {
                // SAFETY: it is our turn: that is what the model checks.
                let turn = unsafe { &mut *turn };
                assert_eq!(*turn, 2 * round + u32::from(!first), "it is somebody else's turn");
                *turn += 1;
            });
            yours.wake();
            if first {
                mine.sleep();
            }
        }
    }
}

impl Model for ToAndFro {
    fn run<W: World>(&self) -> Outcome {
        let turns = self.turns;
        let shared =
            W::Arc::new((W::Cell::new(0), Note::<W>::with_memory(), Note::<W>::with_memory()));
        let other = W::spawn({
            let shared = shared.clone();
            move || Self::play::<W>(turns, false, (&shared.0, &shared.1, &shared.2))
        });
        Self::play::<W>(turns, true, (&shared.0, &shared.2, &shared.1));
        W::join(other);
        assert!(!shared.1.is_woken() && !shared.2.is_woken(), "each wake ended one sleep");
        // SAFETY: the other thread is joined.
        let turn = shared.0.with(|turn| unsafe { *turn });
        format!("turn {turn}")
    }
}

/// The sleeper's parker returns spuriously, so that the sleep may end while the waker is still on
/// its way to `unpark`: that call then falls into the second sleep.
struct Restless;

impl Model for Restless {
    fn run<W: World>(&self) -> Outcome {
        let parker = Watched::<W>::returning_spuriously(1);
        let note = Note::<W, _>::with_memory_and_parker(parker);
        let shared = W::Arc::new((note, W::Cell::new(0_u32), Note::<W>::with_memory()));
        let waker = W::spawn({
            let shared = shared.clone();
            move || {
                let (note, payload, consumed) = &*shared;
                for round in 1..=2 {
                    // SAFETY: the sleeper reads it after the wake, and then waits for the next.
                    payload.with_mut(|payload| unsafe { *payload = round });
                    note.wake();
                    consumed.sleep();
                }
            }
        });
        let (note, payload, consumed) = &*shared;
        for round in 1..=2 {
            note.sleep();
            // SAFETY: the waker waits until we have read it: that is what the model checks.
            assert_eq!(payload.with(|payload| unsafe { *payload }), round, "woken by nobody");
            consumed.wake();
        }
        W::join(waker);
        assert!(!note.is_woken(), "one wake, one event");
        // ORDER: Relaxed: written by this thread.
        let parks = note.parker().parks.load(Ordering::Relaxed);
        format!("parked {}", parks.min(3))
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the parker was not needed",
                seen_in: |outcome| outcome.ends_with('0'),
            },
            Witness {
                name: "a sleep ended by a spurious return",
                seen_in: |outcome| outcome.ends_with('1'),
            },
            Witness { name: "it was parked again", seen_in: |outcome| outcome.ends_with('3') },
        ]
    }
}

/// Wakes a note twice, in a world whose invariants are checked in every build.
fn double_wake(_: u32) -> Result<u64, String> {
    let note = Note::<Counted<Hardware>>::with_memory();
    note.wake();
    if catch_unwind(AssertUnwindSafe(|| note.wake())).is_ok() {
        return Err("the second wake was not caught".into());
    }
    if !note.try_sleep() || note.try_sleep() {
        return Err("after a double wake the note should hold one event".into());
    }
    note.wake();
    note.sleep();
    Ok(1)
}
