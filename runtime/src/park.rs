//! Stopping and going on: `park` and `unpark`, yields, and waiting for anything at all.
//!
//! Everything that a goroutine waits for comes down to its [permit](gosched::Permit): it parks, and
//! whoever has what it waits for gives the permit. A [`Waker`] of a goroutine does the same, so
//! that a future's waker, a timer, a socket and a joiner are one mechanism.
//!
//! A goroutine must not leave its stack in three situations: inside [`blocking`](crate::blocking),
//! where it has no processor to leave; while it unwinds, as the count of panics is its thread's;
//! and inside a future's poll, where it has none of its own. It waits with the whole thread then,
//! and its processor goes to another machine; so it does when it yields. Where goroutines are
//! pinned, those of the same thread wait, too: to wait for one of them there is to wait for ever.
//!
//= go1.27:src/runtime/proc.go#gopark
//= go1.27:src/runtime/proc.go#goready
//= go1.27:src/runtime/proc.go#Gosched

use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use gosched::Give;
use gosched::scheduler::Closed;

use crate::contain::contained;
use crate::counters::Count;
use crate::engine::{Engine, Scheduler};
use crate::fiber::{Resume, Stop};
use crate::goroutine::{Free, Goroutine, Kind, Runnable, Status, WaitReason};
use crate::trace::What;
use crate::watch;
use crate::worker::Worker;

/// A handle to a goroutine, with which it can be unparked.
///
/// Cheap to clone. It keeps the goroutine's descriptor, not the goroutine: one that has ended is
/// unparked without effect.
pub struct Handle(&'static Goroutine);

/// The goroutine that runs now. `None` outside of goroutines.
#[must_use]
pub fn current() -> Option<Handle> {
    Worker::running().map(|(_, goroutine)| Handle::new(goroutine))
}

impl Handle {
    fn new(goroutine: &'static Goroutine) -> Self {
        goroutine.retain();
        Self(goroutine)
    }

    /// The goroutine's number. No two goroutines of a process ever have the same.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id()
    }

    /// Lets the goroutine go on, if it is [parked](park), or spares it the next park. From any
    /// thread; it is not counted: two that come before the park are one.
    //= go1.27:src/runtime/proc.go#goready
    pub fn unpark(&self) {
        unpark(self.0);
    }
}

impl Clone for Handle {
    fn clone(&self) -> Self {
        Self::new(self.0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        release(self.0);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.id()).finish()
    }
}

/// Stops the goroutine until somebody [unparks](Handle::unpark) it. Returns at once if somebody has
/// since the last time. May return without that, as [`std::thread::park`] may: ask again for what
/// you wait for. On a thread that runs no goroutine it is [`std::thread::park`].
//= go1.27:src/runtime/proc.go#gopark
pub fn park() {
    match Worker::running() {
        Some((_, goroutine)) => park_for(goroutine, WaitReason::Park),
        None => thread::park(),
    }
}

/// Gives the others their turn: the goroutine goes behind those in its processor's queue, or behind
/// all that are runnable if it has had the processor for long.
///
/// Inside a future's poll, and in a destructor while it unwinds, it keeps its stack and so its
/// thread; others have the processor then.
///
/// On a thread that runs no goroutine, and inside [`blocking`](crate::blocking), it is
/// [`std::thread::yield_now`].
//= go1.27:src/runtime/proc.go#Gosched
pub fn yield_now() {
    match Worker::running() {
        Some((worker, goroutine)) => {
            if can_switch(worker, goroutine) {
                // SAFETY: the running goroutine, and one load.
                let asked = unsafe { worker.machine() }.should_yield();
                suspend(goroutine, if asked { Stop::Preempted } else { Stop::Yield });
            } else {
                give_way(worker, goroutine);
            }
        }
        None => thread::yield_now(),
    }
}

/// Yields, if somebody asks for it: sysmon does after the goroutine has run for 10 ms, and whoever
/// stops the world. Two loads, if not. For loops that meet no other scheduling point.
pub fn checkpoint() {
    if let Some((worker, goroutine)) = Worker::running() {
        checkpoint_here(worker, goroutine);
    }
}

/// [`checkpoint`], for one who has looked up where it runs.
#[inline]
pub(crate) fn checkpoint_here(worker: &Worker, goroutine: &'static Goroutine) {
    // SAFETY: the running goroutine, and two looks.
    let machine = unsafe { worker.machine() };
    if machine.should_yield() || machine.processor().is_none() {
        stop_here(worker, goroutine);
    }
}

/// The goroutine has a processor to give up, or has none: it queues up for one.
#[cold]
fn stop_here(worker: &Worker, goroutine: &'static Goroutine) {
    // SAFETY: the running goroutine, and one look.
    let has_processor = unsafe { worker.machine() }.processor().is_some();
    if can_switch(worker, goroutine) {
        suspend(goroutine, if has_processor { Stop::Preempted } else { Stop::NoProcessor });
    } else if has_processor {
        give_way(worker, goroutine);
    }
}

/// A yield of a goroutine that must not leave its stack: another machine has the processor, while
/// there is work for one. Without a processor it goes on none the less, up to its next scheduling
/// point.
#[cold]
fn give_way(worker: &Worker, goroutine: &'static Goroutine) {
    // SAFETY: the running goroutine, and one look. Inside a call there is none.
    if unsafe { worker.machine() }.processor().is_none() {
        return thread::yield_now();
    }
    worker.enter(true);
    goroutine.set_status(Status::InSystemCall, WaitReason::None);
    thread::yield_now();
    let _ = worker.exit();
    goroutine.set_status(Status::Running, WaitReason::None);
}

/// Whether the goroutine may leave its stack now.
pub(crate) fn can_switch(worker: &Worker, goroutine: &Goroutine) -> bool {
    goroutine.kind() == Kind::Stackful && !worker.inside.get() && !thread::panicking()
}

/// Stops the running goroutine. It may go on in another thread.
#[inline]
pub(crate) fn suspend(goroutine: &'static Goroutine, stop: Stop) {
    // SAFETY: the goroutine runs on the fiber whose loop has set the pointer, which lives as long
    // as the fiber.
    let resumed = unsafe { &*goroutine.switch().get() }.suspend(stop);
    debug_assert!(matches!(resumed, Resume::Run(_)), "a fiber with a goroutine is not ended");
}

/// Stops the running goroutine until it has a permit.
pub(crate) fn park_for(goroutine: &'static Goroutine, reason: WaitReason) {
    let Some(worker) = Worker::here() else { unreachable!("a goroutine runs on a worker") };
    goroutine.waits().set(goroutine.waits().get() + 1);
    if goroutine.permit.take() {
        if matches!(reason, WaitReason::Future | WaitReason::Select) {
            // One that was woken inside its poll, perhaps by itself, has others take their turn
            // first: the yields of all async libraries are made so.
            return yield_now();
        }
        return checkpoint_here(worker, goroutine);
    }
    if can_switch(worker, goroutine) {
        wait(worker, goroutine, reason);
        suspend(goroutine, Stop::Park);
        return;
    }
    let entered = worker.enter(true);
    wait(worker, goroutine, reason);
    goroutine.wait_on_thread();
    if entered {
        // Without a processor it goes on none the less, up to its next scheduling point.
        let _ = worker.exit();
    }
    let status = if entered { Status::Running } else { Status::InSystemCall };
    goroutine.set_status(status, WaitReason::None);
}

/// Says that the goroutine waits.
#[inline]
fn wait(worker: &Worker, goroutine: &'static Goroutine, reason: WaitReason) {
    goroutine.set_waiting(reason, worker.coarse_time());
    worker.count(Count::Parks);
}

/// Gives the goroutine its permit.
pub(crate) fn unpark(goroutine: &'static Goroutine) {
    match goroutine.permit.give() {
        // SAFETY: the permit said so.
        Give::Parked => ready(unsafe { Runnable::of_parked(goroutine) }),
        Give::Kept | Give::Already => goroutine.rouse_thread(),
    }
}

/// Makes a goroutine runnable: here, if this thread runs a goroutine of the same runtime.
pub(crate) fn ready(runnable: Runnable) {
    let goroutine = runnable.goroutine();
    goroutine.set_status(Status::Runnable, WaitReason::None);
    if watch::is_any() {
        tell_ready(&runnable);
    }
    if let Some(home) = goroutine.home() {
        return home.wake(runnable);
    }
    let submitted = submit(runnable, |runnable| runnable.runtime().scheduler().clone());
    if let Err(closed) = submitted {
        // Whoever wakes may hold a lock that the goroutine's destructors want.
        closed.0.leave();
    }
}

/// Puts a goroutine, or a carrier's task, where a machine finds it: here, if this thread runs a
/// goroutine of the same runtime, else by its scheduler.
///
/// # Errors
///
/// With what was to be put, if the runtime has shut down.
pub(crate) fn submit(
    runnable: Runnable,
    scheduler: impl FnOnce(&Runnable) -> Scheduler,
) -> Result<(), Closed<Runnable>> {
    match Worker::here() {
        Some(worker) if !worker.is_g0() && runnable.goroutine().is_of(&worker.shared) => {
            worker.submit(runnable)
        }
        _ => scheduler(&runnable).inject(runnable),
    }
}

/// A goroutine is about to be put where others find it: says so to whoever measures, and to a
/// trace.
#[cold]
pub(crate) fn tell_ready(runnable: &Runnable) {
    let (goroutine, engine) = (runnable.goroutine(), runnable.runtime().engine());
    // A carrier's task is none.
    if goroutine.location().is_some() {
        let now = engine.clock();
        goroutine.set_runnable_since(now);
        engine.tracer.record(now, goroutine.id(), What::Ready);
    }
}

/// A reference to the goroutine is gone.
pub(crate) fn release(goroutine: &'static Goroutine) {
    if goroutine.release() {
        let free = goroutine.free();
        match Worker::here() {
            Some(worker) => worker.keep(free),
            None => Free::default().push(free),
        }
    }
}

/// The wakers of goroutines: one word, the descriptor.
static WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        goroutine_of(data).retain();
        RawWaker::new(data, &WAKER)
    },
    |data| {
        unpark(goroutine_of(data));
        release(goroutine_of(data));
    },
    |data| unpark(goroutine_of(data)),
    |data| release(goroutine_of(data)),
);

fn goroutine_of(data: *const ()) -> &'static Goroutine {
    // SAFETY: only wakers of goroutines have the table, and their data is a descriptor, which is
    // never freed.
    unsafe { &*data.cast::<Goroutine>() }
}

/// A waker that borrows the caller's reference.
pub(crate) fn borrowed_waker(goroutine: &'static Goroutine) -> ManuallyDrop<Waker> {
    let data = std::ptr::from_ref(goroutine).cast();
    // SAFETY: the table keeps a waker's contract; the caller's reference is not counted down, as
    // the waker is not dropped.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &WAKER)) })
}

/// Wakes, from a poll: a goroutine is put into `ready`, instead of being submitted; but for one of
/// another runtime, which has nothing to do in the batch of this one, and is submitted to its own.
pub(crate) fn wake_into(engine: &Engine, waker: Waker, ready: &mut crate::engine::Batch) {
    let here = engine.shared.get().map_or(std::ptr::null(), std::sync::Weak::as_ptr);
    let is_goroutine = std::ptr::eq(waker.vtable(), &raw const WAKER);
    if is_goroutine && goroutine_of(waker.data()).belongs_to(here) {
        let goroutine = goroutine_of(waker.data());
        if goroutine.permit.give() == Give::Parked {
            goroutine.set_status(Status::Runnable, WaitReason::None);
            // SAFETY: the permit said so.
            let runnable = unsafe { Runnable::of_parked(goroutine) };
            if watch::is_any() {
                tell_ready(&runnable);
            }
            match goroutine.home() {
                Some(home) => home.push(runnable),
                None => ready.push(runnable),
            }
        } else {
            goroutine.rouse_thread();
        }
    } else {
        // Perhaps a stranger's: it may panic, and a poll must not.
        contained(|| waker.wake());
    }
}

/// One wait of a thread that runs no goroutine, and its waker. The thread's token alone would not
/// do: what is polled may wait, too, and use the token up.
pub(crate) struct ThreadWait {
    thread: Thread,
    woken: AtomicBool,
}

impl ThreadWait {
    /// Of this thread.
    pub(crate) fn begin() -> (Arc<Self>, Waker) {
        let wait = Self { thread: thread::current(), woken: AtomicBool::new(false) };
        let wait = Arc::new(wait);
        (Arc::clone(&wait), Waker::from(wait))
    }

    /// Waits until it was woken since the last time.
    fn wait(&self) {
        while !self.take() {
            thread::park();
        }
    }

    /// As [`wait`](ThreadWait::wait), for so long at most; or for less, with no reason.
    pub(crate) fn wait_timeout(&self, limit: Duration) {
        if !self.take() {
            thread::park_timeout(limit);
        }
    }

    fn take(&self) -> bool {
        // ORDER: Acquire: pairs with the Release in `wake`: whoever was woken sees why.
        self.woken.swap(false, Ordering::Acquire)
    }
}

impl Wake for ThreadWait {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDER: Release: pairs with the Acquire in `take`. Before the token: a thread that finds
        // the flag unset finds the token that comes after it.
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Waits until `poll` is ready: the goroutine parks, or the thread, if it runs none.
pub(crate) fn wait_for<T>(
    reason: WaitReason,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> T {
    if let Some((_, goroutine)) = Worker::running() {
        let waker = borrowed_waker(goroutine);
        loop {
            let waits = goroutine.waits().get();
            if let Poll::Ready(result) = poll(&mut Context::from_waker(&waker)) {
                return result;
            }
            if goroutine.waits().get() == waits {
                park_for(goroutine, reason);
            }
        }
    }
    let (wait, waker) = ThreadWait::begin();
    loop {
        if let Poll::Ready(result) = poll(&mut Context::from_waker(&waker)) {
            return result;
        }
        wait.wait();
    }
}
