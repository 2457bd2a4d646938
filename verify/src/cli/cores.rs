//! The processor cores of a run, and how many of them a check gets.
//!
//! A check needs one core; the explorer's can use several, since one search can be divided. So
//! checks run side by side as long as there are enough of them, and the last ones, or a single one
//! that was selected, get the cores that would be idle.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// Which check is next, and how many cores nobody uses.
#[derive(Debug)]
pub(super) struct Cores {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: usize,
    free: usize,
}

/// A check, by its place in the order of the run, and the cores that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Its place.
    pub(super) place: usize,
    /// Its cores.
    pub(super) cores: NonZeroUsize,
}

impl Cores {
    /// So many cores, all free.
    #[must_use]
    pub(super) fn new(cores: usize) -> Self {
        Self { state: Mutex::new(State { next: 0, free: cores }) }
    }

    /// The next of `checks` checks, if there is one. The free cores are shared among it and those
    /// that are still to come, which `can_share` says how to use.
    pub(super) fn take(&self, checks: usize, can_share: impl Fn(usize) -> bool) -> Option<Turn> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = state.next;
        if place >= checks {
            return None;
        }
        state.next += 1;
        let share = if can_share(place) { state.free / (checks - place) } else { 1 };
        let cores = NonZeroUsize::new(share).unwrap_or(NonZeroUsize::MIN);
        state.free = state.free.saturating_sub(cores.get());
        Some(Turn { place, cores })
    }

    /// The check is over.
    pub(super) fn give_back(&self, turn: Turn) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).free += turn.cores.get();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores_of(cores: usize, checks: usize, can_share: fn(usize) -> bool) -> Vec<usize> {
        let cores = Cores::new(cores);
        let turns = core::iter::from_fn(|| cores.take(checks, can_share));
        turns.map(|turn| turn.cores.get()).collect()
    }

    #[test]
    fn the_cores_are_shared_when_there_are_fewer_checks_than_cores() {
        assert_eq!(cores_of(4, 1, |_| true), [4]);
        assert_eq!(cores_of(4, 2, |_| true), [2, 2]);
        assert_eq!(cores_of(4, 3, |_| true), [1, 1, 2]);
        assert_eq!(cores_of(4, 4, |_| true), [1, 1, 1, 1]);
        assert_eq!(cores_of(8, 2, |place| place == 0), [4, 1]);
        assert_eq!(cores_of(1, 3, |_| true), [1, 1, 1], "nobody gets less than one");
    }

    #[test]
    fn the_last_check_gets_what_has_become_free() {
        let cores = Cores::new(4);
        let turns: Vec<Turn> = (0..4).filter_map(|_| cores.take(5, |_| true)).collect();
        turns[..3].iter().for_each(|&turn| cores.give_back(turn));
        let last = cores.take(5, |_| true).expect("there is a fifth check");
        assert_eq!((last.place, last.cores.get()), (4, 3));
        assert_eq!(cores.take(5, |_| true), None);
    }
}
