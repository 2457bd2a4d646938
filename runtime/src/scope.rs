//! Scopes: goroutines that borrow from the stack of whoever starts them.
//!
//! As with [`std::thread::scope`], no goroutine of a scope outlives the call that made it: it
//! returns when all have ended, whether its body returns or panics. Whatever happens to the handles
//! does not matter: of a panic that lies with one which was forgotten, the scope knows that there
//! was one, and panics.
//!
//! ```text
//!    scope          body           goroutines           group
//!    ├─ runs ─────► go ──────────► G7 begins             1
//!    │              go ──────────► G8 begins             2
//!    │              ends, or panics
//!    ├─ waits                      G7 ends, is dropped   1
//!    │                             G8 ends, is dropped   0
//!    ◄─ returns, or the panic goes on
//! ```
//!
//! A goroutine counts until nothing is left of it that may borrow: its closure has run, or was
//! dropped; its result was taken, or dropped, or lies with its handle.
//!
//! Where a goroutine is left in the middle by a shutdown, its scope waits for ever: what it borrows
//! stays borrowed.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, transmute};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::contain::contained;
use crate::goroutine::{Body, Kind};
use crate::join::{self, Cancelled, Ending, JoinError};
use crate::park::checkpoint;
use crate::runtime::{Runtime, Shared};
use crate::spawn::{self, NoRuntime};
use crate::wait_group::WaitGroup;
use crate::worker::Worker;

type Payload = Box<dyn Any + Send + 'static>;

/// Runs `body`, which may start goroutines that borrow from here, and waits for them all.
///
/// The goroutines belong to the runtime of the one that calls. Scopes nest, and a goroutine of a
/// scope may start others in it. If a shutdown leaves one of them in its middle, this waits for
/// ever.
///
/// # Panics
///
/// If `body` panics, or a goroutine whose result nobody took by its handle: that panic goes on when
/// all have ended, or one that says so, if the handle was forgotten. If a goroutine could not run,
/// for want of a stack, or because of a shutdown. And on a thread that runs no goroutine;
/// [`Runtime::scope`] needs none.
///
/// ```
/// use gosched_runtime::{Runtime, scope};
///
/// # Runtime::new()?.run(|| {
/// let mut numbers = vec![1, 2, 3, 4];
/// scope(|scope| {
///     for number in &mut numbers {
///         scope.go(|| *number *= 10);
///     }
/// });
/// assert_eq!(numbers, [10, 20, 30, 40]);
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn scope<'env, F, T>(body: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    match Worker::running() {
        Some((worker, _)) => run(Arc::clone(&worker.shared), body),
        None => panic!("{NoRuntime}"),
    }
}

impl Runtime {
    /// As [`scope`](crate::scope()), with goroutines of this runtime, from any thread: one that
    /// runs no goroutine blocks until they have ended.
    ///
    /// # Panics
    ///
    /// As [`scope`](crate::scope()).
    pub fn scope<'env, F, T>(&self, body: F) -> T
    where
        F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
    {
        run(Arc::clone(self.shared()), body)
    }
}

fn run<'env, F, T>(shared: Arc<Shared>, body: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let state = Arc::new(State { group: WaitGroup::new(), failures: Mutex::default() });
    let scope = Scope { shared, state, scope: PhantomData, env: PhantomData };
    let result = catch_unwind(AssertUnwindSafe(|| body(&scope)));
    // Whatever happened: nobody may leave here before they have ended, not by a panic either.
    let stays = AbortOnUnwind;
    scope.state.group.wait();
    std::mem::forget(stays);
    debug_assert_eq!(scope.state.group.count(), 0, "nobody is left who could add to it");
    let failures = std::mem::take(&mut *scope.state.failures());
    match (result, failures.panic, failures.cancelled) {
        (Err(payload), other, _) => {
            // One goes on, and the destructor of the other may panic, too.
            contained(|| drop(other));
            resume_unwind(payload)
        }
        (Ok(_), Some(payload), _) => resume_unwind(payload),
        (Ok(_), None, _) if failures.untaken > 0 => panic!("a goroutine of the scope panicked"),
        (Ok(_), None, Some(why)) => panic!("a goroutine of the scope never ran: {why}"),
        (Ok(result), None, None) => result,
    }
}

/// A panic of our own while others borrow from the stack would free what they use.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Where goroutines are started that may borrow from around it: see [`scope`](crate::scope()).
pub struct Scope<'scope, 'env: 'scope> {
    shared: Arc<Shared>,
    state: Arc<State>,
    /// Invariant: `'scope` must not shrink to a part of the scope.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// What a scope and its goroutines share. In an allocation of its own, as the last one to be done
/// touches it while the scope returns.
struct State {
    /// The goroutines that may still borrow.
    group: WaitGroup,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    /// The first panic that nobody took.
    panic: Option<Payload>,
    /// How many have panicked whose payload lies with its handle.
    untaken: usize,
    /// Why the first goroutine that never ran did not.
    cancelled: Option<Cancelled>,
}

impl State {
    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a goroutine that may borrow whatever outlives the scope.
    ///
    /// If its result is not taken by the handle, it is dropped; a panic goes on in the scope then.
    /// It costs three allocations.
    #[track_caller]
    pub fn go<F, T>(&'scope self, function: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let state = Arc::clone(&self.state);
        let (body, ending) = join::closure(move || {
            let result = catch_unwind(AssertUnwindSafe(function));
            if result.is_err() {
                state.failures().untaken += 1;
            }
            Outcome { result: Some(result), state }
        });
        self.state.group.add(1);
        let scoped: Arc<dyn Body + 'scope> =
            Arc::new(Scoped { body: ManuallyDrop::new(body), state: Arc::clone(&self.state) });
        // SAFETY: only the lifetime changes. The runtime calls and drops the body before it drops
        // the last reference to it, and the drop of `Scoped` tells the group after that of the
        // inner body, after which nothing of this goroutine touches what `'scope` borrows, but its
        // handle, which does not outlive `'scope`. `run` does not return, nor unwind, before the
        // group was told: it holds the scope itself, which the body gets by reference only, so that
        // no `forget` can skip the wait; and a goroutine that is never dropped keeps it waiting for
        // ever.
        let scoped =
            unsafe { transmute::<Arc<dyn Body + 'scope>, Arc<dyn Body + 'static>>(scoped) };
        let here = Worker::running();
        let worker = here.filter(|(worker, _)| Arc::ptr_eq(&worker.shared, &self.shared));
        let worker = worker.map(|(worker, _)| worker);
        let id = spawn::start(&self.shared, worker, scoped, Kind::Stackful, Location::caller());
        checkpoint();
        ScopedJoinHandle { ending, id }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("goroutines", &self.state.group.count())
            .finish_non_exhaustive()
    }
}

/// A goroutine's body, which tells its scope when it is gone.
struct Scoped<'scope> {
    body: ManuallyDrop<Arc<dyn Body + 'scope>>,
    state: Arc<State>,
}

impl Body for Scoped<'_> {
    fn run(&self) -> Poll<()> {
        self.body.run()
    }

    fn cancel(&self, why: Cancelled) {
        self.state.failures().cancelled.get_or_insert(why);
        self.body.cancel(why);
    }
}

impl Drop for Scoped<'_> {
    fn drop(&mut self) {
        /// Tells the group, also if the destructor of what the goroutine left panics.
        struct Tell<'a>(&'a State);
        impl Drop for Tell<'_> {
            fn drop(&mut self) {
                self.0.group.done();
            }
        }
        let _tell = Tell(&self.state);
        // SAFETY: it is dropped once, here.
        unsafe { ManuallyDrop::drop(&mut self.body) };
    }
}

/// What became of a goroutine. Nobody takes it: a panic goes to the scope.
struct Outcome<T> {
    result: Option<Result<T, Payload>>,
    state: Arc<State>,
}

impl<T> Outcome<T> {
    fn take(mut self) -> Result<T, JoinError> {
        let result = self.result.take().expect("it is taken once");
        if result.is_err() {
            self.state.failures().untaken -= 1;
        }
        result.map_err(JoinError::panicked)
    }
}

impl<T> Drop for Outcome<T> {
    fn drop(&mut self) {
        if let Some(Err(payload)) = self.result.take() {
            let mut failures = self.state.failures();
            failures.untaken -= 1;
            if failures.panic.is_none() {
                failures.panic = Some(payload);
            } else {
                drop(failures);
                // One goes on, and the destructor of another may panic, too.
                contained(|| drop(payload));
            }
        }
    }
}

/// Waits for the end of a goroutine of a scope, and gets its result.
///
/// It is a future, too. Dropping it leaves the goroutine to the scope.
pub struct ScopedJoinHandle<'scope, T> {
    ending: Ending<'scope, Outcome<T>>,
    id: u64,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// The goroutine's number.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether the goroutine has ended: then [`join`](ScopedJoinHandle::join) does not wait.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.ending.has_ended()
    }

    /// Waits for the goroutine's end: a goroutine parks, a thread blocks.
    ///
    /// # Errors
    ///
    /// If it panicked, never ran, or is the one that calls. The scope does not panic for a panic
    /// that is returned here.
    pub fn join(mut self) -> Result<T, JoinError> {
        self.ending.wait(self.id).and_then(Outcome::take)
    }
}

impl<T> Future for ScopedJoinHandle<'_, T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.ending.poll(context.waker()).map(|ended| ended.and_then(Outcome::take))
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").field("id", &self.id).finish_non_exhaustive()
    }
}
