//! The shared memory that every algorithm of this crate runs on.
//!
//! A lock-free algorithm is a program for a machine whose instructions are *load*, *store*,
//! *compare-exchange*, *fence*. This module names that machine: the trait [`Memory`]. The
//! structures of the crate are generic over it, so that the source which is model-checked is, to
//! the letter, the source which ships:
//!
//! | world | is | feature |
//! |---|---|---|
//! | [`Hardware`] | `core::sync::atomic`, inlined, at no cost | always |
//! | `Loom` | loom's types: interleavings and C11 reorderings of a small model | `loom` |
//! | `Shuttle` | shuttle's types: random schedules of larger models | `shuttle` |
//!
//! The features are additive. Turning `loom` on adds the type `Loom` and changes the types of
//! nobody: `LocalQueue<T>` means `LocalQueue<T, 256, Hardware>` in every build. A runtime that is
//! itself generic over `Memory` can be model-checked on top of this crate in the same way.
//!
//! This is the one folder where `cfg` chooses code and where `core::sync::atomic` and `std::sync`
//! are named; clippy's `disallowed-types` keeps them out of every other file.
//!
//! # Stability
//!
//! `Memory` is not sealed: checkers outside this crate implement it. Adding a required item is a
//! breaking change of this crate; provided items (such as [`Memory::iteration`]) may be added in a
//! minor release.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the worlds are made of what every other file must go through `Memory` for"
)]

mod delegate;
mod hardware;
#[cfg(feature = "loom")]
mod loom;
mod membarrier;
#[cfg(feature = "shuttle")]
mod shuttle;
mod sync;

use core::fmt::Debug;
use core::ops::Deref;
#[doc(no_inline)]
pub use core::sync::atomic::Ordering;

pub use self::hardware::{Hardware, HardwareArc, HardwareCell};
#[cfg(feature = "loom")]
pub use self::loom::{Loom, LoomArc, LoomCell, LoomMutex, LoomParker};
pub use self::membarrier::FenceMode;
#[cfg(feature = "shuttle")]
pub use self::shuttle::{Shuttle, ShuttleArc, ShuttleCell, ShuttleMutex, ShuttleParker};
pub use self::sync::{HardwareMutex, HardwareParker};

/// A shared memory: the atomics, fences, cells and blocking primitives an algorithm may use.
///
/// The associated types carry the names and the meaning of `core::sync::atomic`; what a world adds
/// is *when* and *in which order* their effects become visible.
///
/// # Safety
///
/// Unsafe code in this crate relies on the implementation being at least as strong as the C++20
/// memory model that Rust adopts, for every operation:
///
/// * each atomic location has one modification order, and read-modify-writes are atomic in it;
/// * `Acquire`, `Release`, `AcqRel` and `SeqCst` synchronise as `core::sync::atomic` documents;
/// * [`light_fence`](Memory::light_fence) and [`heavy_fence`](Memory::heavy_fence) order as they
///   document;
/// * [`Lock::with`] runs its closures one at a time, each happening after the one before;
/// * [`Shared`] drops its value once, after every use of every clone;
/// * a [`Park::park`] that returns because of an [`Park::unpark`] happens after it.
pub unsafe trait Memory: Copy + Debug + Send + Sync + 'static {
    /// The world's name, for reports: `"hardware"`, `"loom"`, …
    const NAME: &'static str;

    /// Whether structures check their invariants although `debug_assertions` may be off. True for
    /// the worlds of checkers, so that release-built checks check; see [`is_checked`].
    const CHECKED: bool;

    /// A 32-bit atomic word.
    type AtomicU32: AtomicInt<u32>;
    /// A 64-bit atomic word.
    type AtomicU64: AtomicInt<u64>;
    /// An atomic word of pointer size.
    type AtomicUsize: AtomicInt<usize>;
    /// An atomic pointer. It does not own what it points to.
    type AtomicPtr<T: 'static>: Atomic<*mut T>;
    /// Memory without synchronisation of its own; a checker reports conflicting accesses.
    type Cell<T: Send>: RaceCell<T>;
    /// Mutual exclusion.
    type Mutex<T: Send>: Lock<T>;
    /// Shared ownership. (loom sees a race on the last drop of std's `Arc` where there is none.)
    type Arc<T: Send + Sync>: Shared<T>;
    /// What a thread sleeps on.
    type Parker: Park;

    /// As `core::sync::atomic::fence`.
    ///
    /// # Panics
    ///
    /// If `order` is `Relaxed`.
    #[track_caller]
    fn fence(order: Ordering);

    /// The frequent side of an asymmetric fence pair.
    ///
    /// A `light_fence` and a [`heavy_fence`](Memory::heavy_fence) order what stands around them as
    /// two `fence(SeqCst)` would. **Two light fences order nothing between them**, nor does a light
    /// fence and a `fence(SeqCst)` (C++ proposal P1202): on [`Hardware`] with `membarrier` a light
    /// fence is a fence for the compiler only. loom and shuttle stand in `fence(SeqCst)` for both
    /// sides, which is stronger and hides a light-light mistake.
    #[track_caller]
    fn light_fence();

    /// The rare side of an asymmetric fence pair: see [`light_fence`](Memory::light_fence).
    ///
    /// It also is a `fence(SeqCst)` to every other `heavy_fence` and `fence(SeqCst)`.
    #[track_caller]
    fn heavy_fence();

    /// Says that the caller waits for another thread: the processor's spin hint on [`Hardware`], a
    /// switch to another thread under a checker.
    #[track_caller]
    fn spin_loop();

    /// Marks the start of one iteration of a retry loop. Nothing on hardware; a checker that
    /// explores executions one by one reads it to tell a stuck thread from one that may go on.
    #[inline(always)]
    fn iteration() {}

    /// Says that the iteration just failed and will be repeated **as it was**: nothing it did can
    /// be seen by another thread (it only loaded, or failed a compare-exchange), and nothing it has
    /// learned makes the next one different. Nothing on hardware; a checker may then wait for
    /// another thread's progress instead of re-reading.
    #[inline(always)]
    fn retry_pure() {}
}

/// The operations of an atomic location, under the names of `core::sync::atomic`.
///
/// # Panics
///
/// As in `core`: a load with `Release` or `AcqRel`, a store with `Acquire` or `AcqRel`, and a
/// failure ordering of `Release` or `AcqRel` panic.
pub trait Atomic<V: Copy>: Debug + Send + Sync {
    /// A location that holds `value`.
    #[track_caller]
    fn new(value: V) -> Self;
    /// Reads the location.
    #[track_caller]
    fn load(&self, order: Ordering) -> V;
    /// Writes the location.
    #[track_caller]
    fn store(&self, value: V, order: Ordering);
    /// Writes the location and returns what it held.
    #[track_caller]
    fn swap(&self, value: V, order: Ordering) -> V;
    /// Writes `new` if the location holds `current`. Returns what it held: `Ok` if it was written.
    ///
    /// # Errors
    ///
    /// With what the location held, when that was not `current`.
    #[track_caller]
    fn compare_exchange(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V>;
    /// As [`compare_exchange`](Atomic::compare_exchange), but may fail although the location
    /// holds `current`. (loom and shuttle never fail spuriously.)
    ///
    /// # Errors
    ///
    /// With what the location held.
    #[track_caller]
    fn compare_exchange_weak(
        &self,
        current: V,
        new: V,
        success: Ordering,
        failure: Ordering,
    ) -> Result<V, V>;
    /// Reads a location that nobody else can reach. No atomic operation takes place.
    #[track_caller]
    fn load_mut(&mut self) -> V;
}

/// The arithmetic of an atomic integer. Each returns the value before; sums wrap.
pub trait AtomicInt<V: Copy>: Atomic<V> {
    /// Adds, wrapping.
    #[track_caller]
    fn fetch_add(&self, value: V, order: Ordering) -> V;
    /// Subtracts, wrapping.
    #[track_caller]
    fn fetch_sub(&self, value: V, order: Ordering) -> V;
    /// Bitwise and.
    #[track_caller]
    fn fetch_and(&self, value: V, order: Ordering) -> V;
    /// Bitwise or.
    #[track_caller]
    fn fetch_or(&self, value: V, order: Ordering) -> V;
    /// Bitwise exclusive or.
    #[track_caller]
    fn fetch_xor(&self, value: V, order: Ordering) -> V;
    /// The larger of the two.
    #[track_caller]
    fn fetch_max(&self, value: V, order: Ordering) -> V;
    /// The smaller of the two.
    #[track_caller]
    fn fetch_min(&self, value: V, order: Ordering) -> V;
}

/// An `UnsafeCell` whose accesses a checker can see: they begin and end with a closure.
///
/// It is `Sync` because it hands out raw pointers alone; whoever dereferences them says why no
/// other access conflicts.
pub trait RaceCell<T: Send>: Send + Sync {
    /// A cell that holds `value`.
    #[track_caller]
    fn new(value: T) -> Self;
    /// A read access, for as long as `f` runs.
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R;
    /// A write access, for as long as `f` runs.
    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R;
}

/// A mutex in closure form: what it guards cannot be named outside.
///
/// A closure that panics leaves the lock usable (there is no poisoning): what it guards must be
/// consistent at every point that can panic.
pub trait Lock<T: Send>: Send + Sync {
    /// An unlocked mutex.
    fn new(value: T) -> Self;
    /// Runs `f` on the value while no other closure runs on it. Not reentrant: calling `with` on
    /// the same lock inside `f` deadlocks or panics.
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R;
    /// The value of a lock that nobody else can reach.
    fn get_mut(&mut self) -> &mut T;
}

/// An `Arc`: shared ownership of a value that the last owner drops.
pub trait Shared<T: Send + Sync>: Clone + Deref<Target = T> + Send + Sync {
    /// Shares `value`.
    fn new(value: T) -> Self;
}

/// A parking place for one thread: a token that [`unpark`](Park::unpark) deposits and
/// [`park`](Park::park) waits for and takes.
///
/// At most one thread parks at a time; any number may unpark. Tokens do not add up. `park` may
/// return without a token (spuriously), so callers loop over a condition of their own.
pub trait Park: Debug + Send + Sync {
    /// A parking place without a token.
    fn new() -> Self;
    /// Blocks until there is a token, and takes it. May return spuriously.
    #[track_caller]
    fn park(&self);
    /// Deposits the token and wakes the parked thread, if there is one. What was written before
    /// `unpark` is visible after the `park` that took its token.
    #[track_caller]
    fn unpark(&self);
}

/// Whether structures on `Mem` check their invariants in this build: the world asks for it, or
/// debug assertions are on.
#[must_use]
pub const fn is_checked<Mem: Memory>() -> bool {
    Mem::CHECKED || cfg!(debug_assertions)
}

/// Asserts an invariant of this crate, where [`is_checked`] says so. Only a bug of ours trips it.
macro_rules! invariant {
    ($mem:ty, $($assertion:tt)+) => {
        if $crate::memory::is_checked::<$mem>() {
            assert!($($assertion)+);
        }
    };
}
pub(crate) use invariant;
