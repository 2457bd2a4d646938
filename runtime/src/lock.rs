//! Goroutines that need a thread of their own.

use std::marker::PhantomData;

use crate::goroutine::Kind;
use crate::template::set_changed;
use crate::worker::Worker;

/// Locks the goroutine to its thread: it runs nowhere else, and the thread runs nothing else, until
/// the guard is dropped. Locks nest. If the goroutine ends while it is locked, the thread ends,
/// too.
///
/// For foreign code that keeps state in its thread, user interfaces, namespaces. A pinned goroutine
/// is on its thread for life already, and shares it with others all the same. On a thread that runs
/// no goroutine this does nothing.
///
/// What the goroutine does to its thread, its affinity, nice value, mask of signals or namespaces,
/// is that thread's, and remains if it unlocks. No other thread of the runtime inherits it while
/// the lock is held: from the first lock on the runtime has one thread more, which starts the
/// others.
//= go1.27:src/runtime/proc.go#LockOSThread
#[must_use = "the goroutine is unlocked when this is dropped"]
pub fn lock_os_thread() -> ThreadLock {
    if let Some((worker, goroutine)) = Worker::running()
        && goroutine.kind() == Kind::Stackful
        && goroutine.home().is_none()
    {
        if goroutine.locks().get() == 0 {
            worker.shared.engine().make_template();
            set_changed(true);
        }
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
                    set_changed(false);
                }
            }
        }
    }
}
