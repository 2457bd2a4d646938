//! A stack's overflow ends the process, and says which goroutine it was; any other fault goes to
//! whoever handled it before. Each in a child process.

use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use gosched_runtime::{Migrating, Runtime, go_future, named};

/// What the child is to do.
const ROLE: &str = "GOSCHED_TEST_CHILD";

/// Runs this test binary again, to do what `role` says.
fn child(role: &str) -> Output {
    let child = std::env::current_exe().unwrap();
    Command::new(child)
        .args(["in_the_child", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .output()
        .unwrap()
}

#[test]
fn in_the_child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let has = |word: &str| role.split(' ').any(|other| other == word);
    let mut builder = Runtime::builder().processors(2).stack_size(64 * 1024);
    if has("migrating") {
        // SAFETY: the child keeps nothing of a thread across a scheduling point.
        builder = builder.migrating(unsafe { Migrating::promise() });
    }
    if has("protected") {
        builder = builder.protected_guards();
    }
    if has("handler") {
        exit_when_faulted();
    }
    let runtime = builder.build().unwrap();
    if has("deep") {
        let _ = runtime.run(|| named("digger").go(|| deep(1)).join().unwrap());
    } else if has("stray") {
        let _ = runtime.run(|| named("stray").go(stray).join().unwrap());
    } else if has("future") {
        let _ = runtime.run(|| go_future(async { deep(1) }).join().unwrap());
    } else if has("thread") {
        let _ = runtime.run(|| ());
        let _ = std::thread::Builder::new().name("other".into()).spawn(|| deep(1)).unwrap().join();
    }
    unreachable!("the child survived: {role}");
}

/// Uses up any stack.
fn deep(depth: u64) -> u64 {
    let bytes = black_box([depth; 64]);
    let below = if black_box(depth) > 0 { deep(depth + 1) } else { 0 };
    below + black_box(bytes)[0]
}

/// Touches a page that nobody may touch.
fn stray() {
    // SAFETY: a new mapping.
    let page = unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, flags, -1, 0)
    };
    assert_ne!(page, libc::MAP_FAILED);
    // SAFETY: it is not safe: that is what the child is for.
    black_box(unsafe { page.cast::<u8>().read_volatile() });
}

/// A handler that is there before the runtime's.
fn exit_when_faulted() {
    extern "C" fn handler(_signal: libc::c_int) {
        // SAFETY: it may be called in a handler.
        unsafe { libc::_exit(42) };
    }
    // SAFETY: zeroes are a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: the handler only ends the process.
    unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut()) };
}

#[test]
fn an_overflow_is_told_with_the_goroutines_name() {
    for kind in ["deep", "deep migrating", "deep protected", "deep migrating protected"] {
        let output = child(kind);
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find(|line| line.starts_with("goroutine "));
        let line = line.unwrap_or_else(|| panic!("{kind}: {}\n{text}", output.status));
        let (number, rest) = line["goroutine ".len()..].split_once(' ').unwrap();
        assert!(number.parse::<u64>().is_ok(), "{line}");
        assert!(rest.starts_with("[digger] started at runtime/tests/overflow.rs:"), "{line}");
        assert!(line.ends_with(" has overflowed its stack of 65536 bytes"), "{line}");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{kind}: {text}");
    }
}

#[test]
fn an_overflow_is_told_even_if_there_is_another_handler() {
    let output = child("deep handler");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("[digger]"), "{text}");
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{text}");
}

#[test]
fn another_fault_goes_to_the_handler_that_was_there_before() {
    let output = child("stray handler");
    assert_eq!(output.status.code(), Some(42), "{}", String::from_utf8_lossy(&output.stderr));
    let output = child("stray");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{text}");
    assert!(!text.contains("overflowed"), "{text}");
}

#[test]
fn an_overflow_of_a_threads_own_stack_is_stds_to_tell() {
    for (kind, name) in [("thread", "'other'"), ("future", "'gosched-m")] {
        let output = child(kind);
        let text = String::from_utf8_lossy(&output.stderr);
        let told = text.lines().any(|line| {
            line.starts_with("thread ") && line.contains(name) && line.contains("overflowed")
        });
        assert!(told && !text.contains("goroutine "), "{kind}: {text}");
        assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{kind}: {text}");
    }
}
