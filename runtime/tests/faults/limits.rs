//! Threads and stacks that the operating system refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use std::{fs, io, thread};

use gosched_runtime::{BuildError, Cancelled, JoinError, Runtime, blocking, go, park, yield_now};

use crate::child::{both, works_and_ends};

/// How much address space the process may have. As it is, without a number.
fn address_space(bytes: Option<u64>) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is ours to be written.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_AS, &raw mut limit) }, 0);
    limit.rlim_cur = bytes.unwrap_or(limit.rlim_max);
    // SAFETY: the call only reads it.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const limit) }, 0);
}

pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// How much address space the process has now.
fn mapped() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').next().unwrap().parse::<u64>().unwrap() * 4096
}

pub(crate) fn no_thread_for_the_monitor() {
    // The child was started with stacks for threads that no machine has the addresses for.
    let error = Runtime::new().unwrap_err();
    let BuildError::Os(error) = &error else { panic!("{error}") };
    println!("{error}");
}

/// How many threads the process has, as the kernel counts them: until each has ended.
pub(crate) fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Threads are refused from the first machine on, and from the second; later they are not.
pub(crate) fn no_machines() {
    let alone = threads();
    for begun in [false, true] {
        for builder in both() {
            // The threads of the runtime before are counted as mapped, too.
            wait_until(|| threads() == alone);
            // The C library keeps the stack of the last until another thread has ended.
            thread::spawn(|| ()).join().unwrap();
            wait_until(|| threads() == alone);
            let runtime = builder.processors(3).build().unwrap();
            if begun {
                runtime.run(|| go(yield_now).join().unwrap()).unwrap();
                wait_until(|| threads() == alone + 1 + runtime.snapshot().machines);
            }
            // Room for small things, not for a thread's stack of 2 MiB.
            address_space(Some(mapped() + (1 << 20)));
            assert!(thread::Builder::new().spawn(|| ()).is_err(), "the limit limits");
            let ended = Arc::new(AtomicUsize::new(0));
            let all: Vec<_> = (0..6)
                .map(|_| {
                    let ended = Arc::clone(&ended);
                    runtime.go(move || {
                        blocking(|| thread::sleep(Duration::from_millis(30)));
                        ended.fetch_add(1, SeqCst)
                    })
                })
                .collect();
            thread::sleep(Duration::from_millis(100));
            if !begun {
                assert_eq!(ended.load(SeqCst), 0, "there is no machine");
                // None, but for an instant, while one is tried.
                wait_until(|| runtime.snapshot().machines == 0);
            }
            address_space(None);
            for one in all {
                one.join().unwrap();
            }
            works_and_ends(&runtime);
        }
    }
}

/// Stacks are refused: whoever has none does not begin, and its joiner is told.
pub(crate) fn no_stacks() {
    for builder in both() {
        let runtime = builder.processors(2).stack_size(8 << 20).build().unwrap();
        // The machines' threads, and a first slab of eight stacks or so.
        runtime.run(|| (0..3).for_each(|_| go(yield_now).join().unwrap())).unwrap();
        address_space(Some(mapped() + (16 << 20)));
        let captured = Arc::new(());
        let begun = Arc::new(AtomicUsize::new(0));
        let all: Vec<_> = (0..60)
            .map(|_| {
                let (captured, begun) = (Arc::clone(&captured), Arc::clone(&begun));
                runtime.go(move || {
                    begun.fetch_add(1, SeqCst);
                    park();
                    drop(captured);
                })
            })
            .collect();
        let refused = || all.iter().filter(|one| one.is_finished()).count();
        wait_until(|| begun.load(SeqCst) + refused() == 60);
        let refused = refused();
        for one in all.into_iter().filter(|one| one.is_finished()) {
            let error = one.join().unwrap_err();
            let no_stack = Cancelled::NoStack(io::ErrorKind::OutOfMemory);
            assert!(matches!(&error, JoinError::Cancelled(why) if *why == no_stack), "{error}");
        }
        println!("{refused} of 60 had no stack");
        assert!(refused > 0 && refused < 60, "{refused}");
        let held = Arc::strong_count(&captured) - 1;
        assert_eq!(held, 60 - refused, "what those without a stack captured is dropped");
        address_space(None);
        let count = runtime.run(|| (0..100).map(|_| go(yield_now).join().unwrap()).count());
        assert_eq!(count.unwrap(), 100);
        let left = runtime.shutdown(Duration::ZERO).unwrap().left.goroutines.len();
        assert_eq!(left, 60 - refused);
    }
}

/// A panic prints where it happened, on the goroutine's own stack.
pub(crate) fn backtrace() {
    for builder in both() {
        let runtime = builder.processors(1).build().unwrap();
        let error = runtime.run(|| panic!("with all its frames")).unwrap_err();
        assert!(error.to_string().contains("with all its frames"));
        works_and_ends(&runtime);
    }
}
