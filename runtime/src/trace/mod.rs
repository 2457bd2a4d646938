//! A trace of a run: who ran where and when, and who made whom runnable.
//!
//! While a trace runs, each thread writes what it does into a buffer of its own, without a lock.
//! All times are read from one clock, before a goroutine is let go and after it was got; so what
//! happens on a processor is in order, whatever threads it happens on. The memory is bounded: what
//! finds no room is counted, and missing at the end.
//!
//! ```text
//!    start_trace()      WATCHED ◄── 1: every switch now asks who watches
//!      each thread      [Run G7 on P0][Ready G9][Stop G7: park] ...     512 records a chunk
//!    write_json(file)   stops, sorts, pairs: slices, arrows, instants
//! ```

mod buffer;
mod json;
mod shape;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, Write};
use std::panic::Location;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time;

use self::buffer::{Recording, Writer};
use crate::dump;
use crate::goroutine::WaitReason;
use crate::runtime::{Runtime, Shared};
use crate::watch::{self, Watching};

/// How many records a trace keeps, if nobody says otherwise: 64 MiB of them at most.
pub(crate) const RECORDS: usize = 1 << 20;

/// What a record tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A goroutine begins to run, or goes on.
    Run { processor: Option<usize>, location: Option<&'static Location<'static>> },
    /// It stops.
    Stop(Why),
    /// It was made runnable, by whoever runs on the thread.
    Ready,
    /// It goes on without a processor, or with one that may be taken at any time.
    Enter(Without),
    /// It is back from there, with this processor.
    Exit { processor: Option<usize> },
    /// Something happened at one instant.
    Instant(Instant),
}

/// What a goroutine does while its processor may be somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    /// It is in a system call.
    SystemCall,
    /// It has the world stopped, or waits until it stands still.
    StoppedWorld,
}

/// Why a goroutine stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It gave the others their turn.
    Yield,
    /// It was asked for an end of its slice.
    Preempted,
    /// It waits.
    Park(WaitReason),
    /// It came back from a system call, and there was no processor.
    NoProcessor,
    /// It went on without its processor.
    Enter(Without),
    /// It has ended.
    Done,
}

impl Why {
    /// Why a future has stopped.
    pub(crate) fn of_poll(poll: &Poll<()>) -> Self {
        if poll.is_ready() { Self::Done } else { Self::Park(WaitReason::Future) }
    }
}

/// What happened at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instant {
    Stole { victim: usize, count: usize },
    Polled { count: usize },
    Polls,
    HandsOff { processor: usize },
    Retaken { processor: usize },
    AskedToYield { processor: usize },
    Began { processor: usize },
    PutDown { processor: usize },
    Roused { sleeper: usize, processor: usize },
    Started { started: usize, processor: usize },
    Stopped { processor: usize },
    Resumed { processors: usize },
}

thread_local! {
    /// Where this thread writes.
    static WRITER: RefCell<Option<Writer>> = const { RefCell::new(None) };
    /// The machine that this thread runs: its number, and the tracer of its runtime.
    static MACHINE: Cell<(*const Tracer, usize)> = const { Cell::new((ptr::null(), 0)) };
}

/// A runtime's part in being traced.
#[derive(Debug)]
pub(crate) struct Tracer {
    start: time::Instant,
    /// The number of the recording that runs; 0 if none does.
    current: AtomicU64,
    recording: Mutex<Option<Arc<Recording>>>,
}

impl Tracer {
    pub(crate) fn new(start: time::Instant) -> Self {
        Self { start, current: AtomicU64::new(0), recording: Mutex::new(None) }
    }

    fn recording(&self) -> MutexGuard<'_, Option<Arc<Recording>>> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether this runtime is traced.
    fn is_on(&self) -> bool {
        self.current() != 0
    }

    fn current(&self) -> u64 {
        // ORDER: Relaxed: a trace begins and ends at no instant in particular; what a recording is
        // made of comes by its lock.
        self.current.load(Ordering::Relaxed)
    }

    /// This thread runs a machine from now on, until it ends.
    pub(crate) fn begin_machine(&self, machine: usize) {
        MACHINE.set((self, machine));
    }

    /// The number of the machine that this thread runs, if it is one of this runtime's.
    fn machine(&self) -> Option<usize> {
        let (tracer, machine) = MACHINE.get();
        ptr::eq(tracer, self).then_some(machine)
    }

    /// Writes a record, if this runtime is traced.
    pub(crate) fn tell(&self, goroutine: u64, what: What) {
        if self.is_on() {
            self.record(self.now(), goroutine, what);
        }
    }

    /// A goroutine has a name, of which a trace that runs takes note.
    pub(crate) fn name(&self, goroutine: u64, name: &str) {
        if name.is_empty() || !self.is_on() {
            return;
        }
        if let Some(recording) = &*self.recording() {
            recording.name(goroutine, name);
        }
    }

    /// Writes a record of this time. Not inlined: it looks at a thread-local, between two switches.
    #[inline(never)]
    pub(crate) fn record(&self, time: u64, goroutine: u64, what: What) {
        let current = self.current();
        if current == 0 {
            return;
        }
        // A thread that is about to end has no writer any more; what it still does is not recorded.
        let _ = WRITER.try_with(|writer| {
            let Ok(mut writer) = writer.try_borrow_mut() else { return };
            if writer.as_ref().is_none_or(|writer| writer.recording_id() != current) {
                *writer = self
                    .recording()
                    .as_ref()
                    .map(|recording| Writer::new(recording, self.machine()));
            }
            if let Some(writer) = &mut *writer {
                writer.write(buffer::Record { time, goroutine, what });
            }
        });
    }
}

/// A runtime is traced already: one trace at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyTraced;

impl fmt::Display for AlreadyTraced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the runtime is traced already: end that trace first")
    }
}

impl std::error::Error for AlreadyTraced {}

/// A trace that runs. Dropping it ends it, and throws it away.
///
/// Recording an event costs a reading of the clock and a store of about 50 bytes, twice for each
/// switch.
pub struct Trace {
    tracer: Arc<Tracer>,
    recording: Arc<Recording>,
    watching: Option<Watching>,
}

/// What a trace's file contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceSummary {
    /// Times that a goroutine ran, each of which is shown on its processor and on its machine.
    pub runs: usize,
    /// Arrows from where a goroutine was made runnable to where it then ran.
    pub arrows: usize,
    /// What happened at one instant: steals, hand-offs and others.
    pub instants: usize,
    /// What was not recorded, since the memory was full.
    pub dropped: u64,
}

impl fmt::Display for TraceSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, arrows, instants, dropped } = self;
        write!(f, "{runs} runs, {arrows} arrows, {instants} instants, {dropped} records dropped")
    }
}

impl Trace {
    /// Begins one, with room for so many records.
    pub(crate) fn start(shared: &Shared, records: usize) -> Result<Self, AlreadyTraced> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let tracer = &shared.engine().tracer;
        let mut current = tracer.recording();
        if current.is_some() {
            return Err(AlreadyTraced);
        }
        // ORDER: Relaxed: the number tells itself alone.
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let recording = Arc::new(Recording::new(id, records));
        *current = Some(Arc::clone(&recording));
        drop(current);
        // ORDER: Relaxed: see `Tracer::current`.
        tracer.current.store(id, Ordering::Relaxed);
        for info in dump::of(shared).goroutines {
            recording.name(info.id, &info.name);
        }
        let watching = Some(Watching::new(watch::TRACE));
        Ok(Self { tracer: Arc::clone(tracer), recording, watching })
    }

    /// How many records were dropped by now, since the memory was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.recording.dropped()
    }

    /// Ends the trace, and writes it in the JSON form of trace events, which
    /// [Perfetto](https://ui.perfetto.dev) and `chrome://tracing` open.
    ///
    /// Two processes stand for the processors and for the machines with the other threads. A slice
    /// is a time that a goroutine ran, with its number and its name, or where it was started.
    /// Arrows lead from where it was made runnable to where it ran.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub fn write_json(mut self, writer: impl Write) -> io::Result<TraceSummary> {
        self.end();
        let shape = shape::Shape::of(&self.recording.threads(), self.tracer.now());
        json::write(&shape, &self.recording, writer)?;
        let dropped = self.recording.dropped();
        let (runs, arrows) = (shape.runs, shape.arrows.len());
        Ok(TraceSummary { runs, arrows, instants: shape.instants.len(), dropped })
    }

    fn end(&mut self) {
        if self.watching.take().is_some() {
            // ORDER: Relaxed: see `Tracer::current`.
            self.tracer.current.store(0, Ordering::Relaxed);
            *self.tracer.recording() = None;
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        self.end();
        self.recording.clear();
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Begins a trace, with room for about a million records.
    ///
    /// ```
    /// use gosched_runtime::{Runtime, go};
    ///
    /// let runtime = Runtime::new()?;
    /// let trace = runtime.start_trace()?;
    /// runtime.run(|| go(|| ()).join().unwrap())?;
    /// let mut json = Vec::new();
    /// let summary = trace.write_json(&mut json)?;
    /// assert!(summary.runs >= 2 && summary.arrows >= 2, "{summary}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is one.
    pub fn start_trace(&self) -> Result<Trace, AlreadyTraced> {
        Trace::start(self.shared(), RECORDS)
    }

    /// As [`start_trace`](Runtime::start_trace), with room for so many records, of which each
    /// thread takes 512 at a time.
    ///
    /// # Errors
    ///
    /// If there is one.
    pub fn start_trace_with_room(&self, records: usize) -> Result<Trace, AlreadyTraced> {
        Trace::start(self.shared(), records)
    }
}
