//! The operations of `zero_cost/ops.rs` on `core::sync::atomic`: the machine code that `Hardware`
//! must not exceed. Built, not run: see `cargo run -p gosched-benches --bin zero-cost`.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "what Memory is compared with"
)]

use core::sync::atomic::Ordering;

/// std's types under the names of the trait `Memory`.
#[allow(non_snake_case, reason = "stands where the type parameter `Mem` stands")]
mod Mem {
    pub(crate) use core::hint::spin_loop;
    pub(crate) use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, fence};

    pub(crate) type Cell<T> = core::cell::UnsafeCell<T>;

    /// The best any light fence could be: nothing but a promise to the compiler.
    #[inline(always)]
    pub(crate) fn light_fence() {
        core::sync::atomic::compiler_fence(super::Ordering::SeqCst);
    }
}

/// The closure form of a cell's accesses.
trait With<T> {
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R;
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R;
}

impl<T> With<T> for Mem::Cell<T> {
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.get())
    }
    #[inline(always)]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.get())
    }
}

/// `load_mut` is the one method of ours that std names otherwise.
trait LoadMut {
    fn load_mut(&mut self) -> u64;
}

impl LoadMut for Mem::AtomicU64 {
    #[inline(always)]
    fn load_mut(&mut self) -> u64 {
        *self.get_mut()
    }
}

macro_rules! operations {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            #[inline(never)]
            fn $name($($argument: $type),*) $(-> $result)? $body
        )*

        /// Keeps the operations in the program.
        fn main() {
            $(core::hint::black_box($name as *const ());)*
        }
    };
}

include!("zero_cost/ops.rs");
