//! The sweeps of the steal order, all of them, for every small number of victims.
#![allow(clippy::std_instead_of_alloc, reason = "needs std anyway")]

use std::collections::BTreeSet;

use gosched::StealOrder;

/// The largest number of victims. (Miri takes its time, and there is no unsafe code to look at.)
const MOST: usize = if cfg!(miri) { 6 } else { 24 };

/// Every sweep over `count` victims, under the seeds that suffice to reach them all.
fn sweeps(count: usize) -> Vec<Vec<usize>> {
    let order = StealOrder::new(count);
    let seeds = (count * count).max(1);
    (0..seeds).map(|seed| order.start(u32::try_from(seed).expect("small")).collect()).collect()
}

/// Euler's function, by its definition.
fn coprimes(count: usize) -> usize {
    let divides_both = |d: usize, step: usize| count % d == 0 && step % d == 0;
    (1..=count).filter(|&step| !(2..=count).any(|d| divides_both(d, step))).count()
}

#[test]
fn every_sweep_visits_each_victim_once() {
    for count in 0..=MOST {
        for sweep in sweeps(count) {
            let mut victims = sweep.clone();
            victims.sort_unstable();
            assert!(victims.iter().copied().eq(0..count), "{count} victims: {sweep:?}");
        }
    }
}

#[test]
fn the_seeds_from_zero_give_each_sweep_once() {
    for count in 1..=MOST {
        let order = StealOrder::new(count);
        let number = count * coprimes(count);
        let distinct: BTreeSet<(usize, usize)> = (0..number)
            .map(|seed| {
                let mut sweep = order.start(u32::try_from(seed).expect("small"));
                let first = sweep.next().expect("there is a victim");
                let second = sweep.next().unwrap_or(first);
                (first, (second + count - first) % count)
            })
            .collect();
        assert_eq!(distinct.len(), number, "{count} victims");
        let starts: BTreeSet<usize> = distinct.iter().map(|sweep| sweep.0).collect();
        assert!(starts.into_iter().eq(0..count), "{count} victims: every one comes first");
    }
}

#[test]
fn equal_seeds_give_equal_sweeps() {
    let order = StealOrder::new(12);
    for seed in [0, 1, 77, u32::MAX] {
        assert!(order.start(seed).eq(StealOrder::new(12).start(seed)));
    }
}

#[test]
fn large_seeds_are_seeds_too() {
    for count in 1..=MOST {
        let order = StealOrder::new(count);
        for seed in (u32::MAX - 100)..=u32::MAX {
            let victims: BTreeSet<usize> = order.start(seed).collect();
            assert_eq!(victims.len(), count);
        }
    }
}

#[test]
fn without_victims_there_is_nothing_to_visit() {
    assert_eq!(StealOrder::new(0).start(7).next(), None);
    assert_eq!(StealOrder::default().start(7).next(), None);
}

#[test]
fn a_sweep_knows_how_many_victims_are_left_and_ends_for_good() {
    let mut sweep = StealOrder::new(3).start(1);
    for left in (0..3).rev() {
        assert_eq!(sweep.len(), left + 1);
        assert!(sweep.next().is_some());
        assert_eq!(sweep.len(), left);
    }
    assert_eq!((sweep.next(), sweep.next()), (None, None));
}

#[test]
fn resizing_gives_the_order_of_the_new_number_and_leaves_old_sweeps_alone() {
    let mut order = StealOrder::new(6);
    let old = order.start(5);
    for count in [6, 1, 0, 9, 2] {
        order.resize(count);
        assert_eq!(order.count(), count);
        assert!(order.start(77).eq(StealOrder::new(count).start(77)));
    }
    assert!(old.eq(StealOrder::new(6).start(5)));
}
