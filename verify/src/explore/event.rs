//! Events: what a thread did, one memory operation each, and the clocks that order them.
//!
//! An event is named by its thread and its number in it. That name survives whatever the search
//! does to the graph around it. With each event go the clocks that answer "does x happen before y"
//! by one comparison, computed once, when the event is added: what comes later never changes them.

use std::panic::Location;

use gosched::memory::Ordering;

/// Threads of a model, the main one included.
pub const THREADS_MAX: usize = 8;

/// An event: the `index`-th of its thread, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct EventId {
    pub(super) thread: u8,
    pub(super) index: u16,
}

/// A location, named by the thread that made it and how many it had made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Loc {
    pub(super) thread: u8,
    pub(super) number: u16,
}

/// A set of events that holds, with each event, all before it in its thread: how many of each
/// thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clock([u16; THREADS_MAX]);

impl Clock {
    pub(super) fn of(&self, thread: u8) -> u16 {
        self.0[usize::from(thread)]
    }

    pub(super) fn set(&mut self, thread: u8, count: u16) {
        self.0[usize::from(thread)] = count;
    }

    pub(super) fn has(&self, event: EventId) -> bool {
        self.of(event.thread) > event.index
    }

    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }
}

/// A fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fence {
    /// `Acquire`, `Release`, `AcqRel` or `SeqCst`.
    Ordered(Ordering),
    /// The frequent side of an asymmetric pair.
    Light,
    /// The rare side: a `SeqCst` fence that also orders light ones.
    Heavy,
}

impl Fence {
    pub(super) fn acquires(self) -> bool {
        match self {
            Self::Ordered(order) => acquires(order),
            Self::Light => false,
            Self::Heavy => true,
        }
    }

    pub(super) fn releases(self) -> bool {
        match self {
            Self::Ordered(order) => releases(order),
            Self::Light => false,
            Self::Heavy => true,
        }
    }

    /// A member of the total order of `SeqCst` operations.
    pub(super) fn is_seq_cst(self) -> bool {
        matches!(self, Self::Heavy | Self::Ordered(Ordering::SeqCst))
    }
}

pub(super) fn acquires(order: Ordering) -> bool {
    matches!(order, Ordering::Acquire | Ordering::AcqRel | Ordering::SeqCst)
}

pub(super) fn releases(order: Ordering) -> bool {
    matches!(order, Ordering::Release | Ordering::AcqRel | Ordering::SeqCst)
}

/// The arithmetic of a read-modify-write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Arithmetic {
    Swap,
    Add,
    Sub,
    And,
    Or,
    Xor,
    Max,
    Min,
}

/// What reads, and what it would write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ReadKind {
    Load(Ordering),
    /// Always writes. `mask` has the bits of the location's width.
    Modify {
        arithmetic: Arithmetic,
        operand: u64,
        mask: u64,
        order: Ordering,
    },
    /// Writes if it reads `expected`.
    Exchange {
        expected: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
        weak: bool,
    },
    /// Waits until it reads `expected`, and writes `new`: a lock, a parking place. A thread whose
    /// last event is one that read something else is blocked.
    Await {
        expected: u64,
        new: u64,
        order: Ordering,
    },
}

impl ReadKind {
    /// What is written when `value` is read; `None` if nothing is.
    pub(super) fn writes(self, value: u64) -> Option<u64> {
        match self {
            Self::Load(_) => None,
            Self::Modify { arithmetic, operand, mask, .. } => {
                let result = match arithmetic {
                    Arithmetic::Swap => operand,
                    Arithmetic::Add => value.wrapping_add(operand),
                    Arithmetic::Sub => value.wrapping_sub(operand),
                    Arithmetic::And => value & operand,
                    Arithmetic::Or => value | operand,
                    Arithmetic::Xor => value ^ operand,
                    Arithmetic::Max => value.max(operand),
                    Arithmetic::Min => value.min(operand),
                };
                Some(result & mask)
            }
            Self::Exchange { expected, new, .. } | Self::Await { expected, new, .. } => {
                (value == expected).then_some(new)
            }
        }
    }

    /// The ordering of the read, and of the write if there is one. A failed exchange has its
    /// failure ordering.
    pub(super) fn order(self, exclusive: bool) -> Ordering {
        match self {
            Self::Load(order) | Self::Modify { order, .. } | Self::Await { order, .. } => order,
            Self::Exchange { success, failure, .. } => {
                if exclusive {
                    success
                } else {
                    failure
                }
            }
        }
    }

    pub(super) fn is_weak(self) -> bool {
        matches!(self, Self::Exchange { weak: true, .. })
    }
}

/// A read: where, of what, and from which write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) loc: Loc,
    pub(super) kind: ReadKind,
    /// The write it reads from; `None` is the initial value.
    pub(super) from: Option<EventId>,
    pub(super) value: u64,
    /// A weak exchange that failed although it read what it expected.
    pub(super) spurious: bool,
}

impl Read {
    /// What the write that follows at once writes, if one does.
    pub(super) fn writes(&self) -> Option<u64> {
        if self.spurious { None } else { self.kind.writes(self.value) }
    }

    pub(super) fn is_exclusive(&self) -> bool {
        self.writes().is_some()
    }

    pub(super) fn order(&self) -> Ordering {
        self.kind.order(self.is_exclusive())
    }

    /// It waits for another value, and its thread with it.
    pub(super) fn is_blocked(&self) -> bool {
        matches!(self.kind, ReadKind::Await { .. }) && !self.is_exclusive()
    }
}

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) loc: Loc,
    pub(super) value: u64,
    pub(super) order: Ordering,
    /// It is the second half of a read-modify-write, whose read is the event before.
    pub(super) exclusive: bool,
}

/// What an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Read(Read),
    Write(Write),
    Fence(Fence),
    /// Started a thread.
    Spawn(u8),
    /// Waited for a thread's end.
    Join(u8),
    /// The thread ended.
    End,
    /// Picked one of several alternatives.
    Choice {
        of: u8,
        picked: u8,
    },
}

impl Label {
    pub(super) fn loc(&self) -> Option<Loc> {
        match self {
            Self::Read(read) => Some(read.loc),
            Self::Write(write) => Some(write.loc),
            _ => None,
        }
    }

    pub(super) fn is_seq_cst(&self) -> bool {
        match self {
            Self::Read(read) => read.order() == Ordering::SeqCst,
            Self::Write(write) => write.order == Ordering::SeqCst,
            Self::Fence(fence) => fence.is_seq_cst(),
            _ => false,
        }
    }
}

/// What an event knows of others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clocks {
    /// What happens before it, and itself.
    pub(super) hb: Clock,
    /// What it depends on by program order and reads-from, and itself.
    pub(super) porf: Clock,
    /// What an acquire fence after it would add to `hb`.
    acquired: Clock,
    /// `hb` at the thread's last release fence.
    released: Clock,
    /// Of a write: what an acquiring reader adds to its `hb`.
    message: Clock,
    asymmetric: Asymmetric,
}

/// The same for the two asymmetric fences: a light fence releases to heavy ones only, and acquires
/// from them only; and the other way round.
#[derive(Clone, Copy, Debug, Default)]
struct Asymmetric {
    light_released: Clock,
    heavy_released: Clock,
    light_message: Clock,
    heavy_message: Clock,
    light_acquired: Clock,
    heavy_acquired: Clock,
}

impl Clocks {
    /// The clocks of a thread before its first event, whose start had the clocks `spawn`.
    pub(super) fn of_child(spawn: &Self) -> Self {
        Self { hb: spawn.hb, porf: spawn.porf, ..Self::default() }
    }

    /// The clocks of an event after one with these, which does not yet do anything.
    pub(super) fn step(&self, event: EventId) -> Self {
        let mut next = *self;
        next.message = Clock::default();
        next.asymmetric.light_message = Clock::default();
        next.asymmetric.heavy_message = Clock::default();
        next.hb.set(event.thread, event.index + 1);
        next.porf.set(event.thread, event.index + 1);
        next
    }

    /// Reads from the write with the clocks `from`; `None` is the initial value.
    pub(super) fn read(&mut self, order: Ordering, from: Option<&Self>) {
        let Some(from) = from else { return };
        self.porf.join(&from.porf);
        self.acquired.join(&from.message);
        self.asymmetric.light_acquired.join(&from.asymmetric.light_message);
        self.asymmetric.heavy_acquired.join(&from.asymmetric.heavy_message);
        if acquires(order) {
            self.hb.join(&from.message);
        }
    }

    /// Writes; `replaced` is what a read-modify-write has read from, whose release sequence it
    /// continues.
    pub(super) fn write(&mut self, order: Ordering, replaced: Option<&Self>) {
        self.message = if releases(order) { self.hb } else { self.released };
        self.asymmetric.light_message = self.asymmetric.light_released;
        self.asymmetric.heavy_message = self.asymmetric.heavy_released;
        if let Some(replaced) = replaced {
            self.message.join(&replaced.message);
            self.asymmetric.light_message.join(&replaced.asymmetric.light_message);
            self.asymmetric.heavy_message.join(&replaced.asymmetric.heavy_message);
        }
    }

    pub(super) fn fence(&mut self, fence: Fence) {
        if fence.acquires() {
            self.hb.join(&self.acquired);
        }
        match fence {
            Fence::Light => self.hb.join(&self.asymmetric.heavy_acquired),
            Fence::Heavy => self.hb.join(&self.asymmetric.light_acquired),
            Fence::Ordered(_) => {}
        }
        if fence.releases() {
            self.released = self.hb;
        }
        match fence {
            Fence::Light => self.asymmetric.light_released = self.hb,
            Fence::Heavy => self.asymmetric.heavy_released = self.hb,
            Fence::Ordered(_) => {}
        }
    }

    /// Waits for the end of a thread, whose last event has the clocks `end`.
    pub(super) fn join(&mut self, end: &Self) {
        self.hb.join(&end.hb);
        self.porf.join(&end.porf);
    }
}

/// An event of a graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) label: Label,
    /// When it was added, among all events of the graph.
    pub(super) stamp: u32,
    pub(super) clocks: Clocks,
    /// The line of the program.
    pub(super) at: &'static Location<'static>,
}
