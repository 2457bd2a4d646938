//! A stack's overflow: told with the goroutine's name, instead of a bare `Segmentation fault`.
//!
//! A goroutine that uses up its stack touches the guard below it, and the kernel sends a signal.
//! The handler runs on a stack of the thread's own, as the goroutine's has no room. If the address
//! lies in the guard of the goroutine that runs on the thread, it says who it is and aborts; any
//! other fault goes to the handler that was there before, std's for one, which knows the threads'
//! stacks.
//!
//! The handler does only what a signal's handler may: it reads atomics and the thread's worker,
//! makes text in an array, and calls `write` and `abort`.

use std::fmt::{self, Write};
use std::mem::{self, MaybeUninit};
use std::ptr::null_mut;
use std::sync::{Once, OnceLock};

use crate::stack::page_size;
use crate::worker::Worker;

/// What a stray access is told by.
const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// The handlers that were there before.
static PREVIOUS: [OnceLock<libc::sigaction>; 2] = [const { OnceLock::new() }; 2];

/// Installs the handler, once for the process.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Asked for before there can be an overflow.
        let _ = page_size();
        for (signal, previous) in SIGNALS.iter().zip(&PREVIOUS) {
            let mut old = MaybeUninit::<libc::sigaction>::zeroed();
            // SAFETY: it only asks.
            if unsafe { libc::sigaction(*signal, std::ptr::null(), old.as_mut_ptr()) } != 0 {
                continue;
            }
            // SAFETY: filled in by the call, and valid as zeroes.
            let _ = previous.set(unsafe { old.assume_init() });
            // SAFETY: zeroes are a valid action.
            let mut new: libc::sigaction = unsafe { mem::zeroed() };
            new.sa_sigaction = handler as *const () as usize;
            new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            // SAFETY: the handler does what a handler may; what was there before is kept.
            unsafe { libc::sigaction(*signal, &raw const new, null_mut()) };
        }
    });
}

extern "C" fn handler(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gives the information of the signal.
    let fault = unsafe { &*info };
    // SAFETY: the signal is a fault's.
    let address = unsafe { fault.si_addr() }.addr();
    if let Some((worker, goroutine)) = Worker::running() {
        let guard = goroutine.guard().get();
        if guard != 0 && (guard..guard + page_size()).contains(&address) {
            tell(worker, goroutine);
            // SAFETY: it may be called in a handler.
            unsafe { libc::abort() };
        }
    }
    pass_on(signal, info, context);
}

/// Writes who has overflowed its stack.
fn tell(worker: &Worker, goroutine: &crate::goroutine::Goroutine) {
    let mut line = Line { bytes: [0; 1024], len: 0 };
    let _ = write!(line, "\ngoroutine {}", goroutine.id());
    if let Some(picture) = goroutine.picture(None) {
        if let Ok(name @ [_, ..]) = std::str::from_utf8(picture.name()).map(str::as_bytes) {
            let _ = line.write_str(" [");
            line.push(name);
            let _ = line.write_str("]");
        }
        let (file, number) = (picture.location.file(), picture.location.line());
        let _ = write!(line, " started at {file}:{number}");
    }
    let size = worker.engine().fibers.stack_size();
    let _ = writeln!(line, " has overflowed its stack of {size} bytes");
    // SAFETY: so many bytes of the line are written.
    unsafe { libc::write(libc::STDERR_FILENO, line.bytes.as_ptr().cast(), line.len) };
}

/// Text in an array. What does not fit is cut.
struct Line {
    bytes: [u8; 1024],
    len: usize,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.len..];
        let count = bytes.len().min(room.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.len += count;
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

/// Has the handler that was there before handle it.
fn pass_on(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let index = usize::from(signal != SIGNALS[0]);
    let Some(previous) = PREVIOUS[index].get() else { return by_default(signal) };
    match previous.sa_sigaction {
        // A fault that is ignored comes back; so the kernel takes this as the default, too.
        libc::SIG_DFL | libc::SIG_IGN => by_default(signal),
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => {
            type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
            // SAFETY: a handler with the flag is such a function.
            let handler = unsafe { mem::transmute::<usize, Handler>(handler) };
            handler(signal, info, context);
        }
        handler => {
            // SAFETY: a handler without the flag is such a function.
            let handler = unsafe { mem::transmute::<usize, extern "C" fn(libc::c_int)>(handler) };
            handler(signal);
        }
    }
}

/// The fault comes again when the handler returns, and ends the process.
fn by_default(signal: libc::c_int) {
    // SAFETY: zeroes are the default action.
    let default: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: it may be called in a handler.
    unsafe { libc::sigaction(signal, &raw const default, null_mut()) };
}

/// A stack for signals' handlers, of the thread that makes it, until it is dropped.
pub(crate) struct SignalStack {
    before: libc::stack_t,
    _bytes: Vec<u8>,
}

/// Enough for the largest set of registers, and a page or two of text.
const SIGNAL_STACK: usize = 64 * 1024;

impl SignalStack {
    /// std gives its threads one that is as large as it must be; this one has room.
    pub(crate) fn new() -> Self {
        let mut bytes = Vec::<u8>::with_capacity(SIGNAL_STACK);
        let stack =
            libc::stack_t { ss_sp: bytes.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIGNAL_STACK };
        let mut before =
            libc::stack_t { ss_sp: null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: the bytes live until the stack that was there before is back.
        unsafe { libc::sigaltstack(&raw const stack, &raw mut before) };
        Self { before, _bytes: bytes }
    }
}

impl Drop for SignalStack {
    fn drop(&mut self) {
        // SAFETY: the thread's own, which outlives the worker.
        unsafe { libc::sigaltstack(&raw const self.before, null_mut()) };
    }
}
