//! Pointers in a graph: names, because an address is another one in every run.

use std::collections::HashMap;
use std::ptr;

/// Pointers that were stored in atomics, by name. A name is the same in every run, an address is
/// not.
#[derive(Default)]
pub(super) struct Pointers {
    by_address: HashMap<usize, u64>,
    by_name: HashMap<u64, *mut ()>,
}

/// Addresses below this are numbers in disguise, and stand for themselves.
const NUMBERS: usize = 4096;
/// Names are above all numbers.
pub(super) const NAMED: u64 = 1 << 63;

impl Pointers {
    /// The name of a pointer that the `index`-th event of `thread` is the first to use.
    pub(super) fn name(&mut self, pointer: *mut (), thread: u8, index: u16) -> u64 {
        if pointer.addr() < NUMBERS {
            return pointer.addr() as u64;
        }
        let next = self.by_name.len() as u64;
        let fresh = NAMED | u64::from(thread) << 48 | u64::from(index) << 32;
        *self.by_address.entry(pointer.addr()).or_insert_with(|| {
            // Two operands of one event are told apart by the lowest bit.
            let name = if self.by_name.contains_key(&fresh) { fresh | 1 } else { fresh };
            debug_assert!(next < u64::from(u32::MAX));
            self.by_name.insert(name, pointer);
            name
        })
    }

    pub(super) fn pointer(&self, name: u64) -> *mut () {
        if name < NAMED {
            return ptr::without_provenance_mut(name as usize);
        }
        self.by_name.get(&name).copied().unwrap_or_default()
    }
}
