//! Pinned goroutines: each runs on one thread for life.
//!
//! Without the promise of [`Migrating`](crate::Migrating) a goroutine may keep a thread-local's
//! borrow across a scheduling point, so it must stay on its thread. The core's queues know no such
//! thing; they know a task that is locked to a machine. So each pinned goroutine has a *carrier*:
//! a task that is locked to a machine for life, and runs the goroutines of its inbox, one after the
//! other, on that machine's thread.
//!
//! ```text
//!    ready(G7) ──► inbox of carrier 1 ──► carrier 1 is made runnable, if it waits
//!                                              │ the core brings it to its machine
//!                                              ▼
//!                     thread 5:  carrier 1 runs G7, G9, ... until its slice is over
//! ```
//!
//! A carrier is to the core a task like any other: it takes part in the queues' order, is asked to
//! yield after its slice, and parks when its inbox is empty.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;

use gosched::Give;

use crate::goroutine::{Body, Free, Goroutine, Kind, Runnable, Status, WaitReason, single_id};
use crate::join::Cancelled;
use crate::park;
use crate::runtime::Shared;
use crate::worker::{Behind, Worker};

/// One of a runtime's carriers.
pub(crate) struct Carrier {
    inbox: Mutex<Inbox>,
    /// Its task's descriptor, with a reference to it. Set when the carrier is first needed.
    task: OnceLock<&'static Goroutine>,
}

/// A carrier's goroutines that are runnable.
#[derive(Default)]
struct Inbox {
    /// One that was woken by a goroutine of the same carrier: it runs next, in what is left of that
    /// one's slice, so that two which hand something back and forth wait for nobody in between.
    next: Option<Runnable>,
    queue: VecDeque<Runnable>,
    /// The runtime has ended, and what was in here was taken out.
    closed: bool,
}

/// All of them.
pub(crate) struct Carriers {
    carriers: Box<[Carrier]>,
    turn: AtomicUsize,
}

/// A carrier's task has no body: its worker knows what to do.
struct Nothing;

impl Body for Nothing {
    fn run(&self) -> Poll<()> {
        Poll::Ready(())
    }

    fn cancel(&self, _why: Cancelled) {}
}

impl Carriers {
    pub(crate) fn new(count: usize) -> Self {
        let carrier = |_| Carrier { inbox: Mutex::default(), task: OnceLock::new() };
        Self { carriers: (0..count).map(carrier).collect(), turn: AtomicUsize::new(0) }
    }

    /// The carrier of the next goroutine: they take turns, one for each processor.
    pub(crate) fn next(&self, processors: usize) -> &Carrier {
        // ORDER: Relaxed: it spreads goroutines, and guards nothing.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        &self.carriers[turn % self.carriers.len().min(processors)]
    }

    /// Takes every goroutine out of the inboxes, after the machines have ended, and closes them.
    pub(crate) fn drain(&self) -> Vec<Runnable> {
        let drain = |carrier: &Carrier| {
            let mut inbox = carrier.inbox();
            inbox.closed = true;
            inbox.end_slice();
            std::mem::take(&mut inbox.queue)
        };
        self.carriers.iter().flat_map(drain).collect()
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            if task.permit.give() == Give::Parked {
                // SAFETY: the permit said so.
                let runnable = unsafe { Runnable::of_parked(task) };
                let last = runnable.end();
                debug_assert!(last.is_none(), "the carrier has a reference to its task");
            }
            park::release(task);
        }
    }
}

impl Inbox {
    /// The slice is over: who would have been next stands behind the others.
    fn end_slice(&mut self) {
        self.queue.extend(self.next.take());
    }
}

impl Carrier {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a goroutine behind the others, and has the carrier run.
    pub(crate) fn push(&self, runnable: Runnable) {
        self.put(runnable, false);
    }

    /// As [`push`](Carrier::push), of a goroutine that is woken by the running one: it runs next,
    /// if that one is of the same carrier.
    pub(crate) fn wake(&self, runnable: Runnable) {
        let same = Worker::running().and_then(|(_, running)| running.home());
        self.put(runnable, same.is_some_and(|home| std::ptr::eq(home, self)));
    }

    fn put(&self, runnable: Runnable, next: bool) {
        let mut started = None;
        let task = *self.task.get_or_init(|| {
            let goroutine = Free::default().pop();
            let shared = runnable.runtime();
            let body = Arc::new(Nothing);
            let carrier = std::ptr::from_ref(self).cast_mut();
            let kind = Kind::Carrier;
            started =
                Some(Runnable::new(goroutine, single_id(), shared, None, body, kind, carrier));
            // Ours: whatever becomes of the task, its descriptor is nobody else's.
            goroutine.retain();
            goroutine
        });
        let mut inbox = self.inbox();
        if inbox.closed {
            drop(inbox);
            runnable.abandon();
            // Nobody would run it.
            started.into_iter().for_each(Runnable::abandon);
            return;
        }
        if next {
            let displaced = inbox.next.replace(runnable);
            inbox.queue.extend(displaced);
            // The carrier runs: it looks again.
            return;
        }
        let is_new = started.is_some();
        // Before the goroutine is in the inbox: once it is, somebody may run it, and the runtime
        // may end. A carrier that parks now waits for the lock when it looks again.
        let woken = started.or_else(|| {
            // SAFETY: the permit said so.
            (task.permit.give() == Give::Parked).then(|| unsafe { Runnable::of_parked(task) })
        });
        let woken = woken.map(|woken| (woken, runnable.runtime().scheduler().clone()));
        inbox.queue.push_back(runnable);
        drop(inbox);
        let Some((woken, scheduler)) = woken else { return };
        task.set_status(Status::Runnable, WaitReason::None);
        let submitted = match is_new {
            true => scheduler.inject(woken),
            false => park::submit(woken, |_| scheduler),
        };
        if let Err(closed) = submitted {
            closed.0.abandon();
        }
    }

    fn pop(&self) -> Option<Runnable> {
        let mut inbox = self.inbox();
        inbox.next.take().or_else(|| inbox.queue.pop_front())
    }

    /// The slice is over.
    fn end_slice(&self) {
        self.inbox().end_slice();
    }
}

/// Runs the goroutines of a carrier, until there are none or its slice is over.
pub(crate) fn run(worker: &Worker, mut carrier: Runnable) -> ControlFlow<()> {
    let task = carrier.goroutine();
    let Some(home) = task.carrier() else { unreachable!("a carrier's task names its carrier") };
    if task.locked().is_none() {
        // SAFETY: g0 runs.
        task.set_locked(Some(unsafe { worker.machine() }.lock()));
    }
    loop {
        task.set_status(Status::Running, WaitReason::None);
        while let Some(runnable) = home.pop() {
            // A goroutine's lock is its carrier's: it has no thread of its own to end.
            let _ = worker.execute(runnable);
            // SAFETY: g0 runs.
            let machine = unsafe { worker.machine() };
            if machine.should_yield() || machine.processor().is_none() {
                home.end_slice();
                worker.requeue(carrier, Behind::All);
                return ControlFlow::Continue(());
            }
        }
        task.set_status(Status::Waiting, WaitReason::Park);
        match carrier.park() {
            Ok(()) => return ControlFlow::Continue(()),
            Err(again) => carrier = again,
        }
    }
}

impl Shared {
    /// The carrier of the next goroutine, if goroutines are pinned here.
    pub(crate) fn next_carrier(&self) -> *mut Carrier {
        if self.engine().settings.migrating {
            std::ptr::null_mut()
        } else {
            let processors = self.scheduler().processors();
            std::ptr::from_ref(self.engine().carriers.next(processors)).cast_mut()
        }
    }
}
