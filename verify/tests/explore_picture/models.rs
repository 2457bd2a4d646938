//! Models that fail, each in its own way.

use gosched::memory::{Atomic, AtomicInt, Lock, Memory, Ordering, Park, RaceCell, Shared};
use gosched_verify::explore::{Builder, Explored, Failure, thread};

pub(crate) type Word = <Explored as Memory>::AtomicU32;
pub(crate) type Wide = <Explored as Memory>::AtomicU64;
pub(crate) type Pointer = <Explored as Memory>::AtomicPtr<u32>;
pub(crate) type Arc<T> = <Explored as Memory>::Arc<T>;
pub(crate) type Cell = <Explored as Memory>::Cell<u32>;
pub(crate) type Mutex = <Explored as Memory>::Mutex<u32>;
pub(crate) type Parker = <Explored as Memory>::Parker;

use Ordering::{AcqRel, Acquire, Relaxed, Release};

/// The failure of a model that must have one.
pub(crate) fn failure(model: fn()) -> Failure {
    let report = Builder::default().explore(move || {
        model();
        ""
    });
    assert!(!report.exhaustive, "a search that finds a failure is not through");
    report.failure.expect("the model fails")
}

/// Store buffering: each thread misses the other's store.
pub(crate) fn store_buffering() {
    let idle = Arc::new(Word::new(0));
    let work = Arc::new(Word::new(0));
    let (their_idle, their_work) = (idle.clone(), work.clone());
    let submitter = thread::spawn(move || {
        their_work.store(1, Release);
        their_idle.load(Acquire)
    });
    idle.store(1, Release);
    let seen_work = work.load(Acquire);
    let seen_idle = submitter.join();
    assert!(
        seen_work == 1 || seen_idle == 1,
        "lost wake-up: the task is queued and the worker sleeps"
    );
}

/// Message passing without the release: a stale read of the data.
pub(crate) fn message_passing() {
    let shared = Arc::new([Word::new(0), Word::new(0)]);
    let theirs = shared.clone();
    let child = thread::spawn(move || {
        theirs[0].store(42, Relaxed);
        theirs[1].store(1, Relaxed);
    });
    if shared[1].load(Acquire) == 1 {
        assert_eq!(shared[0].load(Relaxed), 42, "the flag was there before the data");
    }
    child.join();
}

/// A cell that two threads write.
pub(crate) fn race() {
    let cell = Arc::new(Cell::new(0));
    let theirs = cell.clone();
    let child = thread::spawn(move || {
        theirs.with_mut(|_| ());
    });
    cell.with(|_| ());
    child.join();
}

/// A node that one thread takes out and frees, while the other one reads it.
pub(crate) fn use_after_free() {
    let node = Box::into_raw(Box::new(Word::new(7)));
    let list = Arc::new(<Explored as Memory>::AtomicPtr::<Word>::new(node));
    let theirs = list.clone();
    let child = thread::spawn(move || {
        let node = theirs.load(Acquire);
        // SAFETY: unsound: what the test is about. The explorer does not touch what was freed.
        unsafe { node.as_ref() }.map(|word| word.load(Relaxed))
    });
    let node = list.swap(std::ptr::null_mut(), AcqRel);
    // SAFETY: it was made above, and nobody else frees it.
    drop(unsafe { Box::from_raw(node) });
    child.join();
}

/// Two locks, taken in opposite orders.
pub(crate) fn lock_order() {
    let first = Arc::new(Mutex::new(0));
    let second = Arc::new(Mutex::new(0));
    let (their_first, their_second) = (first.clone(), second.clone());
    let child = thread::spawn(move || their_second.with(|_| their_first.with(|_| ())));
    first.with(|_| second.with(|_| ()));
    child.join();
}

/// A parked thread that nobody wakes.
pub(crate) fn lost_wake_up() {
    let parker = Arc::new(Parker::new());
    let woken = Arc::new(Word::new(0));
    let (their_parker, their_woken) = (parker.clone(), woken.clone());
    let sleeper = thread::spawn(move || {
        their_woken.store(1, Relaxed);
        their_parker.park();
    });
    if woken.load(Relaxed) == 1 {
        parker.unpark();
    }
    sleeper.join();
}

/// Every sort of operation, large values and pointers among them; the weak exchange fails.
pub(crate) fn operations() {
    let packed = Wide::new(1 << 32 | 2);
    let target = Box::into_raw(Box::new(7));
    let list = Pointer::new(std::ptr::null_mut());
    packed.fetch_add(1, AcqRel);
    packed.fetch_or(1 << 63, Relaxed);
    Explored::fence(Ordering::SeqCst);
    Explored::light_fence();
    Explored::heavy_fence();
    list.store(target, Release);
    let seen = list.load(Acquire);
    let chosen = thread::choose(2);
    let result = list.compare_exchange_weak(seen, std::ptr::null_mut(), AcqRel, Relaxed);
    // SAFETY: it was made above, and nobody else has freed it.
    drop(unsafe { Box::from_raw(target) });
    let strong = packed.compare_exchange(0, 1, AcqRel, Relaxed);
    assert!(strong.is_ok() || result.is_ok() || chosen == 0, "the exchange failed\nspuriously");
}

/// Eight threads, with a read-modify-write each.
pub(crate) fn eight_threads() {
    let counter = Arc::new(Word::new(0));
    let children: Vec<_> = (1..8)
        .map(|_| {
            let counter = counter.clone();
            thread::spawn(move || counter.fetch_add(1, Relaxed))
        })
        .collect();
    let seen: Vec<u32> = children.into_iter().map(thread::JoinHandle::join).collect();
    assert!(seen.is_empty(), "seven threads have counted");
}

/// A loop that does not say that it waits.
pub(crate) fn endless() {
    let flag = Word::new(0);
    while flag.load(Relaxed) == 0 {}
}

/// Two writes to each of two locations, which no interleaving explains.
pub(crate) fn two_plus_two_writes() {
    let (x, y) = (Arc::new(Word::new(0)), Arc::new(Word::new(0)));
    let (their_x, their_y) = (x.clone(), y.clone());
    let child = thread::spawn(move || {
        their_x.store(1, Relaxed);
        their_y.store(2, Relaxed);
    });
    y.store(1, Relaxed);
    x.store(2, Relaxed);
    child.join();
    let both = (x.load(Relaxed), y.load(Relaxed));
    assert!(both != (1, 1), "both first writes are the last ones");
}

/// A load before the store that it misses: an interleaving, with nothing stale in it.
pub(crate) fn too_early() {
    let x = Arc::new(Word::new(0));
    let theirs = x.clone();
    let child = thread::spawn(move || theirs.load(Relaxed));
    x.store(1, Relaxed);
    assert_eq!(child.join(), 1, "the load came first");
}
