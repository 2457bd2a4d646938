//! A Treiber stack, explored: a missing `Release`, and the ABA problem.
//!
//! Run it with `cargo run --release -p gosched-verify --example explore_treiber_stack`.
//!
//! The stack is a list whose head is exchanged. Nodes are named by index and live as long as the
//! stack: when a node's memory may be given back is another problem (hazard pointers, epochs), and
//! is left out. Without it the ABA problem is seen at its purest: a node that is popped and pushed
//! again is an old name for a new state, and a pop that was begun before takes it for the old one.
//! The usual remedy is a tag beside the name, which changes with every push.
//!
//! None of the loops waits: an exchange fails only because another one succeeded, so there is
//! nothing to tell the explorer. Nor would it be right to call them pure retries, since `push`
//! stores into its node in every iteration.
//!
//! Source: R. K. Treiber, *Systems Programming: Coping with Parallelism*, IBM RJ 5118, 1986.

use gosched::memory::{Atomic, Memory, Ordering, RaceCell, Shared};
use gosched_verify::explore::{Builder, Explored, Report, thread};

type Word = <Explored as Memory>::AtomicU32;
type Cell<T> = <Explored as Memory>::Cell<T>;
type Arc<T> = <Explored as Memory>::Arc<T>;

/// What differs between the right stack and the wrong ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    /// The ordering of a push's exchange.
    pub(crate) publish: Ordering,
    /// What a push adds to the head's tag: one, or nothing.
    pub(crate) tag_step: u32,
}

/// The stack as it should be.
pub(crate) const CORRECT: Variant = Variant { publish: Ordering::Release, tag_step: 1 };
/// Pushing publishes nothing.
pub(crate) const RELAXED: Variant = Variant { publish: Ordering::Relaxed, ..CORRECT };
/// A head is a name alone.
pub(crate) const UNTAGGED: Variant = Variant { tag_step: 0, ..CORRECT };

/// Nodes of a stack.
const NODES: usize = 2;
/// The name of no node; node `index` is named `index + 1`.
const NONE: u32 = 0;

// ANCHOR: stack
/// An element, and the name of the one below it.
struct Node {
    next: Word,
    value: Cell<u32>,
}

/// The head has a node's name in its low half, and the tag in its high half.
struct Stack {
    head: Word,
    nodes: [Node; NODES],
    variant: Variant,
}

impl Stack {
    /// Gives a node that is the caller's a value.
    fn fill(&self, node: usize, value: u32) {
        // SAFETY: the node is the caller's. (That is the claim.)
        self.nodes[node].value.with_mut(|slot| unsafe { *slot = value });
    }

    /// Pushes a node that is the caller's.
    fn push(&self, node: usize) {
        let mut exchanged = false;
        while !exchanged {
            // ORDER: Relaxed: the exchange tells whether it is still the head.
            let head = self.head.load(Ordering::Relaxed);
            // ORDER: Relaxed: the exchange publishes it.
            self.nodes[node].next.store(name(head), Ordering::Relaxed);
            let new = (tag(head) + self.variant.tag_step) << 16 | (node as u32 + 1);
            let (publish, relaxed) = (self.variant.publish, Ordering::Relaxed);
            // ORDER: Release pairs with the load in `pop`, which then sees `next` and the value.
            // Relaxed: a data race on the value. On failure nothing is done with what was read.
            exchanged = self.head.compare_exchange(head, new, publish, relaxed).is_ok();
        }
    }

    /// Pops a node, which is the caller's from now on, and its value.
    fn pop(&self) -> Option<(usize, u32)> {
        loop {
            // ORDER: Acquire pairs with the exchange in `push`.
            let head = self.head.load(Ordering::Acquire);
            if name(head) == NONE {
                return None;
            }
            let node = name(head) as usize - 1;
            // ORDER: Relaxed: published with the head. If the node was popped meanwhile this is of
            // no meaning, and the exchange must fail.
            let next = self.nodes[node].next.load(Ordering::Relaxed);
            let new = tag(head) << 16 | next;
            let relaxed = Ordering::Relaxed;
            // ORDER: Relaxed: a pop publishes nothing, and continues the release sequence of the
            // push that it read from, so that later pops still synchronise with earlier pushes.
            if self.head.compare_exchange(head, new, relaxed, relaxed).is_ok() {
                // SAFETY: the node is ours: we have taken it off the list. (That is the claim.)
                let value = self.nodes[node].value.with(|slot| unsafe { *slot });
                return Some((node, value));
            }
        }
    }
}
// ANCHOR_END: stack

fn name(head: u32) -> u32 {
    head & 0xffff
}

fn tag(head: u32) -> u32 {
    head >> 16
}

fn empty(variant: Variant) -> Arc<Stack> {
    let node = |_| Node { next: Word::new(NONE), value: Cell::new(0) };
    let stack = Stack { head: Word::new(NONE), nodes: [0, 1].map(node), variant };
    <Arc<Stack> as Shared<Stack>>::new(stack)
}

/// A stack of all nodes: node 0 with the value 10 on top, node 1 with the value 11 below.
fn full(variant: Variant) -> Arc<Stack> {
    let stack = empty(variant);
    for node in [1, 0] {
        stack.fill(node, 10 + node as u32);
        stack.push(node);
    }
    stack
}

/// One thread pops all and pushes the first one again, the other pops once; no value comes out
/// twice, and none is lost.
fn reuse(variant: Variant) -> String {
    let stack = full(variant);
    let other = {
        let stack = stack.clone();
        thread::spawn(move || stack.pop())
    };
    let mut popped = vec![];
    let first = stack.pop();
    popped.extend(stack.pop().map(|(_, value)| value));
    if let Some((node, _)) = first {
        stack.push(node);
    }
    let theirs = other.join().map(|(_, value)| value);
    popped.extend(theirs);
    while popped.len() <= NODES
        && let Some((_, value)) = stack.pop()
    {
        popped.push(value);
    }
    popped.sort_unstable();
    assert!(popped == [10, 11], "of 10 and 11 came out {popped:?}");
    theirs.map_or("the other got none".into(), |value| format!("the other got {value}"))
}

/// Two threads push, a third one pops.
fn publish(variant: Variant) -> String {
    let stack = empty(variant);
    let others = [0, 1].map(|node| {
        let stack = stack.clone();
        thread::spawn(move || {
            stack.fill(node, 10 + node as u32);
            stack.push(node);
        })
    });
    let early = stack.pop().map(|(_, value)| value);
    others.into_iter().for_each(thread::JoinHandle::join);
    let mut popped: Vec<u32> = early.into_iter().collect();
    while popped.len() <= NODES
        && let Some((_, value)) = stack.pop()
    {
        popped.push(value);
    }
    popped.sort_unstable();
    assert!(popped == [10, 11], "of 10 and 11 came out {popped:?}");
    early.map_or("nothing yet".into(), |value| format!("first {value}"))
}

/// Explores a variant with the model that pushes a node again.
pub(crate) fn explore_reuse(variant: Variant) -> Report {
    Builder::default().explore(move || reuse(variant))
}

/// Explores a variant with the model of two pushes.
pub(crate) fn explore_publish(variant: Variant) -> Report {
    Builder::default().explore(move || publish(variant))
}

pub(crate) fn main() {
    println!("two pushes and a pop: {}", line(&explore_publish(CORRECT)));
    println!("a node pushed again: {}", line(&explore_reuse(CORRECT)));
    println!("push Relaxed: {}", line(&explore_publish(RELAXED)));
    println!("without a tag: {}", line(&explore_reuse(UNTAGGED)));
}

/// What came out, in a line.
fn line(report: &Report) -> String {
    match &report.failure {
        Some(failure) => format!("after {} executions, {failure}", report.complete),
        None => format!("{} executions, exhaustive: {}", report.complete, report.exhaustive),
    }
}
