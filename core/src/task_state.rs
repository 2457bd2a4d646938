//! The status of a task: who may do what with it next.
//!
//! ```text
//!                         ready                    begin
//!      NEW ──► RUNNABLE ◄───────── WAITING     ┌───────────► RUNNING
//!      start      │  ▲                ▲        │                │ │
//!                 └──┼────────────────┼────────┘      park      │ │
//!                    │                └─────────────────────────┘ │
//!                    └─────────────── yield_now ──────────────────┤
//!                                                                 │  end
//!      IN A SYSTEM CALL ◄────────── enter ─────── RUNNING         └──────► DEAD
//!                       ──────────► exit ───────►
//! ```
//!
//! A task that is owned by one value ([`Task`](crate::Task)) can be in one place only, and most
//! arrows hold by that alone. What types cannot say is *when* a task may be made ready: exactly
//! once after it has parked. Where a host's task is a counted reference, two wakers may both hold
//! one. So `ready` is a compare-exchange, and the second one gets its task back with an error.
//!
//! # No wake is lost
//!
//! A task parks by a *commit*: a function that the machine calls after the task has stopped and its
//! status is `WAITING`, and that puts the task where its waker finds it, under whatever lock the
//! waker takes. From that moment on it may be made ready, and not before. If what it waits for has
//! come meanwhile, the commit gives the task back, and it goes on.
//!
//! ```text
//!    machine of G                        waker
//!    G: sees no message; stops
//!    WAITING
//!    commit: lock the channel
//!            still no message
//!            G into the list, unlock
//!                                        lock, puts a message, takes G out, unlock
//!                                        ready(G): WAITING -> RUNNABLE
//! ```
//!
//! DIFF: Go has more states, for its garbage collector and its growing stacks, and a lock bit.
//!
//= go1.27:src/runtime/proc.go#gopark
//= go1.27:src/runtime/proc.go#ready
//= go1.27:src/runtime/proc.go#casgstatus

use core::fmt;

use crate::memory::{Atomic, Hardware, Memory, Ordering, invariant};

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum TaskStatus {
    /// Made, and never submitted.
    New = 0,
    /// In a queue, or on its way from a queue to a machine.
    Runnable = 1,
    /// On a machine.
    Running = 2,
    /// Parked: its commit has been given it, and nobody has made it ready since.
    Waiting = 3,
    /// On a machine that is in a system call.
    InSystemCall = 4,
    /// Ended.
    Dead = 5,
}

impl TaskStatus {
    /// Every transition there is: from, operation, to. What the operations assert, and what the
    /// book draws.
    #[doc(hidden)]
    pub const TRANSITIONS: [(Self, &'static str, Self); 11] = [
        (Self::New, "start", Self::Runnable),
        (Self::Runnable, "begin", Self::Running),
        (Self::Running, "requeue", Self::Runnable),
        (Self::Running, "park", Self::Waiting),
        (Self::Waiting, "refuse", Self::Running),
        (Self::Waiting, "ready", Self::Runnable),
        (Self::Running, "enter", Self::InSystemCall),
        (Self::InSystemCall, "exit", Self::Running),
        (Self::InSystemCall, "requeue", Self::Runnable),
        (Self::Running, "end", Self::Dead),
        (Self::New, "end", Self::Dead),
    ];

    fn may(self, operation: &'static str, to: Self) -> bool {
        Self::TRANSITIONS.contains(&(self, operation, to))
    }

    fn of(word: u32) -> Self {
        match word {
            0 => Self::New,
            1 => Self::Runnable,
            2 => Self::Running,
            3 => Self::Waiting,
            4 => Self::InSystemCall,
            _ => Self::Dead,
        }
    }
}

/// The status word of one task.
///
/// A host that has its tasks carry one names it in [`Host::state`](crate::Host::state); the
/// scheduler then makes the transitions that it brings about. The host makes those that only it
/// knows of: [`enter`](TaskState::enter), [`exit`](TaskState::exit), [`end`](TaskState::end).
pub struct TaskState<Mem: Memory = Hardware> {
    word: Mem::AtomicU32,
}

impl TaskState {
    /// The status of a new task.
    #[must_use]
    pub fn new() -> Self {
        Self::with_memory()
    }
}

impl Default for TaskState {
    fn default() -> Self {
        Self::new()
    }
}

impl<Mem: Memory> TaskState<Mem> {
    /// [`new`](TaskState::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory() -> Self {
        Self { word: Mem::AtomicU32::new(TaskStatus::New as u32) }
    }

    /// What the task is doing, or did a moment ago.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        // ORDER: Relaxed: a picture of one instant.
        TaskStatus::of(self.word.load(Ordering::Relaxed))
    }

    /// Waiting to runnable: of all who try, one succeeds, and may put the task into a queue.
    ///
    /// # Errors
    ///
    /// With the status, if the task does not wait.
    pub fn ready(&self) -> Result<(), TaskStatus> {
        // ORDER: Relaxed, both: the right to make the task ready is told, nothing else; the task's
        // contents come with the task itself.
        self.word
            .compare_exchange(
                TaskStatus::Waiting as u32,
                TaskStatus::Runnable as u32,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .map(drop)
            .map_err(TaskStatus::of)
    }

    /// New to runnable.
    pub fn start(&self) {
        self.change("start", TaskStatus::Runnable);
    }

    /// Runnable to running.
    pub fn begin(&self) {
        self.change("begin", TaskStatus::Running);
    }

    /// Running to waiting. The task has stopped; from now on it may be made ready.
    pub fn park(&self) {
        self.change("park", TaskStatus::Waiting);
    }

    /// Waiting to running: the commit gave the task back.
    pub fn refuse(&self) {
        self.change("refuse", TaskStatus::Running);
    }

    /// Running to in a system call.
    pub fn enter(&self) {
        self.change("enter", TaskStatus::InSystemCall);
    }

    /// In a system call to running.
    pub fn exit(&self) {
        self.change("exit", TaskStatus::Running);
    }

    /// Running to runnable: the task yields, or found no processor after a system call.
    pub fn requeue(&self) {
        self.change("requeue", TaskStatus::Runnable);
    }

    /// Running, or never started, to dead.
    pub fn end(&self) {
        self.change("end", TaskStatus::Dead);
    }

    /// A transition that the one owner of the task makes.
    ///
    /// # Panics
    ///
    /// Where invariants are checked: if there is no such transition.
    fn change(&self, operation: &'static str, to: TaskStatus) {
        invariant!(
            Mem,
            self.status().may(operation, to),
            "a task that is {:?} cannot become {to:?} ({operation})",
            self.status()
        );
        // ORDER: Relaxed: the status tells itself alone; whoever acts on `Waiting` was given the
        // task by its commit, through a lock or another word that orders this store before it.
        self.word.store(to as u32, Ordering::Relaxed);
    }
}

impl<Mem: Memory> fmt::Debug for TaskState<Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskState").field(&self.status()).finish()
    }
}
