//! Pointers in a graph: names, because an address is another one in every run.
//!
//! A pointer into a [block](super::blocks) that the model has allocated is named by the block and
//! the place in it. Any other one, into a static, a stack or what the explorer has allocated, and
//! all of them if `Quarantine` is not the allocator, is named by the event that first used it.

use std::collections::HashMap;
use std::ptr;

use super::blocks::Blocks;

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
pub(super) const NAMED: u64 = 1 << 62;
/// Names by first use.
const FIRST_USED: u64 = 1 << 63;

impl Pointers {
    /// The name of a pointer. Unless it is in a block, the `index`-th event of `thread` names it,
    /// if it is the first to use it.
    pub(super) fn name(
        &mut self,
        pointer: *mut (),
        blocks: &Blocks,
        thread: u8,
        index: u16,
    ) -> u64 {
        if pointer.addr() < NUMBERS {
            return pointer.addr() as u64;
        }
        if let Some(name) = blocks.name(pointer.addr()) {
            self.by_name.entry(name).or_insert(pointer);
            return name;
        }
        let next = self.by_name.len() as u64;
        let fresh = FIRST_USED | u64::from(thread) << 48 | u64::from(index) << 32;
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
