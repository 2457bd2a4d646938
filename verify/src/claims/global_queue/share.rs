//! The fair share: Go's rule, in one thread and in two.

use std::num::NonZeroUsize;

use gosched::memory::Shared;
use gosched::{Batch, GlobalQueue};

use crate::claim::{Model, Outcome, Witness};
use crate::world::World;

fn number(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("not zero")
}

/// Compares every small share with the rule.
pub(super) fn gos_rule(_: u32) -> Result<u64, String> {
    let mut shares = 0;
    for len in 0..=40 {
        for processors in 1..=8 {
            for max in 0..=len + 1 {
                let queue = GlobalQueue::with_memory_and_block(number(5));
                queue.push_batch((1..=len).map(number).collect());
                let mut share = Batch::new();
                let said = queue.pop_share(number(processors), max, &mut share);
                let share: Vec<usize> = share.into_iter().map(NonZeroUsize::get).collect();
                let expected = max.min(len).min(len / processors + 1);
                let right = said == expected
                    && share.iter().copied().eq(1..=expected)
                    && queue.pop_all().into_iter().map(NonZeroUsize::get).eq(expected + 1..=len);
                if !right {
                    return Err(format!(
                        "of {len} tasks, 1 of {processors} processors, at most {max}: said {said}, \
                         should be {expected}, took {share:?}"
                    ));
                }
                shares += 1;
            }
        }
    }
    Ok(shares)
}

/// Two of two processors take their share of five tasks at once, while the reserved room of one of
/// them may be out of date.
pub(super) struct TwoTakers;

impl TwoTakers {
    fn take<W: World>(queue: &GlobalQueue<NonZeroUsize, W>) -> Vec<usize> {
        let mut share = Batch::with_memory();
        queue.pop_share(number(2), usize::MAX, &mut share);
        share.into_iter().map(NonZeroUsize::get).collect()
    }
}

impl Model for TwoTakers {
    fn run<W: World>(&self) -> Outcome {
        let queue = W::Arc::new(GlobalQueue::<NonZeroUsize, W>::with_memory_and_block(number(2)));
        queue.push(number(1));
        let other = W::spawn({
            let queue = queue.clone();
            move || {
                queue.push_batch((2..=5).map(number).collect());
                Self::take(&queue)
            }
        });
        let mine = Self::take(&queue);
        let other = W::join(other);
        // Before the batch, between the batch and the other's share, or after both.
        let in_turn: [(&[usize], &[usize]); 3] =
            [(&[1], &[2, 3, 4]), (&[1, 2, 3], &[4, 5]), (&[4, 5], &[1, 2, 3])];
        assert!(
            in_turn.contains(&(mine.as_slice(), other.as_slice())),
            "no order of the steps gives these shares: {mine:?} {other:?}"
        );
        format!("{mine:?} {other:?}")
    }

    fn witnesses(&self) -> Vec<Witness> {
        vec![
            Witness {
                name: "the share came before the batch",
                seen_in: |outcome| outcome.starts_with("[1] "),
            },
            Witness {
                name: "the queue grew between the look and the lock, or before",
                seen_in: |outcome| outcome.starts_with("[1, 2, 3]"),
            },
            Witness { name: "the other was first", seen_in: |outcome| outcome.starts_with("[4") },
        ]
    }
}
