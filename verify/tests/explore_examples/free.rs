//! A stack that gives its nodes back: when may it?
//!
//! Treiber's stack again, of nodes in boxes. A pop that frees its node at once takes it from under
//! another pop that has read the same head: the classic *ABA problem* begins with that use after
//! free. A *hazard pointer* is the remedy. A pop first announces the node that it is about to use,
//! and looks whether it still is the head; who frees a node first looks whether it is announced.
//!
//! Source: M. M. Michael, *Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects*, IEEE
//! TPDS 15(6), 2004.

use std::ptr;

use gosched::memory::{Atomic, Memory, Ordering, Shared};
use gosched_verify::explore::{Builder, Explored, FaultKind, Report, thread};

type Pointer<T> = <Explored as Memory>::AtomicPtr<T>;
type Arc<T> = <Explored as Memory>::Arc<T>;

struct Node {
    next: Pointer<Node>,
    value: u32,
}

struct Stack {
    head: Pointer<Node>,
    /// The node that each of two threads is about to use.
    hazards: [Pointer<Node>; 2],
    announces: bool,
    /// The ordering of an announcement.
    announcement: Ordering,
}

// ANCHOR: pop
impl Stack {
    /// Pops a value. `me` is the caller's hazard pointer.
    fn pop(&self, me: usize) -> Option<u32> {
        let node = loop {
            Explored::iteration();
            // ORDER: Acquire pairs with the push, and makes `next` and the value visible.
            let head = self.head.load(Ordering::Acquire);
            if head.is_null() {
                return None;
            }
            if self.announces && !self.announce(me, head) {
                // Another pop has taken it, and that pop is progress.
                continue;
            }
            // SAFETY: it is announced, and was the head after that. (That is the claim.)
            let next = unsafe { &(*head).next };
            // ORDER: Relaxed: visible with the head.
            let next = next.load(Ordering::Relaxed);
            // ORDER: AcqRel on success, so that pops synchronise with pops. Relaxed: on failure
            // nothing is done with what was read.
            let taken = self.head.compare_exchange(head, next, Ordering::AcqRel, Ordering::Relaxed);
            if taken.is_ok() {
                break head;
            }
        };
        // ORDER: Release: what was done with the node happens before another one frees it.
        self.hazards[me].store(ptr::null_mut(), Ordering::Release);
        // SAFETY: it is taken off the stack, so nobody frees it but this thread.
        let value = unsafe { (*node).value };
        self.retire(me, node);
        Some(value)
    }

    /// Announces a node; false if it may have been freed before that.
    fn announce(&self, me: usize, node: *mut Node) -> bool {
        // ORDER: Release: what was done with the node that was announced before happens before
        // another thread frees that one. The fence orders the rest.
        self.hazards[me].store(node, self.announcement);
        // ORDER: SeqCst, against the fence in `retire`: either that one sees the announcement, or
        // the load below sees that the node is taken.
        Explored::fence(Ordering::SeqCst);
        // ORDER: Acquire: as in `pop`.
        self.head.load(Ordering::Acquire) == node
    }

    /// Frees a node that was taken off the stack, when nobody uses it any more.
    fn retire(&self, me: usize, node: *mut Node) {
        if self.announces {
            // ORDER: SeqCst: see `announce`.
            Explored::fence(Ordering::SeqCst);
            // ORDER: Acquire pairs with the store in `pop`, when the other is through.
            while self.hazards[1 - me].load(Ordering::Acquire) == node {
                Explored::spin_loop();
            }
        }
        // SAFETY: as above, and nobody else uses it. (That is the claim.)
        drop(unsafe { Box::from_raw(node) });
    }
}
// ANCHOR_END: pop

/// A stack of two nodes, of which each of two threads pops one.
fn explore(announces: bool, announcement: Ordering) -> Report {
    Builder::default().explore(move || {
        let null = || Pointer::new(ptr::null_mut());
        let mut head = ptr::null_mut();
        for value in [11, 10] {
            head = Box::into_raw(Box::new(Node { next: Pointer::new(head), value }));
        }
        let (head, hazards) = (Pointer::new(head), [null(), null()]);
        let stack = Stack { head, hazards, announces, announcement };
        let stack = <Arc<Stack> as Shared<Stack>>::new(stack);
        let other = {
            let stack = stack.clone();
            thread::spawn(move || stack.pop(1))
        };
        let mine = stack.pop(0);
        let mut popped = [mine, other.join()];
        popped.sort_unstable();
        assert_eq!(popped, [Some(10), Some(11)]);
        format!("{mine:?}")
    })
}

#[test]
fn a_pop_that_frees_its_node_at_once_is_a_use_after_free() {
    let report = explore(false, Ordering::Release);
    let says = "frees a block of 24 bytes that thread 0 has allocated";
    crate::assert_fails(&report, FaultKind::UseAfterFree, says);
}

#[test]
fn a_pop_with_hazard_pointers_frees_what_nobody_uses() {
    let report = explore(true, Ordering::Release);
    crate::assert_holds(&report, 30, 4);
    assert_eq!(report.outcomes.len(), 2, "each thread gets the top in some execution: {report:?}");
}

#[test]
fn a_hazard_pointer_that_is_replaced_relaxed_does_not_cover_what_was_done_before() {
    let report = explore(true, Ordering::Relaxed);
    crate::assert_fails(&report, FaultKind::UseAfterFree, "and nothing orders that after the use");
}
