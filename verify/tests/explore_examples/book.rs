//! The programs that the book's chapter on the explorer shows, beside the examples.

use gosched::memory::{Atomic, AtomicInt, Memory, Ordering, Shared};
use gosched_verify::explore::{Builder, Explored, FaultKind, Report, thread};

type Word = <Explored as Memory>::AtomicU32;
type Arc<T> = <Explored as Memory>::Arc<T>;

/// Two words that start at 0.
fn words() -> Arc<[Word; 2]> {
    <Arc<[Word; 2]> as Shared<[Word; 2]>>::new([Word::new(0), Word::new(0)])
}

// ANCHOR: store_buffering
/// Store buffering: each of two threads writes its own word and reads the other's.
fn store_buffering(order: Ordering, fences: [fn(); 2]) -> Report {
    Builder::default().explore(move || {
        let words = words();
        let other = {
            let words = words.clone();
            thread::spawn(move || write_and_read(&words, 1, order, fences[1]))
        };
        let first = write_and_read(&words, 0, order, fences[0]);
        format!("{first} {}", other.join())
    })
}

fn write_and_read(words: &[Word; 2], me: usize, order: Ordering, fence: fn()) -> u32 {
    let [store, load] = match order {
        Ordering::SeqCst => [Ordering::SeqCst; 2],
        Ordering::AcqRel => [Ordering::Release, Ordering::Acquire],
        _ => [Ordering::Relaxed; 2],
    };
    // ORDER: the caller's choice: which ones keep both threads from reading 0 is the question.
    words[me].store(1, store);
    fence();
    // ORDER: as above.
    words[1 - me].load(load)
}
// ANCHOR_END: store_buffering

fn none() {}
fn seq_cst() {
    // ORDER: SeqCst: what the litmus test is about.
    Explored::fence(Ordering::SeqCst);
}
fn light() {
    Explored::light_fence();
}
fn heavy() {
    Explored::heavy_fence();
}

#[test]
fn store_buffering_has_four_executions_and_seqcst_forbids_one() {
    for order in [Ordering::Relaxed, Ordering::AcqRel] {
        let report = store_buffering(order, [none, none]);
        assert_eq!(report.complete, 4);
        let outcomes: Vec<_> = report.outcomes.into_iter().collect();
        assert_eq!(outcomes, ["0 0", "0 1", "1 0", "1 1"].map(|seen| (seen.to_owned(), 1)));
    }
    let report = store_buffering(Ordering::SeqCst, [none, none]);
    assert_eq!(report.complete, 3);
    assert!(!report.outcomes.contains_key("0 0"));
}

#[test]
fn two_light_fences_order_nothing_and_a_heavy_one_orders_both() {
    #[track_caller]
    fn assert_allows_stale(first: fn(), second: fn(), allowed: bool) {
        let report = store_buffering(Ordering::Relaxed, [first, second]);
        assert_eq!(report.outcomes.contains_key("0 0"), allowed);
        assert_eq!(report.complete, if allowed { 4 } else { 3 });
    }
    assert_allows_stale(light, light, true);
    assert_allows_stale(light, seq_cst, true);
    assert_allows_stale(light, heavy, false);
    assert_allows_stale(heavy, heavy, false);
    assert_allows_stale(heavy, seq_cst, false);
    assert_allows_stale(seq_cst, seq_cst, false);
}

#[test]
fn a_load_before_a_store_hides_no_outcome() {
    // The program of tokio-rs/loom#392, of whose two outcomes loom finds one.
    let report = Builder::default().explore(|| {
        let words = words();
        let writer = {
            let words = words.clone();
            thread::spawn(move || {
                // ORDER: Relaxed: the load is there to be a load.
                words[0].load(Ordering::Relaxed);
                // ORDER: Relaxed: one word, and nothing beside it.
                words[0].store(1, Ordering::Relaxed);
            })
        };
        // ORDER: Relaxed: as above.
        let seen = words[0].load(Ordering::Relaxed);
        writer.join();
        seen
    });
    assert_eq!(report.outcomes, [("0".to_owned(), 1), ("1".to_owned(), 1)].into());
}

// ANCHOR: impure
/// Adds one by compare-exchange. Wrong: it calls a retry pure that has learnt something.
fn increment_impurely(word: &Word) {
    // ORDER: Relaxed: a counter and nothing else.
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        Explored::iteration();
        // ORDER: Relaxed: as above.
        match word.compare_exchange(seen, seen + 1, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            // The failure brought the new value, and the next attempt would succeed with it.
            Err(new) => seen = new,
        }
        Explored::retry_pure();
    }
}
// ANCHOR_END: impure

#[test]
fn a_retry_that_has_learnt_something_and_is_called_pure_is_found_out() {
    let report = Builder::default().explore(|| {
        let words = words();
        let other = {
            let words = words.clone();
            thread::spawn(move || increment_impurely(&words[0]))
        };
        increment_impurely(&words[0]);
        other.join();
        "both"
    });
    crate::assert_fails(
        &report,
        FaultKind::Misuse,
        "given the same values, and did something else",
    );
}

// ANCHOR: budget
/// Four threads write one word: 24 orders. Ten executions are not all of them.
fn four_writers(executions_max: u64) -> Report {
    let builder = Builder { executions_max, ..Builder::default() };
    builder.explore(|| {
        let words = words();
        let writers = [1, 2, 3].map(|value| {
            let words = words.clone();
            // ORDER: Relaxed: the writes are to be unordered.
            thread::spawn(move || words[0].store(value, Ordering::Relaxed))
        });
        // ORDER: Relaxed: as above.
        words[0].store(4, Ordering::Relaxed);
        writers.into_iter().for_each(thread::JoinHandle::join);
        // ORDER: Relaxed: all writers were joined.
        format!("{} was the last", words[0].load(Ordering::Relaxed))
    })
}
// ANCHOR_END: budget

#[test]
fn a_spent_budget_is_not_exhaustive() {
    let all = four_writers(u64::MAX);
    assert_eq!((all.complete, all.exhaustive), (24, true));
    assert!(all.outcomes.values().all(|&count| count == 6), "{all:?}");
    let some = four_writers(10);
    assert!(some.complete <= 10 && !some.exhaustive && some.failure.is_none(), "{some:?}");
}

// ANCHOR: tickets
/// Threads that draw tickets: each order of `threads` increments once.
fn tickets(threads: u32, jobs: usize) -> Report {
    let jobs = jobs.try_into().expect("at least one thread searches");
    let builder = Builder { jobs, ..Builder::default() };
    builder.explore(move || {
        let words = words();
        let others: Vec<_> = (1..threads)
            .map(|_| {
                let words = words.clone();
                // ORDER: Relaxed: read-modify-writes are atomic in any ordering.
                thread::spawn(move || words[0].fetch_add(1, Ordering::Relaxed))
            })
            .collect();
        // ORDER: Relaxed: as above.
        let mut drawn = vec![words[0].fetch_add(1, Ordering::Relaxed)];
        drawn.extend(others.into_iter().map(thread::JoinHandle::join));
        format!("{drawn:?}")
    })
}
// ANCHOR_END: tickets

#[test]
fn the_counts_do_not_depend_on_the_number_of_searching_threads() {
    let [alone, together] = [1, 2].map(|jobs| tickets(5, jobs));
    assert_eq!(alone.complete, 120);
    assert_eq!(alone.outcomes.len(), 120, "each order is an outcome of its own");
    assert_eq!((alone.complete, alone.outcomes), (together.complete, together.outcomes));
}
