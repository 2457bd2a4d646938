//! Goroutine-locals: a value for each goroutine, as a thread-local is one for each thread.

use std::any::Any;
use std::fmt;

use crate::contain::contained;
use crate::worker::Worker;

/// How often values that destructors make anew are dropped. POSIX: `PTHREAD_DESTRUCTOR_ITERATIONS`.
const ROUNDS: usize = 4;

/// A goroutine's values, by the address of their key. Few, so a list is the fastest map.
pub(crate) struct Locals {
    values: Vec<(usize, Box<dyn Any>)>,
}

impl Locals {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// Takes all, to be dropped.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::new())
    }

    /// Drops a goroutine's values at its end, each for itself, until `take` finds none. A
    /// destructor may make values anew; what is still there after a few rounds is forgotten, as
    /// the next goroutine must not find it.
    pub(crate) fn end(take: impl Fn() -> Self) {
        for _ in 0..ROUNDS {
            let locals = take();
            if locals.values.is_empty() {
                return;
            }
            locals.values.into_iter().for_each(|(_, value)| contained(|| drop(value)));
        }
        std::mem::forget(take());
    }
}

/// A key whose value each goroutine has its own of. Made by [`goroutine_local!`].
///
/// [`goroutine_local!`]: crate::goroutine_local
pub struct GoroutineLocal<T: 'static> {
    init: fn() -> T,
    /// A key needs an address of its own, whatever `T` is.
    _address: u8,
}

/// [`GoroutineLocal::try_with`] was called on a thread that runs no goroutine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoGoroutine;

impl fmt::Display for NoGoroutine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this thread runs no goroutine, and so has no goroutine-locals")
    }
}

impl std::error::Error for NoGoroutine {}

impl<T: Send + 'static> GoroutineLocal<T> {
    /// A key; for [`goroutine_local!`](crate::goroutine_local).
    #[must_use]
    pub const fn new(init: fn() -> T) -> Self {
        Self { init, _address: 0 }
    }

    /// Runs `function` with this goroutine's value, which is made when it is first asked for, and
    /// dropped when the goroutine ends. The borrow may be kept across scheduling points.
    ///
    /// # Errors
    ///
    /// On a thread that runs no goroutine.
    pub fn try_with<R>(&'static self, function: impl FnOnce(&T) -> R) -> Result<R, NoGoroutine> {
        let (_, goroutine) = Worker::running().ok_or(NoGoroutine)?;
        let key = std::ptr::from_ref(self).addr();
        // SAFETY: the running goroutine; the reference ends before anything else is called.
        let values = || unsafe { &mut goroutine.locals().values };
        let find = || values().iter().position(|(other, _)| *other == key);
        let at = find().unwrap_or_else(|| {
            // It may ask for other values, or for this one.
            let value: Box<dyn Any> = Box::new((self.init)());
            find().unwrap_or_else(|| {
                values().push((key, value));
                values().len() - 1
            })
        });
        let value: *const T = values()[at].1.downcast_ref().expect("a key has one type");
        // SAFETY: the value lies in a box of its own, which is dropped when the goroutine ends.
        Ok(function(unsafe { &*value }))
    }

    /// As [`try_with`](GoroutineLocal::try_with).
    ///
    /// # Panics
    ///
    /// On a thread that runs no goroutine.
    pub fn with<R>(&'static self, function: impl FnOnce(&T) -> R) -> R {
        match self.try_with(function) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }
}

impl<T> fmt::Debug for GoroutineLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoroutineLocal").finish_non_exhaustive()
    }
}

/// Declares goroutine-locals, as [`thread_local!`] declares thread-locals.
///
/// ```
/// use std::cell::Cell;
/// use gosched_runtime::{Runtime, goroutine_local};
///
/// goroutine_local! {
///     static DEPTH: Cell<u32> = Cell::new(0);
/// }
/// # Runtime::new()?.run(|| {
/// DEPTH.with(|depth| depth.set(depth.get() + 1));
/// assert_eq!(DEPTH.with(Cell::get), 1);
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! goroutine_local {
    ($($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr;)+) => {$(
        $(#[$attribute])*
        $visibility static $name: $crate::GoroutineLocal<$type> =
            $crate::GoroutineLocal::new(|| $init);
    )+};
}
