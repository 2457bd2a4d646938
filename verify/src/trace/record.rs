//! What is kept of a run: for each machine, its events, in short.
//!
//! The recorder must not change what it watches. So nobody locks or waits in it, and it makes no
//! operation of the memory under check: an event is written by one plain store to a place that
//! only its machine writes, and the lists are read when all threads are joined.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use gosched::{Event, Observer, Place};

use crate::specification::state::NONE;

/// How many machines have a list.
pub const MACHINES: usize = 16;
/// The list of the thread that is no machine.
pub const OUTSIDE: usize = MACHINES;
/// How many events a list has room for.
const ROOM: usize = 256;

/// Declares the kinds of events.
macro_rules! kinds {
    ($($kind:ident),+ $(,)?) => {
        /// What kind an event is: the variant of [`Event`], the places of a submission apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are those of the events")]
        pub enum Kind { $($kind),+ }

        impl Kind {
            const ALL: &[Self] = &[$(Self::$kind),+];
        }
    };
}

kinds! {
    SubmittedSlot, SubmittedRing, SubmittedGlobal, Woke, NotWoke, Roused, Started, Began, Popped,
    TookShare, Searches, Stole, Found, PutDown, Looked, TookForWork, Parked, HandsOff, Entered,
    Kept, Got, NoProcessor, Retaken, AskedToYield, Exited, Stopped, Other,
}

/// An event, in short. What it does not tell is `NONE` or 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    /// Its kind.
    pub kind: Kind,
    /// The processor, of a steal the victim; or `NONE`.
    pub p: u8,
    /// How many tasks.
    pub count: u8,
    /// Searching, look, or found.
    pub flag: bool,
    /// The machine that was roused or started; or `NONE`.
    pub machine: u8,
}

fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(NONE - 1)
}

impl Seen {
    /// An event of this kind that tells nothing more.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, p: NONE, count: 0, flag: false, machine: NONE }
    }

    /// With the processor.
    #[must_use]
    pub fn on(self, processor: usize) -> Self {
        Self { p: byte(processor), ..self }
    }

    /// With the number of tasks.
    #[must_use]
    pub fn of(self, count: usize) -> Self {
        Self { count: byte(count), ..self }
    }

    /// With the flag.
    #[must_use]
    pub fn flag(self, flag: bool) -> Self {
        Self { flag, ..self }
    }

    /// With the machine.
    #[must_use]
    pub fn machine(self, machine: usize) -> Self {
        Self { machine: byte(machine), ..self }
    }

    fn to_bits(self) -> u64 {
        let bytes = [self.kind as u8, self.p, self.count, self.flag.into(), self.machine, 0, 0, 0];
        u64::from_le_bytes(bytes)
    }

    fn from_bits(bits: u64) -> Self {
        let [kind, p, count, flag, machine, ..] = bits.to_le_bytes();
        Self { kind: Kind::ALL[usize::from(kind)], p, count, flag: flag != 0, machine }
    }
}

impl From<Event> for Seen {
    fn from(event: Event) -> Self {
        let on = |kind, processor| Self::new(kind).on(processor);
        match event {
            Event::Submitted { place, count } => Self::new(match place {
                Place::Slot => Kind::SubmittedSlot,
                Place::Ring => Kind::SubmittedRing,
                Place::Global => Kind::SubmittedGlobal,
            })
            .of(count),
            Event::Woke { processor } => on(Kind::Woke, processor),
            Event::NotWoke => Self::new(Kind::NotWoke),
            Event::Roused { sleeper, processor, searching } => {
                on(Kind::Roused, processor).flag(searching).machine(sleeper)
            }
            Event::Started { started, processor, searching } => {
                on(Kind::Started, processor).flag(searching).machine(started)
            }
            Event::Began { processor, searching } => on(Kind::Began, processor).flag(searching),
            Event::Popped { .. } => Self::new(Kind::Popped),
            Event::TookShare { count } => Self::new(Kind::TookShare).of(count),
            Event::Searches => Self::new(Kind::Searches),
            Event::Stole { victim, count } => on(Kind::Stole, victim).of(count),
            Event::Found { successor } => {
                successor.map_or(Self::new(Kind::Found), |p| on(Kind::Found, p))
            }
            Event::PutDown { processor, look } => on(Kind::PutDown, processor).flag(look),
            Event::Looked { found } => Self::new(Kind::Looked).flag(found),
            Event::TookForWork { processor } => on(Kind::TookForWork, processor),
            Event::Parked => Self::new(Kind::Parked),
            Event::HandsOff { processor } => on(Kind::HandsOff, processor),
            Event::Entered { processor } => on(Kind::Entered, processor),
            Event::Kept { processor } => on(Kind::Kept, processor),
            Event::Got { processor } => on(Kind::Got, processor),
            Event::NoProcessor => Self::new(Kind::NoProcessor),
            Event::Retaken { processor } => on(Kind::Retaken, processor),
            Event::AskedToYield { processor } => on(Kind::AskedToYield, processor),
            Event::Exited => Self::new(Kind::Exited),
            Event::Stopped { .. } | Event::Resumed { .. } => Self::new(Kind::Stopped),
            _ => Self::new(Kind::Other),
        }
    }
}

/// One machine's events.
#[derive(Debug)]
struct List {
    len: AtomicUsize,
    places: Box<[AtomicU64]>,
}

/// An [`Observer`] that keeps the events, a list for each machine.
#[derive(Debug)]
pub struct Recorder {
    lists: Vec<List>,
}

impl Default for Recorder {
    fn default() -> Self {
        let list = || List {
            len: AtomicUsize::new(0),
            places: (0..ROOM).map(|_| AtomicU64::new(0)).collect(),
        };
        Self { lists: (0..=OUTSIDE).map(|_| list()).collect() }
    }
}

impl Observer for Recorder {
    fn observe(&self, machine: Option<usize>, event: Event) {
        let list = &self.lists[machine.unwrap_or(OUTSIDE)];
        // ORDER: Relaxed: one thread at a time is the machine, and the lists are read after a join.
        let len = list.len.load(Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        list.places[len].store(Seen::from(event).to_bits(), Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        list.len.store(len + 1, Ordering::Relaxed);
    }
}

impl Recorder {
    /// The lists, when all threads that were observed are joined: those of the machines, in the
    /// order of their numbers, and that of the thread which is none.
    #[must_use]
    pub fn lists(&self) -> Vec<Vec<Seen>> {
        let seen = |list: &List| {
            // ORDER: Relaxed: the writers are joined.
            let len = list.len.load(Ordering::Relaxed);
            // ORDER: Relaxed: as above.
            let bits = list.places[..len].iter().map(|place| place.load(Ordering::Relaxed));
            bits.map(Seen::from_bits).collect()
        };
        self.lists.iter().map(seen).collect()
    }
}
