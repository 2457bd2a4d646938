//! The poll descriptor of a socket: what the kernel has said of it, and who waits for more.
//!
//! A socket is registered with the kernel once, for both directions, and the kernel tells of
//! *edges*: something may be possible now that was not before. So nothing is asked of the kernel
//! when an operation begins to wait, and an edge must not be lost, as it does not come again. Each
//! direction counts its edges, and an operation goes
//!
//! ```text
//!    seen = edges                 prepare
//!    the system call              try: done, or it would block
//!    edges == seen? wait          else once more from the top
//! ```
//!
//! An edge that comes at any time after the first step makes the third go round, and one that came
//! before it was there for the second. That is Go's `pollDesc` with a count in place of a flag, so
//! that any number of goroutines may wait for one direction.
//!
//! | what | who changes it |
//! |---|---|
//! | `edges`, `ended` | the poller, under the side's lock |
//! | `spent` | an operation that has found nothing more, or no room |
//! | `deadline` | `set_deadline`, under the lock |
//! | the wakers | who waits and who wakes, under the lock; they are woken after it |
//!
//= go1.27:src/runtime/netpoll.go#pollDesc

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::alarm::Alarm;
use super::kernel::Armed;
use crate::contain::contained;
use crate::engine::Engine;
use crate::select::below;

/// No deadline.
pub(crate) const NEVER: u64 = u64::MAX;
/// No poller has this number.
pub(super) const NOBODY: u64 = 0;

/// In how many directions of a poller's sockets somebody waits.
pub(super) type Count = AtomicUsize;

/// What a socket can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Something to read, a connection to accept, the end.
    Read,
    /// Room to write, a connection made.
    Write,
}

/// One socket's descriptor. Never freed, only used again.
#[repr(align(128))]
pub(crate) struct Descriptor {
    pub(super) index: u32,
    /// How many sockets have had it: what the kernel says of one that is gone is not for the next.
    generation: AtomicU32,
    /// The number of the poller that the socket is registered with.
    owner: AtomicU64,
    /// `close` was called.
    closed: AtomicBool,
    pub(super) armed: Armed,
    read: Side,
    write: Side,
}

/// One direction of a socket.
pub(crate) struct Side {
    /// How often the kernel has said that something may have changed. From 1.
    edges: AtomicU64,
    /// The value of `edges` at which the socket was found to have nothing more. 0: never.
    spent: AtomicU64,
    /// The kernel has said that the peer sends no more, or something else that makes a short read
    /// no proof of an empty socket.
    ended: AtomicBool,
    /// When operations fail, on the runtime's clock.
    deadline: AtomicU64,
    waiting: Mutex<Waiting>,
}

/// Who waits for one direction, and until when.
#[derive(Default)]
struct Waiting {
    wakers: Wakers,
    crowd: Crowd,
    alarm: Alarm,
    /// The poller's count. `None` while the descriptor is free.
    count: Option<Arc<Count>>,
}

/// Wakers: mostly one.
#[derive(Default)]
pub(crate) struct Wakers {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

/// How many wakers are kept before it is asked whether they are still somebody's.
///
/// Nobody tells us that a poll was given up, so its waker stays. When there are too many, all are
/// woken: those who still wait come back, and the rest are gone. Twice as many are too many from
/// then on if one of them is seen to come back; or a crowd that waits would be woken for ever, each
/// because of the others. One is watched, for twice as many askings as the one before it (Brent's
/// way to find a cycle, of any length).
#[derive(Default)]
struct Crowd {
    /// How often the bound was doubled.
    doubled: u32,
    /// How often all were asked since then.
    asked: u32,
    /// At which asking another one is watched.
    until: u32,
    watched: Option<Waker>,
}

/// The bound before it is doubled.
const CROWD: usize = 32;

/// What an attempt to wait has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// The waker is kept. The scheduler is to be told of a timer, if there is one.
    Kept(Option<u64>),
    /// Something has changed: the operation must be tried again.
    Again,
}

impl Descriptor {
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            generation: AtomicU32::new(0),
            owner: AtomicU64::new(NOBODY),
            closed: AtomicBool::new(false),
            armed: Armed::new(),
            read: Side::new(),
            write: Side::new(),
        }
    }

    pub(crate) fn side(&self, direction: Direction) -> &Side {
        match direction {
            Direction::Read => &self.read,
            Direction::Write => &self.write,
        }
    }

    pub(super) fn generation(&self) -> u32 {
        // ORDER: Relaxed: read by the socket's owner, or by the poller, for which a reading that is
        // too old means a needless wake.
        self.generation.load(Ordering::Relaxed)
    }

    pub(super) fn is_of(&self, owner: u64) -> bool {
        // ORDER: Relaxed: asked under the lock of the list, where it is written.
        self.owner.load(Ordering::Relaxed) == owner
    }

    /// A socket gets the descriptor. Under the lock of the list.
    pub(super) fn begin(&self, owner: u64, count: &Arc<Count>) {
        // ORDER: Relaxed, both: who uses the socket gets it from the one who registers it.
        self.owner.store(owner, Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        self.closed.store(false, Ordering::Relaxed);
        self.read.begin(count);
        self.write.begin(count);
    }

    /// The socket is gone. What was kept of those who waited is to be forgotten outside of locks.
    pub(super) fn end(&self, engine: &Engine) -> [Wakers; 2] {
        // ORDER: Relaxed: see `generation`.
        self.generation.fetch_add(1, Ordering::Relaxed);
        [self.read.end(engine), self.write.end(engine)]
    }

    /// It belongs to no poller. Under the lock of the list.
    pub(super) fn disown(&self) {
        // ORDER: Relaxed: see `is_of`.
        self.owner.store(NOBODY, Ordering::Relaxed);
    }

    /// Whether the socket was closed by `close`.
    pub(crate) fn is_closed(&self) -> bool {
        // ORDER: Acquire: pairs with the Release in `close`: who sees it may see what the one who
        // closed the socket did before.
        self.closed.load(Ordering::Acquire)
    }

    /// Closes it for all operations. False if it was closed before.
    pub(crate) fn close(&self) -> bool {
        // ORDER: AcqRel: Release: see `is_closed`. Acquire: one of two who close comes second, and
        // what the first did before is done.
        !self.closed.swap(true, Ordering::AcqRel)
    }
}

impl Side {
    fn new() -> Self {
        Self {
            edges: AtomicU64::new(1),
            spent: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            deadline: AtomicU64::new(NEVER),
            waiting: Mutex::default(),
        }
    }

    fn begin(&self, count: &Arc<Count>) {
        // ORDER: Relaxed, all: as in `Descriptor::begin`.
        self.spent.store(0, Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        self.ended.store(false, Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        self.deadline.store(NEVER, Ordering::Relaxed);
        self.waiting().count = Some(Arc::clone(count));
    }

    fn end(&self, engine: &Engine) -> Wakers {
        let mut waiting = self.waiting();
        waiting.alarm.cancel(engine);
        let mut wakers = waiting.take();
        wakers.rest.extend(std::mem::take(&mut waiting.crowd).watched);
        waiting.count = None;
        wakers
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many edges there have been: the first step of an operation.
    pub(crate) fn edges(&self) -> u64 {
        // ORDER: Acquire: pairs with the Release in `tell`: who sees the edge sees `ended`.
        self.edges.load(Ordering::Acquire)
    }

    /// Whether it is known without a system call that there is nothing.
    pub(crate) fn is_spent(&self, seen: u64) -> bool {
        // ORDER: Relaxed: who wrote it had found nothing since edge `seen`, and no edge came after.
        self.spent.load(Ordering::Relaxed) == seen
    }

    /// An operation that began at `seen` has taken all there was.
    pub(crate) fn set_spent(&self, seen: u64) {
        // ORDER: Relaxed: `edges` was read with Acquire: if the kernel told of an end with that
        // edge or before, we see it; if later, `seen` is old.
        if !self.ended.load(Ordering::Relaxed) {
            // ORDER: Relaxed: see `is_spent`.
            self.spent.store(seen, Ordering::Relaxed);
        }
    }

    /// When operations fail.
    pub(crate) fn deadline(&self) -> u64 {
        // ORDER: Relaxed: it tells itself alone.
        self.deadline.load(Ordering::Relaxed)
    }

    /// Keeps the waker until there is an edge after `seen`, or the deadline has come; if the socket
    /// still `goes_on`.
    pub(super) fn wait(
        &'static self,
        engine: &Engine,
        seen: u64,
        waker: &Waker,
        goes_on: impl FnOnce() -> bool,
    ) -> Wait {
        // Somebody's waker may do anything when it is cloned or dropped: not under the lock.
        let mut waker = Some(waker.clone());
        let mut waiting = self.waiting();
        let deadline = self.deadline();
        if self.edges() != seen || !goes_on() || engine.is_over(deadline) {
            return Wait::Again;
        }
        let timer = waiting.alarm.set(self, deadline, engine);
        let crowd = waiting.keep(&mut waker);
        drop(waiting);
        if let Some(crowd) = crowd {
            self.ask(crowd);
        }
        Wait::Kept(timer)
    }

    /// Wakes those who may have given up: whoever has not comes back.
    #[cold]
    fn ask(&self, crowd: Wakers) {
        let mut watched = None;
        contained(|| watched = crowd.rest.get(below(crowd.rest.len())).cloned());
        let before = self.waiting().crowd.watch(watched);
        if let Some(waker) = before {
            contained(|| drop(waker));
        }
        crowd.wake();
    }

    /// The kernel tells of an edge: who waits is to be woken.
    pub(super) fn tell(&self, ended: bool) -> Wakers {
        let mut waiting = self.waiting();
        if ended {
            // ORDER: Relaxed: before the Release below.
            self.ended.store(true, Ordering::Relaxed);
        }
        // ORDER: Release: pairs with the Acquire in `edges`.
        self.edges.fetch_add(1, Ordering::Release);
        waiting.take()
    }

    /// The deadline changes. Who waits is to be woken if it has passed. If the alarm is earlier
    /// than it was the scheduler is to be told.
    pub(super) fn set_deadline(
        &'static self,
        deadline: u64,
        engine: &Engine,
    ) -> (Wakers, Option<u64>) {
        let mut waiting = self.waiting();
        // ORDER: Relaxed: it tells itself alone.
        self.deadline.store(deadline, Ordering::Relaxed);
        if engine.is_over(deadline) {
            (waiting.take(), None)
        } else if waiting.wakers.first.is_some() {
            (Wakers::default(), waiting.alarm.set(self, deadline, engine))
        } else {
            // Whoever waits next sets the alarm.
            (Wakers::default(), None)
        }
    }

    /// The alarm has gone off: who waits looks whether the deadline has come, and if it was moved
    /// sets the alarm anew.
    pub(super) fn went_off(&self) -> Wakers {
        let mut waiting = self.waiting();
        waiting.alarm.went_off();
        waiting.take()
    }
}

impl Waiting {
    /// Keeps a waker, unless it is there, and leaves what is to be dropped. The others that were
    /// kept, if they are too many.
    fn keep(&mut self, waker: &mut Option<Waker>) -> Option<Wakers> {
        let new = waker.take_if(|new| !self.wakers.has(new))?;
        *waker = self.crowd.has_come(&new);
        let too_many = self.wakers.rest.len() >= self.crowd.bound();
        let others = too_many.then(|| self.take());
        if self.wakers.first.is_none() {
            self.wakers.first = Some(new);
            if let Some(count) = &self.count {
                // ORDER: Relaxed: a goroutine's machine asks later in the same thread, or after it
                // has got to the goroutine by a queue; others make a fence: see
                // `Registration::wait`.
                count.fetch_add(1, Ordering::Relaxed);
            }
        } else {
            self.wakers.rest.push(new);
        }
        others
    }

    fn take(&mut self) -> Wakers {
        if self.wakers.first.is_some()
            && let Some(count) = &self.count
        {
            // ORDER: Relaxed: those who were counted will run, so nobody sleeps for ever.
            count.fetch_sub(1, Ordering::Relaxed);
        }
        std::mem::take(&mut self.wakers)
    }
}

impl Crowd {
    fn bound(&self) -> usize {
        CROWD << self.doubled
    }

    /// Somebody comes to wait. If that is the one who is watched, its waker, to be dropped.
    fn has_come(&mut self, waker: &Waker) -> Option<Waker> {
        let watched = self.watched.take_if(|watched| watched.will_wake(waker))?;
        *self = Self { doubled: self.doubled + 1, ..Self::default() };
        Some(watched)
    }

    /// All are asked: one of them could be watched. The waker that is to be dropped.
    fn watch(&mut self, waker: Option<Waker>) -> Option<Waker> {
        self.asked = self.asked.saturating_add(1);
        if self.asked < self.until {
            return waker;
        }
        self.until = self.asked.saturating_mul(2);
        std::mem::replace(&mut self.watched, waker)
    }
}

impl Wakers {
    fn has(&self, waker: &Waker) -> bool {
        self.first.iter().chain(&self.rest).any(|kept| kept.will_wake(waker))
    }

    /// Drops all, whoever of them panics.
    pub(super) fn forget(self) {
        self.each(|waker| contained(|| drop(waker)));
    }

    /// Calls `wake` for each. True if there was one.
    pub(super) fn each(self, wake: impl FnMut(Waker)) -> bool {
        let any = self.first.is_some();
        self.first.into_iter().chain(self.rest).for_each(wake);
        any
    }

    /// Wakes all, whoever of them panics.
    pub(crate) fn wake(self) {
        self.each(|waker| contained(|| waker.wake()));
    }
}
