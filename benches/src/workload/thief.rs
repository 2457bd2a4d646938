//! One owner against busy thieves: who gets how much done?
//!
//! The owner pushes a burst and pops until its queue is empty; each thief steals half of what it
//! finds, drains its own queue, and comes back. Each thread has a processor of its own. What is
//! measured is throughput, of both sides: a queue can make its owner fast by giving its thieves
//! nothing, and the other way round.
//!
//! The owner pushes with overflow, although a burst is smaller than the ring: a queue whose slots
//! stay taken until a thief is done with its copy is full when that thief has lost its processor.
//! What overflowed counts for nobody.
//!
//! Each thread also tells whether it had its processor all the while. A thief that did not run is
//! not busy, and the owner's number then says nothing.

use core::hint::{black_box, spin_loop};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::{StopOnDrop, Sum, Tasks, Workload, opaque, timed};
use crate::machine::{Processors, processor_time};
use crate::queue::{Global, Queue};

/// What a thief does between two steals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Nothing: the worst that thieves can do to an owner.
    None,
    /// It waits 10 us, which is nearer to a scheduler whose searchers are few.
    TenMicroseconds,
}

/// An owner against thieves. A round is a burst; an operation is a task, whoever took it.
#[derive(Debug)]
pub struct BusyThieves<Q> {
    owner: Q,
    global: Global,
    tasks: Tasks,
    thieves: usize,
    pause: Pause,
    processors: Processors,
}

/// Who took how many tasks in what time.
#[derive(Clone, Copy, Debug)]
pub struct Shares {
    /// How long the owner took for its bursts.
    pub time: Duration,
    /// Tasks that the owner popped.
    pub owner: u64,
    /// Tasks that thieves took.
    pub stolen: u64,
    /// Steals that brought something.
    pub steals: u64,
    /// Whether a thread lost its processor meanwhile, to another program. Never where the system
    /// does not tell.
    pub disturbed: bool,
}

/// What one thief did.
#[derive(Default)]
struct Loot {
    taken: Sum,
    tasks: u64,
    steals: u64,
    disturbed: bool,
}

impl<Q: Queue> BusyThieves<Q> {
    /// An owner that pushes `burst` tasks at a time against so many thieves. `None` if there are
    /// not as many processors as threads.
    #[must_use]
    pub fn new(burst: usize, thieves: usize, pause: Pause) -> Option<Self> {
        let processors = Processors::usable(thieves + 1)?;
        let (owner, global, tasks) = (Q::new(), Global::new(), Tasks::new(burst));
        Some(Self { owner, global, tasks, thieves, pause, processors })
    }

    /// Runs so many bursts.
    ///
    /// # Panics
    ///
    /// If a task was lost or doubled.
    pub fn share(&mut self, bursts: u64) -> Shares {
        let Self { owner, global, tasks, thieves, pause, processors } = self;
        let pushed = tasks.sum().times(bursts);
        let stop = AtomicBool::new(false);
        let ready = Barrier::new(*thieves + 1);
        let (popped, by_owner, time, loots, disturbed) = thread::scope(|scope| {
            let _pinned = processors.pin(0);
            let stop_thieves = StopOnDrop(&stop);
            let thieves: Vec<_> = (0..*thieves)
                .map(|thief| {
                    let (victim, stop, ready) = (owner.stealer(), &stop, &ready);
                    let (processors, pause) = (&*processors, *pause);
                    scope.spawn(move || {
                        let _pinned = processors.pin(thief + 1);
                        ready.wait();
                        steal_until::<Q>(stop, &victim, pause)
                    })
                })
                .collect();
            ready.wait();
            let presence = Presence::begin();
            let ((popped, by_owner), time) = timed(|| push_and_pop(owner, global, tasks, bursts));
            let disturbed = presence.disturbed();
            drop(stop_thieves);
            let join = |thief: thread::ScopedJoinHandle<'_, Loot>| thief.join().expect("a thief");
            let loots: Vec<_> = thieves.into_iter().map(join).collect();
            (popped, by_owner, time, loots, disturbed)
        });
        let mut taken = popped;
        loots.iter().for_each(|loot| taken.join(loot.taken));
        global.pop_all().into_iter().for_each(|task| taken.add(task));
        taken.must_be(pushed, Q::NAME);
        Shares {
            time,
            owner: by_owner,
            stolen: loots.iter().map(|loot| loot.tasks).sum(),
            steals: loots.iter().map(|loot| loot.steals).sum(),
            disturbed: disturbed || loots.iter().any(|loot| loot.disturbed),
        }
    }
}

impl<Q: Queue> Workload for BusyThieves<Q> {
    fn operations(&self) -> u64 {
        self.tasks.0.len() as u64
    }

    fn run(&mut self, rounds: u64) -> Duration {
        self.share(rounds).time
    }
}

/// The owner's loop.
fn push_and_pop<Q: Queue>(
    owner: &mut Q,
    global: &Global,
    tasks: &Tasks,
    bursts: u64,
) -> (Sum, u64) {
    let (mut taken, mut count) = (Sum::default(), 0);
    for _ in 0..bursts {
        for word in tasks.words() {
            opaque(owner).push_or_overflow(*word, global);
        }
        while let Some(task) = opaque(owner).pop() {
            taken.add(task);
            count += 1;
        }
    }
    (taken, count)
}

/// The thief's loop.
fn steal_until<Q: Queue>(stop: &AtomicBool, victim: &Q::Stealer, pause: Pause) -> Loot {
    let mut own = Q::new();
    let mut loot = Loot::default();
    let presence = Presence::begin();
    // ORDER: Relaxed: it says when to end, and nothing of what was done; `join` does.
    while !stop.load(Ordering::Relaxed) {
        match opaque(&mut own).steal(victim) {
            None => spin_loop(),
            Some(task) => {
                loot.taken.add(task);
                loot.steals += 1;
                loot.tasks += 1;
                while let Some(task) = opaque(&mut own).pop() {
                    loot.taken.add(task);
                    loot.tasks += 1;
                }
            }
        }
        if pause == Pause::TenMicroseconds {
            wait(Duration::from_micros(10));
        }
    }
    loot.disturbed = presence.disturbed();
    black_box(loot)
}

/// Whether a thread has its processor.
struct Presence {
    begin: Instant,
    had: Option<Duration>,
}

impl Presence {
    fn begin() -> Self {
        Self { begin: Instant::now(), had: processor_time() }
    }

    /// Whether a twentieth of the time since went elsewhere.
    fn disturbed(&self) -> bool {
        let (Some(before), Some(now)) = (self.had, processor_time()) else { return false };
        (now - before) * 20 < self.begin.elapsed() * 19
    }
}

/// Waits without giving the processor away: sleeping would take much longer.
fn wait(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        spin_loop();
    }
}
