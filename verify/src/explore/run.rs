//! One run: the program is executed along a graph, and then beyond its end.
//!
//! Each thread of the model is a coroutine in the one thread of the search. First it *replays*:
//! each operation finds its event in the graph and gets the value that stands there. A read waits
//! until the write it reads from was replayed, so that memory outside the model's atomics (cells,
//! boxes) is touched in an order that the graph explains. When every event was replayed, the graph
//! *grows*: one thread at a time adds its next event, and which one is a function of the graph
//! alone.

mod ending;
mod growth;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use super::event::{Clock, EventId, Label, Loc, Read, THREADS_MAX};
use super::fault::{Fault, FaultKind, OUTSIDE, message_of};
use super::graph::Graph;
use super::picture::{Made, Mark, What};
use super::pointers::Pointers;
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
    pub(super) pointers: Pointers,
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
    // SAFETY: `drive` set the pointer and keeps the run alive; the coroutines of a run share one
    // OS thread, and no reference made here outlives `f`, which does not switch.
    f(unsafe { &mut *run })
}

/// Whether the caller is inside a run.
pub(super) fn is_inside() -> bool {
    !CURRENT.get().is_null()
}

/// Performs one event, after as many switches to other threads as it takes. `None` when the run is
/// over, and the caller a destructor that is being unwound.
pub(super) fn perform(request: Request, at: &'static Location<'static>) -> Option<Answer> {
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

/// Blocks the calling thread for the rest of this run, if the iteration that it repeats has written
/// nothing; else the loop goes on.
pub(super) fn retry() {
    let blocks = with(|run| {
        if run.is_over() {
            return false;
        }
        let thread = run.running;
        let state = &mut run.threads[usize::from(thread)];
        let from = std::mem::replace(&mut state.iteration, state.done);
        let wrote = (from..state.done).any(|index| {
            matches!(run.graph.event(EventId { thread, index }).label, Label::Write(_))
        });
        if !wrote {
            state.iteration = from;
            state.status = Status::Blocked;
        }
        !wrote
    });
    if blocks {
        suspend();
    }
}

/// Marks the start of an iteration.
pub(super) fn iteration() {
    with(|run| {
        let state = &mut run.threads[usize::from(run.running)];
        state.iteration = state.done;
    });
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
            _ => None,
        };
        Ended { outcome, failure, forced }
    }

    /// Makes the coroutine of a thread that was started.
    pub(super) fn start(&mut self, thread: u8, body: Body) {
        let stack = self.stacks.pop().unwrap_or_else(|| {
            DefaultStack::new(STACK).expect("there is memory for a coroutine's stack")
        });
        let coroutine = Coroutine::with_stack(stack, move |yielder: &Yielder<(), ()>, ()| {
            with(|run| run.threads[usize::from(thread)].yielder = yielder);
            match catch_unwind(AssertUnwindSafe(body)) {
                Ok(()) => {
                    perform(Request::End, Location::caller());
                }
                // The run takes its coroutines down: that unwinding is not ours to stop.
                Err(panic) if with(|run| run.dead) => std::panic::resume_unwind(panic),
                Err(panic) => with(|run| {
                    run.mark(thread, "panics", None);
                    run.fault(FaultKind::Panic, message_of(&*panic));
                }),
            }
        });
        let state = &mut self.threads[usize::from(thread)];
        state.coroutine = Some(coroutine);
        state.status = Status::Ready;
    }

    /// Operations must not switch any more: the run is over, or the caller is being unwound.
    pub(super) fn is_over(&self) -> bool {
        self.dead || self.end.is_some() || std::thread::panicking()
    }

    pub(super) fn running(&self) -> u8 {
        self.running
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
        self.made[usize::from(thread)].push(Made { initial, what, at });
        loc
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
        let thread = self.running;
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

/// Runs the threads until the run is over, and takes their coroutines down.
fn drive(run: *mut Run<'_>) -> Outcome {
    CURRENT.set(run.cast());
    let outcome = loop {
        // SAFETY: the caller's run lives, and no coroutine is running now.
        let this = unsafe { &mut *run };
        if let Some(end) = this.end.take() {
            break end;
        }
        let next = if this.to_replay > 0 { this.next_to_replay() } else { this.choose() };
        let Some(thread) = next else {
            if this.to_replay == 0 {
                break this.finish();
            }
            break this.fall_short();
        };
        this.running = thread;
        let state = &mut this.threads[usize::from(thread)];
        let mut coroutine = state.coroutine.take().expect("a thread that can run has a coroutine");
        let result = coroutine.resume(());
        // SAFETY: as above: the coroutine is suspended or has returned.
        let this = unsafe { &mut *run };
        match result {
            CoroutineResult::Yield(()) => {
                this.threads[usize::from(thread)].coroutine = Some(coroutine);
            }
            CoroutineResult::Return(()) => this.stacks.push(coroutine.into_stack()),
        }
    };
    for thread in 0..THREADS_MAX {
        // SAFETY: as above.
        let this = unsafe { &mut *run };
        this.dead = true;
        this.running = thread as u8;
        if let Some(mut coroutine) = this.threads[thread].coroutine.take() {
            coroutine.force_unwind();
            // SAFETY: as above.
            unsafe { &mut *run }.stacks.push(coroutine.into_stack());
        }
    }
    CURRENT.set(ptr::null_mut());
    outcome
}
