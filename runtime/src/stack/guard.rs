//! Guards: pages that fault.

use std::io;

use super::slab::page_size;

/// Makes the page at `start` fault, which is the caller's and holds nothing. `protect`: in the way
/// that every system has.
pub(super) fn guard(start: *mut libc::c_void, protect: bool) -> io::Result<()> {
    if !protect && install(start)? {
        return Ok(());
    }
    // SAFETY: the page is the caller's.
    if unsafe { libc::mprotect(start, page_size(), libc::PROT_NONE) } == 0 {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// Without a mapping of its own. False if the kernel does not know how.
#[cfg(target_os = "linux")]
fn install(start: *mut libc::c_void) -> io::Result<bool> {
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Since Linux 6.13.
    const MADV_GUARD_INSTALL: libc::c_int = 102;
    static UNKNOWN: AtomicBool = AtomicBool::new(false);

    // ORDER: Relaxed: it spares system calls, and guards nothing.
    if UNKNOWN.load(Ordering::Relaxed) {
        return Ok(false);
    }
    // SAFETY: the page is the caller's, and holds nothing.
    if unsafe { libc::madvise(start, page_size(), MADV_GUARD_INSTALL) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(libc::EINVAL) {
        // ORDER: Relaxed: as above.
        UNKNOWN.store(true, Ordering::Relaxed);
        return Ok(false);
    }
    Err(error)
}

#[cfg(not(target_os = "linux"))]
fn install(_start: *mut libc::c_void) -> io::Result<bool> {
    Ok(false)
}
