//! The instruments: an allocator that counts, and a [`Memory`] that knows when this thread holds a
//! lock and counts the accesses to cells.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use gosched::memory::{Hardware, HardwareMutex, Lock, Memory, Ordering, RaceCell};

/// What this thread did, since the last [`measure`] began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Locks taken.
    pub(crate) locks: usize,
    /// Accesses to cells while a lock was held.
    pub(crate) accesses: usize,
    /// Calls of the allocator, to allocate, reallocate or free.
    pub(crate) calls: usize,
    /// Those of them while a lock was held.
    pub(crate) calls_under_the_lock: usize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const {
        Cell::new(Counts { locks: 0, accesses: 0, calls: 0, calls_under_the_lock: 0 })
    };
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` and returns what this thread did meanwhile.
pub(crate) fn measure(f: impl FnOnce()) -> Counts {
    COUNTS.set(Counts::default());
    f();
    COUNTS.take()
}

/// Whether this thread holds a lock of the [`Probe`].
pub(crate) fn is_held() -> bool {
    HELD.get()
}

fn count(change: impl FnOnce(&mut Counts)) {
    // A thread that ends frees memory when its locals may be gone.
    let _ = COUNTS.try_with(|counts| {
        let mut changed = counts.get();
        change(&mut changed);
        counts.set(changed);
    });
}

struct CountingAllocator;

fn count_call() {
    count(|counts| {
        counts.calls += 1;
        counts.calls_under_the_lock += usize::from(is_held());
    });
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

// SAFETY: the system's allocator does the work; counting neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_call();
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count_call();
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_call();
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// [`Hardware`], observed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe;

// SAFETY: every operation is that of `Hardware`.
unsafe impl Memory for Probe {
    const NAME: &'static str = "probe";
    const CHECKED: bool = true;

    type AtomicU32 = <Hardware as Memory>::AtomicU32;
    type AtomicU64 = <Hardware as Memory>::AtomicU64;
    type AtomicUsize = <Hardware as Memory>::AtomicUsize;
    type AtomicPtr<T: 'static> = <Hardware as Memory>::AtomicPtr<T>;
    type Cell<T: Send> = ProbeCell<T>;
    type Mutex<T: Send> = ProbeMutex<T>;
    type Arc<T: Send + Sync> = <Hardware as Memory>::Arc<T>;
    type Parker = <Hardware as Memory>::Parker;

    fn fence(order: Ordering) {
        Hardware::fence(order);
    }
    fn light_fence() {
        Hardware::light_fence();
    }
    fn heavy_fence() {
        Hardware::heavy_fence();
    }
    fn spin_loop() {
        Hardware::spin_loop();
    }
}

/// A cell whose accesses under a lock are counted.
pub(crate) struct ProbeCell<T: Send>(<Hardware as Memory>::Cell<T>);

impl<T: Send> RaceCell<T> for ProbeCell<T> {
    fn new(value: T) -> Self {
        Self(RaceCell::new(value))
    }
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        count(|counts| counts.accesses += usize::from(is_held()));
        self.0.with(f)
    }
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        count(|counts| counts.accesses += usize::from(is_held()));
        self.0.with_mut(f)
    }
}

/// A mutex that knows whether this thread holds it.
pub(crate) struct ProbeMutex<T>(HardwareMutex<T>);

/// Clears the flag also when the closure panics.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        HELD.set(false);
    }
}

impl<T: Send> Lock<T> for ProbeMutex<T> {
    fn new(value: T) -> Self {
        Self(Lock::new(value))
    }
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        self.0.with(|value| {
            count(|counts| counts.locks += 1);
            HELD.set(true);
            let _held = Held;
            f(value)
        })
    }
    fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}
