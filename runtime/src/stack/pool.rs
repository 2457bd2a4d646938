//! Fibers that wait for the next goroutine: Go's `gFree`, in two temperatures.
//!
//! A worker keeps some, last in first out, so that the stack whose top is still in the cache is
//! used next. What it has too many of goes to the pool, which keeps a number of them as they are,
//! *warm*; of the others the memory goes back to the kernel, and only the addresses are kept,
//! *cold*.
//!
//= go1.27:src/runtime/proc.go#gfput
//= go1.27:src/runtime/proc.go#gfget

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{GuardedStack, Stacks, release_memory};
use crate::fiber::Fiber;

/// How many fibers a worker keeps at most, and how many it gives or takes at once.
const KEPT: usize = 64;
const SHARE: usize = 32;
/// How many the pool keeps warm at least, and how many more until it gives as many back at once.
const WARM: usize = 512;

/// The fibers of a runtime.
pub(crate) struct FiberPool {
    size: usize,
    stacks: Stacks,
    #[expect(
        clippy::vec_box,
        reason = "a goroutine's descriptor has room for a pointer to a fiber"
    )]
    warm: Mutex<Vec<Box<Fiber>>>,
    cold: Mutex<Vec<GuardedStack>>,
}

impl FiberPool {
    /// Fibers with stacks of `size` bytes; see [`Stacks::new`].
    pub(crate) fn new(size: usize, protect: bool) -> Self {
        Self {
            size,
            stacks: Stacks::new(size, protect),
            warm: Mutex::default(),
            cold: Mutex::default(),
        }
    }

    /// How large the stacks are.
    pub(crate) fn stack_size(&self) -> usize {
        self.size
    }

    #[expect(clippy::vec_box, reason = "as above")]
    fn warm(&self) -> MutexGuard<'_, Vec<Box<Fiber>>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cold(&self) -> MutexGuard<'_, Vec<GuardedStack>> {
        self.cold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fiber on a cold or a new stack.
    #[cold]
    fn make(&self) -> io::Result<Box<Fiber>> {
        let stack = self.cold().pop();
        let stack = match stack {
            Some(stack) => stack,
            None => self.stacks.cut()?,
        };
        Ok(Fiber::new(stack))
    }

    /// Takes fibers that a worker has too many of.
    #[cold]
    fn put(&self, fibers: impl Iterator<Item = Box<Fiber>>) {
        let mut warm = self.warm();
        warm.extend(fibers);
        if warm.len() <= 2 * WARM {
            return;
        }
        // The oldest.
        let surplus: Vec<_> = warm.drain(..WARM).collect();
        drop(warm);
        let mut stacks: Vec<_> = surplus.into_iter().map(|fiber| fiber.into_stack()).collect();
        release_memory(&mut stacks);
        self.cold().extend(stacks);
    }
}

/// A worker's fibers.
#[derive(Default)]
pub(crate) struct Fibers {
    #[expect(clippy::vec_box, reason = "as above")]
    here: Vec<Box<Fiber>>,
}

impl Fibers {
    /// A free fiber.
    ///
    /// # Errors
    ///
    /// If a new stack is needed and cannot be had.
    pub(crate) fn pop(&mut self, pool: &FiberPool) -> io::Result<Box<Fiber>> {
        if let Some(fiber) = self.here.pop() {
            return Ok(fiber);
        }
        let mut warm = pool.warm();
        let kept = warm.len().saturating_sub(SHARE);
        self.here.extend(warm.drain(kept..));
        drop(warm);
        self.here.pop().map_or_else(|| pool.make(), Ok)
    }

    /// Keeps a fiber that is free again.
    pub(crate) fn push(&mut self, fiber: Box<Fiber>, pool: &FiberPool) {
        self.here.push(fiber);
        if self.here.len() > KEPT {
            // The oldest: the coldest in the cache.
            pool.put(self.here.drain(..SHARE));
        }
    }

    /// Gives all back.
    pub(crate) fn give_back(&mut self, pool: &FiberPool) {
        pool.put(self.here.drain(..));
    }
}
