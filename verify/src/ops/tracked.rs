//! Tasks that can be told apart and whose drops are logged.
//!
//! A [`Ledger`] makes the tasks of one program, numbered from 1, and hears of every drop. So "is
//! anything lost, doubled or leaked" is a comparison of numbers after each operation, and "who
//! drops what, in which order" a comparison of lists.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gosched::Task;

/// A task's number. The first is 1.
pub type Id = usize;

/// What the tasks of one program share.
#[derive(Debug, Default)]
struct Log {
    /// The tasks that were dropped, in the order of their drops.
    dropped: Vec<Id>,
    /// Whether drops no longer panic.
    disarmed: bool,
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes tasks and hears of their drops.
#[derive(Debug, Default)]
pub struct Ledger {
    made: usize,
    log: Arc<Mutex<Log>>,
    /// How much of the log was given out by `new_drops`.
    told: usize,
}

impl Ledger {
    /// Makes the next task.
    pub fn make<K: Kind>(&mut self) -> K {
        self.make_with(false)
    }

    /// Makes the next task, and says whether its drop is to panic, if it has any.
    pub fn make_with<K: Kind>(&mut self, panics: bool) -> K {
        self.made += 1;
        let id = self.made;
        K::make(id, || Tracked { id, log: Arc::clone(&self.log), panics })
    }

    /// How many tasks were made; also the number of the last one.
    #[must_use]
    pub fn made(&self) -> usize {
        self.made
    }

    /// How many tasks were made and not dropped. Negative when some were dropped twice.
    #[must_use]
    pub fn alive(&self) -> isize {
        self.made as isize - lock(&self.log).dropped.len() as isize
    }

    /// The tasks that were dropped since the last call, in the order of their drops.
    #[must_use]
    pub fn new_drops(&mut self) -> Vec<Id> {
        let log = lock(&self.log);
        let new = log.dropped[self.told..].to_vec();
        self.told = log.dropped.len();
        new
    }

    /// Makes every drop a quiet one. A program that has failed is cleared away in this way, so that
    /// what it says is the difference, and not the panic of a task that was still around.
    pub fn disarm(&mut self) {
        lock(&self.log).disarmed = true;
    }
}

/// What a task owns: a number, and a drop that is logged.
#[derive(Debug)]
pub struct Tracked {
    id: Id,
    log: Arc<Mutex<Log>>,
    panics: bool,
}

/// What a drop panics with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropPanic(pub Id);

impl Drop for Tracked {
    fn drop(&mut self) {
        let mut log = lock(&self.log);
        log.dropped.push(self.id);
        // While a thread unwinds, a second panic would abort and hide the first.
        let quiet = log.disarmed || std::thread::panicking();
        drop(log);
        if self.panics && !quiet {
            // Not `panic!`: this one is expected, and a fuzzer's panic hook takes any for a crash.
            resume_unwind(Box::new(DropPanic(self.id)));
        }
    }
}

/// A kind of task.
pub trait Kind: Task + 'static {
    /// Whether dropping a task of this kind drops something.
    const DROPS: bool;

    /// A task with this number, which owns what `tracked` returns if it can own anything.
    fn make(id: Id, tracked: impl FnOnce() -> Tracked) -> Self;

    /// The task's number.
    fn id(&self) -> Id;
}

impl Kind for Box<Tracked> {
    const DROPS: bool = true;

    fn make(_id: Id, tracked: impl FnOnce() -> Tracked) -> Self {
        Box::new(tracked())
    }

    fn id(&self) -> Id {
        self.id
    }
}

impl Kind for Pin<Box<Tracked>> {
    const DROPS: bool = true;

    fn make(_id: Id, tracked: impl FnOnce() -> Tracked) -> Self {
        Box::pin(tracked())
    }

    fn id(&self) -> Id {
        self.id
    }
}

impl Kind for Arc<Tracked> {
    const DROPS: bool = true;

    fn make(_id: Id, tracked: impl FnOnce() -> Tracked) -> Self {
        Arc::new(tracked())
    }

    fn id(&self) -> Id {
        self.id
    }
}

/// A task that is never dropped.
#[derive(Debug)]
pub struct Static(Id);

impl Kind for &'static Static {
    const DROPS: bool = false;

    fn make(id: Id, _tracked: impl FnOnce() -> Tracked) -> Self {
        /// One for each number; every program uses them again.
        static ALL: Mutex<Vec<&'static Static>> = Mutex::new(Vec::new());
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        while all.len() < id {
            let next = Static(all.len() + 1);
            all.push(Box::leak(Box::new(next)));
        }
        all[id - 1]
    }

    fn id(&self) -> Id {
        self.0
    }
}

impl Kind for NonZeroUsize {
    const DROPS: bool = false;

    fn make(id: Id, _tracked: impl FnOnce() -> Tracked) -> Self {
        NonZeroUsize::new(id).expect("the first task is 1")
    }

    fn id(&self) -> Id {
        self.get()
    }
}
