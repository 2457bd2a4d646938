//! The promise without which goroutines stay on their thread.

/// The right to run goroutines that move between threads.
///
/// A goroutine's stack may hold anything that safe code puts there, thread-locals' borrows and
/// guards that must not change threads among them. The compiler checks this for futures; for a
/// stack nobody can but you. So a runtime pins each goroutine to a thread, until the program
/// makes this promise, once. (Pinned or not, goroutines of one thread take turns: code that takes
/// its thread's scopes to be nested, as scoped thread-locals do, must not meet a scheduling point
/// inside of one.)
///
/// ```
/// use gosched_runtime::{Migrating, Runtime, go};
///
/// // SAFETY: no code of this program keeps a thread-local's borrow, or a guard that is not `Send`,
/// // across a scheduling point.
/// let migrating = unsafe { Migrating::promise() };
/// let runtime = Runtime::builder().migrating(migrating).build()?;
/// assert_eq!(runtime.run(|| go(|| 6 * 7).join().unwrap())?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Migrating(());

impl Migrating {
    /// Makes the promise.
    ///
    /// # Safety
    ///
    /// No goroutine of a runtime that is built with it may, at a scheduling point (whatever may
    /// park, yield or block: `park`, `yield_now`, `checkpoint`, `go`, `join`, `block_on`,
    /// `blocking`, sleeps, input and output of this crate):
    ///
    /// - be inside a [`LocalKey::with`](std::thread::LocalKey::with), or hold any other reference
    ///   into a thread-local;
    /// - hold a value that is not `Send`: a `MutexGuard` of std, an `Rc`, a handle that remembers
    ///   its thread;
    /// - be in foreign code that remembers its thread.
    #[must_use]
    pub unsafe fn promise() -> Self {
        Self(())
    }
}
