//! Shared ownership, with a count that is explored.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use gosched::memory::{Ordering, Shared};

use super::Word;
use crate::explore::event::{Arithmetic, Clock, Fence, ReadKind, Write};
use crate::explore::picture::What;
use crate::explore::request::Request;
use crate::explore::run::{is_inside, perform, with};

/// An `Arc` of [`Explored`](super::Explored): a count that is explored like any other word, so that
/// every owner is the last one in some execution. Of a value without a destructor it does not
/// matter who is, and nothing is explored.
pub struct ExploredArc<T>(ManuallyDrop<Arc<Counted<T>>>);

struct Counted<T> {
    /// What the former owners have done: it happens before the memory is freed.
    drops: Cell<Clock>,
    /// The owners; `None` if the value has no destructor.
    owners: Option<Word>,
    /// Dropped by the last owner, and by nobody when the run was cut short.
    value: UnsafeCell<ManuallyDrop<T>>,
}

// SAFETY: the value is shared as by std's `Arc`, and dropped by the last owner, after all others.
unsafe impl<T: Send + Sync> Send for ExploredArc<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for ExploredArc<T> {}

impl<T> ExploredArc<T> {
    /// Changes the number of owners; returns what it was, unless the run is over.
    #[track_caller]
    fn count(&self, arithmetic: Arithmetic, order: Ordering) -> Option<u64> {
        let at = Location::caller();
        let loc = self.0.owners.as_ref()?.reach(at)?;
        let kind = ReadKind::Modify { arithmetic, operand: 1, mask: u64::MAX, order };
        let before = perform(Request::Read { loc, kind }, at)?.value;
        let value = kind.writes(before).expect("a read-modify-write writes");
        perform(Request::Write(Write { loc, value, order, exclusive: true }), at)?;
        Some(before)
    }
}

impl<T: Send + Sync> Shared<T> for ExploredArc<T> {
    #[track_caller]
    fn new(value: T) -> Self {
        // Outside a model this panics, also where nobody counts.
        with(|_| ());
        let counts = std::mem::needs_drop::<T>();
        let owners = if counts { Some(Word::new(1, What::Owners)) } else { None };
        let value = UnsafeCell::new(ManuallyDrop::new(value));
        Self(ManuallyDrop::new(Arc::new(Counted { drops: Cell::default(), owners, value })))
    }
}

impl<T> Clone for ExploredArc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.count(Arithmetic::Add, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

impl<T> ExploredArc<T> {
    /// Drops the value, if this is its last owner.
    fn drop_value(&self) {
        if self.count(Arithmetic::Sub, Ordering::Release) == Some(1)
            && perform(Request::Fence(Fence::Ordered(Ordering::Acquire)), Location::caller())
                .is_some()
        {
            // SAFETY: the count says that all other owners are gone, and their uses happen before
            // the fence: nobody else has a reference.
            let value = unsafe { &mut *self.0.value.get() };
            // SAFETY: only the last owner drops it, and only once.
            unsafe { ManuallyDrop::drop(value) };
        }
    }

    /// Says that this owner is through with the memory.
    fn leave(&self) {
        with(|run| {
            if run.is_over() {
                return;
            }
            let mut drops = self.0.drops.get();
            drops.join(&run.now());
            self.0.drops.set(drops);
            run.shared_drops = (Arc::strong_count(&self.0) == 1).then_some(drops);
        });
    }
}

impl<T> Drop for ExploredArc<T> {
    fn drop(&mut self) {
        // Of a model that is gone the last owner cannot be known any more.
        if is_inside() {
            self.drop_value();
            self.leave();
        }
        // SAFETY: it is dropped here, and not used any more.
        unsafe { ManuallyDrop::drop(&mut self.0) };
        if is_inside() {
            with(|run| run.shared_drops = None);
        }
    }
}

impl<T> Deref for ExploredArc<T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the value is dropped by the last owner, and we are one.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> fmt::Debug for ExploredArc<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExploredArc(..)")
    }
}
