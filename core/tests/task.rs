//! A task survives the journey through its word: the same task comes out, once, with all it owns.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]
#![allow(clippy::disallowed_types, reason = "`Arc` as a task, and a counter of drops beside it")]

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gosched::Task;

/// Counts its drops.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn counter() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

fn drops(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::Relaxed)
}

/// Into the word in one thread, out of it in another, as a queue's tasks go.
fn through_a_word<T: Task + 'static>(task: T) -> T {
    struct Word(std::ptr::NonNull<()>);
    // SAFETY: the word owns a task, which is `Send`.
    unsafe impl Send for Word {}

    let word = Word(task.into_word());
    std::thread::spawn(move || {
        let word = word;
        // SAFETY: the word was made by `into_word` above, and is used this once.
        unsafe { T::from_word(word.0) }
    })
    .join()
    .expect("nothing panics there")
}

#[test]
fn a_box_keeps_its_value_and_is_dropped_once() {
    let dropped = counter();
    let task = through_a_word(Box::new((7, Counted(dropped.clone()))));
    assert_eq!((task.0, drops(&dropped)), (7, 0));
    drop(task);
    assert_eq!(drops(&dropped), 1);
}

#[test]
fn a_box_of_nothing_and_a_box_of_much_are_tasks_too() {
    through_a_word(Box::new(()));
    assert_eq!(*through_a_word(Box::new([7_u64; 512])), [7; 512]);
}

#[test]
fn a_boxed_trait_object_is_a_task_when_boxed_once_more() {
    let task: Box<dyn FnOnce() -> usize + Send> = Box::new(|| 7);
    assert_eq!(through_a_word(Box::new(task))(), 7);
}

#[test]
fn a_pinned_box_stays_where_it_is() {
    let dropped = counter();
    let task = Box::pin((7, Counted(dropped.clone())));
    let place = &raw const *task;
    let task: Pin<Box<_>> = through_a_word(task);
    assert_eq!((&raw const *task, task.0, drops(&dropped)), (place, 7, 0));
    drop(task);
    assert_eq!(drops(&dropped), 1);
}

#[test]
fn an_arc_keeps_its_count() {
    let dropped = counter();
    let kept = Arc::new((7, Counted(dropped.clone())));
    let task = through_a_word(kept.clone());
    assert!(Arc::ptr_eq(&kept, &task));
    assert_eq!(Arc::strong_count(&kept), 2);
    drop(kept);
    assert_eq!((task.0, drops(&dropped)), (7, 0));
    drop(task);
    assert_eq!(drops(&dropped), 1);
}

#[test]
fn a_static_reference_points_to_the_same_place() {
    static TASK: usize = 7;
    assert!(std::ptr::eq::<usize>(through_a_word::<&usize>(&TASK), &TASK));
}

#[test]
fn an_index_is_the_same_number() {
    for index in [1, 2, 4096, usize::MAX] {
        let index = NonZeroUsize::new(index).expect("none of these is zero");
        assert_eq!(through_a_word(index), index);
    }
}

#[test]
fn a_word_fits_where_a_pointer_fits() {
    assert_eq!(size_of::<Option<std::ptr::NonNull<()>>>(), size_of::<usize>());
}
