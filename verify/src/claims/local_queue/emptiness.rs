//! Models in which the queue is never empty, and observers who must not say that it is.

use std::num::NonZeroUsize;

use gosched::{LocalQueue, NextSlot};

use super::scenario::Id;
use crate::claim::{Model, Outcome, Witness};
use crate::world::World;

/// Task `number`. These models check what observers say, not what tasks carry.
fn task(number: usize) -> Id {
    NonZeroUsize::new(number).expect("tasks are numbered from 1")
}

/// How an observer looks at the queue.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look {
    /// `is_empty`, which must be false.
    IsEmpty,
    /// `len`, which must be 1 or 2.
    Len,
}

const SEEN_BY_LEN: [Witness; 2] = [
    Witness { name: "the observer counted one task", seen_in: |outcome| outcome == "len 1" },
    Witness { name: "the observer counted two tasks", seen_in: |outcome| outcome == "len 2" },
];

/// The bug of 2015: the slot's task is displaced to the ring, and its successor popped.
pub(super) struct Displaced(pub(super) Look);

/// A task is pushed behind the only one, which then is popped.
pub(super) struct Replaced(pub(super) Look);

fn observe<W: World>(look: Look, queue: &gosched::Stealer<Id, 4, W>) -> Outcome {
    match look {
        Look::IsEmpty => {
            assert!(!queue.is_empty(), "the queue was never empty");
            String::from("not empty")
        }
        Look::Len => {
            let len = queue.len();
            assert!((1..=2).contains(&len), "the queue never held {len} tasks");
            format!("len {len}")
        }
    }
}

fn witnesses_of(look: Look) -> Vec<Witness> {
    match look {
        Look::IsEmpty => Vec::new(),
        Look::Len => SEEN_BY_LEN.to_vec(),
    }
}

impl Model for Displaced {
    fn run<W: World>(&self) -> Outcome {
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        owner.push_next(task(1)).expect("there is room");
        let look = self.0;
        let stealer = owner.stealer();
        let observer = W::spawn(move || observe::<W>(look, &stealer));

        owner.push_next(task(2)).expect("there is room");
        let popped = owner.pop().expect("two tasks are there");
        assert_eq!((popped.task.get(), popped.inherits_slice), (2, true));
        W::join(observer)
    }

    fn witnesses(&self) -> Vec<Witness> {
        witnesses_of(self.0)
    }
}

impl Model for Replaced {
    fn run<W: World>(&self) -> Outcome {
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        owner.push(task(1)).expect("there is room");
        let look = self.0;
        let stealer = owner.stealer();
        let observer = W::spawn(move || observe::<W>(look, &stealer));

        owner.push(task(2)).expect("there is room");
        let popped = owner.pop().expect("two tasks are there");
        assert_eq!((popped.task.get(), popped.inherits_slice), (1, false));
        W::join(observer)
    }

    fn witnesses(&self) -> Vec<Witness> {
        witnesses_of(self.0)
    }
}

/// A thief takes the older two of three tasks. It can have taken two only after the third was
/// pushed, so whoever sees its claim must see the third task, too.
pub(super) struct Robbed;

impl Model for Robbed {
    fn run<W: World>(&self) -> Outcome {
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        owner.push(task(1)).expect("there is room");
        let watched = owner.stealer();
        let observer = W::spawn(move || watched.is_empty());
        let robbed = owner.stealer();
        let thief = W::spawn(move || {
            let mut own = LocalQueue::<Id, 4, W>::with_memory();
            robbed.steal_into(&mut own, NextSlot::Leave).map_or(0, |stolen| stolen.moved + 1)
        });

        // One by one: so there is a tail that equals the head which the thief leaves behind.
        owner.push(task(2)).expect("there is room");
        owner.push(task(3)).expect("there is room");
        let (empty, stolen) = (W::join(observer), W::join(thief));
        assert!(stolen < 2 || !empty, "the thief left a task, and the queue was called empty");
        format!("stolen {stolen}, empty {empty}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the thief saw all three tasks",
                seen_in: |outcome| outcome.starts_with("stolen 2"),
            },
            Witness {
                name: "the thief took the only task, and the queue was empty",
                seen_in: |outcome| outcome == "stolen 1, empty true",
            },
        ]
    }
}

/// A queue that is emptied before the observer looks must be called empty: an answer that is
/// always "no" would never lie in the models above.
pub(super) struct Emptied;

impl Model for Emptied {
    fn run<W: World>(&self) -> Outcome {
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        let stealer = owner.stealer();
        let observer = W::spawn(move || (stealer.is_empty(), stealer.len()));
        owner.push(task(1)).expect("there is room");
        owner.push_next(task(2)).expect("there is room");
        while owner.pop().is_some() {}
        let (empty, len) = W::join(observer);
        assert!(owner.is_empty(), "all was popped");
        assert_eq!(owner.len(), 0, "all was popped");
        format!("empty {empty}, len {len}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the observer came before or after",
                seen_in: |outcome| outcome == "empty true, len 0",
            },
            Witness {
                name: "the observer came in between",
                seen_in: |outcome| outcome == "empty false, len 2",
            },
        ]
    }
}

/// The slot's only task is popped before another is pushed to the ring: never two at once.
pub(super) struct OneAtATime;

impl Model for OneAtATime {
    fn run<W: World>(&self) -> Outcome {
        let mut owner = LocalQueue::<Id, 4, W>::with_memory();
        owner.push_next(task(1)).expect("there is room");
        let stealer = owner.stealer();
        let observer = W::spawn(move || stealer.len());
        let popped = owner.pop().expect("a task is there");
        assert_eq!((popped.task.get(), popped.inherits_slice), (1, true));
        owner.push(task(2)).expect("there is room");
        let len = W::join(observer);
        assert!(len <= 1, "the queue never held {len} tasks");
        format!("len {len}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness { name: "the observer came in between", seen_in: |outcome| outcome == "len 0" },
            Witness { name: "the observer saw a task", seen_in: |outcome| outcome == "len 1" },
        ]
    }
}
