//! A task, as the queues see it: one word that owns it.
//!
//! Go's run queue holds `guintptr`, a pointer that the garbage collector does not see. Ours holds a
//! word that *owns* the task: whoever takes the word out of a queue owns the task again, and a
//! queue that is dropped drops the tasks it still holds. The word is a pointer, not an integer, so
//! that provenance survives the journey.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::num::NonZeroUsize;
use core::pin::Pin;
use core::ptr::NonNull;

/// A value that one non-null word can own.
///
/// Implemented for `Box`, `Pin<Box>`, `Arc`, `&'static` and [`NonZeroUsize`] (an index into a table
/// of the host's). For another type, wrap its pointer:
///
/// ```
/// use gosched::Task;
/// use std::ptr::NonNull;
///
/// struct Coroutine { /* a stack, a state */ }
/// struct Handle(Box<Coroutine>);
///
/// // SAFETY: both directions are `Box`'s own.
/// unsafe impl Task for Handle {
///     fn into_word(self) -> NonNull<()> {
///         self.0.into_word()
///     }
///     unsafe fn from_word(word: NonNull<()>) -> Self {
///         // SAFETY: the caller's promise is the one `Box` asks for.
///         Handle(unsafe { Box::from_word(word) })
///     }
/// }
/// # let word = Handle(Box::new(Coroutine {})).into_word();
/// # drop(unsafe { Handle::from_word(word) });
/// ```
///
/// # Safety
///
/// `from_word(task.into_word())` must give back the same task, in any thread, with everything it
/// owns; and `into_word` must not panic. A queue never makes a task of a word twice.
#[diagnostic::on_unimplemented(
    message = "a queue cannot hold `{Self}`: one word must be able to own it",
    label = "does not implement `gosched::Task`",
    note = "`Box<T>`, `Pin<Box<T>>`, `Arc<T>`, `&'static T` and `NonZeroUsize` do",
    note = "a value larger than a word, or a fat `Box<dyn Trait>`, can be boxed once more: \
            `Box<Box<dyn Trait>>`",
    note = "for a pointer type of another crate, write a newtype and implement `Task` for it"
)]
pub unsafe trait Task: Send + Sized {
    /// Gives the task up to the word. Dropping the word leaks the task.
    #[must_use = "the word owns the task now"]
    fn into_word(self) -> NonNull<()>;

    /// Takes the task back out of the word.
    ///
    /// # Safety
    ///
    /// `word` must come from [`into_word`](Task::into_word) of the same type, and a word that came
    /// out of one `into_word` must be given to `from_word` at most once.
    unsafe fn from_word(word: NonNull<()>) -> Self;
}

// SAFETY: `into_raw` and `from_raw` carry the box, and `T: Send` may change threads.
unsafe impl<T: Send> Task for Box<T> {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        NonNull::from(Box::leak(self)).cast()
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: by the caller's promise the word is a box that `into_word` leaked.
        unsafe { Box::from_raw(word.cast().as_ptr()) }
    }
}

// SAFETY: as for `Box`; the value does not move while it is a word.
unsafe impl<T: Send> Task for Pin<Box<T>> {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        // SAFETY: nobody can reach the box while it is a word, so it is not moved out of its pin.
        unsafe { Pin::into_inner_unchecked(self) }.into_word()
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: by the caller's promise the word is a pinned box that `into_word` took apart.
        Box::into_pin(unsafe { Box::from_word(word) })
    }
}

// SAFETY: `into_raw` and `from_raw` carry one reference count, and `T: Send + Sync` may be shared.
unsafe impl<T: Send + Sync> Task for Arc<T> {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        // SAFETY: an `Arc`'s pointer is never null.
        unsafe { NonNull::new_unchecked(Arc::into_raw(self).cast_mut().cast()) }
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: by the caller's promise the word is a count that `into_word` gave up.
        unsafe { Arc::from_raw(word.cast().as_ptr()) }
    }
}

// SAFETY: a shared reference is a pointer, and `T: Sync` makes it sendable.
unsafe impl<T: Sync> Task for &'static T {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        NonNull::from(self).cast()
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        // SAFETY: by the caller's promise the word was a `&'static T`.
        unsafe { word.cast().as_ref() }
    }
}

// SAFETY: the number is the pointer's address; it has no provenance and is never dereferenced.
unsafe impl Task for NonZeroUsize {
    #[inline]
    fn into_word(self) -> NonNull<()> {
        let address = core::ptr::without_provenance_mut(self.get());
        // SAFETY: the address is not zero.
        unsafe { NonNull::new_unchecked(address) }
    }

    #[inline]
    unsafe fn from_word(word: NonNull<()>) -> Self {
        word.addr()
    }
}
