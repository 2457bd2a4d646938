//! Stacks: mapped in slabs, guarded, and used again.
//!
//! A goroutine's stack is a piece of address space; memory comes page by page when it is touched,
//! so a stack may be generous: one that is parked in shallow code costs a page. Below each lies a
//! guard, which faults when a stack overflows.
//!
//! Linux allows a process 65,530 mappings, and a page that is protected splits the mapping it lies
//! in. So stacks are cut out of large slabs, and where the kernel knows `MADV_GUARD_INSTALL` (Linux
//! 6.13) the guards are installed inside the slab without splitting it: a million stacks are less
//! than a hundred mappings. Elsewhere guards are `PROT_NONE` pages, two mappings a stack, and the
//! kernel's limit is met at about 32,000 stacks unless `vm.max_map_count` is raised.
//!
//! ```text
//!    slab ┌───────┬───────────────────────┬───────┬───────────────────────┬──
//!         │ guard │ stack 0  ◄── grows    │ guard │ stack 1  ◄── grows    │ ...
//!         └───────┴───────────────────────┴───────┴───────────────────────┴──
//! ```
//!
//! The tops of stacks are not all at the same place of their page: were they, the hot lines of all
//! goroutines would compete for the same few sets of the cache.

mod guard;
mod pool;
mod slab;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use corosensei::stack::{Stack, StackPointer};

pub(crate) use self::pool::{FiberPool, Fibers};
use self::slab::Slab;
pub(crate) use self::slab::page_size;

/// The least a stack may have: a panic must fit, with its message and a full backtrace. These took
/// more than 20 KiB and less than 24 with Rust 1.95, optimised or not (x86-64, Linux 6.18,
/// 2026-11-22); the rest is left for the functions that panic.
///
/// A stack is as large as asked for, rounded up to whole pages, less up to 1,920 bytes: their tops
/// lie at different places of their pages.
pub const MIN_STACK_SIZE: usize = 32 * 1024;
/// The most: beyond it somebody has confused bytes with something else.
pub const MAX_STACK_SIZE: usize = 1 << 30;
/// What a stack has, if nobody says otherwise. It costs addresses alone.
pub const DEFAULT_STACK_SIZE: usize = 256 * 1024;

/// A stack: a part of a slab, which lives at least as long.
pub(crate) struct GuardedStack {
    /// One past the highest byte, coloured.
    base: StackPointer,
    /// The lowest byte of the guard.
    limit: StackPointer,
    /// One past the highest byte of the part.
    top: usize,
    slab: Arc<Slab>,
}

// SAFETY: the guard lies at the lower end, and a stack is never smaller than `MIN_STACK_SIZE`.
unsafe impl Stack for GuardedStack {
    #[inline]
    fn base(&self) -> StackPointer {
        self.base
    }

    #[inline]
    fn limit(&self) -> StackPointer {
        self.limit
    }
}

impl GuardedStack {
    /// The lowest address of this stack's guard.
    pub(crate) fn guard(&self) -> usize {
        self.limit.get()
    }

    /// Whether `next` lies behind it, guard to top.
    fn is_before(&self, next: &Self) -> bool {
        self.top == next.guard() && Arc::ptr_eq(&self.slab, &next.slab)
    }
}

/// Gives the memory of stacks that nobody runs on back to the kernel, and keeps the addresses, in
/// their order. Neighbours go at once: each time the other processors have to be told, which costs
/// more than the memory.
pub(crate) fn release_memory(stacks: &mut [GuardedStack]) {
    stacks.sort_unstable_by_key(GuardedStack::guard);
    for run in stacks.chunk_by(GuardedStack::is_before) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        first.slab.release(first.guard() + first.slab.guard_size()..last.top);
    }
}

/// Where stacks of one size come from.
pub(crate) struct Stacks {
    size: usize,
    protect: bool,
    cut: Mutex<Cut>,
}

/// The slab that stacks are cut from now.
struct Cut {
    slab: Option<Arc<Slab>>,
    /// How many stacks were cut from it.
    used: usize,
    /// How many stacks there are in all: their colours take turns.
    count: usize,
}

impl Stacks {
    /// Stacks of `size` bytes, rounded up to whole pages. `protect`: their guards are pages that
    /// are protected, whatever the kernel can do.
    pub(crate) fn new(size: usize, protect: bool) -> Self {
        Self { size, protect, cut: Mutex::new(Cut { slab: None, used: 0, count: 0 }) }
    }

    /// A stack that nobody has used.
    ///
    /// # Errors
    ///
    /// The kernel's, if it has no more addresses, mappings or memory.
    pub(crate) fn cut(&self) -> io::Result<GuardedStack> {
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        if cut.slab.as_ref().is_none_or(|slab| cut.used == slab.count()) {
            cut.slab = Some(Arc::new(Slab::map(self.size, self.protect)?));
            cut.used = 0;
        }
        let slab = Arc::clone(cut.slab.as_ref().expect("it was mapped above"));
        let part = slab.part(cut.used)?;
        let colour = (cut.count % 16) * 128;
        cut.used += 1;
        cut.count += 1;
        let at = |address| StackPointer::new(address).expect("no mapping lies at address zero");
        Ok(GuardedStack { base: at(part.end - colour), limit: at(part.start), top: part.end, slab })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_do_not_overlap_and_are_writable() {
        for protect in [false, true] {
            check(&Stacks::new(MIN_STACK_SIZE, protect));
        }
    }

    fn check(stacks: &Stacks) {
        let mut all: Vec<GuardedStack> = (0..300).map(|_| stacks.cut().unwrap()).collect();
        all.sort_by_key(|stack| stack.limit);
        for pair in all.windows(2) {
            assert!(pair[0].top <= pair[1].limit.get());
        }
        for stack in &all {
            let lowest = stack.limit.get() + stack.slab.guard_size();
            assert!(stack.base.get() - lowest >= MIN_STACK_SIZE - 16 * 128);
            let byte = std::ptr::with_exposed_provenance_mut::<u8>(lowest);
            // SAFETY: the byte is the lowest above the guard, and nobody runs on the stack.
            unsafe { byte.write(7) };
            assert_eq!(lowest - stack.guard(), page_size());
        }
        // Every seventh is in use, so that there are runs of six.
        let (used, mut free): (Vec<_>, Vec<_>) =
            all.into_iter().enumerate().partition(|(index, _)| index % 7 == 0);
        free.reverse();
        let mut free: Vec<_> = free.into_iter().map(|(_, stack)| stack).collect();
        release_memory(&mut free);
        let used = used.into_iter().map(|(_, stack)| (stack, 7));
        for (stack, expected) in used.chain(free.into_iter().map(|stack| (stack, 0))) {
            let lowest = stack.limit.get() + stack.slab.guard_size();
            let byte = std::ptr::with_exposed_provenance_mut::<u8>(lowest);
            // SAFETY: as above; the kernel gives a zeroed page for one that it took.
            assert_eq!(unsafe { byte.read() }, expected);
            assert!(is_guarded(&stack), "the guard is where it was");
        }
    }

    /// Whether the kernel refuses to read the guard's last byte, for us.
    fn is_guarded(stack: &GuardedStack) -> bool {
        let mut ends = [0; 2];
        // SAFETY: it writes two numbers.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
        let byte = std::ptr::with_exposed_provenance::<libc::c_void>(
            stack.guard() + stack.slab.guard_size() - 1,
        );
        // SAFETY: the kernel looks whether it may read there.
        let written = unsafe { libc::write(ends[1], byte, 1) };
        let refused = io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT);
        // SAFETY: the pipe is ours.
        ends.iter().for_each(|end| _ = unsafe { libc::close(*end) });
        written == -1 && refused
    }
}
