//! The threads of a runtime's machines: who still runs, and whom a shutdown joins.
//!
//! A thread is listed before it begins. When its machine is gone, and its reference to the runtime
//! with it, it moves its own handle from the list of those that run to that of those that have
//! ended, whom nothing is left of but the destructors of thread-locals. A shutdown joins these:
//!
//! ```text
//!    start ──► running ──► machine, goroutines ... ──► ended ──► joined by the shutdown
//!                                                        │
//!                                                        └────► let go, if many have ended since
//! ```
//!
//! Threads come and go with bursts of system calls, and one that has ended keeps its stack until it
//! is joined or let go. So while the runtime lives only the last few are kept.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::template::Template;

/// How many threads that have ended are kept to be joined, while the runtime lives.
const KEPT: usize = 64;

/// The next runtime's number. 0 is no runtime.
static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    /// The number of the runtime that this thread is of. It has no destructor: those of other
    /// thread-locals may still ask.
    static OF: Cell<u64> = const { Cell::new(0) };
}

/// The threads of one runtime.
#[derive(Debug)]
pub(crate) struct Threads {
    runtime: u64,
    lists: Mutex<Lists>,
    changed: Condvar,
    pub(crate) template: Template,
}

#[derive(Debug)]
struct Lists {
    /// By the machines' numbers.
    running: HashMap<usize, Running>,
    /// Those that ended first are in front.
    ended: VecDeque<JoinHandle<()>>,
    /// How many of these are kept.
    keep: usize,
}

/// A thread that was asked for.
#[derive(Debug)]
enum Running {
    /// Whoever starts it has not got its handle yet.
    Starts,
    Runs(JoinHandle<()>),
    /// It has ended before its handle was there.
    HasEnded,
}

impl Lists {
    /// A thread has ended. Who is no more kept for it: to be dropped without the lock.
    fn end(&mut self, thread: JoinHandle<()>) -> Vec<JoinHandle<()>> {
        self.ended.push_back(thread);
        let surplus = self.ended.len().saturating_sub(self.keep);
        self.ended.drain(..surplus).collect()
    }
}

impl Threads {
    pub(crate) fn new() -> Arc<Self> {
        let lists = Lists { running: HashMap::new(), ended: VecDeque::new(), keep: KEPT };
        Arc::new(Self {
            // ORDER: Relaxed: the number tells itself alone.
            runtime: NEXT.fetch_add(1, Ordering::Relaxed),
            lists: Mutex::new(lists),
            changed: Condvar::new(),
            template: Template::default(),
        })
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread of a machine.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn start(
        self: &Arc<Self>,
        machine: usize,
        name: String,
        run: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let threads = Arc::clone(self);
        self.lists().running.insert(machine, Running::Starts);
        // Without the lock: if there is no thread, `run` is dropped, which may start another.
        let thread = Builder::new().name(name).spawn(move || {
            let _ends = Ends { threads: &threads, machine };
            threads.belong();
            run();
        });
        let mut lists = self.lists();
        let listed = lists.running.remove(&machine);
        let thread = thread?;
        if let Some(Running::Starts) = listed {
            lists.running.insert(machine, Running::Runs(thread));
            return Ok(());
        }
        let let_go = lists.end(thread);
        drop(lists);
        self.changed.notify_all();
        drop(let_go);
        Ok(())
    }

    /// This thread is the runtime's from now on.
    pub(crate) fn belong(&self) {
        OF.set(self.runtime);
    }

    /// Whether this thread is one of the runtime's: whoever waits for their ends must not be.
    pub(crate) fn is_here(&self) -> bool {
        OF.get() == self.runtime
    }

    /// The runtime ends: joins those that have ended, or waits for the next, but not for long. How
    /// many run still. To be called until there is none, or the caller's patience is over: then the
    /// others are to be [let go](Threads::let_go).
    pub(crate) fn join_some(&self) -> usize {
        let mut lists = self.lists();
        lists.keep = usize::MAX;
        if lists.ended.is_empty() && !lists.running.is_empty() {
            let waited = self.changed.wait_timeout(lists, Duration::from_millis(5));
            lists = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let ended = mem::take(&mut lists.ended);
        let running = lists.running.len();
        drop(lists);
        for thread in ended {
            // A panic in a thread-local's destructor ends the process: there is nothing to be told.
            let _ = thread.join();
        }
        running
    }

    /// Nobody will join the others.
    pub(crate) fn let_go(&self) {
        let mut lists = self.lists();
        lists.keep = 0;
        let ended = mem::take(&mut lists.ended);
        drop(lists);
        drop(ended);
    }
}

/// A thread that runs a machine.
struct Ends<'a> {
    threads: &'a Threads,
    machine: usize,
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        let mut lists = self.threads.lists();
        let Some(Running::Runs(own)) = lists.running.remove(&self.machine) else {
            // Whoever starts it will find that.
            lists.running.insert(self.machine, Running::HasEnded);
            return;
        };
        let let_go = lists.end(own);
        drop(lists);
        self.threads.changed.notify_all();
        drop(let_go);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_threads_that_have_ended_the_last_are_kept_and_joined() {
        let threads = Threads::new();
        for machine in 0..3 * KEPT {
            threads.start(machine, "test".to_owned(), || ()).unwrap();
        }
        while !threads.lists().running.is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(threads.lists().ended.len(), KEPT);
        assert_eq!(threads.join_some(), 0);
        assert!(threads.lists().ended.is_empty());
    }

    #[test]
    fn at_a_shutdown_all_are_kept_and_after_it_none() {
        let threads = Threads::new();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        let start = |machine| {
            let wait = Arc::clone(&wait);
            let run = move || wait.lock().unwrap().recv().unwrap();
            threads.start(machine, "test".to_owned(), run).unwrap();
        };
        (0..2 * KEPT).for_each(start);
        assert_eq!(threads.join_some(), 2 * KEPT);
        (1..2 * KEPT).for_each(|_| release.send(()).unwrap());
        while threads.lists().running.len() > 1 {
            std::thread::yield_now();
        }
        assert_eq!(threads.lists().ended.len(), 2 * KEPT - 1);
        assert_eq!(threads.join_some(), 1);
        threads.let_go();
        release.send(()).unwrap();
        while !threads.lists().running.is_empty() {
            std::thread::yield_now();
        }
        assert!(threads.lists().ended.is_empty());
    }

    #[test]
    fn threads_know_whose_they_are() {
        let (one, other) = (Threads::new(), Threads::new());
        assert!(!one.is_here());
        let (tell, told) = std::sync::mpsc::channel();
        let (own, others) = (Arc::clone(&one), Arc::clone(&other));
        let run = move || tell.send((own.is_here(), others.is_here())).unwrap();
        one.start(0, "test".to_owned(), run).unwrap();
        assert_eq!(told.recv().unwrap(), (true, false));
    }
}
