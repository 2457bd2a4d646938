//! The operations of `zero_cost/ops.rs` on `Hardware`, each through the trait `Memory` as the
//! queues use it. Built, not run: see `cargo run -p gosched-benches --bin zero-cost`.

use gosched::memory::{Atomic, AtomicInt, Hardware, Memory, Ordering, RaceCell};

macro_rules! operations {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            #[inline(never)]
            fn $name<Mem: Memory>($($argument: $type),*) $(-> $result)? $body
        )*

        /// Keeps the operations in the program.
        fn main() {
            $(core::hint::black_box($name::<Hardware> as *const ());)*
        }
    };
}

include!("zero_cost/ops.rs");
