//! The fences, each between the store and the load of Dekker's pattern, where they are used.
//!
//! A light fence costs what the process's mode costs: a load and a branch, then nothing, or a
//! `fence(SeqCst)`. Its mode moves once in a process (the first heavy fence chooses), so one run of
//! a program measures one mode.

use core::hint::{black_box, spin_loop};
use core::marker::PhantomData;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence, fence};
use core::time::Duration;
use std::thread;

use gosched::memory::{Hardware, Memory};

use super::{StopOnDrop, Workload, timed};
use crate::machine::Processors;

/// A fence among those compared.
pub trait Fence: 'static {
    /// The name in tables.
    const NAME: &'static str;
    /// What must be known beside the number.
    const NOTE: &'static str = "";
    /// Whether another thread of the process runs, on a processor of its own, meanwhile.
    const COMPANY: bool = false;
    /// The fence.
    fn fence();
}

/// Something to do with each fence.
pub trait VisitFence {
    /// Does it.
    fn visit<F: Fence>(&mut self);
}

/// Visits every fence, the baseline `fence(SeqCst)` first.
pub fn each_fence(visitor: &mut impl VisitFence) {
    visitor.visit::<SeqCst>();
    visitor.visit::<Light>();
    visitor.visit::<Compiler>();
    visitor.visit::<Heavy>();
    visitor.visit::<HeavyInCompany>();
}

struct SeqCst;

impl Fence for SeqCst {
    const NAME: &'static str = "fence(SeqCst)";
    #[inline(always)]
    fn fence() {
        // ORDER: SeqCst: the fence that is measured.
        fence(Ordering::SeqCst);
    }
}

struct Light;

impl Fence for Light {
    const NAME: &'static str = "light_fence";
    const NOTE: &'static str = "reads the process's mode first";
    #[inline(always)]
    fn fence() {
        Hardware::light_fence();
    }
}

struct Compiler;

impl Fence for Compiler {
    const NAME: &'static str = "compiler_fence";
    const NOTE: &'static str = "orders nothing: the floor";
    #[inline(always)]
    fn fence() {
        compiler_fence(Ordering::SeqCst);
    }
}

struct Heavy;

impl Fence for Heavy {
    const NAME: &'static str = "heavy_fence";
    const NOTE: &'static str = "no other thread runs";
    #[inline(always)]
    fn fence() {
        Hardware::heavy_fence();
    }
}

struct HeavyInCompany;

impl Fence for HeavyInCompany {
    const NAME: &'static str = "heavy_fence, 2 run";
    const NOTE: &'static str = "another thread runs on another processor";
    const COMPANY: bool = true;
    #[inline(always)]
    fn fence() {
        Hardware::heavy_fence();
    }
}

/// Store, fence, load. An operation is all three.
#[derive(Debug)]
pub struct FencePair<F> {
    mine: AtomicU64,
    theirs: AtomicU64,
    processors: Option<Processors>,
    fence: PhantomData<fn() -> F>,
}

impl<F: Fence> FencePair<F> {
    /// `None` if the fence needs company and there is one processor only.
    #[must_use]
    pub fn new() -> Option<Self> {
        let processors = Processors::usable(2);
        let (mine, theirs) = (AtomicU64::new(0), AtomicU64::new(7));
        (processors.is_some() || !F::COMPANY).then_some(Self {
            mine,
            theirs,
            processors: processors.filter(|_| F::COMPANY),
            fence: PhantomData,
        })
    }

    fn alone(&self, rounds: u64) -> Duration {
        let (seen, time) = timed(|| {
            let mut seen = 0_u64;
            for round in 0..rounds {
                // ORDER: Relaxed, both: the fence between them is what is measured.
                black_box(&self.mine).store(round, Ordering::Relaxed);
                F::fence();
                seen = seen.wrapping_add(black_box(&self.theirs).load(Ordering::Relaxed));
            }
            seen
        });
        assert_eq!(seen, rounds.wrapping_mul(7), "{}: a load went astray", F::NAME);
        time
    }
}

impl<F: Fence> Workload for FencePair<F> {
    fn operations(&self) -> u64 {
        1
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let Some(processors) = &self.processors else {
            return self.alone(rounds);
        };
        let (running, stop) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            let _pinned = processors.pin(0);
            let _stop = StopOnDrop(&stop);
            scope.spawn(|| {
                let _pinned = processors.pin(1);
                // ORDER: Relaxed, here and below: the flag guards nothing.
                running.store(true, Ordering::Relaxed);
                while !stop.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
            while !running.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            self.alone(rounds)
        })
    }
}
