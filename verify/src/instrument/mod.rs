//! Worlds that wrap a world: every operation passes a [`Hook`] on its way.
//!
//! [`Instrumented<W, H>`] is a world like any other, so every model runs on it unchanged. Its
//! atomics, cells, locks and fences are newtypes around those of `W`. Before each operation the
//! hook sees what is about to happen ([`Operation`]: the kind, the orderings, the line of source
//! that asked for it) and may change the orderings; after it, the hook learns whether it succeeded.
//!
//! | hook | the world is called | and answers |
//! |---|---|---|
//! | [`Audit`] | [`Audited<W>`] | would the claims notice if this ordering were weaker? |
//! | [`Count`] | [`Counted<W>`] | how many atomic operations does a pop cost? |
//!
//! A hook must know whose operation it sees. Threads of a checker are coroutines: many of them live
//! on one thread of the operating system, and inside any operation of `W` another one may go on. So
//! the wrapper tells the hook when its thread gives up control ([`Hook::pause`]) and when it has it
//! again ([`Hook::resume`]); what `pause` returned waits on the paused thread's own stack.
//!
//! ```text
//!    begin(&mut operation)      the hook may change the orderings
//!    paused = pause()     --+
//!    W's operation          |   other threads run here
//!    resume(paused)       --+
//!    end(&operation, succeeded)
//! ```

mod audited;
mod counted;
mod types;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use gosched::memory::{Memory, Ordering};

pub use self::audited::{Audit, Audited, Order, Part, Plan, Site, Weakening};
pub use self::counted::{Count, Counted, Counts};
pub use self::types::{
    InstrumentedArc, InstrumentedAtomic, InstrumentedCell, InstrumentedMutex, InstrumentedParker,
};
use crate::world::World;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
pub enum Kind {
    /// An atomic load.
    Load,
    /// An atomic store.
    Store,
    /// A swap or one of the `fetch_*`.
    ReadModifyWrite,
    /// A compare-exchange, strong or weak. It succeeded if it wrote.
    CompareExchange,
    /// `fence`.
    Fence,
    /// `light_fence`.
    LightFence,
    /// `heavy_fence`.
    HeavyFence,
    /// The beginning of a read access of a cell.
    CellRead,
    /// The beginning of a write access of a cell.
    CellWrite,
    /// A lock was taken.
    Lock,
    /// A lock was given back.
    Unlock,
    /// A thread parks.
    Park,
    /// A thread is unparked.
    Unpark,
}

/// An operation, as the hook sees it.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// What it does.
    pub kind: Kind,
    /// Its ordering; of a compare-exchange, that of success. `Relaxed` where there is none to ask
    /// for; `SeqCst` for the two asymmetric fences. A fence whose ordering a hook changes to
    /// `Relaxed` does not take place.
    pub order: Ordering,
    /// The ordering of a failing compare-exchange; `Relaxed` for every other kind.
    pub failure: Ordering,
    /// The line of source that asked for it.
    pub caller: &'static Location<'static>,
}

impl Operation {
    #[track_caller]
    fn new(kind: Kind, order: Ordering, failure: Ordering) -> Self {
        Self { kind, order, failure, caller: Location::caller() }
    }

    #[track_caller]
    fn unordered(kind: Kind) -> Self {
        Self::new(kind, Ordering::Relaxed, Ordering::Relaxed)
    }
}

/// What happens around each operation of an [`Instrumented`] world. All state is static: the hook
/// is a type, not a value, as memories are.
pub trait Hook: 'static {
    /// The world's name, for reports.
    const NAME: &'static str;

    /// What belongs to the running thread and must not be seen by another one meanwhile.
    type Paused;

    /// The operation is about to take place. Whatever the hook leaves in `order` and `failure` is
    /// what the wrapped world is asked for.
    fn begin(operation: &mut Operation);

    /// The operation took place. `succeeded` is false for a compare-exchange that did not write.
    fn end(operation: &Operation, succeeded: bool);

    /// Another thread may run from here on.
    fn pause() -> Self::Paused;

    /// This thread runs again.
    fn resume(paused: Self::Paused);
}

/// The world `W`, with the hook `H` around every operation.
pub struct Instrumented<W, H>(PhantomData<fn() -> (W, H)>);

impl<W, H> Clone for Instrumented<W, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W, H> Copy for Instrumented<W, H> {}

impl<W: Memory, H: Hook> fmt::Debug for Instrumented<W, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", H::NAME, W::NAME)
    }
}

/// Runs `inner`, in which other threads may run.
fn paused<H: Hook, R>(inner: impl FnOnce() -> R) -> R {
    let paused = H::pause();
    let result = inner();
    H::resume(paused);
    result
}

/// Runs one operation between the hook's calls.
fn perform<H: Hook, R>(
    mut operation: Operation,
    inner: impl FnOnce(&Operation) -> R,
    succeeded: impl FnOnce(&R) -> bool,
) -> R {
    H::begin(&mut operation);
    let result = paused::<H, R>(|| inner(&operation));
    H::end(&operation, succeeded(&result));
    result
}

/// Runs a fence, unless the hook takes it away.
fn fence<H: Hook>(operation: Operation, inner: impl FnOnce(Ordering)) {
    let wanted = operation.order != Ordering::Relaxed;
    perform::<H, ()>(
        operation,
        |operation| {
            if !wanted || operation.order != Ordering::Relaxed {
                inner(operation.order);
            }
        },
        |()| true,
    );
}

// SAFETY: with a hook that leaves the orderings alone (`Count`), every operation is the operation
// of `W`, which keeps the contract. `Audit` **breaks the contract on purpose**: the code under test
// then runs with a weaker ordering than it asked for, and its unsafe code may do what its comments
// say cannot happen: read a task that was not published, free one twice. Under loom most of this is
// reported at the access (cells are tracked) before it does harm, but not all: a word taken twice
// out of a queue and made a `Box` twice is a real double free. That is why a weakened world runs
// only in a child process that exists for this one experiment and is judged by how it ends (a crash
// is a verdict, too), and why nothing weakens anything unless `Plan::start` was called in the
// process.
unsafe impl<W: Memory, H: Hook> Memory for Instrumented<W, H> {
    const NAME: &'static str = H::NAME;
    const CHECKED: bool = true;

    type AtomicU32 = InstrumentedAtomic<W::AtomicU32, H>;
    type AtomicU64 = InstrumentedAtomic<W::AtomicU64, H>;
    type AtomicUsize = InstrumentedAtomic<W::AtomicUsize, H>;
    type AtomicPtr<T: 'static> = InstrumentedAtomic<W::AtomicPtr<T>, H>;
    type Cell<T: Send> = InstrumentedCell<W::Cell<T>, H>;
    type Mutex<T: Send> = InstrumentedMutex<W::Mutex<T>, H>;
    type Arc<T: Send + Sync> = InstrumentedArc<W::Arc<T>, H>;
    type Parker = InstrumentedParker<W::Parker, H>;

    #[track_caller]
    fn fence(order: Ordering) {
        fence::<H>(Operation::new(Kind::Fence, order, Ordering::Relaxed), W::fence);
    }

    #[track_caller]
    fn light_fence() {
        let operation = Operation::new(Kind::LightFence, Ordering::SeqCst, Ordering::Relaxed);
        fence::<H>(operation, |_| W::light_fence());
    }

    #[track_caller]
    fn heavy_fence() {
        let operation = Operation::new(Kind::HeavyFence, Ordering::SeqCst, Ordering::Relaxed);
        fence::<H>(operation, |_| W::heavy_fence());
    }

    fn spin_loop() {
        paused::<H, ()>(W::spin_loop);
    }

    fn iteration() {
        W::iteration();
    }

    // Without a closure around it, so that the wrapped world learns who calls.
    #[track_caller]
    fn retry_pure() {
        let paused = H::pause();
        W::retry_pure();
        H::resume(paused);
    }
}

impl<W: World, H: Hook> World for Instrumented<W, H> {
    type JoinHandle<T: Send + 'static> = W::JoinHandle<T>;

    fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> Self::JoinHandle<T> {
        paused::<H, _>(|| W::spawn(f))
    }

    fn join<T: Send + 'static>(handle: Self::JoinHandle<T>) -> T {
        paused::<H, _>(|| W::join(handle))
    }

    fn yield_now() {
        paused::<H, ()>(W::yield_now);
    }
}
