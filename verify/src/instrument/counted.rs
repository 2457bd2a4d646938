//! `Counted<W>`: what an operation costs, in numbers that no noise can blur.
//!
//! A nanosecond depends on the machine, on its neighbours and on the hour. The number of atomic
//! read-modify-writes and fences does not, and it is what a scheduler's hot path is made of. So "a
//! pop costs one read-modify-write and no fence" is a claim that a test can state exactly.

use std::cell::Cell;
use std::fmt;
use std::ops::Sub;

use gosched::memory::Memory;

use super::{Hook, Instrumented, Kind, Operation};

/// The world `W`, which counts. Outside of a [section](Instrumented::section) it counts nothing.
pub type Counted<W> = Instrumented<W, Count>;

/// The hook of [`Counted`].
#[derive(Debug)]
pub struct Count(());

/// How often the calling thread did what, in a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Counts {
    /// Atomic loads.
    pub loads: u64,
    /// Atomic stores.
    pub stores: u64,
    /// Atomic read-modify-writes that wrote: swaps, `fetch_*`, compare-exchanges that succeeded.
    pub rmws: u64,
    /// Compare-exchanges that did not write. On most machines they cost as much as those that do.
    pub failed_cas: u64,
    /// Fences, without the asymmetric ones.
    pub fences: u64,
    /// Light fences.
    pub light_fences: u64,
    /// Heavy fences.
    pub heavy_fences: u64,
    /// Read accesses of cells.
    pub cell_reads: u64,
    /// Write accesses of cells.
    pub cell_writes: u64,
    /// Locks taken.
    pub locks: u64,
    /// Whatever is counted here and happened while a lock was held. What the lock itself guards is
    /// reached by plain references, which no world can see.
    pub accesses_under_lock: u64,
    /// Calls of `park`.
    pub parks: u64,
    /// Calls of `unpark`.
    pub unparks: u64,
}

impl Counts {
    /// Every count, with its name.
    #[must_use]
    pub fn by_name(&self) -> [(&'static str, u64); 13] {
        [
            ("loads", self.loads),
            ("stores", self.stores),
            ("RMWs", self.rmws),
            ("failed CAS", self.failed_cas),
            ("fences", self.fences),
            ("light fences", self.light_fences),
            ("heavy fences", self.heavy_fences),
            ("cell reads", self.cell_reads),
            ("cell writes", self.cell_writes),
            ("locks", self.locks),
            ("accesses under a lock", self.accesses_under_lock),
            ("parks", self.parks),
            ("unparks", self.unparks),
        ]
    }

    fn of(&mut self, kind: Kind, succeeded: bool) -> Option<&mut u64> {
        Some(match kind {
            Kind::Load => &mut self.loads,
            Kind::Store => &mut self.stores,
            Kind::CompareExchange if !succeeded => &mut self.failed_cas,
            Kind::ReadModifyWrite | Kind::CompareExchange => &mut self.rmws,
            Kind::Fence => &mut self.fences,
            Kind::LightFence => &mut self.light_fences,
            Kind::HeavyFence => &mut self.heavy_fences,
            Kind::CellRead => &mut self.cell_reads,
            Kind::CellWrite => &mut self.cell_writes,
            Kind::Lock => &mut self.locks,
            Kind::Park => &mut self.parks,
            Kind::Unpark => &mut self.unparks,
            Kind::Unlock => return None,
        })
    }
}

/// The counts that are not zero: `2 loads, 1 RMWs`; `nothing` if all are.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = self.by_name().into_iter().filter(|(_, count)| *count > 0);
        let text: Vec<_> = counted.map(|(name, count)| format!("{count} {name}")).collect();
        f.write_str(if text.is_empty() { "nothing" } else { "" })?;
        f.write_str(&text.join(", "))
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            loads: self.loads - before.loads,
            stores: self.stores - before.stores,
            rmws: self.rmws - before.rmws,
            failed_cas: self.failed_cas - before.failed_cas,
            fences: self.fences - before.fences,
            light_fences: self.light_fences - before.light_fences,
            heavy_fences: self.heavy_fences - before.heavy_fences,
            cell_reads: self.cell_reads - before.cell_reads,
            cell_writes: self.cell_writes - before.cell_writes,
            locks: self.locks - before.locks,
            accesses_under_lock: self.accesses_under_lock - before.accesses_under_lock,
            parks: self.parks - before.parks,
            unparks: self.unparks - before.unparks,
        }
    }
}

/// A section under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Section {
    counts: Counts,
    locks_held: u32,
}

thread_local! {
    /// The section of the thread that runs, if it is in one.
    static SECTION: Cell<Option<Section>> = const { Cell::new(None) };
}

impl Hook for Count {
    const NAME: &'static str = "counted";
    type Paused = Option<Section>;

    fn begin(_: &mut Operation) {}

    fn end(operation: &Operation, succeeded: bool) {
        let Some(mut section) = SECTION.get() else { return };
        if let Some(count) = section.counts.of(operation.kind, succeeded) {
            *count += 1;
            section.counts.accesses_under_lock += u64::from(section.locks_held > 0);
        }
        match operation.kind {
            Kind::Lock => section.locks_held += 1,
            // A lock that was taken before the section began.
            Kind::Unlock => section.locks_held = section.locks_held.saturating_sub(1),
            _ => {}
        }
        SECTION.set(Some(section));
    }

    fn pause() -> Self::Paused {
        SECTION.take()
    }

    fn resume(paused: Self::Paused) {
        SECTION.set(paused);
    }
}

/// Ends the section when dropped, by a panic too, and goes back to the section around it.
struct End {
    around: Option<Section>,
}

impl Drop for End {
    fn drop(&mut self) {
        SECTION.set(self.around.map(|around| Section {
            counts: SECTION.get().unwrap_or(around).counts,
            locks_held: around.locks_held,
        }));
    }
}

impl<W: Memory> Counted<W> {
    /// Runs `f` and returns, beside its result, what the calling thread did on this memory
    /// meanwhile. What other threads do is not counted, nor what runs inside the last drop of an
    /// `Arc`. A section in a section counts in both.
    ///
    /// ```
    /// use gosched::memory::{Atomic, AtomicInt, Hardware, Memory, Ordering};
    /// use gosched_verify::instrument::{Counted, Counts};
    ///
    /// type Mem = Counted<Hardware>;
    /// let word = <Mem as Memory>::AtomicU64::new(7);
    /// let (before, counts) = Mem::section(|| word.fetch_add(1, Ordering::Relaxed));
    /// assert_eq!(before, 7);
    /// assert_eq!(counts, Counts { rmws: 1, ..Counts::default() });
    /// ```
    pub fn section<R>(f: impl FnOnce() -> R) -> (R, Counts) {
        let around = SECTION.get();
        let begun = around.unwrap_or_default();
        SECTION.set(Some(begun));
        let _end = End { around };
        let result = f();
        (result, SECTION.get().unwrap_or_default().counts - begun.counts)
    }
}
