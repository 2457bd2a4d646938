//! Goroutines that need a thread of their own.

use std::marker::PhantomData;

use crate::goroutine::Kind;
use crate::worker::Worker;

/// Locks the goroutine to its thread: it runs nowhere else, and the thread runs nothing else, until
/// the guard is dropped. Locks nest. If the goroutine ends while it is locked, the thread ends,
/// too.
///
/// For foreign code that keeps state in its thread, user interfaces, namespaces. A pinned goroutine
/// is on its thread for life already, and shares it with others all the same. On a thread that runs
/// no goroutine this does nothing.
///
/// What the goroutine does to its thread is that thread's, and remains if it unlocks. But a thread
/// inherits from the one that starts it: affinity, nice value, mask of signals, namespaces. The
/// locked goroutine's thread may start threads of the runtime, when the goroutine makes others
/// runnable or blocks, and these run other goroutines. If that must not be, let a thread of std's
/// that was started outside of the goroutine do it.
// DIFF: Go starts a locked goroutine's threads from another, clean one (`templateThread`).
//= go1.27:src/runtime/proc.go#LockOSThread
#[must_use = "the goroutine is unlocked when this is dropped"]
pub fn lock_os_thread() -> ThreadLock {
    if let Some((worker, goroutine)) = Worker::running()
        && goroutine.kind() == Kind::Stackful
        && goroutine.home().is_none()
    {
        // SAFETY: the running goroutine.
        let machine = unsafe { worker.machine() }.lock();
        goroutine.set_locked(Some(machine));
        goroutine.locks().set(goroutine.locks().get() + 1);
    }
    ThreadLock { one_goroutine: PhantomData }
}

/// Keeps the goroutine on its thread; see [`lock_os_thread`].
#[derive(Debug)]
pub struct ThreadLock {
    one_goroutine: PhantomData<*const ()>,
}

impl Drop for ThreadLock {
    //= go1.27:src/runtime/proc.go#UnlockOSThread
    fn drop(&mut self) {
        if let Some((worker, goroutine)) = Worker::running() {
            let locks = goroutine.locks();
            if locks.get() > 0 {
                locks.set(locks.get() - 1);
                // SAFETY: the running goroutine.
                if unsafe { worker.machine() }.unlock() {
                    goroutine.set_locked(None);
                }
            }
        }
    }
}
