//! The axioms of RC11 and of the asymmetric fences, written as in the papers.
//!
//! `hb` needs no modification order, so it is computed once for a choice of reads-from; then come
//! coherence and atomicity, word by word; last the one axiom that ties the words together, the
//! acyclicity of `psc`.
//!
//! Sources: Lahav, Vafeiadis, Kang, Hur, Dreyer, *Repairing Sequential Consistency in C/C++11*,
//! PLDI 2017, with C++20's release sequences; C++ proposal P1202 for the light and heavy fences.

use gosched::memory::Ordering;

use crate::relation::{Relation, Set};

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
    Fence,
    Light,
    Heavy,
}

/// An event. The initial write of a word has no thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) thread: Option<usize>,
    pub(crate) kind: Kind,
    pub(crate) word: Option<usize>,
    pub(crate) order: Ordering,
}

/// The events of an execution, and who reads from whom. Those of a thread stand in program order.
#[derive(Clone, Debug)]
pub(crate) struct Skeleton {
    pub(crate) events: Vec<Event>,
    /// Write to read.
    pub(crate) rf: Relation,
    /// Read to write of one read-modify-write.
    pub(crate) rmw: Relation,
}

/// What follows from a skeleton alone.
#[derive(Debug)]
pub(crate) struct Ordered<'a> {
    skeleton: &'a Skeleton,
    sb: Relation,
    pub(crate) hb: Relation,
}

impl Skeleton {
    fn set(&self, holds: impl Fn(&Event) -> bool) -> Set {
        let members = self.events.iter().enumerate().filter(|(_, event)| holds(event));
        members.fold(0, |set, (index, _)| set | 1 << index)
    }

    fn kind(&self, kind: Kind) -> Set {
        self.set(|event| event.kind == kind)
    }

    /// Computes `hb`.
    pub(crate) fn order(&self) -> Ordered<'_> {
        let events = &self.events;
        let sb = Relation::of(events.len(), |a, b| {
            a < b && events[a].thread.is_some() && events[a].thread == events[b].thread
        });
        let first = Relation::of(events.len(), |a, b| {
            events[a].thread.is_none() && events[b].thread.is_some()
        });
        let hb = (sb | first | self.synchronises(&sb)).closure();
        Ordered { skeleton: self, sb, hb }
    }

    /// `sw = [rel] ; ([F] ; sb)? ; rs ; rf ; [R] ; (sb ; [F])? ; [acq]`, with
    /// `rs = [W] ; (rf ; rmw)*`, and the same from light to heavy fences and back.
    fn synchronises(&self, sb: &Relation) -> Relation {
        let released =
            |order| matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst);
        let acquired =
            |order| matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst);
        let (reads, writes) = (self.kind(Kind::Read), self.kind(Kind::Write));
        let (light, heavy) = (self.kind(Kind::Light), self.kind(Kind::Heavy));
        let fences = self.kind(Kind::Fence) | heavy;
        let rel = heavy | self.set(|e| e.kind != Kind::Light && released(e.order));
        let acq = heavy | self.set(|e| e.kind != Kind::Light && acquired(e.order));

        let sequence = self.rf.then(&self.rmw).closure().or_nothing();
        let message = sequence.then(&self.rf).between(writes, reads);
        let from_fence = sb.between(fences, writes) | Relation::identity(writes);
        let to_fence = sb.between(reads, fences) | Relation::identity(reads);
        let ordinary = from_fence.then(&message).then(&to_fence).between(rel, acq);

        let between = sb.between(light | heavy, writes).then(&message).then(sb);
        ordinary | between.between(light, heavy) | between.between(heavy, light)
    }
}

impl Ordered<'_> {
    /// COHERENCE and ATOMICITY, for one word whose writes stand in this order.
    pub(crate) fn is_coherent(&self, mo: &Relation, word: usize) -> bool {
        let here = self.skeleton.set(|event| event.word == Some(word));
        let rf = self.skeleton.rf.between(here, here);
        let fr = rf.inverse().then(mo).without(&Relation::identity(Set::MAX));
        let eco = (rf | *mo | fr).closure();
        self.hb.is_irreflexive()
            && self.hb.then(&eco).is_irreflexive()
            && self.skeleton.rmw.and(&fr.then(mo)).is_empty()
    }

    /// SC: `psc` is acyclic. `mo` is that of all words.
    pub(crate) fn is_sequentially_consistent(&self, mo: &Relation) -> bool {
        let Skeleton { events, rf, .. } = self.skeleton;
        let light = self.skeleton.kind(Kind::Light);
        let heavy = self.skeleton.kind(Kind::Heavy);
        let seq_cst = heavy | self.skeleton.set(|event| event.order == Ordering::SeqCst);
        let fences = seq_cst & (heavy | self.skeleton.kind(Kind::Fence));
        if (seq_cst | light).count_ones() < 2 {
            return true;
        }
        let fr = rf.inverse().then(mo).without(&Relation::identity(Set::MAX));
        let eco = (*rf | *mo | fr).closure();

        let same_word = Relation::of(events.len(), |a, b| {
            events[a].word.is_some() && events[a].word == events[b].word
        });
        let sb_elsewhere = self.sb.without(&same_word);
        let scb = self.sb
            | sb_elsewhere.then(&self.hb).then(&sb_elsewhere)
            | self.hb.and(&same_word)
            | *mo
            | fr;
        let hb_maybe = self.hb.or_nothing();
        let starts = Relation::identity(seq_cst) | hb_maybe.between(fences, Set::MAX);
        let ends = Relation::identity(seq_cst) | hb_maybe.between(Set::MAX, fences);
        let psc_base = starts.then(&scb).then(&ends);
        let around = self.hb | self.hb.then(&eco).then(&self.hb);
        let psc_fences = around.between(fences, fences);
        let psc_asymmetric = around.between(light, heavy) | around.between(heavy, light);
        (psc_base | psc_fences | psc_asymmetric).is_acyclic()
    }
}
