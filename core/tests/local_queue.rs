//! The local queue used by one thread: what each operation gives back, at every fill and at every
//! edge. What several threads may see of each other is the models' business (`verify`).

#![allow(clippy::disallowed_types, reason = "drops are counted beside the code under test")]

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gosched::memory::Hardware;
use gosched::{Full, GlobalQueue, LocalQueue, NextSlot, Owner, StealError, Stealer};

type Id = NonZeroUsize;

fn id(number: usize) -> Id {
    NonZeroUsize::new(number).unwrap()
}

fn queue<const CAP: usize>() -> Owner<Id, CAP> {
    LocalQueue::with_memory()
}

/// A queue whose ring holds the tasks `1..=len`, its head `turned` places into the ring.
fn ring<const CAP: usize>(turned: usize, len: usize) -> Owner<Id, CAP> {
    let mut owner = queue();
    for _ in 0..turned {
        owner.push(id(99)).unwrap();
        owner.pop().unwrap();
    }
    for number in 1..=len {
        owner.push(id(number)).unwrap();
    }
    owner
}

fn rest<const CAP: usize>(owner: &mut Owner<Id, CAP>) -> Vec<usize> {
    std::iter::from_fn(|| owner.pop()).map(|popped| popped.task.get()).collect()
}

#[test]
fn the_ring_is_fifo_for_every_fill_and_turn() {
    for turned in 0..8 {
        for len in 0..=8 {
            let mut owner = ring::<8>(turned, len);
            assert_eq!(owner.len(), len);
            assert_eq!(owner.is_empty(), len == 0);
            assert_eq!(rest(&mut owner), (1..=len).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_full_ring_returns_the_task() {
    let mut owner = ring::<4>(3, 4);
    assert_eq!(owner.push(id(5)), Err(Full(id(5))));
    assert_eq!(owner.len(), 4);
    assert_eq!(rest(&mut owner), [1, 2, 3, 4]);
}

#[test]
fn the_slot_is_popped_first_and_inherits_the_slice() {
    let mut owner = ring::<4>(0, 2);
    owner.push_next(id(3)).unwrap();
    let popped = owner.pop().unwrap();
    assert_eq!((popped.task, popped.inherits_slice), (id(3), true));
    let popped = owner.pop().unwrap();
    assert_eq!((popped.task, popped.inherits_slice), (id(1), false));
}

#[test]
fn the_displaced_task_goes_to_the_rings_tail() {
    let mut owner = ring::<4>(0, 1);
    owner.push_next(id(2)).unwrap();
    owner.push_next(id(3)).unwrap();
    assert_eq!(rest(&mut owner), [3, 1, 2]);
}

#[test]
fn a_displaced_task_without_room_comes_back_and_the_new_one_stays() {
    let mut owner = ring::<4>(0, 4);
    owner.push_next(id(5)).unwrap();
    assert_eq!(owner.push_next(id(6)), Err(Full(id(5))));
    assert_eq!(rest(&mut owner), [6, 1, 2, 3, 4]);
}

#[test]
fn a_batch_fills_the_room_and_leaves_the_rest() {
    let mut owner = ring::<4>(2, 1);
    let mut batch = (2..=9).map(id);
    assert_eq!(owner.push_batch(&mut batch), 3);
    assert_eq!(batch.next(), Some(id(5)), "what found no room stays");
    assert_eq!(rest(&mut owner), [1, 2, 3, 4]);
    assert_eq!(owner.push_batch([]), 0);
}

#[test]
fn a_batch_whose_iterator_panics_keeps_what_was_pushed() {
    let mut owner = queue::<4>();
    let mut batch = (1..).map(|number| if number < 3 { id(number) } else { panic!("third") });
    assert!(catch_unwind(AssertUnwindSafe(|| owner.push_batch(&mut batch))).is_err());
    assert_eq!(rest(&mut owner), [1, 2]);
}

#[test]
fn a_steal_takes_the_older_half_rounded_up_for_every_fill_and_turn() {
    for turned in 0..8 {
        for len in 1..=8 {
            let mut victim = ring::<8>(turned, len);
            let mut thief = queue::<8>();
            let stolen = victim.stealer().steal_into(&mut thief, NextSlot::Leave).unwrap();
            let half = len.div_ceil(2);
            assert_eq!((stolen.task, stolen.moved, stolen.from_next), (id(half), half - 1, false));
            assert_eq!(rest(&mut thief), (1..half).collect::<Vec<_>>());
            assert_eq!(rest(&mut victim), (half + 1..=len).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_thief_with_little_room_takes_what_fits() {
    for room in 0..=4 {
        let victim = ring::<4>(0, 4);
        let mut thief = ring::<4>(1, 4 - room);
        let stolen = victim.stealer().steal_into(&mut thief, NextSlot::Leave).unwrap();
        assert_eq!(stolen.moved, room.min(1), "half of four is two: one to run, one to keep");
        assert_eq!(stolen.task, id(stolen.moved + 1), "the newest of what was taken");
        assert_eq!(thief.len(), 4 - room + stolen.moved);
        assert_eq!(victim.len(), 3 - stolen.moved);
    }
}

#[test]
fn a_thief_takes_the_slot_only_when_asked_and_only_from_an_empty_ring() {
    let mut victim = ring::<4>(0, 1);
    victim.push_next(id(2)).unwrap();
    let stealer = victim.stealer();
    let mut thief = queue::<4>();
    let stolen = stealer.steal_into(&mut thief, NextSlot::Take).unwrap();
    assert_eq!((stolen.task, stolen.from_next), (id(1), false));
    assert_eq!(stealer.steal_into(&mut thief, NextSlot::Leave), Err(StealError::Empty));
    let stolen = stealer.steal_into(&mut thief, NextSlot::Take).unwrap();
    assert_eq!((stolen.task, stolen.from_next), (id(2), true));
    assert_eq!(stealer.steal_into(&mut thief, NextSlot::Take), Err(StealError::Empty));
}

#[test]
fn stealing_from_oneself_is_an_error_and_changes_nothing() {
    let mut owner = ring::<4>(0, 3);
    let stealer = owner.stealer();
    assert_eq!(stealer.steal_into(&mut owner, NextSlot::Take), Err(StealError::Itself));
    assert_eq!(rest(&mut owner), [1, 2, 3]);
}

#[test]
fn a_full_ring_overflows_its_older_half_and_the_new_task() {
    let global = GlobalQueue::new();
    let mut owner: Owner<Id> = LocalQueue::new();
    for number in 1..=257 {
        owner.push_or_overflow(id(number), &global);
    }
    assert_eq!((owner.len(), global.len()), (128, 129));
    let moved: Vec<_> = std::iter::from_fn(|| global.pop()).map(Id::get).collect();
    assert_eq!(moved, (1..=128).chain([257]).collect::<Vec<_>>());
    assert_eq!(rest(&mut owner), (129..=256).collect::<Vec<_>>());
}

#[test]
fn a_displaced_task_overflows_too() {
    let global = GlobalQueue::new();
    let mut owner = ring::<4>(0, 4);
    owner.push_next_or_overflow(id(5), &global);
    owner.push_next_or_overflow(id(6), &global);
    let moved: Vec<_> = std::iter::from_fn(|| global.pop()).map(Id::get).collect();
    assert_eq!(moved, [1, 2, 5]);
    assert_eq!(rest(&mut owner), [6, 3, 4]);
}

#[test]
fn overflow_returns_the_task_when_there_is_room() {
    let mut owner = ring::<4>(0, 3);
    assert_eq!(owner.overflow(id(4)).unwrap_err(), id(4));
    assert_eq!(rest(&mut owner), [1, 2, 3]);
}

#[test]
fn drain_takes_the_slot_then_the_ring() {
    let mut owner = ring::<4>(3, 3);
    owner.push_next(id(4)).unwrap();
    let drained: Vec<_> = owner.drain().into_iter().map(Id::get).collect();
    assert_eq!(drained, [4, 1, 2, 3]);
    assert!(owner.is_empty());
    assert!(owner.drain().is_empty());
    owner.push(id(5)).unwrap();
    assert_eq!(rest(&mut owner), [5]);
}

#[test]
fn a_share_is_the_processors_part_and_comes_in_order() {
    let global = GlobalQueue::new();
    for number in 1..=20 {
        global.push(id(number));
    }
    let four = NonZeroUsize::new(4).unwrap();
    let mut owner: Owner<Id> = LocalQueue::new();
    assert_eq!(owner.take_share(&global, four), Some(id(1)));
    assert_eq!(rest(&mut owner), (2..=6).collect::<Vec<_>>(), "20 / 4 + 1 with the first");
    assert_eq!(global.len(), 14);
}

#[test]
fn a_share_never_exceeds_half_a_ring_nor_the_room() {
    let global = GlobalQueue::new();
    for number in 1..=20 {
        global.push(id(number));
    }
    let one = NonZeroUsize::new(1).unwrap();
    let mut owner = queue::<8>();
    assert_eq!(owner.take_share(&global, one), Some(id(1)));
    assert_eq!(rest(&mut owner), [2, 3, 4]);
    let mut full = ring::<8>(0, 8);
    assert_eq!(full.take_share(&global, one), Some(id(5)), "the returned one needs no room");
    assert_eq!(full.len(), 8);
    assert_eq!(queue::<8>().take_share(&GlobalQueue::new(), one), None);
}

#[test]
fn counters_cross_every_wrap() {
    for start in [u64::from(u32::MAX) - 1, u64::MAX - 1, u64::MAX] {
        let mut owner = LocalQueue::<Id, 4, Hardware>::with_memory_starting_at(start);
        let mut thief = LocalQueue::<Id, 4, Hardware>::with_memory_starting_at(start);
        for number in 1..=4 {
            owner.push(id(number)).unwrap();
        }
        assert_eq!(owner.push(id(5)), Err(Full(id(5))));
        let stolen = owner.stealer().steal_into(&mut thief, NextSlot::Leave).unwrap();
        assert_eq!((stolen.task, thief.len(), owner.len()), (id(2), 1, 2));
        assert_eq!((rest(&mut thief), rest(&mut owner)), (vec![1], vec![3, 4]));
    }
}

/// Counts its drops.
struct Counted(Arc<AtomicUsize>, bool);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        assert!(!self.1, "this task's drop panics");
    }
}

fn counted(drops: &Arc<AtomicUsize>, panics: bool) -> Box<Counted> {
    Box::new(Counted(Arc::clone(drops), panics))
}

#[test]
fn a_dropped_queue_drops_ring_and_slot() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mut owner = LocalQueue::<_, 4, Hardware>::with_memory();
    owner.push_batch((0..3).map(|_| counted(&drops, false)));
    owner.push_next(counted(&drops, false)).unwrap();
    drop(owner.pop());
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    drop(owner);
    assert_eq!(drops.load(Ordering::Relaxed), 4);
}

#[test]
fn a_drop_that_panics_leaks_no_other_task() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mut owner = LocalQueue::<_, 8, Hardware>::with_memory();
    owner.push_batch((0..5).map(|number| counted(&drops, number == 1)));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(owner))).is_err());
    assert_eq!(drops.load(Ordering::Relaxed), 5);
}

#[test]
fn a_stealer_outlives_its_owner() {
    let drops = Arc::new(AtomicUsize::new(0));
    let mut owner = LocalQueue::<_, 4, Hardware>::with_memory();
    owner.push_batch((0..4).map(|_| counted(&drops, false)));
    let stealer = owner.stealer();
    drop(owner);
    assert_eq!((stealer.len(), drops.load(Ordering::Relaxed)), (4, 0));
    let mut thief = LocalQueue::with_memory();
    drop(stealer.steal_into(&mut thief, NextSlot::Leave).unwrap());
    drop(stealer);
    assert_eq!(drops.load(Ordering::Relaxed), 3, "the stolen one, and the two left behind");
    drop(thief);
    assert_eq!(drops.load(Ordering::Relaxed), 4);
}

#[test]
fn handles_go_where_they_may() {
    fn send<T: Send>() {}
    fn sync<T: Sync + Clone>() {}
    send::<Owner<Box<u32>>>();
    send::<Stealer<Box<u32>>>();
    sync::<Stealer<Box<u32>>>();
    // That an owner is not `Sync` is a doc test of `Owner` that must not compile.
}

#[test]
fn every_handle_has_a_readable_debug_form() {
    let owner = ring::<4>(0, 2);
    assert_eq!(format!("{owner:?}"), "Owner { head_seen: 0, tail: 2, .. }");
    let stealer = format!("{:?}", owner.stealer());
    assert_eq!(stealer, "Stealer(LocalQueue { capacity: 4, len: 2, .. })");
}
