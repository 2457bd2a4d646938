//! A mapping that stacks are cut from, and the guards in it.

use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use super::guard::guard;

/// How large a slab is, about.
const SLAB_SIZE: usize = 64 << 20;
/// How many stacks a slab has at most.
const MOST_STACKS: usize = 512;

/// One mapping, which is unmapped when the last stack in it is dropped.
pub(super) struct Slab {
    protect: bool,
    start: NonNull<libc::c_void>,
    count: usize,
    stride: usize,
}

// SAFETY: it is a range of addresses; who may touch which of them is decided by its parts.
unsafe impl Send for Slab {}
// SAFETY: as above.
unsafe impl Sync for Slab {}

pub(crate) fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(|| {
        // SAFETY: `sysconf` has no precondition.
        usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
    })
}

impl Slab {
    /// Maps addresses for stacks of `size` bytes, each with its guard; see
    /// [`Stacks::new`](super::Stacks::new).
    pub(super) fn map(size: usize, protect: bool) -> io::Result<Self> {
        let stride = size.next_multiple_of(page_size()) + page_size();
        let count = (SLAB_SIZE / stride).clamp(1, MOST_STACKS);
        #[cfg(target_os = "linux")]
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
        #[cfg(not(target_os = "linux"))]
        let flags = libc::MAP_PRIVATE | libc::MAP_ANON;
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                stride * count,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).ok_or_else(io::Error::last_os_error)?;
        // A huge page would give every stack in it memory that it never touches.
        #[cfg(target_os = "linux")]
        // SAFETY: the range is ours; the advice changes no contents.
        unsafe {
            libc::madvise(start.as_ptr(), stride * count, libc::MADV_NOHUGEPAGE);
        }
        Ok(Self { protect, start, count, stride })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    #[expect(clippy::unused_self, reason = "a slab of another page size would answer differently")]
    pub(super) fn guard_size(&self) -> usize {
        page_size()
    }

    /// The part of stack `index`, with its guard installed.
    pub(super) fn part(&self, index: usize) -> io::Result<Range<usize>> {
        assert!(index < self.count, "the slab has {} stacks", self.count);
        let start = self.start.as_ptr().wrapping_byte_add(index * self.stride);
        guard(start, self.protect)?;
        let start = start.expose_provenance();
        Ok(start..start + self.stride)
    }

    /// Gives the memory of neighbouring stacks back to the kernel. The guards between them stay.
    pub(super) fn release(&self, pages: Range<usize>) {
        let offset = pages.start - self.start.as_ptr().addr();
        // SAFETY: the range lies in this slab, in stacks that nobody runs on.
        unsafe {
            libc::madvise(
                self.start.as_ptr().wrapping_byte_add(offset),
                pages.len(),
                libc::MADV_DONTNEED,
            );
        }
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no stack in it is left: each holds the slab.
        unsafe {
            libc::munmap(self.start.as_ptr(), self.stride * self.count);
        }
    }
}
