//! Binary relations on at most 32 events, as rows of bits: the algebra in which the axioms of a
//! memory model are written. Nothing here is clever, so that it can be read as the definition.

use std::ops::BitOr;

/// A set of events: bit `n` is event `n`.
pub(crate) type Set = u32;

/// The most events that a relation can be on.
pub(crate) const EVENTS_MAX: usize = Set::BITS as usize;

/// A relation: row `a` is the set of the events that `a` is related to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relation([Set; EVENTS_MAX]);

impl Relation {
    pub(crate) const EMPTY: Self = Self([0; EVENTS_MAX]);

    /// `[set]`: each member to itself.
    pub(crate) fn identity(set: Set) -> Self {
        Self(std::array::from_fn(|a| set & 1 << a))
    }

    /// The pairs for which `relates` holds, among the first `count` events.
    pub(crate) fn of(count: usize, relates: impl Fn(usize, usize) -> bool) -> Self {
        let mut relation = Self::EMPTY;
        for a in 0..count {
            for b in (0..count).filter(|&b| relates(a, b)) {
                relation.insert(a, b);
            }
        }
        relation
    }

    pub(crate) fn insert(&mut self, a: usize, b: usize) {
        self.0[a] |= 1 << b;
    }

    pub(crate) fn has(&self, a: usize, b: usize) -> bool {
        self.0[a] >> b & 1 == 1
    }

    /// `self ; next`: a step of the one, then a step of the other.
    pub(crate) fn then(&self, next: &Self) -> Self {
        Self(self.0.map(|row| union_of(row, &next.0)))
    }

    /// `self?`: or no step at all.
    pub(crate) fn or_nothing(&self) -> Self {
        *self | Self::identity(Set::MAX)
    }

    pub(crate) fn inverse(&self) -> Self {
        Self::of(EVENTS_MAX, |a, b| self.has(b, a))
    }

    /// `self⁺`: one step or several.
    pub(crate) fn closure(&self) -> Self {
        let mut closed = *self;
        for middle in 0..EVENTS_MAX {
            let beyond = closed.0[middle];
            for row in &mut closed.0 {
                if *row >> middle & 1 == 1 {
                    *row |= beyond;
                }
            }
        }
        closed
    }

    /// `[from] ; self ; [to]`.
    pub(crate) fn between(&self, from: Set, to: Set) -> Self {
        Self(std::array::from_fn(|a| if from >> a & 1 == 1 { self.0[a] & to } else { 0 }))
    }

    /// The pairs of both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|a| self.0[a] & other.0[a]))
    }

    /// The pairs of this one that are not in the other.
    pub(crate) fn without(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|a| self.0[a] & !other.0[a]))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0 == [0; EVENTS_MAX]
    }

    /// Nothing is related to itself.
    pub(crate) fn is_irreflexive(&self) -> bool {
        self.0.iter().enumerate().all(|(a, row)| row >> a & 1 == 0)
    }

    pub(crate) fn is_acyclic(&self) -> bool {
        self.closure().is_irreflexive()
    }
}

/// The union of the rows that `set` names.
fn union_of(mut set: Set, rows: &[Set; EVENTS_MAX]) -> Set {
    let mut union = 0;
    while set != 0 {
        union |= rows[set.trailing_zeros() as usize];
        set &= set - 1;
    }
    union
}

impl BitOr for Relation {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(std::array::from_fn(|a| self.0[a] | other.0[a]))
    }
}
