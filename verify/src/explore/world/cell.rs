//! Race-checked cells: each access is compared with those of the other threads.

use std::cell::{RefCell, UnsafeCell};
use std::fmt;
use std::panic::Location;

use gosched::memory::RaceCell;

use super::check_run;
use crate::explore::event::{Clock, THREADS_MAX};
use crate::explore::fault::FaultKind;
use crate::explore::request::Request;
use crate::explore::run::{perform, with};

/// An access to a cell: by how many events of its thread it was preceded, and where it stands.
type Access = Option<(u16, &'static Location<'static>)>;

/// A race-checked cell of [`Explored`](super::Explored).
pub struct ExploredCell<T> {
    value: UnsafeCell<T>,
    /// The run that made it.
    run: u64,
    /// The last read and the last write of each thread.
    accesses: RefCell<[(Access, Access); THREADS_MAX]>,
}

// SAFETY: as for the cells of the other worlds: shared access yields raw pointers only. The threads
// of a model are coroutines in one OS thread, so the `RefCell` is never used by two at once.
unsafe impl<T: Send> Sync for ExploredCell<T> {}

impl<T> ExploredCell<T> {
    /// Records an access, and ends the run if it races with another.
    fn access(&self, writes: bool, at: &'static Location<'static>) {
        check_run(self.run);
        let races = with(|run| {
            if run.is_over() {
                return None;
            }
            let (thread, now) = (run.running(), run.now());
            let mut accesses = self.accesses.borrow_mut();
            let race = find_race(&accesses, thread, &now, writes);
            let mine = &mut accesses[usize::from(thread)];
            let access = Some((run.done(thread), at));
            if writes {
                mine.1 = access
            } else {
                mine.0 = access
            }
            let Race { thread: other, after, wrote, at: there } = race?;
            run.mark_after(other, after, describe(wrote), there);
            run.mark(thread, describe(writes), Some(at));
            run.fault(
                FaultKind::Race,
                format!(
                    "thread {thread} {} at {at}, and nothing orders that with thread {other}, which \
                     {} at {there}",
                    describe(writes),
                    describe(wrote)
                ),
            );
            Some(())
        });
        if races.is_some() {
            // The run has ended: this never returns, except to a destructor.
            perform(Request::Choice(1), at);
        }
    }
}

/// An access of another thread that nothing orders before this one.
struct Race {
    thread: u8,
    /// Events of its thread that came before it.
    after: u16,
    wrote: bool,
    at: &'static Location<'static>,
}

fn describe(writes: bool) -> &'static str {
    if writes { "writes a cell" } else { "reads a cell" }
}

fn find_race(
    accesses: &[(Access, Access); THREADS_MAX],
    thread: u8,
    now: &Clock,
    writes: bool,
) -> Option<Race> {
    let others = (0..THREADS_MAX as u8).filter(|&other| other != thread);
    others
        .flat_map(|other| {
            let (read, write) = accesses[usize::from(other)];
            let conflicting = [(write, true), (if writes { read } else { None }, false)];
            conflicting.into_iter().filter_map(move |(access, wrote)| {
                access.map(|(after, at)| Race { thread: other, after, wrote, at })
            })
        })
        .find(|race| now.of(race.thread) < race.after + 1)
}

impl<T: Send> RaceCell<T> for ExploredCell<T> {
    fn new(value: T) -> Self {
        let run = with(|run| run.number);
        Self { value: UnsafeCell::new(value), run, accesses: RefCell::default() }
    }
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        self.access(false, Location::caller());
        f(self.value.get())
    }
    #[track_caller]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        self.access(true, Location::caller());
        f(self.value.get())
    }
}

impl<T> fmt::Debug for ExploredCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExploredCell(..)")
    }
}
