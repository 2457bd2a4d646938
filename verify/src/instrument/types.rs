//! The newtypes of an [`Instrumented`](super::Instrumented) world: each holds its counterpart of
//! the wrapped world and says to the hook what it is about to do.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;

use gosched::memory::{Atomic, AtomicInt, Lock, Ordering, Park, RaceCell, Shared};

use super::{Hook, Kind, Operation, paused, perform};

/// An atomic location of the wrapped world.
pub struct InstrumentedAtomic<A, H>(A, PhantomData<fn() -> H>);

impl<A: fmt::Debug, H> fmt::Debug for InstrumentedAtomic<A, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<A, H: Hook> InstrumentedAtomic<A, H> {
    #[track_caller]
    fn read_modify_write<V>(&self, order: Ordering, inner: impl FnOnce(&A, Ordering) -> V) -> V {
        perform::<H, V>(
            Operation::new(Kind::ReadModifyWrite, order, Ordering::Relaxed),
            |operation| inner(&self.0, operation.order),
            |_| true,
        )
    }

    #[track_caller]
    fn compare<V>(
        &self,
        success: Ordering,
        failure: Ordering,
        inner: impl FnOnce(&A, Ordering, Ordering) -> Result<V, V>,
    ) -> Result<V, V> {
        perform::<H, Result<V, V>>(
            Operation::new(Kind::CompareExchange, success, failure),
            |operation| inner(&self.0, operation.order, operation.failure),
            Result::is_ok,
        )
    }
}

impl<V: Copy, A: Atomic<V>, H: Hook> Atomic<V> for InstrumentedAtomic<A, H> {
    #[track_caller]
    fn new(value: V) -> Self {
        Self(A::new(value), PhantomData)
    }

    #[track_caller]
    fn load(&self, order: Ordering) -> V {
        perform::<H, V>(
            Operation::new(Kind::Load, order, Ordering::Relaxed),
            |operation| self.0.load(operation.order),
            |_| true,
        )
    }

    #[track_caller]
    fn store(&self, value: V, order: Ordering) {
        perform::<H, ()>(
            Operation::new(Kind::Store, order, Ordering::Relaxed),
            |operation| self.0.store(value, operation.order),
            |()| true,
        );
    }

    #[track_caller]
    fn swap(&self, value: V, order: Ordering) -> V {
        self.read_modify_write(order, |atomic, order| atomic.swap(value, order))
    }

    #[track_caller]
    fn compare_exchange(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V> {
        self.compare(success, failure, |atomic, success, failure| {
            atomic.compare_exchange(current, new, success, failure)
        })
    }

    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V> {
        self.compare(success, failure, |atomic, success, failure| {
            atomic.compare_exchange_weak(current, new, success, failure)
        })
    }

    #[track_caller]
    fn load_mut(&mut self) -> V {
        self.0.load_mut()
    }
}

/// Each `fetch_*` is a read-modify-write of the same name.
macro_rules! fetches {
    ($($method:ident)+) => {
        impl<V: Copy, A: AtomicInt<V>, H: Hook> AtomicInt<V> for InstrumentedAtomic<A, H> {
            $(
                #[track_caller]
                fn $method(&self, value: V, order: Ordering) -> V {
                    self.read_modify_write(order, |atomic, order| atomic.$method(value, order))
                }
            )+
        }
    };
}
fetches!(fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_max fetch_min);

/// A cell of the wrapped world.
pub struct InstrumentedCell<C, H>(C, PhantomData<fn() -> H>);

impl<C: fmt::Debug, H> fmt::Debug for InstrumentedCell<C, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Send, C: RaceCell<T>, H: Hook> RaceCell<T> for InstrumentedCell<C, H> {
    #[track_caller]
    fn new(value: T) -> Self {
        Self(C::new(value), PhantomData)
    }

    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        let enter = Enter::<H>::begin(Operation::unordered(Kind::CellRead));
        let (result, left) = self.0.with(|value| enter.run(|| f(value)));
        H::resume(left);
        result
    }

    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        let enter = Enter::<H>::begin(Operation::unordered(Kind::CellWrite));
        let (result, left) = self.0.with_mut(|value| enter.run(|| f(value)));
        H::resume(left);
        result
    }
}

/// An operation that runs a closure of the caller's in its middle: other threads may run before the
/// closure and after it.
struct Enter<H: Hook> {
    operation: Operation,
    paused: H::Paused,
}

impl<H: Hook> Enter<H> {
    fn begin(mut operation: Operation) -> Self {
        H::begin(&mut operation);
        Self { operation, paused: H::pause() }
    }

    /// Runs the closure. The caller must resume what comes back with its result.
    fn run<R>(self, f: impl FnOnce() -> R) -> (R, H::Paused) {
        H::resume(self.paused);
        H::end(&self.operation, true);
        (f(), H::pause())
    }
}

/// A mutex of the wrapped world.
pub struct InstrumentedMutex<M, H>(M, PhantomData<fn() -> H>);

impl<M: fmt::Debug, H> fmt::Debug for InstrumentedMutex<M, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Send, M: Lock<T>, H: Hook> Lock<T> for InstrumentedMutex<M, H> {
    fn new(value: T) -> Self {
        Self(M::new(value), PhantomData)
    }

    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let enter = Enter::<H>::begin(Operation::unordered(Kind::Lock));
        let mut unlock = Operation::unordered(Kind::Unlock);
        let (result, left) = self.0.with(|value| {
            enter.run(|| {
                let result = f(value);
                H::begin(&mut unlock);
                result
            })
        });
        H::resume(left);
        H::end(&unlock, true);
        result
    }

    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

/// An `Arc` of the wrapped world. Its counting is not the algorithm's, so the hook sees none of it.
pub struct InstrumentedArc<A, H: Hook>(ManuallyDrop<A>, PhantomData<fn() -> H>);

impl<A: fmt::Debug, H: Hook> fmt::Debug for InstrumentedArc<A, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Send + Sync, A: Shared<T>, H: Hook> Shared<T> for InstrumentedArc<A, H> {
    fn new(value: T) -> Self {
        Self(ManuallyDrop::new(A::new(value)), PhantomData)
    }
}

impl<A: Clone, H: Hook> Clone for InstrumentedArc<A, H> {
    fn clone(&self) -> Self {
        Self(paused::<H, _>(|| self.0.clone()), PhantomData)
    }
}

impl<A: Deref, H: Hook> Deref for InstrumentedArc<A, H> {
    type Target = A::Target;
    fn deref(&self) -> &A::Target {
        &self.0
    }
}

impl<A, H: Hook> Drop for InstrumentedArc<A, H> {
    fn drop(&mut self) {
        // SAFETY: we are being dropped, and use the field no more.
        paused::<H, ()>(|| unsafe { ManuallyDrop::drop(&mut self.0) });
    }
}

/// A parking place of the wrapped world.
pub struct InstrumentedParker<P, H>(P, PhantomData<fn() -> H>);

impl<P: fmt::Debug, H> fmt::Debug for InstrumentedParker<P, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<P: Park, H: Hook> Park for InstrumentedParker<P, H> {
    fn new() -> Self {
        Self(P::new(), PhantomData)
    }

    #[track_caller]
    fn park(&self) {
        perform::<H, ()>(Operation::unordered(Kind::Park), |_| self.0.park(), |()| true);
    }

    #[track_caller]
    fn unpark(&self) {
        perform::<H, ()>(Operation::unordered(Kind::Unpark), |_| self.0.unpark(), |()| true);
    }
}
