//! G, the goroutine: its descriptor, and the right to run it.
//!
//! A descriptor is made once and never freed, only used again, as Go's are: so whoever reads the
//! list of all goroutines for a dump takes no lock, and reads at worst the descriptor of a
//! goroutine that has just become another. Everything that such a reader reads is atomic.
//!
//! | part | who touches it |
//! |---|---|
//! | what a dump shows: number, status, reason, names | anybody; written by the one who runs it |
//! | the permit | anybody: it decides who may make it runnable |
//! | `references` | anybody who holds one: the run right, handles, wakers |
//! | the fiber, the body, the locals | whoever holds the run right, [`Runnable`] |
//!
//! A goroutine has one [`Runnable`], which stands in a queue, is held by the worker that runs it,
//! or has been given up to the permit while the goroutine waits. It counts as one reference.
//!
//! ```text
//!    free ──go──► runnable ──► running ──► dead ──last reference──► free
//!                    ▲            │ park
//!                    └─ waiting ◄─┘
//! ```

mod list;
mod name;
mod picture;
mod runnable;
mod status;

use std::cell::{Cell, UnsafeCell};
use std::panic::Location;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread::Thread;

use gosched::Permit;

use crate::contain::contained;
use crate::fiber::{Fiber, Switch};
use crate::locals::Locals;
use crate::pinned::Carrier;
use crate::runtime::Shared;

pub(crate) use self::list::{Free, all};
use self::name::AtomicName;
pub use self::name::MAX_NAME;
pub(crate) use self::picture::Picture;
pub(crate) use self::runnable::{Ids, Runnable, single_id};
use self::status::AtomicStatus;
pub use self::status::{Status, WaitReason};

/// What a goroutine runs: a closure and the place of its result.
pub(crate) trait Body: Send + Sync {
    /// Runs it, catches its panic, keeps the result and wakes whoever waits for it. Called by the
    /// holder of the run right; a closure once, a future until it is ready.
    fn run(&self) -> Poll<()>;
    /// Says to whoever waits that it will never run.
    fn cancel(&self, why: crate::join::Cancelled);
}

/// Not locked to a machine.
const UNLOCKED: usize = usize::MAX;

/// No time.
const UNKNOWN: u64 = u64::MAX;
/// Beside a time: the goroutine has stopped then, and nobody has said yet that it is runnable.
const UNTOLD: u64 = 1 << 63;

/// One goroutine's descriptor.
#[repr(align(128))]
pub(crate) struct Goroutine {
    /// 0 while it is free. No two goroutines of a process ever have the same.
    id: AtomicU64,
    status: AtomicStatus,
    references: AtomicUsize,
    pub(crate) permit: Permit,
    /// The machine it is locked to, or [`UNLOCKED`].
    locked: AtomicUsize,
    /// The runtime that it belongs to, from its start to its end.
    runtime: AtomicPtr<Shared>,
    /// Where `go` was called.
    location: AtomicPtr<Location<'static>>,
    /// Since about when it waits, on its runtime's clock.
    waiting_since: AtomicU64,
    /// Since when it is runnable, if somebody measures.
    runnable_since: AtomicU64,
    name: AtomicName,
    /// The carrier of a pinned goroutine; null for one that may run on any machine.
    home: AtomicPtr<Carrier>,
    /// Whether it waits with its thread, since it must not leave its stack now.
    on_thread: AtomicBool,
    /// That thread.
    thread: Mutex<Option<Thread>>,
    owned: Owned,
}

/// How a goroutine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On a stack of its own.
    Stackful,
    /// As a future, polled on the machine's stack.
    Future,
    /// It is a [`Carrier`]: it runs pinned goroutines.
    Carrier,
}

/// What the holder of the run right alone touches.
struct Owned {
    kind: Cell<Kind>,
    fiber: Cell<Option<Box<Fiber>>>,
    switch: Cell<*const Switch>,
    /// The lowest address of its stack's guard; 0 if it has never run.
    guard: Cell<usize>,
    body: Cell<Option<Arc<dyn Body>>>,
    locals: UnsafeCell<Locals>,
    /// How many `lock_os_thread`s it has not taken back.
    locks: Cell<u32>,
    /// How often it has waited for a permit.
    waits: Cell<u64>,
    /// Whether its last system call lasted.
    calls_last: Cell<bool>,
}

// SAFETY: of its fields, `owned` alone is not made for sharing, and it is touched by the one holder
// of the run right only, which travels between threads through queues and permits.
unsafe impl Sync for Goroutine {}
// SAFETY: as above. A fiber with a goroutine on it moves between threads only under the promise
// of `Migrating`; without it the goroutine is pinned.
unsafe impl Send for Goroutine {}

impl Goroutine {
    /// A free descriptor.
    fn new() -> Self {
        Self {
            id: AtomicU64::new(0),
            status: AtomicStatus::new(),
            references: AtomicUsize::new(0),
            permit: Permit::new(),
            locked: AtomicUsize::new(UNLOCKED),
            runtime: AtomicPtr::new(null_mut()),
            location: AtomicPtr::new(null_mut()),
            waiting_since: AtomicU64::new(0),
            runnable_since: AtomicU64::new(UNKNOWN),
            name: AtomicName::new(),
            home: AtomicPtr::new(null_mut()),
            on_thread: AtomicBool::new(false),
            thread: Mutex::new(None),
            owned: Owned {
                kind: Cell::new(Kind::Stackful),
                fiber: Cell::new(None),
                switch: Cell::new(std::ptr::null()),
                guard: Cell::new(0),
                body: Cell::new(None),
                locals: UnsafeCell::new(Locals::new()),
                locks: Cell::new(0),
                waits: Cell::new(0),
                calls_last: Cell::new(false),
            },
        }
    }

    /// Its number, from 1; 0 while the descriptor is free.
    pub(crate) fn id(&self) -> u64 {
        // ORDER: Relaxed: it tells itself alone.
        self.id.load(Ordering::Relaxed)
    }

    pub(crate) fn status(&self) -> (Status, WaitReason) {
        self.status.get()
    }

    /// Where `go` was called.
    pub(crate) fn location(&self) -> Option<&'static Location<'static>> {
        // ORDER: Relaxed: the location is a constant of the program.
        let location = self.location.load(Ordering::Relaxed);
        // SAFETY: null, or made of a `&'static Location`.
        unsafe { location.as_ref() }
    }

    /// The runtime it belongs to.
    ///
    /// # Safety
    ///
    /// The caller runs on the goroutine, or holds its run right: the runtime outlives both.
    pub(crate) unsafe fn runtime(&self) -> &Shared {
        // ORDER: Relaxed: it was written before the run right was given to anybody.
        let runtime = self.runtime.load(Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { &*runtime }
    }

    /// Whether it belongs to `runtime`. For the dump.
    pub(crate) fn is_of(&self, runtime: &Shared) -> bool {
        self.belongs_to(runtime)
    }

    /// As [`is_of`](Goroutine::is_of), for a runtime that may be no more.
    pub(crate) fn belongs_to(&self, runtime: *const Shared) -> bool {
        // ORDER: Relaxed: a picture of one instant.
        std::ptr::eq(self.runtime.load(Ordering::Relaxed), runtime)
    }

    /// One more reference.
    pub(crate) fn retain(&self) {
        // ORDER: Relaxed: a new reference is made from one that exists.
        let before = self.references.fetch_add(1, Ordering::Relaxed);
        debug_assert_ne!(before, 0, "the goroutine is free");
    }

    /// One reference less. True if it was the last: the descriptor is the caller's, to be freed.
    #[must_use]
    pub(crate) fn release(&self) -> bool {
        // ORDER: Acquire: pairs with the Release below of those who were there before; the last one
        // need not count down, as nobody else can count up.
        if self.references.load(Ordering::Acquire) == 1 {
            return true;
        }
        // ORDER: AcqRel: Release for the one who finds that it is the last, Acquire to be that one.
        self.references.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The machine it is locked to.
    pub(crate) fn locked(&self) -> Option<usize> {
        // ORDER: Relaxed: written by the goroutine itself; its holder comes after.
        let locked = self.locked.load(Ordering::Relaxed);
        (locked != UNLOCKED).then_some(locked)
    }

    pub(crate) fn set_locked(&self, machine: Option<usize>) {
        // ORDER: Relaxed: as above.
        self.locked.store(machine.unwrap_or(UNLOCKED), Ordering::Relaxed);
    }

    pub(crate) fn set_status(&self, status: Status, reason: WaitReason) {
        self.status.set(status, reason);
    }

    /// Names it, before it becomes a goroutine.
    #[inline]
    pub(crate) fn set_name(&self, name: &str) {
        // ORDER: Release: pairs with the Acquire fence in `picture`: whoever sees the name sees
        // that the number is not what it was.
        fence(Ordering::Release);
        self.name.set(name);
    }

    /// It waits, since about now.
    #[inline]
    pub(crate) fn set_waiting(&self, reason: WaitReason, now: u64) {
        // ORDER: Relaxed: for a dump.
        self.waiting_since.store(now, Ordering::Relaxed);
        self.set_status(Status::Waiting, reason);
    }

    /// It is runnable, since now. Before whoever runs it can have it.
    pub(crate) fn set_runnable_since(&self, now: u64) {
        // ORDER: Relaxed: who runs it gets it by a queue, after this.
        self.runnable_since.store(now, Ordering::Relaxed);
    }

    /// It has stopped now, to park. If it is not parked, since it has a permit, nobody says that it
    /// is runnable. Before it can be unparked.
    pub(crate) fn set_stopped_since(&self, now: u64) {
        // ORDER: Relaxed: as above.
        self.runnable_since.store(now | UNTOLD, Ordering::Relaxed);
    }

    /// Since when it is runnable, if that was noted, and whether that was told.
    pub(crate) fn take_runnable_since(&self) -> (Option<u64>, bool) {
        // ORDER: Relaxed: as above.
        let since = self.runnable_since.load(Ordering::Relaxed);
        // ORDER: Relaxed: as above.
        self.runnable_since.store(UNKNOWN, Ordering::Relaxed);
        match since {
            UNKNOWN => (None, true),
            since => (Some(since & !UNTOLD), since & UNTOLD == 0),
        }
    }

    /// Runs the body to its end, on the goroutine's own stack.
    pub(crate) fn run_body(&self) {
        if let Some(body) = self.owned.body.take() {
            let _ = body.run();
            self.drop_rest(body);
        }
    }

    /// Polls the body, on the machine's stack.
    pub(crate) fn poll_body(&self) -> Poll<()> {
        let Some(body) = self.owned.body.take() else { return Poll::Ready(()) };
        let poll = body.run();
        if poll.is_pending() {
            self.owned.body.set(Some(body));
        } else {
            self.drop_rest(body);
        }
        poll
    }

    /// Drops what the goroutine leaves: the result nobody waits for, and its locals. The
    /// destructors may use the runtime, so they run as part of the goroutine.
    fn drop_rest(&self, body: Arc<dyn Body>) {
        contained(|| drop(body));
        // SAFETY: the goroutine's own code calls this, and the reference ends with the take.
        Locals::end(|| unsafe { &mut *self.owned.locals.get() }.take());
    }

    /// The goroutine's locals.
    ///
    /// # Safety
    ///
    /// The caller runs on the goroutine, and keeps no other such reference.
    #[expect(clippy::mut_from_ref, reason = "the goroutine itself is the only one to call it")]
    pub(crate) unsafe fn locals(&self) -> &mut Locals {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.owned.locals.get() }
    }

    /// Where the code on the stack suspends. By the goroutine itself.
    pub(crate) fn switch(&self) -> &Cell<*const Switch> {
        &self.owned.switch
    }

    /// The lowest address of its stack's guard. By the goroutine itself, or its thread's signal
    /// handler.
    pub(crate) fn guard(&self) -> &Cell<usize> {
        &self.owned.guard
    }

    /// How often it has locked itself. By the goroutine itself, or its worker.
    pub(crate) fn locks(&self) -> &Cell<u32> {
        &self.owned.locks
    }

    /// How often it has waited for a permit. A permit is the goroutine's, not a certain wait's: who
    /// polls something, and finds that a permit was taken inside the poll, must poll again, as it
    /// may have been meant for that one. By the goroutine itself, or its worker.
    pub(crate) fn waits(&self) -> &Cell<u64> {
        &self.owned.waits
    }

    /// Whether its last system call lasted. By the goroutine itself.
    pub(crate) fn calls_last(&self) -> &Cell<bool> {
        &self.owned.calls_last
    }

    pub(crate) fn kind(&self) -> Kind {
        self.owned.kind.get()
    }

    /// The carrier it is pinned to. By the holder of the run right.
    pub(crate) fn home(&self) -> Option<&Carrier> {
        if self.kind() == Kind::Carrier { None } else { self.carrier() }
    }

    /// The carrier it is pinned to, or that it is.
    pub(crate) fn carrier(&self) -> Option<&Carrier> {
        // ORDER: Relaxed: written before the goroutine is first made runnable; carriers live as
        // long as their runtime.
        let home = self.home.load(Ordering::Relaxed);
        // SAFETY: null, or a carrier of the goroutine's runtime.
        unsafe { home.as_ref() }
    }

    /// Waits for a permit with the whole thread, where the goroutine must not leave its stack.
    pub(crate) fn wait_on_thread(&self) {
        let thread = std::thread::current();
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        // ORDER: Relaxed: before the fence.
        self.on_thread.store(true, Ordering::Relaxed);
        // ORDER: SeqCst: against the fence in `rouse_thread`: either we see the permit, or its
        // giver sees that we wait.
        fence(Ordering::SeqCst);
        while !self.permit.take() {
            std::thread::park();
        }
        // ORDER: Relaxed: whoever still sees true wakes a thread that does not wait.
        self.on_thread.store(false, Ordering::Relaxed);
    }

    /// Wakes the thread, after a permit was given that nobody was parked for.
    pub(crate) fn rouse_thread(&self) {
        // ORDER: SeqCst: against the fence in `wait_on_thread`.
        fence(Ordering::SeqCst);
        // ORDER: Relaxed: after the fence.
        if self.on_thread.load(Ordering::Relaxed) {
            let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(thread) = &*thread {
                thread.unpark();
            }
        }
    }
}
