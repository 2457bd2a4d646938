//! A dump when the process is sent `SIGQUIT`: Ctrl-\ on a terminal.
//!
//! A signal's handler may do next to nothing, so it writes one byte into a pipe. A thread sleeps in
//! reading the other end, and writes the dumps of all runtimes that want it to the standard error.
//! Dumps take no lock, and the thread is none of the scheduler's: it works while everything hangs.
//!
//= go1.27:src/runtime/signal_unix.go#sighandler

use std::fs::File;
use std::io::{self, Read, Write};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use crate::dump;
use crate::runtime::Shared;

/// The end of the pipe that the handler writes to.
static PIPE: AtomicI32 = AtomicI32::new(-1);

/// The runtimes that are dumped. Also: whoever has the lock installs the handler.
static RUNTIMES: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Dumps this runtime, too, when the signal comes.
pub(crate) fn dump_on_quit(shared: &Arc<Shared>) -> io::Result<()> {
    let mut runtimes = RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner);
    // ORDER: Relaxed: written under the lock; the handler comes after the store below it.
    if PIPE.load(Ordering::Relaxed) == -1 {
        install()?;
    }
    runtimes.retain(|runtime| runtime.strong_count() > 0);
    runtimes.push(Arc::downgrade(shared));
    Ok(())
}

/// Makes the pipe, the thread and the handler, which stay.
fn install() -> io::Result<()> {
    let mut ends = [0; 2];
    // SAFETY: room for both ends.
    if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: two new descriptors, which are ours.
    let [read, write] = ends.map(|end| unsafe { File::from_raw_fd(end) });
    for end in [&read, &write] {
        // SAFETY: the descriptor is ours.
        unsafe { libc::fcntl(end.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // A handler must not wait for a pipe that is full.
    // SAFETY: the descriptor is ours.
    unsafe { libc::fcntl(write.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    thread::Builder::new().name("gosched-dump".to_owned()).spawn(move || run(read))?;
    // ORDER: Release: the handler, installed after it, finds a pipe that is ready.
    PIPE.store(write.as_raw_fd(), Ordering::Release);
    mem::forget(write);
    // SAFETY: zeroes are a valid action.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK | libc::SA_RESTART;
    // SAFETY: the handler does what a handler may.
    if unsafe { libc::sigaction(libc::SIGQUIT, &raw const action, null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

extern "C" fn handler(_signal: libc::c_int) {
    // The code that was interrupted may be about to read its error.
    // SAFETY: it has no precondition.
    let errno = unsafe { errno() };
    // SAFETY: the thread's own variable.
    let before = unsafe { *errno };
    // ORDER: Acquire: pairs with the Release in `install`.
    let pipe = PIPE.load(Ordering::Acquire);
    // SAFETY: one byte; if the pipe is full, there are enough of them in it.
    unsafe { libc::write(pipe, [0u8].as_ptr().cast(), 1) };
    // SAFETY: as above.
    unsafe { *errno = before };
}

#[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
use libc::__errno as errno;
#[cfg(target_os = "linux")]
use libc::__errno_location as errno;
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
use libc::__error as errno;

/// Leaves the signals of the program to its other threads. Faults cannot be left to others, and
/// this one may be the only thread that takes a `SIGQUIT`.
fn block_signals() {
    use libc::{SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP};
    // SAFETY: zeroes are a valid set; it is filled below.
    let mut signals: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: the set is ours.
    unsafe { libc::sigfillset(&raw mut signals) };
    for signal in [SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] {
        // SAFETY: as above.
        unsafe { libc::sigdelset(&raw mut signals, signal) };
    }
    // SAFETY: it changes this thread's mask alone.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, null_mut()) };
}

fn run(mut pipe: File) {
    block_signals();
    let mut bytes = [0; 64];
    loop {
        match pipe.read(&mut bytes) {
            Ok(1..) => {}
            // By `SIGQUIT`, if the program's own handler calls ours: it may not have `SA_RESTART`.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => return,
        }
        let runtimes = RUNTIMES.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for shared in runtimes.iter().filter_map(Weak::upgrade) {
            let name = &shared.engine().settings.name;
            let text = format!("SIGQUIT: goroutines of `{name}`\n\n{}\n", dump::of(&shared));
            let _ = io::stderr().write_all(text.as_bytes());
        }
    }
}
