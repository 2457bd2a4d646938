//! Claims about the memory worlds themselves.
//!
//! Every other claim takes for granted that a world keeps the contract of
//! [`Memory`](gosched::memory::Memory). These are the litmus tests that check it: the classic small
//! programs, one for each line of the contract. They are also the shortest models here, so read
//! them first to learn how a model is written.

use gosched::memory::{Atomic, AtomicInt, Lock, Ordering, Park, RaceCell, Shared};

use crate::claim::{Bounds, Case, Claim, Model, Outcome, Witness};
use crate::world::World;

pub(crate) fn claims() -> Vec<Claim> {
    vec![
        Claim {
            name: "memory::a_released_write_is_seen",
            sentence: "Whoever reads a flag with Acquire sees what was written before the flag \
                       was stored with Release.",
            cases: vec![case("message_passing", MessagePassing)],
            properties: vec![],
        },
        Claim {
            name: "memory::two_fences_order_both_ways",
            sentence: "Of two threads that each store, fence and look at the other's word, one \
                       sees the other's store: with two SeqCst fences, and with a light and a \
                       heavy one.",
            cases: vec![
                case("seq_cst", StoreBuffering { fences: Fences::SeqCst }),
                case("light_heavy", StoreBuffering { fences: Fences::LightHeavy }),
                case("heavy_heavy", StoreBuffering { fences: Fences::HeavyHeavy }),
            ],
            properties: vec![],
        },
        Claim {
            name: "memory::read_modify_writes_are_atomic",
            sentence: "No two read-modify-writes of a word read the same value: no count is lost, \
                       and one compare-exchange wins.",
            cases: vec![case("fetch_add", Count), case("compare_exchange", Election)],
            properties: vec![],
        },
        Claim {
            name: "memory::a_lock_excludes",
            sentence: "The closures of a lock run one at a time, each seeing the writes of the one \
                       before.",
            cases: vec![case("two_threads", Exclusion)],
            properties: vec![],
        },
        Claim {
            name: "memory::no_wakeup_is_lost",
            sentence: "A thread that parks until a flag is set wakes up, whether the unpark came \
                       before or after the park.",
            cases: vec![
                case("one_waker", Wakeup { wakers: 1 }),
                three("two_wakers", Wakeup { wakers: 2 }),
            ],
            properties: vec![],
        },
        Claim {
            name: "memory::the_last_owner_drops",
            sentence: "A shared value is dropped once, after every use of every clone.",
            cases: vec![case("two_owners", LastOwner)],
            properties: vec![],
        },
    ]
}

fn case(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "2 threads", Bounds::TWO_THREADS, model)
}

fn three(name: &'static str, model: impl Model) -> Case {
    Case::new(name, "3 threads", Bounds::THREE_THREADS, model)
}

/// A payload without synchronisation of its own, published by a flag.
struct MessagePassing;

impl Model for MessagePassing {
    fn run<W: World>(&self) -> Outcome {
        let shared = W::Arc::new((W::Cell::new(0_u32), W::AtomicU32::new(0)));
        let writer = W::spawn({
            let shared = shared.clone();
            move || {
                let (payload, flag) = &*shared;
                // SAFETY: the reader waits for the flag, which is not set yet.
                payload.with_mut(|payload| unsafe { *payload = 7 });
                // ORDER: Release: pairs with the Acquire below, and publishes the payload.
                flag.store(1, Ordering::Release);
            }
        });
        let (payload, flag) = &*shared;
        // ORDER: Acquire: pairs with the Release above; else the read of the payload is a race.
        let seen = flag.load(Ordering::Acquire);
        if seen == 1 {
            // SAFETY: the writer set the flag after its last access.
            assert_eq!(payload.with(|payload| unsafe { *payload }), 7, "the payload is stale");
        }
        W::join(writer);
        format!("flag {seen}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the reader came first", seen_in: |outcome| outcome == "flag 0" },
            Witness { name: "the reader saw the flag", seen_in: |outcome| outcome == "flag 1" },
        ]
    }
}

/// Which fences stand between the store and the load.
#[derive(Clone, Copy)]
enum Fences {
    SeqCst,
    LightHeavy,
    HeavyHeavy,
}

/// Dekker's pattern: store mine, fence, load yours.
struct StoreBuffering {
    fences: Fences,
}

impl StoreBuffering {
    /// One of the two threads: `mine` and `yours` are its two words.
    fn side<W: World>(fence: fn(), mine: &W::AtomicU32, yours: &W::AtomicU32) -> u32 {
        // ORDER: Relaxed: the fences alone order this store and the load of the other side.
        mine.store(1, Ordering::Relaxed);
        fence();
        // ORDER: Relaxed: as above.
        yours.load(Ordering::Relaxed)
    }
}

impl Model for StoreBuffering {
    fn run<W: World>(&self) -> Outcome {
        // ORDER: SeqCst: each fence pairs with the other thread's; without either both may read 0.
        let seq_cst: fn() = || W::fence(Ordering::SeqCst);
        let (left, right): (fn(), fn()) = match self.fences {
            Fences::SeqCst => (seq_cst, seq_cst),
            Fences::LightHeavy => (W::light_fence, W::heavy_fence),
            Fences::HeavyHeavy => (W::heavy_fence, W::heavy_fence),
        };
        let words = W::Arc::new((W::AtomicU32::new(0), W::AtomicU32::new(0)));
        let other = W::spawn({
            let words = words.clone();
            move || Self::side::<W>(left, &words.0, &words.1)
        });
        let mine = Self::side::<W>(right, &words.1, &words.0);
        let other = W::join(other);
        assert!(mine + other > 0, "both threads missed the other's store");
        format!("spawned {other} main {mine}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "one was first", seen_in: |outcome| outcome == "spawned 0 main 1" },
            Witness {
                name: "the other was first",
                seen_in: |outcome| outcome == "spawned 1 main 0",
            },
            Witness { name: "they overlapped", seen_in: |outcome| outcome == "spawned 1 main 1" },
        ]
    }
}

/// Two threads count; neither value is seen twice.
struct Count;

impl Model for Count {
    fn run<W: World>(&self) -> Outcome {
        let word = W::Arc::new(W::AtomicU64::new(0));
        let other = W::spawn({
            let word = word.clone();
            // ORDER: Relaxed: atomicity alone is claimed.
            move || word.fetch_add(1, Ordering::Relaxed)
        });
        // ORDER: Relaxed: as above.
        let mine = word.fetch_add(1, Ordering::Relaxed);
        let other = W::join(other);
        // ORDER: Relaxed: both threads are joined.
        assert_eq!(word.load(Ordering::Relaxed), 2, "a count was lost");
        assert_ne!(mine, other, "two threads read the same count");
        format!("main {mine}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "main was first", seen_in: |outcome| outcome == "main 0" },
            Witness { name: "main was second", seen_in: |outcome| outcome == "main 1" },
        ]
    }
}

/// Two threads want the word; one wins.
struct Election;

impl Model for Election {
    fn run<W: World>(&self) -> Outcome {
        let word = W::Arc::new(W::AtomicUsize::new(0));
        // ORDER: Relaxed, Relaxed: atomicity alone is claimed.
        let run = |word: &W::AtomicUsize, me| {
            word.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed)
        };
        let other = W::spawn({
            let word = word.clone();
            move || run(&word, 2)
        });
        let mine = run(&word, 1);
        let other = W::join(other);
        match (mine, other) {
            (Ok(0), Err(1)) => "main won".into(),
            (Err(2), Ok(0)) => "spawned won".into(),
            results => panic!("one of two compare-exchanges must win and show: {results:?}"),
        }
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "main won", seen_in: |outcome| outcome == "main won" },
            Witness { name: "spawned won", seen_in: |outcome| outcome == "spawned won" },
        ]
    }
}

/// Two closures under one lock, on a cell that reports a race.
struct Exclusion;

impl Exclusion {
    fn enter<W: World>(lock: &W::Mutex<W::Cell<u32>>) -> u32 {
        lock.with(|cell| {
            cell.with_mut(|value| {
                // SAFETY: the lock excludes the other thread: that is what the model checks.
                let value = unsafe { &mut *value };
                *value += 1;
                *value
            })
        })
    }
}

impl Model for Exclusion {
    fn run<W: World>(&self) -> Outcome {
        let lock = W::Arc::new(W::Mutex::new(W::Cell::new(0_u32)));
        let other = W::spawn({
            let lock = lock.clone();
            move || Self::enter::<W>(&lock)
        });
        let mine = Self::enter::<W>(&lock);
        let other = W::join(other);
        assert_eq!(mine + other, 3, "an increment under the lock was lost");
        format!("main entered as number {mine}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "main was first", seen_in: |outcome| outcome.ends_with('1') },
            Witness { name: "main was second", seen_in: |outcome| outcome.ends_with('2') },
        ]
    }
}

/// One thread parks until a flag is set, the others set it and unpark.
struct Wakeup {
    wakers: usize,
}

impl Model for Wakeup {
    fn run<W: World>(&self) -> Outcome {
        let shared = W::Arc::new((W::AtomicU32::new(0), W::Parker::new()));
        let wakers: Vec<_> = (0..self.wakers)
            .map(|_| {
                let shared = shared.clone();
                W::spawn(move || {
                    let (flag, parker) = &*shared;
                    // ORDER: Relaxed: the token carries the flag to the parked thread.
                    flag.store(1, Ordering::Relaxed);
                    parker.unpark();
                })
            })
            .collect();
        let (flag, parker) = &*shared;
        // ORDER: Relaxed: a stale 0 only leads to `park`, which finds or awaits the token.
        let waited = flag.load(Ordering::Relaxed) == 0;
        // ORDER: Relaxed: as above.
        while flag.load(Ordering::Relaxed) == 0 {
            parker.park();
        }
        wakers.into_iter().for_each(W::join);
        format!("waited {waited}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the wake-up came first",
                seen_in: |outcome| outcome == "waited false",
            },
            Witness { name: "the thread waited", seen_in: |outcome| outcome == "waited true" },
        ]
    }
}

/// What [`LastOwner`] shares: it is used through every clone, and its drop is a write.
struct Guarded<W: World> {
    value: W::Cell<u32>,
    drops: W::Arc<W::AtomicU32>,
}

impl<W: World> Drop for Guarded<W> {
    fn drop(&mut self) {
        // SAFETY: the last owner drops, after every use: that is what the model checks.
        self.value.with_mut(|value| unsafe { *value = 0 });
        // ORDER: Relaxed: read by the model after the join, or by the dropping thread itself.
        self.drops.fetch_add(1, Ordering::Relaxed);
    }
}

/// Two owners use the value and drop their clone.
struct LastOwner;

impl LastOwner {
    fn use_and_drop<W: World>(owner: W::Arc<Guarded<W>>) {
        // SAFETY: a clone is alive, so the value is: nobody writes it before the last drop.
        assert_eq!(owner.value.with(|value| unsafe { *value }), 7, "used after its drop");
    }
}

impl Model for LastOwner {
    fn run<W: World>(&self) -> Outcome {
        let drops = W::Arc::new(W::AtomicU32::new(0));
        let owner = W::Arc::new(Guarded::<W> { value: W::Cell::new(7), drops: drops.clone() });
        let other = W::spawn({
            let owner = owner.clone();
            move || Self::use_and_drop::<W>(owner)
        });
        Self::use_and_drop::<W>(owner);
        // ORDER: Relaxed: 1 if this thread dropped last; if the other did, 0 or 1.
        let dropped_early = drops.load(Ordering::Relaxed);
        W::join(other);
        // ORDER: Relaxed: the other owner is joined.
        assert_eq!(drops.load(Ordering::Relaxed), 1, "the value was not dropped once");
        format!("dropped before the join: {dropped_early}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "main left the value alive",
                seen_in: |outcome| outcome.ends_with('0'),
            },
            Witness { name: "it was dropped early", seen_in: |outcome| outcome.ends_with('1') },
        ]
    }
}
