//! The completion by itself: in one thread, where every step is known, and between real threads.
//! Every order of its steps between threads is checked by the claims `completion::*`.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use gosched::Completion;
use gosched::memory::{Hardware, is_checked};

type Ends = Completion<String, Arc<u32>>;

fn poll(ends: &Ends, waiter: &Arc<u32>) -> Poll<String> {
    // SAFETY: in these tests one thread polls, and another only when it has joined the first.
    unsafe { ends.poll(|kept| Arc::ptr_eq(kept, waiter), || waiter.clone()) }
}

fn complete(ends: &Ends, result: &str) -> Option<Arc<u32>> {
    // SAFETY: called once for each.
    unsafe { ends.complete(result.to_owned()) }
}

#[test]
fn the_last_waiter_is_handed_over_and_the_result_is_taken() {
    let ends = Ends::new();
    let (one, two) = (Arc::new(1), Arc::new(2));
    assert_eq!(format!("{ends:?}"), "Completion(running)");
    assert_eq!(poll(&ends, &one), Poll::Pending);
    assert_eq!(poll(&ends, &two), Poll::Pending);
    assert_eq!(Arc::strong_count(&one), 1, "the first is let go of");
    assert_eq!(format!("{ends:?}"), "Completion(awaited)");
    assert!(!ends.has_ended());
    assert_eq!(complete(&ends, "done").as_deref(), Some(&2));
    assert_eq!(format!("{ends:?}"), "Completion(ended)");
    assert!(ends.has_ended());
    assert_eq!(poll(&ends, &one), Poll::Ready("done".to_owned()));
    assert_eq!(Arc::strong_count(&one) + Arc::strong_count(&two), 2, "nobody is kept");
}

#[test]
fn the_same_waiter_is_kept_and_not_made_again() {
    let ends = Ends::new();
    let waiter = Arc::new(1);
    assert_eq!(poll(&ends, &waiter), Poll::Pending);
    // SAFETY: as in `poll`.
    let again = unsafe { ends.poll(|_| true, || panic!("there is one")) };
    assert_eq!(again, Poll::Pending);
    assert_eq!(Arc::strong_count(&waiter), 2);
}

#[test]
fn nobody_waits_and_nobody_takes_it() {
    let waiter = Arc::new(1);
    let ends: Completion<Arc<u32>, Arc<u32>> = Completion::default();
    // SAFETY: called once.
    assert_eq!(unsafe { ends.complete(waiter.clone()) }, None);
    drop(ends);
    assert_eq!(Arc::strong_count(&waiter), 1, "the result is dropped");
    let ends = Ends::new();
    assert_eq!(poll(&ends, &waiter), Poll::Pending);
    drop(ends);
    assert_eq!(Arc::strong_count(&waiter), 1, "the waiter is dropped");
}

#[test]
fn a_result_is_taken_once() {
    let ends = Ends::new();
    assert_eq!(complete(&ends, "done"), None);
    assert!(poll(&ends, &Arc::new(1)).is_ready());
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&ends, &Arc::new(1)))).is_err());
    let twice = catch_unwind(AssertUnwindSafe(|| complete(&ends, "again")));
    assert_eq!(twice.is_err(), is_checked::<Hardware>(), "it ended twice");
}

#[test]
fn a_waiter_that_panics_leaves_the_completion_usable() {
    let ends = Ends::new();
    let waiter = Arc::new(1);
    assert_eq!(poll(&ends, &waiter), Poll::Pending);
    // SAFETY: as in `poll`.
    let poll_badly = || unsafe { ends.poll(|_| false, || panic!("no waiter")) };
    assert!(catch_unwind(AssertUnwindSafe(poll_badly)).is_err());
    assert_eq!(format!("{ends:?}"), "Completion(running)", "nobody would be woken");
    assert_eq!(poll(&ends, &waiter), Poll::Pending);
    assert_eq!(complete(&ends, "done").as_deref(), Some(&1));
}

#[test]
fn threads_miss_no_end() {
    for _ in 0..if cfg!(miri) { 20 } else { 2_000 } {
        let ends = Arc::new(Ends::new());
        let waiter = Arc::new(1);
        let completes = thread::spawn({
            let ends = ends.clone();
            move || complete(&ends, "done").is_some()
        });
        let found = (0..3).find_map(|_| match poll(&ends, &waiter) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        });
        let woken = completes.join().expect("it does not panic");
        assert!(woken || found.is_some(), "the end was missed");
        let result = found.map_or_else(|| poll(&ends, &waiter), Poll::Ready);
        assert_eq!(result, Poll::Ready("done".to_owned()));
    }
}
