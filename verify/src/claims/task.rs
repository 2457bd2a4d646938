//! Claims about tasks as owning words.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;

use gosched::{Batch, Task};

use crate::claim::{Claim, Property};

pub(crate) fn claims() -> Vec<Claim> {
    let property = |name, run| Property { name, shape: "a fixed sequence", cases: 1, run };
    vec![Claim {
        name: "task::word_round_trip_keeps_ownership",
        sentence: "A task that went through its word is the same task, with all it owns: nothing is \
                   dropped on the way, and it is dropped once in the end.",
        cases: vec![],
        properties: vec![
            property("box", |_| owning("a box", Box::new)),
            property("pinned_box", |_| owning("a pinned box", Box::pin)),
            property("arc", |_| owning("an arc", Arc::new)),
            property("box_of_a_box", |_| {
                owning("a box of a box", |value| Box::new(Box::new(value)))
            }),
            property("pinned_stays", pinned_stays),
            property("arc_keeps_its_count", arc_keeps_its_count),
            property("static_reference", static_reference),
            property("index", index),
        ],
    }]
}

thread_local! {
    /// How many [`Owned`]s this thread has dropped.
    static DROPS: Cell<usize> = const { Cell::new(0) };
}

/// A value that counts its drop.
struct Owned(u64);

impl Drop for Owned {
    fn drop(&mut self) {
        DROPS.set(DROPS.get() + 1);
    }
}

/// What is reached through the task.
trait Holds {
    fn number(&self) -> u64;
}

impl Holds for Owned {
    fn number(&self) -> u64 {
        self.0
    }
}

impl<P: core::ops::Deref<Target: Holds>> Holds for P {
    fn number(&self) -> u64 {
        (**self).number()
    }
}

fn through_a_word<T: Task>(task: T) -> T {
    let word = task.into_word();
    // SAFETY: the word was made by `into_word` of the same type, and is used this once.
    unsafe { T::from_word(word) }
}

/// Sends a task through its word three times, and through a batch.
fn owning<T: Task + Holds>(name: &str, make: impl Fn(Owned) -> T) -> Result<u64, String> {
    DROPS.set(0);
    let mut task = make(Owned(7));
    for _ in 0..3 {
        task = through_a_word(task);
    }
    let number = task.number();
    if (number, DROPS.get()) != (7, 0) {
        return Err(format!("{name} of 7 came back as {number}, dropped {} times", DROPS.get()));
    }
    drop(task);
    if DROPS.get() != 1 {
        return Err(format!("{name} was dropped {} times", DROPS.get()));
    }
    drop((0..5).map(|number| make(Owned(number))).collect::<Batch<T>>());
    if DROPS.get() == 6 {
        Ok(1)
    } else {
        Err(format!("a batch of {name} dropped {} of 5", DROPS.get() - 1))
    }
}

fn pinned_stays(_: u32) -> Result<u64, String> {
    let task = Box::pin(Owned(7));
    let place = &raw const *task;
    let task: Pin<Box<Owned>> = through_a_word(task);
    if core::ptr::eq(place, &raw const *task) { Ok(1) } else { Err("the value moved".into()) }
}

fn arc_keeps_its_count(_: u32) -> Result<u64, String> {
    let kept = Arc::new(Owned(7));
    let word = Arc::clone(&kept).into_word();
    let while_a_word = Arc::strong_count(&kept);
    // SAFETY: as in `through_a_word`.
    let task = unsafe { Arc::<Owned>::from_word(word) };
    if (while_a_word, Arc::ptr_eq(&kept, &task)) == (2, true) {
        Ok(1)
    } else {
        Err(format!("counted {while_a_word} times, same value: {}", Arc::ptr_eq(&kept, &task)))
    }
}

fn static_reference(_: u32) -> Result<u64, String> {
    static VALUE: u64 = 7;
    let task: &'static u64 = through_a_word(&VALUE);
    if core::ptr::eq(task, &VALUE) { Ok(1) } else { Err("another place".into()) }
}

fn index(_: u32) -> Result<u64, String> {
    let indices = [1, 2, 4096, usize::MAX].into_iter().filter_map(NonZeroUsize::new);
    for index in indices.clone() {
        if through_a_word(index) != index {
            return Err(format!("{index} came back as another number"));
        }
    }
    Ok(indices.count() as u64)
}
