//! `Quarantine`: a global allocator that tells the explorer what a model allocates and frees.
//!
//! Memory that a model frees is kept aside until the execution is over. So an address belongs to
//! one allocation at most in an execution: a pointer has one name, and an access to what was freed
//! is known for what it is. Only the model's own allocations count. The explorer runs between the
//! operations of the model, in the same OS thread, and allocates on its own account: a switch in a
//! thread-local says whose code is running.
//!
//! Nothing of it depends on how often the explorer allocates, so the names are the same in every
//! run of an execution.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;

use super::run::with;

thread_local! {
    /// Whether the calling OS thread runs code of a model.
    static IN_MODEL: Cell<bool> = const { Cell::new(false) };
}

/// Whose code runs, until this is dropped: then it is as it was before.
pub(crate) struct Side {
    before: bool,
}

/// What comes is the explorer's, or that of somebody else who watches the model.
pub(crate) fn engine() -> Side {
    Side { before: IN_MODEL.replace(false) }
}

/// What comes is the model's.
pub(super) fn model() -> Side {
    Side { before: IN_MODEL.replace(true) }
}

impl Drop for Side {
    fn drop(&mut self) {
        IN_MODEL.set(self.before);
    }
}

/// Whether the caller is code of a model.
pub(super) fn in_model() -> bool {
    // Also while the OS thread ends, where it is not.
    IN_MODEL.try_with(Cell::get).unwrap_or_default()
}

/// The system's allocator, for binaries and tests that explore models with pointers.
///
/// ```
/// use gosched_verify::explore::Quarantine;
///
/// #[global_allocator]
/// static ALLOCATOR: Quarantine = Quarantine::new();
/// ```
///
/// With it the explorer reports a use after free, and names a pointer by the allocation it points
/// into. Outside a model it is the system's allocator, for the price of reading a thread-local.
/// In a model, what is freed is given back when the execution is over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quarantine(());

impl Quarantine {
    /// The allocator.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

fn allocated(block: *mut u8, layout: Layout) {
    if !block.is_null() && in_model() {
        with(|run| run.allocated(block, layout));
    }
}

// SAFETY: every block is the system's. One that a model frees is given back to the system later, by
// `Blocks`, or, if the model frees what the explorer does not know, at once.
unsafe impl GlobalAlloc for Quarantine {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc(layout) };
        allocated(block, layout);
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { System.alloc_zeroed(layout) };
        allocated(block, layout);
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if in_model() && with(|run| run.freed(block)) {
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !in_model() {
            // SAFETY: the caller's promise.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: the caller promises that the size, rounded up to the alignment, is no overflow.
        let grown = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: the size is not zero: the caller's promise.
        let new = unsafe { self.alloc(grown) };
        if !new.is_null() {
            // SAFETY: both are that large, and the new one is nobody else's.
            unsafe { ptr::copy_nonoverlapping(block, new, layout.size().min(size)) };
            // SAFETY: the caller's promise.
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}
