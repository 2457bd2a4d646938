//! What is allocated, counted: by the program's allocator, and by the kernel's pages.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;
use std::{env, fs, thread};

use gosched_runtime::{
    Handle, Runtime, block_on, blocking, current, go, go_future, park, yield_now,
};

use crate::child::{both, works_and_ends};
use crate::limits::{threads, wait_until};

/// Counts bytes.
struct Counting;

static BYTES: AtomicI64 = AtomicI64::new(0);

// SAFETY: the system's allocator does it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size() as i64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as i64, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A field of /proc/self/status, in KiB.
fn kibibytes(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Something of everything.
fn works(runtime: &Runtime) {
    for _ in 0..50 {
        let sum = runtime.run(|| {
            let all: Vec<_> = (0..10u64)
                .map(|number| {
                    go(move || {
                        yield_now();
                        blocking(|| number) + block_on(go_future(async { 1 })).unwrap()
                    })
                })
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).sum::<u64>()
        });
        assert_eq!(sum.unwrap(), 55);
        drop(runtime.go(|| std::panic::resume_unwind(Box::new(()))));
        runtime.go(|| ()).join().unwrap();
    }
}

/// What is allocated after some work is what is allocated after four times as much. Descriptors
/// and tables last, as many as were once needed: so more are needed first than ever after. And each
/// machine has a stack for its signals, of 64 KiB: so those that system calls have called for must
/// go, and are waited for.
pub(crate) fn nothing_grows() {
    for builder in both() {
        let runtime = builder.processors(2).linger(Duration::from_millis(20)).build().unwrap();
        let all: Vec<_> = (0..5000).map(|_| runtime.go(yield_now)).collect();
        all.into_iter().for_each(|one| one.join().unwrap());
        (0..100).for_each(|_| works(&runtime));
        let machines = settled(&runtime);
        let after_some = BYTES.load(Relaxed);
        (0..300).for_each(|_| works(&runtime));
        let more = settled(&runtime).saturating_sub(machines);
        let grown = BYTES.load(Relaxed) - after_some;
        println!("{after_some} bytes after 5,000 runs, {grown} more after 15,000 others");
        // Three bytes a run, or less than one for each goroutine.
        assert!(grown < (48 + 80 * more as i64) << 10, "{grown} bytes, {more} machines more");
        works_and_ends(&runtime);
    }
}

/// How many machines there are after all but the last have gone home.
fn settled(runtime: &Runtime) -> usize {
    let mut machines = runtime.snapshot().machines;
    loop {
        thread::sleep(Duration::from_millis(200));
        let now = runtime.snapshot().machines;
        if now == machines {
            return now;
        }
        machines = now;
    }
}

/// What a hundred runtimes leave is what one leaves: descriptors, which are never freed.
pub(crate) fn given_back() {
    let alone = threads();
    let once = |parked: bool| {
        for builder in both() {
            let runtime = builder.processors(2).build().unwrap();
            works(&runtime);
            if parked {
                let all: Vec<_> = (0..100).map(|_| runtime.go(park)).collect();
                drop(all);
            }
            let _ = runtime.shutdown(Duration::from_millis(if parked { 10 } else { 9000 }));
        }
        // The threads count as ended a little before they have dropped what they share.
        wait_until(|| threads() == alone);
    };
    // More descriptors than are needed ever after.
    let first = Runtime::builder().processors(2).build().unwrap();
    let all: Vec<_> = (0..2000).map(|_| first.go(yield_now)).collect();
    all.into_iter().for_each(|one| one.join().unwrap());
    works_and_ends(&first);
    drop(first);
    (0..10).for_each(|_| once(false));
    let (bytes, pages) = (BYTES.load(Relaxed), kibibytes("VmSize"));
    (0..50).for_each(|_| once(false));
    let (grown, mapped) = (BYTES.load(Relaxed) - bytes, kibibytes("VmSize").saturating_sub(pages));
    println!("100 runtimes later: {grown} bytes and {mapped} KiB of addresses more");
    assert!(grown < 16 << 10, "{grown} bytes more");
    // A slab of stacks is 64 MiB.
    assert!(mapped < 64 << 10, "{mapped} KiB of addresses more");
    // And the measure measures: goroutines that are left are leaked, as is said.
    once(true);
    assert!(BYTES.load(Relaxed) - bytes > 16 << 10);
}

/// As many goroutines as asked for, all parked, and then woken. 20,000, if nobody asks for more.
pub(crate) fn many_parked() {
    let asked = env::var("GOSCHED_TEST_PARKED").ok().and_then(|count| count.parse().ok());
    let count: usize = asked.unwrap_or(20_000);
    for builder in both() {
        let runtime = builder.processors(2).build().unwrap();
        let before = kibibytes("VmRSS");
        let handles: Arc<std::sync::Mutex<Vec<Handle>>> = Arc::default();
        let woken = Arc::new(AtomicUsize::new(0));
        let _outside = runtime.outside();
        for _ in 0..count {
            let (handles, woken) = (Arc::clone(&handles), Arc::clone(&woken));
            runtime.go(move || {
                handles.lock().unwrap().push(current().unwrap());
                park();
                woken.fetch_add(1, SeqCst);
            });
        }
        while handles.lock().unwrap().len() < count {
            thread::sleep(Duration::from_millis(10));
        }
        let each = (kibibytes("VmRSS") - before) as f64 / count as f64;
        let mappings = fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        println!("{count} parked: {each:.2} KiB each, {mappings} mappings");
        assert!(each < 16.0, "{each:.2} KiB each");
        handles.lock().unwrap().iter().for_each(Handle::unpark);
        while woken.load(SeqCst) < count {
            thread::sleep(Duration::from_millis(10));
        }
        works_and_ends(&runtime);
    }
}
