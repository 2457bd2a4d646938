//! One run: the program is executed along a graph, and then beyond its end.
//!
//! Each thread of the model is a coroutine in the one thread of the search. First it *replays*:
//! each operation finds its event in the graph and gets the value that stands there. A read waits
//! until the write it reads from was replayed, so that memory outside the model's atomics (cells,
//! boxes) is touched in an order that the graph explains. When every event was replayed, the graph
//! *grows*: one thread at a time adds its next event, and which one is a function of the graph
//! alone.

mod drive;
mod ending;
mod growth;
mod memory;
mod retry;

use std::cell::Cell;
use std::panic::Location;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use self::drive::drive;
pub(super) use self::drive::leave_if_panicking;
pub(super) use self::memory::Access;
use self::memory::CellLog;
use self::retry::Echo;
pub(super) use self::retry::{iteration, retry_pure, wait};
use super::blocks::Blocks;

use super::event::{Clock, EventId, Label, Loc, Read, THREADS_MAX};
use super::fault::{Fault, FaultKind, OUTSIDE};
use super::graph::Graph;
use super::picture::{Made, Mark, What};
use super::pointers::Pointers;
use super::quarantine;
use super::quiet::Panic;
use super::replay::Forced;
use super::request::{Answer, Request};
use super::{Failure, Program};

/// Bytes of a coroutine's stack.
const STACK: usize = 256 * 1024;

thread_local! {
    /// The run that the calling coroutine belongs to.
    static CURRENT: Cell<*mut Run<'static>> = const { Cell::new(ptr::null_mut()) };
}

/// How a run ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Every thread ended; the main one returned this.
    Complete(String),
    /// Some thread waits for a value that this graph does not give it; another graph may.
    Blocked,
    /// The graph is not consistent after all, and stands for no execution.
    Inconsistent,
    Fault(Fault),
}

/// How a run ended, and with what.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// The execution, if it fails.
    pub(super) failure: Option<Failure>,
    /// The schedule that the run has followed.
    pub(super) forced: Option<Forced>,
}

pub(super) type Stack = DefaultStack;
type Body = Box<dyn FnOnce()>;
type Thread = Coroutine<(), (), (), Stack>;

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// Its number is free.
    Unused,
    /// It can run, as far as is known.
    Ready,
    /// It waits for the end of another.
    Joining(u8),
    /// It waits for a value: in this graph, for ever.
    Blocked,
    Ended,
}

struct ThreadState {
    coroutine: Option<Thread>,
    yielder: *const Yielder<(), ()>,
    status: Status,
    /// Events that it has performed in this run.
    done: u16,
    /// Where the present iteration of its loop began.
    iteration: u16,
    /// The loop said so.
    marked: bool,
    echo: Echo,
    /// Locations that it has made.
    locations: u16,
}

impl ThreadState {
    const fn new() -> Self {
        Self {
            coroutine: None,
            yielder: ptr::null(),
            status: Status::Unused,
            done: 0,
            iteration: 0,
            marked: false,
            echo: Echo::No,
            locations: 0,
        }
    }
}

/// One execution of the program.
pub(super) struct Run<'a> {
    pub(super) graph: Graph,
    aside: &'a mut Vec<Graph>,
    stacks: &'a mut Vec<Stack>,
    threads: [ThreadState; THREADS_MAX],
    running: u8,
    /// Events of the graph that were not replayed yet.
    to_replay: usize,
    /// The locations of each thread.
    made: [Vec<Made>; THREADS_MAX],
    /// The threads, in the order in which they have performed events in this run.
    order: Vec<u8>,
    /// What the picture of a failure shows besides the events.
    marks: Vec<Mark>,
    /// The schedule to follow, if this is a replay.
    forced: Option<Forced>,
    pointers: Pointers,
    blocks: Blocks,
    /// What is known of the cells, by their numbers.
    pub(super) cells: Vec<CellLog>,
    /// What all former owners of the block that is about to be freed have done with it.
    pub(super) shared_drops: Option<Clock>,
    /// A panic of the model that has not been caught.
    panic: Option<Panic>,
    events_max: u16,
    end: Option<Outcome>,
    /// The run is over, and its coroutines are being taken down: operations return at once.
    dead: bool,
    /// Tells this run from others, for state that survives one.
    pub(super) number: u64,
}

/// What became of a request.
enum Attempt {
    Done(Answer),
    /// Another thread is to run first.
    Wait,
    /// The run is over.
    Dead,
}

/// Runs `f` on the run that the caller is part of.
///
/// # Panics
///
/// If there is none.
pub(super) fn with<R>(f: impl FnOnce(&mut Run<'_>) -> R) -> R {
    let run = CURRENT.get();
    assert!(
        !run.is_null(),
        "the memory `Explored` works inside a model alone: call `explore::model` around this, and \
         start threads by `explore::thread::spawn`, for OS threads are outside"
    );
    let _engine = quarantine::engine();
    // SAFETY: `drive` set the pointer and keeps the run alive; the coroutines of a run share one
    // OS thread, and no reference made here outlives `f`, which does not switch, and in which the
    // allocator does not come here.
    f(unsafe { &mut *run })
}

/// Whether the caller is inside a run.
pub(super) fn is_inside() -> bool {
    !CURRENT.get().is_null()
}

/// Performs one event, after as many switches to other threads as it takes. `None` when the run is
/// over, and the caller a destructor that is being unwound.
pub(super) fn perform(request: Request, at: &'static Location<'static>) -> Option<Answer> {
    let _engine = quarantine::engine();
    loop {
        match with(|run| run.attempt(&request, at)) {
            Attempt::Done(answer) => return Some(answer),
            Attempt::Dead => return None,
            Attempt::Wait => suspend(),
        }
    }
}

fn suspend() {
    let yielder = with(|run| run.threads[usize::from(run.running)].yielder);
    // SAFETY: the yielder belongs to the coroutine that runs this very code, and lives on its
    // stack.
    unsafe { &*yielder }.suspend(());
}

impl<'a> Run<'a> {
    /// Runs `program` along `graph`, and beyond.
    pub(super) fn execute(
        program: &Program,
        graph: Graph,
        aside: &'a mut Vec<Graph>,
        stacks: &'a mut Vec<Stack>,
        events_max: u16,
        number: u64,
        forced: Option<Forced>,
    ) -> Ended {
        assert!(!is_inside(), "a model cannot run inside a model");
        let result = Rc::new(Cell::new(None));
        let body: Body = Box::new({
            let (program, result) = (Arc::clone(program), Rc::clone(&result));
            move || result.set(Some(program()))
        });
        let mut run = Run {
            to_replay: graph.total(),
            order: Vec::with_capacity(graph.total()),
            graph,
            aside,
            stacks,
            threads: [const { ThreadState::new() }; THREADS_MAX],
            running: 0,
            made: Default::default(),
            marks: Vec::new(),
            forced,
            pointers: Pointers::default(),
            blocks: Blocks::default(),
            cells: Vec::new(),
            shared_drops: None,
            panic: None,
            events_max,
            end: None,
            dead: false,
            number,
        };
        run.start(0, body);
        let outcome = drive(&raw mut run);
        let outcome = match outcome {
            Outcome::Complete(_) => Outcome::Complete(result.take().unwrap_or_default()),
            other => other,
        };
        let forced = run.forced.take();
        let failure = match &outcome {
            Outcome::Fault(fault) => Some(run.fail(fault.clone())),
            _ => {
                run.graph.spare();
                None
            }
        };
        Ended { outcome, failure, forced }
    }

    /// Operations must not switch any more: the run is over, or the caller is being unwound.
    pub(super) fn is_over(&self) -> bool {
        self.dead || self.end.is_some() || std::thread::panicking()
    }

    pub(super) fn running(&self) -> u8 {
        self.running
    }

    /// Notes that the model panics. If that ends the process, the reason is returned, once.
    pub(super) fn note_panic(&mut self, panic: Panic) -> Option<&'static str> {
        let another = self.panic.replace(panic).is_some();
        if self.dead {
            (!another).then_some("a thread that waits is taken down")
        } else {
            another.then_some("another panic unwinds its thread")
        }
    }

    /// Makes a location in the running thread.
    pub(super) fn new_location(
        &mut self,
        initial: u64,
        what: What,
        at: &'static Location<'static>,
    ) -> Loc {
        let thread = self.running;
        let state = &mut self.threads[usize::from(thread)];
        let loc = Loc { thread, number: state.locations };
        state.locations += 1;
        self.made[usize::from(thread)].push(Made { initial, what, at, address: 0 });
        loc
    }

    /// Notes where a location stands.
    pub(super) fn stands(&mut self, loc: Loc, address: usize) {
        self.made[usize::from(loc.thread)][usize::from(loc.number)].address = address;
    }

    fn initial(&self, loc: Loc) -> u64 {
        self.made[usize::from(loc.thread)][usize::from(loc.number)].initial
    }

    /// The last value of a location: what its only user reads.
    pub(super) fn last_value(&self, loc: Loc) -> u64 {
        match self.graph.location(loc).writes.last() {
            Some(&write) => self.graph.write(write).value,
            None => self.initial(loc),
        }
    }

    /// What happens before the present instant of the running thread.
    pub(super) fn now(&self) -> Clock {
        self.graph.clocks_after(self.running, self.done(self.running)).hb
    }

    /// Events of `thread` that this run has performed.
    pub(super) fn done(&self, thread: u8) -> u16 {
        self.threads[usize::from(thread)].done
    }

    fn attempt(&mut self, request: &Request, at: &'static Location<'static>) -> Attempt {
        if self.is_over() {
            return if self.end.is_some() && !self.dead && !std::thread::panicking() {
                Attempt::Wait
            } else {
                Attempt::Dead
            };
        }
        if self.panic.is_some() {
            // The model has caught it.
            self.panic = None;
        }
        let thread = self.running;
        match self.threads[usize::from(thread)].echo {
            Echo::No => {}
            echo => return self.echo(thread, echo, request, at),
        }
        if self.done(thread) < self.graph.len(thread) {
            return self.replay(thread, request, at);
        }
        if self.to_replay > 0 {
            return Attempt::Wait;
        }
        if let Request::Join(child) = *request {
            if !self.graph.has_ended(child) {
                self.threads[usize::from(thread)].status = Status::Joining(child);
                return Attempt::Wait;
            }
            self.threads[usize::from(thread)].status = Status::Ready;
        }
        if self.choose() != Some(thread) {
            return Attempt::Wait;
        }
        if self.graph.len(thread) >= self.events_max {
            let limit = self.events_max;
            self.fault(
                FaultKind::UnboundedLoop,
                format!(
                    "thread {thread} performed {limit} events, the most that are allowed: a loop \
                     that waits for another thread must say so (`Memory::spin_loop`, \
                     `Memory::retry_pure`), and a longer program needs a higher \
                     `Builder::events_max`"
                ),
            );
            return Attempt::Wait;
        }
        self.grow(thread, request, at)
    }

    /// The event that the thread has performed in the graph.
    fn replay(&mut self, thread: u8, request: &Request, at: &'static Location<'static>) -> Attempt {
        let id = EventId { thread, index: self.done(thread) };
        let label = self.graph.event(id).label;
        if !self.is_enabled(thread) {
            return Attempt::Wait;
        }
        let done = Request::of(&label);
        if done != *request {
            let before = self.graph.event(id).at;
            self.mark(thread, "does something else than before", Some(at));
            self.fault(
                FaultKind::NotDeterministic,
                format!(
                    "event {} of thread {thread} was {done} at {before}, and is {request} at {at} \
                     when the model runs again: {OUTSIDE}",
                    id.index
                ),
            );
            return Attempt::Wait;
        }
        let state = &mut self.threads[usize::from(thread)];
        state.done += 1;
        state.status = Status::Ready;
        self.order.push(thread);
        self.to_replay -= 1;
        self.answer(thread, &label)
    }

    /// What the program is told about its event.
    fn answer(&mut self, thread: u8, label: &Label) -> Attempt {
        let state = &mut self.threads[usize::from(thread)];
        match *label {
            Label::Read(read) => {
                if read.is_blocked() {
                    state.iteration = state.done - 1;
                    state.status = Status::Blocked;
                    return Attempt::Wait;
                }
                Attempt::Done(Answer { value: read.value, exclusive: read.is_exclusive() })
            }
            Label::Spawn(child) => Attempt::Done(u64::from(child).into()),
            Label::Choice { picked, .. } => Attempt::Done(u64::from(picked).into()),
            Label::End => {
                state.status = Status::Ended;
                Attempt::Done(Answer::default())
            }
            Label::Write(_) | Label::Fence(_) | Label::Join(_) => Attempt::Done(Answer::default()),
        }
    }

    /// Who grows the graph next. Of the threads it depends on the graph alone.
    fn choose(&self) -> Option<u8> {
        let half_done = |&thread: &u8| match self.graph.last(thread).map(|event| event.label) {
            Some(Label::Read(read)) => read.is_exclusive(),
            _ => false,
        };
        let can_run = |&thread: &u8| match self.threads[usize::from(thread)].status {
            Status::Ready => true,
            Status::Joining(child) => self.graph.has_ended(child),
            Status::Unused | Status::Blocked | Status::Ended => false,
        };
        if let Some(thread) = self.forced.as_ref().and_then(|f| f.thread(self.graph.total())) {
            return Some(thread).filter(can_run);
        }
        let mut started = self.graph.started();
        self.graph.started().find(half_done).or_else(|| started.find(can_run))
    }

    /// Whether what the thread's next event needs was replayed.
    fn is_enabled(&self, thread: u8) -> bool {
        let index = self.done(thread);
        match self.graph.event(EventId { thread, index }).label {
            Label::Read(Read { from: Some(write), .. }) => self.done(write.thread) > write.index,
            Label::Join(child) => self.done(child) == self.graph.len(child),
            _ => true,
        }
    }

    fn next_to_replay(&self) -> Option<u8> {
        self.graph.started().find(|&thread| {
            self.threads[usize::from(thread)].coroutine.is_some()
                && self.done(thread) < self.graph.len(thread)
                && self.is_enabled(thread)
        })
    }
}
