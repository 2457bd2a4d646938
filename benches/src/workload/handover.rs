//! Steal of half across cores: the owner fills its queue on one processor, a thief steals on
//! another. What is timed is the steal alone, most of which is the journey of cache lines.

use core::hint::spin_loop;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::thread;

use super::{Sum, Tasks, Workload, opaque, timed};
use crate::machine::Processors;
use crate::queue::Queue;

const OWNER: u32 = 0;
const THIEF: u32 = 1;
const OVER: u32 = 2;

/// A steal from another core. An operation is one steal.
#[derive(Debug)]
pub struct Handover<Q> {
    owner: Q,
    thief: Q,
    tasks: Tasks,
    processors: Processors,
}

impl<Q: Queue> Handover<Q> {
    /// Steals half of so many tasks. `None` if there is one processor only.
    #[must_use]
    pub fn new(fill: usize) -> Option<Self> {
        let processors = Processors::usable(2)?;
        Some(Self { owner: Q::new(), thief: Q::new(), tasks: Tasks::new(fill), processors })
    }
}

impl<Q: Queue> Workload for Handover<Q> {
    fn operations(&self) -> u64 {
        1
    }

    fn run(&mut self, rounds: u64) -> Duration {
        let Self { owner, thief, tasks, processors } = self;
        let victim = owner.stealer();
        let turn = AtomicU32::new(OWNER);
        let (kept, (stolen, time)) = thread::scope(|scope| {
            let _pinned = processors.pin(0);
            let over = Over(&turn);
            let thief = scope.spawn(|| {
                let _pinned = processors.pin(1);
                steals(thief, &victim, &turn)
            });
            let mut kept = Sum::default();
            for _ in 0..rounds {
                tasks.words().iter().for_each(|word| opaque(owner).push(*word));
                pass(&turn, THIEF);
                if await_turn(&turn, |now| now != THIEF) == OVER {
                    break;
                }
                kept.drain(owner);
            }
            drop(over);
            (kept, thief.join().expect("the thief"))
        });
        let mut taken = kept;
        taken.join(stolen);
        taken.must_be(tasks.sum().times(rounds), Q::NAME);
        time
    }
}

/// The thief's side: what it took, and how long its steals lasted.
fn steals<Q: Queue>(own: &mut Q, victim: &Q::Stealer, turn: &AtomicU32) -> (Sum, Duration) {
    let _over = Over(turn);
    let (mut taken, mut time) = (Sum::default(), Duration::ZERO);
    while await_turn(turn, |now| now != OWNER) == THIEF {
        let (task, section) = timed(|| opaque(own).steal(victim));
        time += section;
        taken.add_some(task);
        taken.drain(own);
        pass(turn, OWNER);
    }
    (taken, time)
}

/// Nobody waits for a thread that is gone, by a panic too.
struct Over<'a>(&'a AtomicU32);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        pass(self.0, OVER);
    }
}

fn pass(turn: &AtomicU32, to: u32) {
    // ORDER: Release: pairs with `await_turn`; whoever has the turn sees what was done before.
    turn.store(to, Ordering::Release);
}

fn await_turn(turn: &AtomicU32, mine: impl Fn(u32) -> bool) -> u32 {
    for spins in 0_u64.. {
        // ORDER: Acquire: pairs with `pass`.
        let now = turn.load(Ordering::Acquire);
        if mine(now) {
            return now;
        }
        // The other may be waiting for the processor.
        if spins % 4096 == 4095 { thread::yield_now() } else { spin_loop() }
    }
    unreachable!("nobody waits that long")
}
