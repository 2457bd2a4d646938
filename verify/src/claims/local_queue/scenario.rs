//! One owner, some thieves, and strings that say what each does.
//!
//! The owner is the main thread. It runs `before`, starts the thieves, runs `during`, pops until
//! its queue is empty, and joins the thieves; what is left anywhere then is run last. A letter is
//! an operation:
//!
//! | letter | the owner |
//! |---|---|
//! | `p` | pushes a new task, into the global queue if the ring overflows |
//! | `n` | pushes a new task into the slot |
//! | `b` | pushes a batch of two new tasks (the rest of a batch that does not fit: one by one) |
//! | `g` | pops and runs a task |
//! | `d` | drains its queue and runs what it held |
//! | `u` | pushes a new task into the global queue |
//! | `s` | takes its share (of two processors) of the global queue, and runs the first task |
//!
//! Every task carries a payload ([`Tasks`]), so a scenario asserts by itself that each task ran
//! exactly once, with its contents visible. Where nothing uses the slot it also asserts the order:
//! what one steal or one drain takes comes oldest first.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use gosched::memory::Shared;
use gosched::{GlobalQueue, LocalQueue, NextSlot, Owner, StealError, Stealer};

use crate::claim::{Model, Outcome, Witness};
use crate::tasks::Tasks;
use crate::world::World;

/// A task of a model: its number.
pub(super) type Id = NonZeroUsize;

/// Among how many processors the global queue is shared.
const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// What one thief does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thief {
    /// Whom it steals from: 0 is the owner, 1 the first thief, which leaves its loot for it.
    pub(super) victim: usize,
    /// How often.
    pub(super) steals: usize,
    /// Whether it may take the slot.
    pub(super) slot: NextSlot,
}

/// Steals once from the owner, the slot included.
pub(super) const STEALS: Thief = Thief { victim: 0, steals: 1, slot: NextSlot::Take };
/// Steals twice from the owner, the slot included.
pub(super) const STEALS_TWICE: Thief = Thief { steals: 2, ..STEALS };
/// Steals once from the owner's ring.
pub(super) const STEALS_RING: Thief = Thief { slot: NextSlot::Leave, ..STEALS };
/// Steals once from the first thief's ring.
pub(super) const ROBS_THE_THIEF: Thief = Thief { victim: 1, ..STEALS_RING };

/// One owner, some thieves.
#[derive(Clone, Debug)]
pub(super) struct Scenario<const CAP: usize> {
    /// Where the counters start.
    pub(super) start: u64,
    /// What the owner does before the thieves start.
    pub(super) before: &'static str,
    /// What it does while they run.
    pub(super) during: &'static str,
    pub(super) thieves: &'static [Thief],
    pub(super) witnesses: &'static [Witness],
}

impl<const CAP: usize> Scenario<CAP> {
    /// Nothing before, counters from 0, no witness.
    pub(super) const fn new(during: &'static str, thieves: &'static [Thief]) -> Self {
        Self { start: 0, before: "", during, thieves, witnesses: &[] }
    }

    /// What the owner does before the thieves start.
    pub(super) const fn before(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    /// Where the counters start.
    pub(super) const fn starting_at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// What the executions must show.
    pub(super) const fn showing(self, witnesses: &'static [Witness]) -> Self {
        Self { witnesses, ..self }
    }

    /// Whether tasks leave the ring in the order of their numbers.
    fn is_fifo(&self) -> bool {
        !self.before.contains('n') && !self.during.contains('n')
    }

    /// How many tasks the owner makes.
    fn tasks(&self) -> usize {
        let made = |letter| match letter {
            'p' | 'n' | 'u' => 1,
            'b' => 2,
            _ => 0,
        };
        self.before.chars().chain(self.during.chars()).map(made).sum()
    }
}

impl<const CAP: usize> Model for Scenario<CAP> {
    fn run<W: World>(&self) -> Outcome {
        let tasks = Tasks::<W>::new(self.tasks());
        let queue = LocalQueue::<Id, CAP, W>::with_memory_starting_at(self.start);
        let mut owner = Worker {
            queue,
            global: W::Arc::new(GlobalQueue::with_memory()),
            tasks: tasks.clone(),
            made: 0,
            fifo: self.is_fifo(),
            log: String::from("owner"),
        };
        owner.perform(self.before);

        let queues: Vec<_> = self
            .thieves
            .iter()
            .map(|_| LocalQueue::<Id, CAP, W>::with_memory_starting_at(self.start))
            .collect();
        let stealers: Vec<_> = std::iter::once(owner.queue.stealer())
            .chain(queues.iter().map(Owner::stealer))
            .collect();
        let threads: Vec<_> = queues
            .into_iter()
            .enumerate()
            .map(|(index, queue)| {
                let plan = self.thieves[index];
                let victim = stealers[plan.victim].clone();
                let robbed = self.thieves.iter().any(|thief| thief.victim == index + 1);
                let tasks = tasks.clone();
                let fifo = self.is_fifo();
                W::spawn(move || steal::<W, CAP>(plan, &victim, queue, &tasks, fifo, robbed))
            })
            .collect();
        drop(stealers);

        owner.perform(self.during);
        owner.pop_all();
        let mut outcome = owner.log.clone();
        for thread in threads {
            let (log, mut left) = W::join(thread);
            outcome.push_str(&log);
            while let Some(popped) = left.pop() {
                tasks.run(popped.task.get());
                let _ = write!(outcome, " left {}", popped.task);
            }
        }
        owner.log.clear();
        owner.pop_all();
        while let Some(task) = owner.global.pop() {
            tasks.run(task.get());
            let _ = write!(owner.log, " global {task}");
        }
        outcome.push_str(&owner.log);
        tasks.assert_ran(self.tasks());
        outcome
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.witnesses.to_vec()
    }
}

/// The owner of the robbed queue, at work.
struct Worker<W: World, const CAP: usize> {
    queue: Owner<Id, CAP, W>,
    global: W::Arc<GlobalQueue<Id, W>>,
    tasks: Tasks<W>,
    made: usize,
    fifo: bool,
    log: String,
}

impl<W: World, const CAP: usize> Worker<W, CAP> {
    fn make(&mut self) -> Id {
        self.made += 1;
        self.tasks.create(self.made);
        Id::new(self.made).expect("tasks are numbered from 1")
    }

    fn perform(&mut self, letters: &str) {
        for letter in letters.chars() {
            match letter {
                'p' => {
                    let task = self.make();
                    self.queue.push_or_overflow(task, &self.global);
                }
                'n' => {
                    let task = self.make();
                    self.queue.push_next_or_overflow(task, &self.global);
                }
                'b' => {
                    let mut batch = [self.make(), self.make()].into_iter();
                    self.queue.push_batch(&mut batch);
                    for task in batch {
                        self.queue.push_or_overflow(task, &self.global);
                    }
                }
                'g' => {
                    if !self.pop() {
                        self.log.push_str(" -");
                    }
                }
                'd' => self.drain(),
                'u' => {
                    let task = self.make();
                    self.global.push(task);
                }
                's' => {
                    if let Some(task) = self.queue.take_share(&self.global, TWO) {
                        self.tasks.run(task.get());
                        let _ = write!(self.log, " s{task}");
                    }
                }
                other => panic!("no operation {other:?}"),
            }
        }
    }

    fn pop(&mut self) -> bool {
        let Some(popped) = self.queue.pop() else { return false };
        if self.fifo {
            assert!(!popped.inherits_slice, "nothing was pushed into the slot");
        }
        self.tasks.run(popped.task.get());
        let slice = if popped.inherits_slice { "+" } else { "" };
        let _ = write!(self.log, " {}{slice}", popped.task);
        true
    }

    fn pop_all(&mut self) {
        while self.pop() {}
    }

    fn drain(&mut self) {
        let mut last = 0;
        for task in self.queue.drain() {
            assert!(!self.fifo || task.get() > last, "drained {task} after {last}");
            last = task.get();
            self.tasks.run(last);
            let _ = write!(self.log, " d{task}");
        }
    }
}

/// A thief's thread. Returns what it saw, and its queue, empty unless another thief robs it.
fn steal<W: World, const CAP: usize>(
    plan: Thief,
    victim: &Stealer<Id, CAP, W>,
    mut queue: Owner<Id, CAP, W>,
    tasks: &Tasks<W>,
    fifo: bool,
    robbed: bool,
) -> (String, Owner<Id, CAP, W>) {
    let mut log = String::from(" thief");
    for _ in 0..plan.steals {
        match victim.steal_into(&mut queue, plan.slot) {
            Err(StealError::Empty) => log.push_str(" -"),
            Err(StealError::Itself) => panic!("the thief is not the victim"),
            Ok(stolen) => {
                assert!(!stolen.from_next || plan.slot == NextSlot::Take, "took the slot unasked");
                assert!(stolen.moved < CAP, "stole {} beside one", stolen.moved);
                tasks.run(stolen.task.get());
                let mark = if stolen.from_next { "+" } else { "" };
                let _ = write!(log, " {}{mark}", stolen.task);
                if !robbed {
                    run_loot(&mut queue, tasks, &mut log, fifo.then_some(stolen.task.get()));
                }
            }
        }
    }
    (log, queue)
}

/// Runs what a steal moved to the thief's ring. In a FIFO scenario they are the neighbours of the
/// task that the steal returned.
fn run_loot<W: World, const CAP: usize>(
    queue: &mut Owner<Id, CAP, W>,
    tasks: &Tasks<W>,
    log: &mut String,
    newest: Option<usize>,
) {
    let mut loot = Vec::new();
    while let Some(popped) = queue.pop() {
        assert!(!popped.inherits_slice, "loot goes to the ring");
        tasks.run(popped.task.get());
        loot.push(popped.task.get());
        let _ = write!(log, ",{}", popped.task);
    }
    if let Some(newest) = newest {
        assert!(loot.iter().is_sorted(), "loot {loot:?} is out of order");
        assert!(loot.last().is_none_or(|&last| last < newest), "loot {loot:?} is not older");
    }
}
