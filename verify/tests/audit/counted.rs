//! `Counted` counts exactly, and each thread its own.

use core::time::Duration;
use std::time::Instant;

use gosched::memory::{
    Atomic, AtomicInt, Hardware, Lock, Loom, Memory, Ordering, Park, RaceCell, Shared,
};
use gosched_verify::engine::loom::{Bound, explore};
use gosched_verify::engine::{Progress, Watch};
use gosched_verify::instrument::{Counted, Counts};
use gosched_verify::world::World;

use crate::fixture::Slot;

type Mem = Counted<Hardware>;

/// Every operation is counted once, under its name, and none outside of a section.
pub(crate) fn every_operation_is_counted_once() {
    let slot = Slot::<Mem>::new();
    slot.forget();
    let ((), put) = Mem::section(|| slot.put(7));
    assert_eq!(put, Counts { stores: 1, cell_writes: 1, ..Counts::default() });
    let (taken, take) = Mem::section(|| slot.take());
    assert_eq!(taken, Some(7));
    assert_eq!(take, Counts { loads: 1, rmws: 1, cell_reads: 1, ..Counts::default() });
    let (_, lost) = Mem::section(|| slot.take_or_close());
    assert_eq!(lost, Counts { failed_cas: 1, cell_reads: 1, ..Counts::default() });
    let (_, won) = Mem::section(|| Slot::<Mem>::new().take_or_close());
    assert_eq!(won, Counts { rmws: 1, ..Counts::default() });
    let ((), others) = Mem::section(|| {
        slot.forget();
        Mem::light_fence();
        Mem::heavy_fence();
        let parker = <Mem as Memory>::Parker::new();
        parker.unpark();
        parker.park();
    });
    let expected = Counts {
        fences: 1,
        light_fences: 1,
        heavy_fences: 1,
        parks: 1,
        unparks: 1,
        ..Counts::default()
    };
    assert_eq!(others, expected);
    assert_eq!(others.to_string(), "1 fences, 1 light fences, 1 heavy fences, 1 parks, 1 unparks");
    assert_eq!(Mem::section(|| ()).1.to_string(), "nothing");
}

/// What happens under a lock is told apart, to the end of the lock and not beyond.
pub(crate) fn accesses_under_a_lock_are_told_apart() {
    let lock = <Mem as Memory>::Mutex::new(0_u64);
    let word = <Mem as Memory>::AtomicU64::new(0);
    // ORDER: Relaxed: one thread.
    let add = || word.fetch_add(1, Ordering::Relaxed);
    let ((), counts) = Mem::section(|| {
        add();
        lock.with(|value| {
            *value += 1;
            add();
            add();
        });
        add();
    });
    assert_eq!(counts, Counts { rmws: 4, locks: 1, accesses_under_lock: 2, ..Counts::default() });
}

/// A section counts in the section around it; one that panics leaves nothing behind.
pub(crate) fn sections_nest_and_survive_a_panic() {
    let lock = <Mem as Memory>::Mutex::new(());
    let word = <Mem as Memory>::AtomicU64::new(0);
    // ORDER: Relaxed: one thread.
    let add = || word.fetch_add(1, Ordering::Relaxed);
    let (inner, outer) = Mem::section(|| {
        add();
        Mem::section(|| lock.with(|()| add())).1
    });
    let in_the_lock = Counts { rmws: 1, locks: 1, accesses_under_lock: 1, ..Counts::default() };
    assert_eq!(inner, in_the_lock);
    assert_eq!(outer, Counts { rmws: 2, ..in_the_lock });
    let panics = || lock.with(|()| std::panic::resume_unwind(Box::new("expected")));
    let ((), after) = Mem::section(|| {
        let ended =
            std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| Mem::section(panics)));
        assert!(ended.is_err(), "it panics");
        add();
    });
    assert_eq!(after, Counts { rmws: 1, locks: 1, ..Counts::default() });
    let (_, later) = Mem::section(add);
    assert_eq!(later, Counts { rmws: 1, ..Counts::default() });
}

/// Under loom, where all threads run on one thread of the system, each counts its own operations in
/// every interleaving.
pub(crate) fn each_thread_counts_its_own() {
    type Checked = Counted<Loom>;
    let deadline = Instant::now() + Duration::from_secs(60);
    let watch = Watch { deadline, progress: Progress::default() };
    let explored = explore(
        || {
            let shared = <Checked as Memory>::Arc::new((
                <Checked as Memory>::AtomicU64::new(0),
                <Checked as Memory>::Mutex::new(<Checked as Memory>::Cell::new(0_u64)),
            ));
            let work = {
                let shared = shared.clone();
                move |times: u64| {
                    Checked::section(|| {
                        for _ in 0..times {
                            // ORDER: Relaxed: nothing is read because of the count.
                            shared.0.fetch_add(1, Ordering::Relaxed);
                        }
                        // SAFETY: the lock is held.
                        shared.1.with(|cell| cell.with_mut(|value| unsafe { *value += times }));
                    })
                    .1
                }
            };
            let other = Checked::spawn({
                let work = work.clone();
                move || work(2)
            });
            let counts = [work(1), Checked::join(other)];
            let expected = |rmws| Counts {
                rmws,
                locks: 1,
                cell_writes: 1,
                accesses_under_lock: 1,
                ..Counts::default()
            };
            assert_eq!(counts, [expected(1), expected(2)]);
            String::new()
        },
        Bound::default(),
        &watch,
    );
    assert!(explored.executions > 1, "there was one interleaving only");
}
