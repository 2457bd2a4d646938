//! `schedtrace`: one line about the scheduler, every so many milliseconds, in Go's shape.
//!
//! `GOSCHEDDEBUG=schedtrace=1000` has every runtime of the process print a line each second to the
//! standard error; `,scheddetail=1` adds a line for each P, M and G. A thread of its own prints
//! them: sysmon sleeps as deep as ever. What is wrong in the variable is told, and left out.
//!
//= go1.27:src/runtime/proc.go#schedtrace

use std::env;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gosched::scheduler::Snapshot;

use crate::dump::{self, Dump};
use crate::goroutine::{Goroutine, Status};
use crate::runtime::{Runtime, Shared};

/// The environment variable.
const VARIABLE: &str = "GOSCHEDDEBUG";

/// What is to be printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Wanted {
    every: Option<Duration>,
    detail: bool,
}

/// Reads the variable's value: what it asks for, and what is wrong with it.
fn parse(value: &str) -> (Wanted, Vec<String>) {
    let (mut wanted, mut wrong) = (Wanted::default(), Vec::new());
    for setting in value.split(',').filter(|setting| !setting.is_empty()) {
        match setting.split_once('=') {
            Some(("schedtrace", "0")) => wanted.every = None,
            Some(("schedtrace", number)) => match number.parse() {
                Ok(number) => wanted.every = Some(Duration::from_millis(number)),
                Err(_) => wrong.push(format!("`{setting}`: not a number of milliseconds")),
            },
            Some(("scheddetail", "0")) => wanted.detail = false,
            Some(("scheddetail", "1")) => wanted.detail = true,
            Some(("scheddetail", _)) => wrong.push(format!("`{setting}`: neither 0 nor 1")),
            _ => wrong.push(format!("`{setting}`: neither schedtrace=N nor scheddetail=1")),
        }
    }
    (wanted, wrong)
}

/// The scheduler's state at about one instant.
///
/// As text it is the line of Go's `schedtrace`; in the alternate form, `{:#}`, with a line for each
/// P, M and G after it, as with `scheddetail=1`.
#[derive(Clone, Debug)]
pub struct SchedTrace {
    milliseconds: u64,
    snapshot: Snapshot,
    machines: Vec<MachineLine>,
    goroutines: Dump,
}

#[derive(Clone, Copy, Debug)]
struct MachineLine {
    machine: usize,
    processor: Option<usize>,
    current: Option<u64>,
}

pub(crate) fn of(shared: &Shared) -> SchedTrace {
    let engine = shared.engine();
    SchedTrace {
        milliseconds: engine.clock() / 1_000_000,
        snapshot: shared.scheduler().snapshot(),
        machines: engine.seats.look(|seat| {
            let current = seat.current();
            // In a system call a machine owns no processor, and does not know if it was taken.
            let inside = current.is_some_and(|one| one.status().0 == Status::InSystemCall);
            MachineLine {
                machine: seat.machine,
                processor: seat.processor().filter(|_| !inside),
                current: current.map(Goroutine::id),
            }
        }),
        goroutines: dump::of(shared),
    }
}

impl Runtime {
    /// The scheduler's state, in the shape of Go's `schedtrace`. To have it printed again and
    /// again, set the environment variable `GOSCHEDDEBUG=schedtrace=1000`, in milliseconds, before
    /// the runtime is built.
    #[must_use]
    pub fn schedtrace(&self) -> SchedTrace {
        of(self.shared())
    }
}

/// A number, or Go's word for none.
struct Or<T>(Option<T>, &'static str);

impl<T: fmt::Display> fmt::Display for Or<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str(self.1),
        }
    }
}

impl fmt::Display for SchedTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot.schedtrace(self.milliseconds).fmt(f)?;
        if !f.alternate() {
            return Ok(());
        }
        let Self { snapshot, machines, goroutines, .. } = self;
        let nil = "nil";
        for (id, processor) in snapshot.processors.iter().enumerate() {
            let machine = machines.iter().find(|machine| machine.processor == Some(id));
            write!(
                f,
                "\n  P{id}: status={:?} schedtick={} syscalltick={} m={} runqsize={} preempt={}",
                processor.state,
                processor.slices,
                processor.system_calls,
                Or(machine.map(|machine| machine.machine), nil),
                processor.queued,
                processor.must_yield,
            )?;
        }
        for MachineLine { machine, processor, current } in machines {
            let locked =
                goroutines.goroutines.iter().find(|goroutine| goroutine.locked == Some(*machine));
            write!(
                f,
                "\n  M{machine}: p={} curg={} lockedg={}",
                Or(*processor, nil),
                Or(*current, nil),
                Or(locked.map(|goroutine| goroutine.id), nil),
            )?;
        }
        for goroutine in &goroutines.goroutines {
            let machine = machines.iter().find(|machine| machine.current == Some(goroutine.id));
            write!(
                f,
                "\n  G{}: status={}({}) m={} lockedm={}",
                goroutine.id,
                goroutine.status,
                goroutine.reason,
                Or(machine.map(|machine| machine.machine), nil),
                Or(goroutine.locked, nil),
            )?;
        }
        Ok(())
    }
}

/// The thread that prints, until it is stopped.
#[derive(Debug)]
pub(crate) struct Printer {
    stopped: Arc<(Mutex<bool>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Printer {
    /// Starts it, if the environment asks for it; and says what is wrong there.
    pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<Option<Self>> {
        let Some(value) = env::var_os(VARIABLE) else { return Ok(None) };
        let (wanted, wrong) = parse(&value.to_string_lossy());
        for wrong in wrong {
            let _ = writeln!(io::stderr(), "{VARIABLE}: {wrong}; left out");
        }
        let Some(every) = wanted.every else { return Ok(None) };
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let (shared, stop) = (Arc::downgrade(shared), Arc::clone(&stopped));
        let thread = thread::Builder::new()
            .name("gosched-trace".to_owned())
            .spawn(move || print(&shared, &stop, every, wanted.detail))?;
        Ok(Some(Self { stopped, thread: Mutex::new(Some(thread)) }))
    }

    /// Stops it.
    pub(crate) fn stop(&self) {
        *self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopped.1.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn print(shared: &Weak<Shared>, stop: &(Mutex<bool>, Condvar), every: Duration, detail: bool) {
    loop {
        let stopped = stop.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = stop.1.wait_timeout_while(stopped, every, |stopped| !*stopped);
        let (stopped, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(shared) = (if *stopped { None } else { shared.upgrade() }) else { return };
        drop(stopped);
        let trace = of(&shared);
        drop(shared);
        let text = if detail { format!("{trace:#}\n") } else { format!("{trace}\n") };
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_and_what_is_wrong_is_told() {
        let every = |number| Some(Duration::from_millis(number));
        let fine = [
            ("", Wanted::default()),
            ("schedtrace=1000", Wanted { every: every(1000), detail: false }),
            ("schedtrace=5,scheddetail=1", Wanted { every: every(5), detail: true }),
            ("scheddetail=1,scheddetail=0,schedtrace=0", Wanted::default()),
        ];
        for (value, wanted) in fine {
            assert_eq!(parse(value), (wanted, Vec::new()), "{value}");
        }
        for value in ["schedtrace", "schedtrace=", "schedtrace=-1", "schedtrace=1s", "x=1"] {
            let (wanted, wrong) = parse(value);
            assert_eq!((wanted, wrong.len()), (Wanted::default(), 1), "{value}");
            assert!(wrong[0].contains(value), "{}", wrong[0]);
        }
        let (wanted, wrong) = parse("scheddetail=2,schedtrace=7");
        assert_eq!((wanted.every, wrong.len()), (every(7), 1));
    }
}
