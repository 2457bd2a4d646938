//! The permit: one task stops until another says that it may go on.
//!
//! What `std::thread::park` and `unpark` are to a thread, this word is to a task: a permit that is
//! given before the task stops waits for it, and permits do not add up.
//!
//! ```text
//!                give                         give
//!      PARKED ─────────► EMPTY ────────────────────────────► GIVEN ──┐
//!         ▲               │ ▲                                 │  ▲   │ give
//!         └───────────────┘ └─────────────────────────────────┘  └───┘
//!               park          take, or park, which then refuses
//! ```
//!
//! # Stopping takes two steps
//!
//! Between the task's last look at the world and the moment when it has stopped, two things go
//! wrong with one flag. If the task is said to be parked only once it has stopped, a permit that
//! comes in between finds nobody, and must not be forgotten:
//!
//! ```text
//!    task                                 giver
//!    looks: nothing has come
//!                                         gives; the task runs, there is nobody to wake
//!    stops
//!    parked, for ever
//! ```
//!
//! If it is said to be parked before it has stopped, it runs twice at a time:
//!
//! ```text
//!    task                                 giver
//!    looks: nothing has come
//!    says that it is parked
//!                                         gives, and makes the task ready
//!                                         another machine runs it
//!    is still on its way to stop
//! ```
//!
//! So the task itself only [takes](Permit::take) a permit, and stops if there was none. Whoever
//! then holds the stopped task (the machine that ran it) [parks](Permit::park) it: one
//! compare-exchange, which either finds the permit that has come meanwhile, and the task goes on;
//! or gives the task away, to the one who will give the permit.
//!
//! # A count, so that giving is one instruction
//!
//! To give is to go from `PARKED` to `EMPTY`, from `EMPTY` to `GIVEN`, and to stay at `GIVEN`: this
//! is to add one, if `PARKED` is 0, `EMPTY` is 1 and every number above means `GIVEN`. So `give` is
//! one `fetch_add`, whoever else gives at the time, and never repeats itself. The count has 64
//! bits: of 32, a loop that gives to a task which does not listen would use up all in a minute, and
//! the sum would be `PARKED` again while the task runs.
//!
//! Nobody stores to the word: all who change it read what was there, so a permit cannot be
//! overwritten, and each release sequence goes on to the end. Whoever acquires sees what *all* who
//! gave before had written, also those whose permit was one of many.
//!
//! `DIFF:` Go has no such word for a goroutine (to make one ready that does not wait is fatal); its
//! structures that park goroutines have their own. Nearest is the word of a poll descriptor, which
//! is empty, ready, or has somebody who waits.

use core::fmt;

use crate::memory::{Atomic, AtomicInt, Hardware, Memory, Ordering, invariant};

/// The task has stopped, and belongs to whoever gives the permit.
const PARKED: u64 = 0;
/// The task runs, or is to run, and there is no permit. A greater number: there is one.
const EMPTY: u64 = 1;

/// A permit to go on: the right to run one task, once, which is kept if the task does not wait for
/// it yet.
///
/// Two guarantees:
///
/// * **No permit is lost.** Once [`give`](Permit::give) has returned, either it returned
///   [`Give::Parked`], and the giver has the task; or the task's next [`park`](Permit::park)
///   returns `false`, or a [`take`](Permit::take) before it `true`. So the task goes on after the
///   permit was given, at least once. What the giver wrote before `give` is then visible to it, and
///   so is what any other giver wrote before a permit that came earlier.
/// * **One giver gets the task.** For each `park` that returned `true`, one `give` returns
///   [`Give::Parked`], of however many are called, and what was written before that `park` is
///   visible to its caller.
///
/// Any number of threads may give. [`take`](Permit::take) and [`park`](Permit::park) are for the
/// one who has the task: who runs it, or holds it stopped.
///
/// ```
/// use gosched::{Give, Permit};
///
/// let permit = Permit::new();
///
/// // It comes first, twice. The task does not stop, and has used it up.
/// assert_eq!(permit.give(), Give::Kept);
/// assert_eq!(permit.give(), Give::Already);
/// assert!(permit.take());
///
/// // It comes between the task's last look and its machine's.
/// assert!(!permit.take()); // the task stops
/// assert_eq!(permit.give(), Give::Kept);
/// assert!(!permit.park()); // and its machine runs it on
///
/// // It comes later.
/// assert!(!permit.take());
/// assert!(permit.park());
/// assert_eq!(permit.give(), Give::Parked); // whoever reads this makes the task ready
/// ```
pub struct Permit<Mem: Memory = Hardware> {
    /// `PARKED`, `EMPTY`, or how many permits were given and not used up, and one more.
    word: Mem::AtomicU64,
}

/// What became of a permit that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "`Parked` says that the task now belongs to the caller, who must make it ready"]
pub enum Give {
    /// The task was parked, and is the caller's now: nobody else will make it ready. The permit is
    /// used up by that.
    Parked,
    /// The task was not parked: the permit waits for it.
    Kept,
    /// A permit waited for the task already; the two are one.
    Already,
}

impl Permit {
    /// A permit that was not given, for a task that is not parked.
    #[must_use]
    pub fn new() -> Self {
        Self::with_memory()
    }
}

impl Default for Permit {
    fn default() -> Self {
        Self::new()
    }
}

impl<Mem: Memory> Permit<Mem> {
    /// [`new`](Permit::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory() -> Self {
        Self { word: Mem::AtomicU64::new(EMPTY) }
    }

    /// Uses the permit up, if it was given; says whether it was. For the running task, which goes
    /// on if so, and otherwise stops, for its machine to [`park`](Permit::park) it.
    ///
    /// A load, and a read-modify-write only if there is a permit. It finds each one whose `give`
    /// happens before it; one that comes at the same time it may miss, and `park` then finds it.
    ///
    /// # Panics
    ///
    /// Where invariants are checked ([`is_checked`](crate::memory::is_checked)): if the task is
    /// parked. Elsewhere that is `false`.
    pub fn take(&self) -> bool {
        // ORDER: Relaxed: nothing is concluded from a permit that is not seen, and one that is seen
        // is used up by the swap of `consume`, which acquires.
        let seen = self.word.load(Ordering::Relaxed);
        invariant!(Mem, seen != PARKED, "a task that is parked runs");
        if seen <= EMPTY {
            return false;
        }
        self.consume();
        true
    }

    /// Parks the task, or finds that a permit has come, and uses it up. For whoever holds the task
    /// after it has stopped.
    ///
    /// `true`: it is parked. It now belongs to whoever gives the permit, who may be running it
    /// already, or have ended it; the caller must touch neither the task nor this permit again.
    /// `false`: there was a permit; the caller still has the task, and must let it run on.
    ///
    /// One read-modify-write.
    ///
    /// # Panics
    ///
    /// Where invariants are checked ([`is_checked`](crate::memory::is_checked)): if the task is
    /// parked already. Elsewhere that is `false`, and the task is parked no more.
    #[must_use = "the task belongs to somebody else if it is parked, and must run on if not"]
    pub fn park(&self) -> bool {
        // ORDER: Release on success: pairs with the Acquire of `give`; without it the giver, who
        // runs the task next, may miss what was done in it up to here. Relaxed on failure: the
        // swap of `consume` acquires.
        let parked =
            self.word.compare_exchange(EMPTY, PARKED, Ordering::Release, Ordering::Relaxed);
        invariant!(Mem, parked != Err(PARKED), "a task was parked twice");
        if parked.is_err() {
            self.consume();
        }
        parked.is_ok()
    }

    /// Gives the permit: the task may go on, now or when it next wants to stop. For anybody.
    ///
    /// One read-modify-write, also if there is a permit already: the task then sees what this
    /// caller wrote before, too.
    pub fn give(&self) -> Give {
        // ORDER: AcqRel. Release: pairs with the Acquire of the swap in `consume`; without it the
        // task may miss what we wrote before. The swap need not read this very sum: those who give
        // after us read the word as they write it, and so continue our release sequence. Acquire:
        // pairs with the Release of `park`; without it, whoever finds the task parked may miss what
        // was done in it, also by way of permits that it used up before.
        match self.word.fetch_add(1, Ordering::AcqRel) {
            PARKED => Give::Parked,
            EMPTY => Give::Kept,
            _ => Give::Already,
        }
    }

    /// Whether there is a permit: a hint, which orders nothing. Use [`take`](Permit::take) to act
    /// on it.
    #[must_use]
    pub fn is_given(&self) -> bool {
        // ORDER: Relaxed: a hint, by contract.
        self.word.load(Ordering::Relaxed) > EMPTY
    }

    /// Uses up a permit that is known to be there: only the task's holder does so.
    fn consume(&self) {
        // ORDER: Acquire: pairs with the Release of each `give` since there was no permit; without
        // it the task may miss what the givers wrote before. A swap, not a store: a permit that has
        // come since we looked is used up too, and is seen with the others.
        let before = self.word.swap(EMPTY, Ordering::Acquire);
        invariant!(Mem, before > EMPTY, "two threads hold one task: both used its permit up");
    }
}

impl<Mem: Memory> fmt::Debug for Permit<Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDER: Relaxed: a picture of one instant.
        let state = match self.word.load(Ordering::Relaxed) {
            PARKED => "parked",
            EMPTY => "empty",
            _ => "given",
        };
        f.debug_tuple("Permit").field(&format_args!("{state}")).finish()
    }
}
