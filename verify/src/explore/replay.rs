//! Schedules: one execution as a line of text, and the run that makes it again.
//!
//! A schedule names the threads in the order in which they performed their events, and for each
//! event what was chosen: the write that a read reads, the place of a write in its location's
//! order, the alternative of a choice. What the events *are* is the program's business: it is run,
//! and asks, and the schedule answers. A program that asks for something else does not fit, and is
//! told at which event.
//!
//! `0:s1.w1.r-/1:w1.r0_1x/0:j1/=panic` is: thread 0 starts thread 1, writes the first write of some
//! location, reads an initial value; thread 1 writes, and reads event 1 of thread 0, in an exchange
//! that fails spuriously; thread 0 joins thread 1; then something panics.

use std::collections::HashMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::consistency::{first_place, first_readable, is_open, is_sequentially_consistent};
use super::event::{EventId, Label, Loc, Read, ReadKind, THREADS_MAX, Write};
use super::fault::FaultKind;
use super::graph::{Graph, Position};
use super::picture::Story;
use super::pool::{next_run, on_a_thread_of_its_own};
use super::quiet;
use super::request::Request;
use super::run::{Ended, Outcome, Run, is_inside};
use super::{Builder, Failure, Program};

/// What an event chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Read { from: Option<EventId>, spurious: bool },
    Write { position: Position },
    Fence,
    Spawn(u8),
    Join(u8),
    End,
    Pick(u8),
}

/// The threads in their order, and what each chose.
type Items = Vec<(u8, Choice)>;

/// A schedule that a run follows.
#[derive(Debug, Default)]
pub(super) struct Forced {
    items: Items,
    /// The position of every write that was made, in the finished graph.
    positions: HashMap<EventId, Position>,
    /// Why the program does not fit.
    misfit: Option<String>,
}

impl Builder {
    /// Runs the one execution of `model` that a [schedule](super::Trace::schedule) describes, and
    /// returns how it fails. The builder's limit of events is the only budget that counts.
    ///
    /// # Errors
    ///
    /// If the schedule cannot be read, the model does not fit it, or the execution does not fail as
    /// the schedule says.
    ///
    /// # Panics
    ///
    /// If it is called inside a model.
    pub fn replay<O: fmt::Display>(
        &self,
        model: impl Fn() -> O + Send + Sync + 'static,
        schedule: &str,
    ) -> Result<Failure, String> {
        assert!(!is_inside(), "a model cannot be explored inside a model");
        let (items, kind) = decode(schedule)?;
        let program: Program = Arc::new(move || model().to_string());
        let forced = Some(Forced { items, ..Forced::default() });
        let run = || {
            let (mut aside, mut stacks) = (Vec::new(), Vec::new());
            Run::execute(
                &program,
                Graph::default(),
                &mut aside,
                &mut stacks,
                self.events_max,
                next_run(),
                forced,
            )
        };
        quiet::install();
        let Ended { outcome, failure, forced } = on_a_thread_of_its_own(run);
        if let Some(misfit) = forced.and_then(|forced| forced.misfit) {
            return Err(misfit);
        }
        match (outcome, failure) {
            (Outcome::Fault(fault), Some(failure)) if word(fault.kind) == kind => Ok(failure),
            (Outcome::Fault(fault), _) => Err(format!(
                "the schedule ends in `{kind}`, but the execution in `{}`: {}",
                word(fault.kind),
                fault.message
            )),
            (Outcome::Complete(_), _) => {
                Err("the schedule fits the model, but the execution does not fail".into())
            }
            _ => Err(
                "the schedule fits the model, but in the end threads wait for values that they \
                      get in other executions"
                    .into(),
            ),
        }
    }
}

impl Forced {
    /// The thread that performs the next event; `None` when the schedule is through.
    pub(super) fn thread(&self, done: usize) -> Option<u8> {
        self.items.get(done).map(|item| item.0)
    }

    /// Says that the program does not fit.
    pub(super) fn refuse(&mut self, why: String) {
        self.misfit.get_or_insert_with(|| format!("the schedule does not fit the model: {why}"));
    }

    /// Adds the event that the schedule says, if it is what the program asks for. `None` if not.
    pub(super) fn grow(
        &mut self,
        graph: &mut Graph,
        thread: u8,
        request: &Request,
        initial: impl Fn(Loc) -> u64,
        at: &'static Location<'static>,
    ) -> Option<Label> {
        let index = graph.len(thread);
        let Some(&(_, choice)) = self.items.get(graph.total()) else {
            self.misfit = Some(format!(
                "the execution does not fail where the schedule ends: event {index} of thread \
                 {thread} is {request} at {at}"
            ));
            return None;
        };
        let made = self.make(graph, thread, choice, request, initial, at);
        if let Err(why) = &made {
            self.refuse(format!("event {index} of thread {thread} {why}"));
        }
        made.ok()
    }

    fn make(
        &mut self,
        graph: &mut Graph,
        thread: u8,
        choice: Choice,
        request: &Request,
        initial: impl Fn(Loc) -> u64,
        at: &'static Location<'static>,
    ) -> Result<Label, String> {
        let id = graph.next_event(thread);
        let (label, position) = match (request, choice) {
            (&Request::Read { loc, kind }, Choice::Read { from, spurious }) => {
                let read = reading(graph, thread, loc, kind, from, &initial)?;
                if spurious && !(kind.is_weak() && read.is_exclusive()) {
                    return Err("fails spuriously in the schedule, and cannot here".into());
                }
                (Label::Read(Read { spurious, ..read }), None)
            }
            (&Request::Write(write), Choice::Write { position }) => {
                let place = self.place(graph, thread, &write, position)?;
                self.positions.insert(id, position);
                (Label::Write(write), Some(place))
            }
            (&Request::Fence(fence), Choice::Fence) => (Label::Fence(fence), None),
            (Request::Spawn, Choice::Spawn(child)) if graph.next_thread() == Some(child) => {
                (Label::Spawn(child), None)
            }
            (&Request::Join(asked), Choice::Join(child)) if asked == child => {
                (Label::Join(child), None)
            }
            (Request::End, Choice::End) => (Label::End, None),
            (&Request::Choice(of), Choice::Pick(picked)) if picked < of => {
                (Label::Choice { of, picked }, None)
            }
            _ => return Err(format!("is {request}, and {choice} in the schedule")),
        };
        let event = graph.make(thread, label, at);
        graph.add(thread, event, position);
        if is_sequentially_consistent(graph) {
            Ok(label)
        } else {
            Err("is not sequentially consistent with the events before it".into())
        }
    }

    /// Where a write comes, of those that are there already.
    fn place(
        &self,
        graph: &Graph,
        thread: u8,
        write: &Write,
        position: Position,
    ) -> Result<Position, String> {
        let writes = &graph.location(write.loc).writes;
        let before = writes.iter().filter(|other| self.positions[*other] < position).count();
        if writes.iter().any(|other| self.positions[other] == position) {
            return Err(format!("is a second write in place {position} of its location's order"));
        }
        let place = before + 1;
        let known = graph.clocks(thread).hb;
        let behind_its_read = !write.exclusive || {
            let index = graph.len(thread) - 1;
            let from = graph.read(EventId { thread, index }).from;
            place == graph.position(write.loc, from) + 1
        };
        if place < first_place(graph, write.loc, &known) {
            return Err("writes what is older than what its thread has seen".into());
        }
        if !is_open(graph, write.loc, place) || !behind_its_read {
            return Err("writes between a read-modify-write and what that has read".into());
        }
        Ok(place)
    }
}

/// The read that a schedule says.
fn reading(
    graph: &Graph,
    thread: u8,
    loc: Loc,
    kind: ReadKind,
    from: Option<EventId>,
    initial: impl Fn(Loc) -> u64,
) -> Result<Read, String> {
    let value = match from {
        None => initial(loc),
        Some(id) => {
            let name = format!("event {} of thread {}", id.index, id.thread);
            if id.index >= graph.len(id.thread) {
                return Err(format!("reads from {name}, an event that does not exist"));
            }
            match graph.event(id).label {
                Label::Write(write) if write.loc == loc => write.value,
                _ => return Err(format!("reads from {name}, which does not write that location")),
            }
        }
    };
    let known = graph.clocks(thread).hb;
    if graph.position(loc, from) < first_readable(graph, loc, &known) {
        return Err("reads what is older than what its thread has seen".into());
    }
    Ok(Read { loc, kind, from, value, spurious: false })
}

/// The word for a failure, at a schedule's end.
fn word(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Panic => "panic",
        FaultKind::Race => "race",
        FaultKind::UseAfterFree => "use-after-free",
        FaultKind::Deadlock => "deadlock",
        FaultKind::NotDeterministic => "not-deterministic",
        FaultKind::UnboundedLoop => "loop",
        FaultKind::NotJoined => "not-joined",
        FaultKind::Leak => "leak",
        FaultKind::Misuse => "misuse",
    }
}

/// A story's schedule.
pub(super) fn encode(story: &Story) -> String {
    let mut text = String::new();
    let mut done = [0_u16; THREADS_MAX];
    let mut last = None;
    for &thread in &story.order {
        let id = EventId { thread, index: done[usize::from(thread)] };
        done[usize::from(thread)] += 1;
        let choice = match story.graph.event(id).label {
            Label::Read(read) => Choice::Read { from: read.from, spurious: read.spurious },
            Label::Write(write) => {
                Choice::Write { position: story.graph.position(write.loc, Some(id)) }
            }
            Label::Fence(_) => Choice::Fence,
            Label::Spawn(child) => Choice::Spawn(child),
            Label::Join(child) => Choice::Join(child),
            Label::End => Choice::End,
            Label::Choice { picked, .. } => Choice::Pick(picked),
        };
        match last {
            Some(same) if same == thread => text.push('.'),
            Some(_) => text.push_str(&format!("/{thread}:")),
            None => text.push_str(&format!("{thread}:")),
        }
        last = Some(thread);
        text.push_str(&choice.code());
    }
    format!("{text}/={}", word(story.fault.kind))
}

/// The events and the word at the end.
fn decode(schedule: &str) -> Result<(Items, &str), String> {
    let (groups, kind) = schedule
        .trim()
        .rsplit_once("/=")
        .ok_or("a schedule ends in `/=` and the kind of failure: this one was cut short")?;
    let mut items = Vec::new();
    for group in groups.split('/').filter(|group| !group.is_empty()) {
        let (thread, events) = group
            .split_once(':')
            .ok_or_else(|| format!("`{group}` does not begin with a thread's number and `:`"))?;
        let thread = thread
            .parse()
            .ok()
            .filter(|thread| usize::from(*thread) < THREADS_MAX)
            .ok_or_else(|| format!("`{thread}` is no thread's number"))?;
        for code in events.split('.') {
            let choice = Choice::parse(code);
            items.push((thread, choice.ok_or_else(|| format!("`{code}` is no event"))?));
        }
    }
    Ok((items, kind))
}

impl Choice {
    fn code(self) -> String {
        match self {
            Self::Read { from, spurious } => {
                let from = from.map_or("-".into(), |id| format!("{}_{}", id.thread, id.index));
                format!("r{from}{}", if spurious { "x" } else { "" })
            }
            Self::Write { position } => format!("w{position}"),
            Self::Fence => "f".into(),
            Self::Spawn(child) => format!("s{child}"),
            Self::Join(child) => format!("j{child}"),
            Self::End => "e".into(),
            Self::Pick(picked) => format!("c{picked}"),
        }
    }

    fn parse(code: &str) -> Option<Self> {
        let (letter, rest) = code.split_at_checked(1)?;
        Some(match letter {
            "r" => {
                let spurious = rest.ends_with('x');
                let from = rest.strip_suffix('x').unwrap_or(rest);
                let from = if from == "-" { None } else { Some(parse_event(from)?) };
                Self::Read { from, spurious }
            }
            "w" => Self::Write { position: rest.parse().ok().filter(|position| *position > 0)? },
            "f" if rest.is_empty() => Self::Fence,
            "s" => Self::Spawn(rest.parse().ok()?),
            "j" => Self::Join(rest.parse().ok()?),
            "e" if rest.is_empty() => Self::End,
            "c" => Self::Pick(rest.parse().ok()?),
            _ => return None,
        })
    }
}

fn parse_event(text: &str) -> Option<EventId> {
    let (thread, index) = text.split_once('_')?;
    let thread = thread.parse().ok().filter(|thread| usize::from(*thread) < THREADS_MAX)?;
    Some(EventId { thread, index: index.parse().ok()? })
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { .. } => f.write_str("a read"),
            Self::Write { .. } => f.write_str("a write"),
            Self::Fence => f.write_str("a fence"),
            Self::Spawn(child) => write!(f, "the start of thread {child}"),
            Self::Join(child) => write!(f, "a join of thread {child}"),
            Self::End => f.write_str("the thread's end"),
            Self::Pick(picked) => write!(f, "alternative {picked} of a choice"),
        }
    }
}
