//! The ways to use the explorer wrongly: what each is told.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering as StdOrdering};
use std::sync::{Arc as StdArc, Mutex as StdMutex, OnceLock};
use std::time::Duration;

use gosched::memory::{Atomic, Lock, Memory, Ordering, RaceCell, Shared};
use gosched_verify::explore::{self, Builder, Explored, Failure, FaultKind, thread};

use crate::models::{self, Arc, Cell, Mutex, Word};

/// What a panic says.
fn panic_of(f: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(f)).expect_err("this must panic");
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).expect("a panic with a message")
}

fn failure_of(model: impl Fn() + Send + Sync + 'static) -> Failure {
    let report = Builder::default().explore(move || {
        model();
        ""
    });
    report.failure.expect("the model fails")
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn explored_outside_a_model_is_refused() {
    let outside = "works inside a model alone: call `explore::model` around this";
    assert_says(&panic_of(|| _ = Word::new(0)), &[outside]);
    assert_says(&panic_of(|| _ = Cell::new(0)), &[outside]);
    assert_says(&panic_of(|| _ = Mutex::new(0)), &[outside]);
    assert_says(&panic_of(|| _ = Arc::new(0)), &[outside]);
    assert_says(&panic_of(|| drop(Arc::new(String::new()))), &[outside]);
    assert_says(&panic_of(|| Explored::fence(Ordering::SeqCst)), &[outside]);
    assert_says(&panic_of(Explored::spin_loop), &[outside]);
    assert_says(&panic_of(|| _ = thread::spawn(|| ())), &[outside]);
    assert_says(&panic_of(|| assert!(thread::choose(2) < 2)), &[outside]);
}

#[test]
fn a_model_inside_a_model_is_refused() {
    let failure = failure_of(|| drop(explore::model(|| "")));
    assert_eq!(failure.kind, FaultKind::Panic);
    assert_says(&failure.message, &["a model cannot be explored inside a model"]);
    let failure = failure_of(|| drop(Builder::default().replay(|| "", "/=panic")));
    assert_says(&failure.message, &["a model cannot be explored inside a model"]);
}

#[test]
fn a_budget_of_zero_is_refused() {
    let refused = |builder: Builder| panic_of(move || drop(builder.explore(|| "")));
    let all = Builder::default();
    for builder in [
        Builder { executions_max: 0, ..all },
        Builder { time_max: Duration::ZERO, ..all },
        Builder { events_max: 0, ..all },
    ] {
        assert_says(&refused(builder), &["a budget of zero explores nothing"]);
    }
}

#[test]
fn a_model_that_changes_its_mind_is_told_what_it_did_and_what_it_does() {
    let runs = StdArc::new(AtomicU32::new(0));
    let failure = failure_of(move || {
        let word = Arc::new(Word::new(0));
        let theirs = word.clone();
        let child = thread::spawn(move || theirs.store(1, Ordering::Relaxed));
        let _ = word.load(Ordering::Relaxed);
        // The first run stores one, the next two, and so on.
        word.store(runs.fetch_add(1, StdOrdering::Relaxed) + 5, Ordering::Release);
        child.join();
        let _ = word.load(Ordering::Relaxed);
    });
    assert_eq!(failure.kind, FaultKind::NotDeterministic);
    assert_says(
        &failure.message,
        &["of thread 0 was a store(5, Release) to", "and is a store(6, Release) to", "errors.rs:"],
    );
}

#[test]
fn a_model_that_does_less_than_before_is_told_what_is_missing() {
    let runs = StdArc::new(AtomicU32::new(0));
    let failure = failure_of(move || {
        let word = Arc::new(Word::new(0));
        if runs.fetch_add(1, StdOrdering::Relaxed) > 0 {
            return;
        }
        let theirs = word.clone();
        let child = thread::spawn(move || theirs.store(1, Ordering::Relaxed));
        let _ = word.load(Ordering::Relaxed);
        child.join();
    });
    assert_eq!(failure.kind, FaultKind::NotDeterministic);
    assert_says(&failure.message, &["was the start of a thread at", "and is the thread's end"]);
}

#[test]
fn the_order_of_a_hash_map_is_found_out() {
    // A map of two keys has another order in half of the runs; one of many runs sees it.
    let failure = failure_of(|| {
        let words = [Arc::new(Word::new(0)), Arc::new(Word::new(0))];
        let theirs = words.clone();
        let child = thread::spawn(move || {
            let keys: HashMap<usize, ()> = [(0, ()), (1, ())].into();
            for (key, ()) in keys {
                theirs[key].store(1, Ordering::Relaxed);
            }
        });
        for _ in 0..3 {
            let _ = words.each_ref().map(|word| word.load(Ordering::Relaxed));
        }
        child.join();
    });
    assert_eq!(failure.kind, FaultKind::NotDeterministic);
    assert_says(&failure.message, &["a store(1, Relaxed) to location", "the order of a hash map"]);
}

#[test]
fn a_thread_that_is_never_joined_is_named() {
    let failure = failure_of(|| drop(thread::spawn(|| ())));
    assert_eq!(failure.kind, FaultKind::NotJoined);
    assert_says(&failure.message, &["thread 1 was never joined"]);
}

#[test]
fn a_shared_value_that_is_never_dropped_is_a_leak() {
    let failure = failure_of(|| {
        let shared = <Explored as Memory>::Arc::new(vec![1]);
        std::mem::forget(shared.clone());
    });
    assert_eq!(failure.kind, FaultKind::Leak);
    assert_says(&failure.message, &["shared at", "has 1 owners left"]);
}

/// Two executions at least, so that there is one for state to survive into.
fn twice(use_state: impl Fn() + Send + Sync + 'static) -> Failure {
    failure_of(move || {
        let _ = thread::choose(2);
        use_state();
    })
}

#[test]
fn state_that_survives_an_execution_is_found() {
    let said = ["state of an earlier execution is used", "make all state in the model"];
    static WORD: OnceLock<Word> = OnceLock::new();
    let failure = twice(|| WORD.get_or_init(|| Word::new(0)).store(1, Ordering::Relaxed));
    assert_says(&failure.message, &said);
    static CELL: OnceLock<Cell> = OnceLock::new();
    let failure = twice(|| CELL.get_or_init(|| Cell::new(0)).with_mut(|_| ()));
    assert_says(&failure.message, &said);
    static MUTEX: OnceLock<Mutex> = OnceLock::new();
    let failure = twice(|| MUTEX.get_or_init(|| Mutex::new(0)).with(|_| ()));
    assert_says(&failure.message, &said);
    let kept: StdArc<StdMutex<Option<Arc<String>>>> = StdArc::default();
    let failure = twice(move || {
        let old = kept.lock().expect("nobody panics with it").replace(Arc::new(String::new()));
        drop(old);
    });
    // The first execution shows it already.
    assert_eq!(failure.kind, FaultKind::Leak);
    assert_says(&failure.message, &["kept outside the model"]);
}

#[test]
fn state_that_survives_a_search_is_found_by_the_next() {
    static WORD: OnceLock<Word> = OnceLock::new();
    let model = || WORD.get_or_init(|| Word::new(0)).store(1, Ordering::Relaxed);
    let once = Builder::default().explore(move || {
        model();
        ""
    });
    assert!(once.exhaustive, "there is one execution, and nothing to see yet");
    assert_says(&failure_of(model).message, &["state of an earlier execution is used"]);
}

#[test]
fn what_a_model_leaves_outside_may_be_dropped_there() {
    let left: StdArc<StdMutex<Vec<Arc<String>>>> = StdArc::default();
    let theirs = StdArc::clone(&left);
    let failure = failure_of(move || {
        theirs.lock().expect("nobody panics with it").push(Arc::new(String::new()));
    });
    assert_eq!(failure.kind, FaultKind::Leak);
    drop(left);
}

#[test]
fn an_os_thread_in_a_model_is_outside() {
    let failure = failure_of(|| {
        let word = Arc::new(Word::new(0));
        let theirs = word.clone();
        let outside = std::thread::spawn(move || panic_of(|| theirs.store(1, Ordering::Relaxed)));
        panic!("{}", outside.join().expect("its panic was caught"));
    });
    assert_says(&failure.message, &["`explore::thread::spawn`", "OS threads are outside"]);
}

#[test]
fn a_loop_without_a_bound_is_told_what_to_do() {
    let failure = models::failure(models::endless);
    assert_eq!(failure.kind, FaultKind::UnboundedLoop);
    assert_says(&failure.message, &["thread 0 performed 2000 events", "`Memory::spin_loop`"]);
}

#[test]
fn an_endless_wait_for_another_thread_is_found_in_bounded_memory() {
    let failure = failure_of(|| {
        let flag = Arc::new(Word::new(0));
        let theirs = flag.clone();
        let child = thread::spawn(move || theirs.store(1, Ordering::Relaxed));
        while flag.load(Ordering::Relaxed) != 2 {}
        child.join();
    });
    assert_eq!(failure.kind, FaultKind::UnboundedLoop);
}

#[test]
fn a_panic_in_any_thread_is_the_model_s() {
    let failure = failure_of(|| thread::spawn(|| panic!("in a child: {}", 7)).join());
    assert_eq!((failure.kind, failure.message.as_str()), (FaultKind::Panic, "in a child: 7"));
    let failure = failure_of(|| std::panic::panic_any(7));
    assert_eq!(failure.message, "a panic without a message");
}

#[test]
fn a_panic_in_a_destructor_is_reported() {
    struct Picky(Arc<Word>);
    impl Drop for Picky {
        fn drop(&mut self) {
            assert_eq!(self.0.load(Ordering::Relaxed), 1, "dropped too early");
        }
    }
    let failure = failure_of(|| {
        let word = Arc::new(Word::new(0));
        let picky = Picky(word.clone());
        let child = thread::spawn(move || word.store(1, Ordering::Relaxed));
        drop(picky);
        child.join();
    });
    assert_eq!(failure.kind, FaultKind::Panic);
    assert_says(&failure.message, &["dropped too early"]);
    assert_says(&failure.trace.columns(), &["word.load(Relaxed) → 0"]);
}

#[test]
fn a_model_with_too_many_threads_is_told_the_limit() {
    let failure = failure_of(|| {
        let threads: Vec<_> = (0..explore::THREADS_MAX).map(|_| thread::spawn(|| ())).collect();
        threads.into_iter().for_each(thread::JoinHandle::join);
    });
    assert_eq!(failure.kind, FaultKind::Misuse);
    assert_says(&failure.message, &["a model starts at most 7 threads"]);
}

/// A child sets a flag; the model looks for it, as often as `looks` says how.
fn failure_of_looking(look: fn(&Word)) -> Failure {
    failure_of(move || {
        let flag = Arc::new(Word::new(0));
        let theirs = flag.clone();
        let child = thread::spawn(move || theirs.store(1, Ordering::Relaxed));
        look(&flag);
        child.join();
    })
}

#[test]
fn a_pure_retry_of_an_iteration_that_has_written_names_the_write() {
    let failure = failure_of_looking(|flag| {
        let looks = Word::new(0);
        loop {
            Explored::iteration();
            looks.store(1, Ordering::Relaxed);
            if flag.load(Ordering::Relaxed) == 1 {
                break;
            }
            Explored::retry_pure();
        }
    });
    assert_eq!(failure.kind, FaultKind::Misuse);
    let line = failure.message.matches("errors.rs:").count();
    assert_eq!(line, 2, "the call and the write: {failure}");
    assert_says(&failure.message, &["calls `retry_pure` at", "but its iteration has written, at"]);
}

#[test]
fn a_pure_retry_that_gives_up_is_found_out() {
    for rounds in 2..=4 {
        let failure = failure_of(move || {
            let flag = Word::new(0);
            for _ in 0..rounds {
                Explored::iteration();
                if flag.load(Ordering::Relaxed) == 1 {
                    break;
                }
                Explored::retry_pure();
            }
            Explored::fence(Ordering::SeqCst);
        });
        assert_eq!(failure.kind, FaultKind::Misuse, "{rounds} rounds: {failure}");
        assert_says(&failure.message, &["It was over, and goes on with a fence(SeqCst) at"]);
    }
    let failure = failure_of_looking(|flag| {
        let mut looks = 0;
        loop {
            Explored::iteration();
            looks += 1;
            if flag.load(Ordering::Relaxed) == 1 || looks == 2 {
                break;
            }
            Explored::retry_pure();
        }
    });
    assert_eq!(failure.kind, FaultKind::Misuse);
    assert_says(&failure.message, &["It was over, and goes on with a join of thread 1 at"]);
}

#[test]
fn a_pure_retry_that_is_pure_waits() {
    let report = Builder::default().explore(|| {
        let flags = Arc::new([Word::new(0), Word::new(0)]);
        let theirs = flags.clone();
        let child = thread::spawn(move || {
            theirs[0].store(1, Ordering::Relaxed);
            theirs[1].store(1, Ordering::Release);
        });
        let seen = loop {
            Explored::iteration();
            let seen = flags[0].load(Ordering::Relaxed);
            Explored::fence(Ordering::Acquire);
            if flags[1].load(Ordering::Acquire) == 1 {
                break seen;
            }
            Explored::retry_pure();
        };
        child.join();
        seen
    });
    assert!(report.exhaustive && report.failure.is_none(), "{report:?}");
    assert_eq!((report.complete, report.blocked), (2, 2), "{report:?}");
}
