//! Race-checked cells: each access is compared with those of the other threads.

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::Location;

use gosched::memory::RaceCell;

use super::reach;
use crate::explore::event::{Clock, THREADS_MAX};
use crate::explore::fault::FaultKind;
use crate::explore::request::Request;
use crate::explore::run::{Access, Run, leave_if_panicking, perform, with};

/// A race-checked cell of [`Explored`](super::Explored).
pub struct ExploredCell<T> {
    value: UnsafeCell<T>,
    /// The run that made it.
    run: u64,
    /// Its number in that run, which knows the accesses.
    number: u32,
}

// SAFETY: as for the cells of the other worlds: shared access yields raw pointers only.
unsafe impl<T: Send> Sync for ExploredCell<T> {}

impl<T> ExploredCell<T> {
    /// Records an access, and ends the run if it races with another.
    fn access(&self, writes: bool, at: &'static Location<'static>) {
        let address = (&raw const *self).addr();
        let races = reach(address, at, |run| {
            if run.number != self.run {
                return (false, None);
            }
            (true, self.race(run, writes, address, at))
        });
        match races {
            None => leave_if_panicking(),
            // The run has ended: this never returns, except to a destructor.
            Some(Some(())) => _ = perform(Request::Choice(1), at),
            Some(None) => {}
        }
    }

    /// Records an access, and says whether it ends the run.
    fn race(
        &self,
        run: &mut Run<'_>,
        writes: bool,
        address: usize,
        at: &'static Location<'static>,
    ) -> Option<()> {
        let (thread, now) = (run.running(), run.now());
        let access = Some((run.done(thread), at));
        let log = &mut run.cells[self.number as usize];
        log.address = address;
        let race = find_race(&log.accesses, thread, &now, writes);
        let mine = &mut log.accesses[usize::from(thread)];
        if writes {
            mine.1 = access
        } else {
            mine.0 = access
        }
        let Race { thread: other, after, wrote, at: there } = race?;
        run.mark_after(other, after, describe(wrote), Some(there));
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
        let (run, number) = with(|run| (run.number, run.new_cell()));
        Self { value: UnsafeCell::new(value), run, number }
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
