//! Memory that the model frees: who may still use it, and what its pointers are called.

use gosched::memory::{Atomic, AtomicInt, Memory, Ordering, RaceCell, Shared};
use gosched_verify::explore::{Builder, Explored, Failure, FaultKind, Report, thread};

use crate::models::{Arc, Cell, Pointer, Word};

type List = <Explored as Memory>::AtomicPtr<Word>;

use Ordering::{AcqRel, Acquire, Relaxed, Release};

fn explore(model: impl Fn() + Send + Sync + 'static) -> Report {
    Builder::default().explore(move || {
        model();
        ""
    })
}

#[track_caller]
fn assert_holds(model: impl Fn() + Send + Sync + 'static) {
    let report = explore(model);
    assert!(report.exhaustive && report.failure.is_none(), "{report:?}");
}

#[track_caller]
fn failure_of(model: impl Fn() + Send + Sync + 'static) -> Failure {
    explore(model).failure.expect("the model fails")
}

#[track_caller]
fn assert_use_after_free(model: impl Fn() + Send + Sync + 'static, says: &[&str]) {
    let failure = failure_of(model);
    assert_eq!(failure.kind, FaultKind::UseAfterFree, "{failure}");
    for part in says {
        assert!(failure.message.contains(part), "`{part}` is not in: {failure}");
    }
}

/// Frees what a box was turned into.
fn free<T>(pointer: *mut T) {
    // SAFETY: the callers' models make it by `Box::into_raw`; to free it at the wrong time is what
    // they are about, and the memory stays where it is until the execution is over.
    drop(unsafe { Box::from_raw(pointer) });
}

/// A box whose address is passed on as a number, for threads want `Send`.
fn leak<T>(value: T) -> usize {
    Box::into_raw(Box::new(value)).expose_provenance()
}

fn of<T>(address: usize) -> *mut T {
    std::ptr::with_exposed_provenance_mut(address)
}

/// Uses what `leak` has made.
fn with<T, R>(address: usize, f: impl FnOnce(&T) -> R) -> R {
    // SAFETY: as in `free`.
    f(unsafe { &*of::<T>(address) })
}

#[test]
fn a_use_before_the_free_that_nothing_orders_is_reported() {
    // In the first execution the child reads last, and in another run of it first.
    let model = |order: Ordering| {
        move || {
            let word = leak(Word::new(1));
            let done = Arc::new(Word::new(0));
            let theirs = done.clone();
            let child = thread::spawn(move || {
                with(word, |word: &Word| word.load(Relaxed));
                theirs.store(1, order);
            });
            if done.load(Acquire) == 1 {
                free::<Word>(of(word));
            }
            child.join();
        }
    };
    assert_use_after_free(
        model(Relaxed),
        &["frees a block of 16 bytes that thread 0 has allocated", "nothing orders that after"],
    );
    assert_holds(model(Release));
}

#[test]
fn a_cell_is_memory_too() {
    assert_use_after_free(
        || {
            let cell = leak(Cell::new(1));
            let child = thread::spawn(move || with(cell, |cell: &Cell| cell.with(|_| ())));
            free::<Cell>(of(cell));
            child.join();
        },
        &["at ", "freed.rs:"],
    );
    assert_holds(|| {
        let cell = leak(Cell::new(1));
        thread::spawn(move || with(cell, |cell: &Cell| cell.with_mut(|_| ()))).join();
        free::<Cell>(of(cell));
    });
}

#[test]
fn memory_that_is_freed_twice_is_reported() {
    assert_use_after_free(
        || {
            let word = leak(7_u64);
            let list = Arc::new(Pointer::new(of(word)));
            let theirs = list.clone();
            // Both may have taken it: a load, where a swap is needed.
            let child = thread::spawn(move || free(theirs.load(Acquire)));
            free(list.load(Acquire));
            child.join();
        },
        &["frees it again"],
    );
}

#[test]
fn the_last_owner_of_an_arc_frees_it_after_all_others() {
    // Without a destructor nobody counts the owners, and yet the last one comes behind the others.
    assert_holds(|| {
        let words = Arc::new([Word::new(0), Word::new(0)]);
        let children = [0, 1].map(|mine| {
            let words = words.clone();
            thread::spawn(move || words[mine].store(1, Relaxed))
        });
        drop(words);
        children.into_iter().for_each(thread::JoinHandle::join);
    });
    // A pointer into it is no owner.
    assert_use_after_free(
        || {
            let words = Arc::new([Word::new(0), Word::new(0)]);
            let word = (&raw const words[0]).expose_provenance();
            let child = thread::spawn(move || with(word, |word: &Word| word.store(1, Relaxed)));
            drop(words);
            child.join();
        },
        &["frees a block"],
    );
}

#[test]
fn a_vector_that_grows_leaves_its_elements_behind() {
    assert_use_after_free(
        || {
            let mut words = vec![Word::new(0)];
            let first = (&raw const words[0]).expose_provenance();
            words.extend([Word::new(1), Word::new(2), Word::new(3), Word::new(4), Word::new(5)]);
            with(first, |word: &Word| word.load(Relaxed));
        },
        &["thread 0 uses it at"],
    );
}

#[test]
fn an_address_is_not_used_again_in_an_execution() {
    assert_holds(|| {
        let first = Box::into_raw(Box::new(7));
        let list = Pointer::new(first);
        free(first);
        let second = Box::into_raw(Box::new(7));
        let exchange = list.compare_exchange(second, std::ptr::null_mut(), AcqRel, Relaxed);
        assert_eq!(exchange, Err(first), "the new box is not taken for the old one");
        free(second);
    });
}

#[test]
fn a_pointer_has_the_same_name_whoever_uses_it_first() {
    // Which thread is the first to store it depends on the order in which an execution is run
    // again, and the other one reads it there.
    let report = Builder::default().explore(|| {
        let node = leak(Word::new(0));
        let lists = Arc::new([List::new(of(0)), List::new(of(0))]);
        let children = [0, 1].map(|mine| {
            let lists = lists.clone();
            thread::spawn(move || {
                let seen = lists[1 - mine].load(Acquire);
                lists[mine].store(of(node), Release);
                !seen.is_null()
            })
        });
        let seen = children.map(thread::JoinHandle::join);
        free::<Word>(of(node));
        format!("{seen:?}")
    });
    assert!(report.failure.is_none(), "{report:?}");
    assert_eq!(report.outcomes.len(), 3, "{report:?}");
}

#[test]
fn several_searching_threads_keep_their_blocks_apart() {
    let search = |jobs: usize| {
        let jobs = jobs.try_into().expect("at least one thread searches");
        Builder { jobs, ..Builder::default() }.explore(|| {
            let list = Arc::new(Pointer::new(std::ptr::null_mut()));
            let children = [1, 2, 3, 4].map(|value| {
                let list = list.clone();
                thread::spawn(move || {
                    let mine = Box::into_raw(Box::new(value)).expose_provenance();
                    list.swap(of(mine), AcqRel).expose_provenance()
                })
            });
            let seen = children.map(thread::JoinHandle::join);
            let mut boxes: Vec<*mut u32> = seen.into_iter().map(of).collect();
            boxes.push(list.load(Acquire));
            boxes.retain(|value| !value.is_null());
            // SAFETY: each of the threads has put one in.
            let values: Vec<_> =
                boxes.into_iter().map(|value| *unsafe { Box::from_raw(value) }).collect();
            format!("{values:?}")
        })
    };
    let [one, two] = [1, 2].map(search);
    assert!(one.failure.is_none(), "{one:?}");
    assert_eq!((one.complete, &one.outcomes), (two.complete, &two.outcomes));
    assert_eq!(one.complete, 24);
}

#[test]
fn what_a_model_keeps_outside_is_not_in_quarantine() {
    let kept = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let theirs = std::sync::Arc::clone(&kept);
    assert_holds(move || {
        let word = Word::new(0);
        word.fetch_add(u32::from(thread::choose(20)), Relaxed);
        theirs.lock().expect("nobody panics").push(vec![word.load(Relaxed); 100]);
    });
    let kept = kept.lock().expect("nobody panics");
    assert!((0..20).all(|value| kept.contains(&vec![value; 100])), "{kept:?}");
}
