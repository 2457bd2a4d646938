// The operations whose machine code is compared, once for `core::sync::atomic` and once for
// `Hardware`: both examples include this file, and only `Mem` and `operations!` differ. In
// `zero_cost_plain.rs`, `Mem` is a module that re-exports std's types. In `zero_cost_hardware.rs`
// it is a type parameter, so that each operation goes through the traits, as in the queues; a call
// on the concrete type would find std's own method and show nothing.

/// An element of [`op_treiber_push`]'s stack.
#[derive(Debug)]
pub(crate) struct Node {
    next: *mut Node,
}

/// Slots of [`op_ring_push`]'s ring.
const SLOTS: usize = 8;

operations! {
    fn op_load_relaxed(word: &Mem::AtomicU64) -> u64 { word.load(Ordering::Relaxed) }
    fn op_load_acquire(word: &Mem::AtomicU64) -> u64 { word.load(Ordering::Acquire) }
    fn op_load_seq_cst(word: &Mem::AtomicUsize) -> usize { word.load(Ordering::SeqCst) }
    fn op_store_relaxed(word: &Mem::AtomicU64, value: u64) { word.store(value, Ordering::Relaxed); }
    fn op_store_release(word: &Mem::AtomicU32, value: u32) { word.store(value, Ordering::Release); }
    fn op_store_seq_cst(word: &Mem::AtomicU64, value: u64) { word.store(value, Ordering::SeqCst); }
    fn op_swap(word: &Mem::AtomicPtr<u8>, value: *mut u8) -> *mut u8 {
        word.swap(value, Ordering::AcqRel)
    }
    fn op_compare_exchange(word: &Mem::AtomicU64, current: u64, new: u64) -> Result<u64, u64> {
        word.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire)
    }
    fn op_compare_exchange_weak(word: &Mem::AtomicU32, current: u32, new: u32) -> bool {
        word.compare_exchange_weak(current, new, Ordering::Release, Ordering::Relaxed).is_ok()
    }
    fn op_fetch_add(word: &Mem::AtomicU64, value: u64) -> u64 {
        word.fetch_add(value, Ordering::AcqRel)
    }
    fn op_fetch_or(word: &Mem::AtomicUsize, bits: usize) -> usize {
        word.fetch_or(bits, Ordering::SeqCst)
    }
    fn op_fetch_max(word: &Mem::AtomicU32, value: u32) -> u32 {
        word.fetch_max(value, Ordering::Relaxed)
    }
    fn op_load_mut(word: &mut Mem::AtomicU64) -> u64 { word.load_mut() }
    fn op_fence_acquire() { Mem::fence(Ordering::Acquire); }
    fn op_fence_seq_cst() { Mem::fence(Ordering::SeqCst); }
    fn op_spin_loop() { Mem::spin_loop(); }
    fn op_cell(cell: &Mem::Cell<u64>) -> u64 {
        // SAFETY: never run: only the machine code is looked at.
        cell.with_mut(|value| unsafe { *value += 1 });
        // SAFETY: as above.
        cell.with(|value| unsafe { *value })
    }
    fn op_treiber_push(head: &Mem::AtomicPtr<Node>, node: &mut Node) {
        let mut first = head.load(Ordering::Relaxed);
        loop {
            node.next = first;
            let pushed =
                head.compare_exchange_weak(first, node, Ordering::Release, Ordering::Relaxed);
            match pushed {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }
    fn op_ring_push(
        head: &Mem::AtomicU64,
        tail: &Mem::AtomicU64,
        slots: &[Mem::AtomicPtr<u8>; SLOTS],
        task: *mut u8
    ) -> bool {
        let end = tail.load(Ordering::Relaxed);
        let room = end.wrapping_sub(head.load(Ordering::Acquire)) < SLOTS as u64;
        if room {
            slots[end as usize % SLOTS].store(task, Ordering::Relaxed);
            tail.store(end.wrapping_add(1), Ordering::Release);
        }
        room
    }
    fn op_light_fence() { Mem::light_fence(); }
}
