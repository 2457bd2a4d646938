//! What a thread waits for: a mutex and a parking place. Both are a word, and a read that blocks.

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::Location;

use gosched::memory::{Lock, Ordering, Park};

use super::Word;
use crate::explore::event::{Arithmetic, ReadKind};
use crate::explore::picture::What;

/// A mutex of [`Explored`](super::Explored): a word that is 1 while somebody holds it. Who waits
/// for it is blocked.
pub struct ExploredMutex<T> {
    held: Word,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by the thread that holds the lock, or through `&mut`.
unsafe impl<T: Send> Sync for ExploredMutex<T> {}

/// Releases the lock, also when the closure panics.
struct Release<'a>(&'a Word, &'static Location<'static>);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.write(0, Ordering::Release, self.1);
    }
}

impl<T: Send> Lock<T> for ExploredMutex<T> {
    #[track_caller]
    fn new(value: T) -> Self {
        Self { held: Word::new(0, What::Lock), value: UnsafeCell::new(value) }
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let at = Location::caller();
        self.held.read(ReadKind::Await { expected: 0, new: 1, order: Ordering::Acquire }, at);
        let _release = Release(&self.held, at);
        // SAFETY: we hold the lock. (When the run is over, its threads are unwound one by one, and
        // none of them is inside a closure but the one that is being unwound.)
        f(unsafe { &mut *self.value.get() })
    }
    fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> fmt::Debug for ExploredMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExploredMutex(..)")
    }
}

/// A parking place of [`Explored`](super::Explored): a word that is 1 while there is a token.
#[derive(Debug)]
pub struct ExploredParker(Word);

impl Park for ExploredParker {
    #[track_caller]
    fn new() -> Self {
        Self(Word::new(0, What::Parker))
    }
    #[track_caller]
    fn park(&self) {
        let kind = ReadKind::Await { expected: 1, new: 0, order: Ordering::Acquire };
        self.0.read(kind, Location::caller());
    }
    #[track_caller]
    fn unpark(&self) {
        let (arithmetic, order) = (Arithmetic::Swap, Ordering::Release);
        let kind = ReadKind::Modify { arithmetic, operand: 1, mask: 1, order };
        self.0.read(kind, Location::caller());
    }
}
