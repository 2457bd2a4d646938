//! The three worlds name their atomics' methods as std does, so one macro writes the delegation.

/// `impl Atomic<$value> for $atomic`, each method calling the inherent method of the same name;
/// `$get_mut` reads the location through `&mut`.
macro_rules! delegate_atomic {
    ($atomic:ty, $value:ty, $get_mut:expr $(, $generic:ident)?) => {
        impl$(<$generic: 'static>)? $crate::memory::Atomic<$value> for $atomic {
            #[inline(always)]
            #[track_caller]
            fn new(value: $value) -> Self {
                Self::new(value)
            }
            #[inline(always)]
            #[track_caller]
            fn load(&self, order: Ordering) -> $value {
                Self::load(self, order)
            }
            #[inline(always)]
            #[track_caller]
            fn store(&self, value: $value, order: Ordering) {
                Self::store(self, value, order);
            }
            #[inline(always)]
            #[track_caller]
            fn swap(&self, value: $value, order: Ordering) -> $value {
                Self::swap(self, value, order)
            }
            #[inline(always)]
            #[track_caller]
            fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                Self::compare_exchange(self, current, new, success, failure)
            }
            #[inline(always)]
            #[track_caller]
            fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                Self::compare_exchange_weak(self, current, new, success, failure)
            }
            #[inline(always)]
            #[track_caller]
            fn load_mut(&mut self) -> $value {
                let get_mut = $get_mut;
                get_mut(self)
            }
        }
    };
}

/// `impl AtomicInt<$value> for $atomic`, in the same way, on top of [`delegate_atomic`].
macro_rules! delegate_atomic_int {
    ($atomic:ty, $value:ty, $get_mut:expr) => {
        delegate_atomic!($atomic, $value, $get_mut);
        delegate_atomic_int!(@impl $atomic, $value:
            fetch_add fetch_sub fetch_and fetch_or fetch_xor fetch_max fetch_min);
    };
    (@impl $atomic:ty, $value:ty: $($method:ident)+) => {
        impl $crate::memory::AtomicInt<$value> for $atomic {
            $(
                #[inline(always)]
                #[track_caller]
                fn $method(&self, value: $value, order: Ordering) -> $value {
                    Self::$method(self, value, order)
                }
            )+
        }
    };
}

pub(super) use {delegate_atomic, delegate_atomic_int};
