//! What a reader of the length may conclude, without the lock.

use std::num::NonZeroUsize;

use gosched::GlobalQueue;
use gosched::memory::{Atomic, Ordering, Shared};

use crate::claim::{Model, Outcome, Witness};
use crate::world::World;

const TASK: NonZeroUsize = NonZeroUsize::MIN;

fn queue<W: World>() -> W::Arc<GlobalQueue<NonZeroUsize, W>> {
    W::Arc::new(GlobalQueue::with_memory_and_block(NonZeroUsize::MIN))
}

/// One thread pushes, and looks whether the queue is empty; another pops.
pub(super) struct OwnPush;

impl Model for OwnPush {
    fn run<W: World>(&self) -> Outcome {
        let queue = queue::<W>();
        let popper = W::spawn({
            let queue = queue.clone();
            move || queue.pop().is_some()
        });
        queue.push(TASK);
        let empty = queue.is_empty();
        let popped = W::join(popper);
        assert!(popped || !empty, "the pusher sees an empty queue, and nobody took its task");
        assert_eq!(queue.is_empty(), popped, "the length at rest");
        format!("empty {empty} popped {popped}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the task was taken",
                seen_in: |outcome| outcome.contains("empty true"),
            },
            Witness {
                name: "it was taken later, or the look was stale",
                seen_in: |outcome| outcome == "empty false popped true",
            },
            Witness {
                name: "it was not taken",
                seen_in: |outcome| outcome == "empty false popped false",
            },
        ]
    }
}

/// One thread pushes and then looks for a sleeper; another says that it will sleep and then looks
/// for a task. Both make a `SeqCst` fence in between.
pub(super) struct Fenced;

impl Model for Fenced {
    fn run<W: World>(&self) -> Outcome {
        let shared = W::Arc::new((W::AtomicU32::new(0), queue::<W>()));
        let sleeper = W::spawn({
            let shared = shared.clone();
            move || {
                let (asleep, queue) = &*shared;
                // ORDER: Relaxed: the fence orders this store before the look.
                asleep.store(1, Ordering::Relaxed);
                // ORDER: SeqCst: pairs with the pusher's; without either both looks may miss.
                W::fence(Ordering::SeqCst);
                !queue.is_empty()
            }
        });
        let (asleep, queue) = &*shared;
        queue.push(TASK);
        // ORDER: SeqCst: pairs with the sleeper's.
        W::fence(Ordering::SeqCst);
        // ORDER: Relaxed: after the fence.
        let saw_sleeper = asleep.load(Ordering::Relaxed) == 1;
        let saw_task = W::join(sleeper);
        assert!(saw_sleeper || saw_task, "the task waits, and the sleeper sleeps");
        format!("saw sleeper {saw_sleeper}, saw task {saw_task}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the pusher was first",
                seen_in: |outcome| outcome == "saw sleeper false, saw task true",
            },
            Witness {
                name: "the sleeper was first",
                seen_in: |outcome| outcome == "saw sleeper true, saw task false",
            },
        ]
    }
}

/// Two threads push, a third pops; then the length is that of the queue.
pub(super) struct AtRest;

impl Model for AtRest {
    fn run<W: World>(&self) -> Outcome {
        let queue = queue::<W>();
        let pushers = [0, 1].map(|_| {
            let queue = queue.clone();
            W::spawn(move || queue.push(TASK))
        });
        let popped = usize::from(queue.pop().is_some());
        let seen = queue.len();
        pushers.into_iter().for_each(W::join);
        assert!(seen <= 2 - popped, "a length that never was");
        assert_eq!(queue.len(), 2 - popped, "the length at rest");
        format!("popped {popped}, then saw {seen}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "popped in between", seen_in: |outcome| outcome.contains("popped 1") },
            Witness { name: "saw both", seen_in: |outcome| outcome.ends_with('2') },
        ]
    }
}
