//! The rows of a diagram: what the listing, the columns and the picture all show.

use std::collections::HashMap;
use std::panic::Location;

use super::super::event::{Event, EventId, Label, Read, ReadKind};
use super::names::Names;
use super::operation::Operations;
use super::order::{order, positions, second_half};
use super::{Mark, Story};

/// Where a read's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The location has it from the start.
    Initial,
    /// The write in this row.
    Row(usize),
}

/// What is remarkable about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    /// It cannot be drawn in the order of time.
    Weak,
    /// Its thread waits there, for ever.
    Waits,
    /// The failure.
    Fails,
}

/// One row.
pub(super) struct Row {
    pub(super) thread: u8,
    pub(super) text: String,
    pub(super) source: Option<Source>,
    pub(super) tone: Tone,
    /// What the tone has to say.
    pub(super) note: Option<String>,
    /// Rows above that the row did not see.
    pub(super) missed: Vec<usize>,
    pub(super) at: Option<&'static Location<'static>>,
}

/// A whole diagram. Rows are numbered from 1.
pub(super) struct Rows {
    pub(super) threads: Vec<u8>,
    pub(super) rows: Vec<Row>,
    /// Names, and where they were made.
    pub(super) legend: Vec<(String, String)>,
    /// What was violated: the kind, and the message's lines.
    pub(super) claim: Vec<String>,
}

struct Writer<'a> {
    story: &'a Story,
    operations: Operations<'a>,
    positions: HashMap<EventId, usize>,
    /// The row of every write so far.
    numbers: HashMap<EventId, usize>,
    rows: Vec<Row>,
}

impl Rows {
    pub(super) fn of(story: &Story) -> Self {
        let names = Names::of(story);
        let mut writer = Writer {
            story,
            operations: Operations::new(story, &names),
            positions: positions(&story.graph),
            numbers: HashMap::new(),
            rows: Vec::new(),
        };
        writer.marks(0, Some(0));
        for id in order(&story.graph) {
            writer.event(id);
        }
        for thread in story.graph.started() {
            writer.marks(thread, None);
        }
        let mut legend = Vec::new();
        for (_, event) in story.graph.events() {
            let group = event.label.loc().and_then(|loc| names.group(loc));
            legend.extend(group.filter(|group| !legend.contains(group)));
        }
        let mut claim = vec![format!("{}:", story.fault.kind)];
        claim.extend(story.fault.message.lines().map(str::to_owned));
        if claim.len() == 2 {
            claim = vec![claim.join(" ")];
        }
        let threads = story.graph.started().collect();
        Self { threads, rows: writer.rows, legend, claim }
    }
}

impl Writer<'_> {
    fn marks(&mut self, thread: u8, after: Option<u16>) {
        let here = |mark: &&Mark| mark.thread == thread && mark.after == after;
        for mark in self.story.marks.iter().filter(here) {
            let waits = mark.text.starts_with("waits");
            self.rows.push(Row {
                thread,
                text: mark.text.clone(),
                source: None,
                tone: if waits { Tone::Waits } else { Tone::Fails },
                note: None,
                missed: Vec::new(),
                at: mark.at,
            });
        }
    }

    fn event(&mut self, id: EventId) {
        let event = self.story.graph.event(id);
        match &event.label {
            Label::End => {}
            Label::Write(write) if write.exclusive => {
                // The read has the row already.
                let newer = self.newer(id, event);
                self.numbers.insert(id, self.rows.len());
                self.mark_out_of_order(newer);
            }
            Label::Write(_) => {
                let newer = self.newer(id, event);
                self.push(id, event, None);
                self.numbers.insert(id, self.rows.len());
                self.mark_out_of_order(newer);
            }
            Label::Read(read) => self.read(id, event, read),
            _ => self.push(id, event, None),
        }
        self.marks(id.thread, Some(id.index + 1));
        if let Label::Spawn(child) = event.label {
            self.marks(child, Some(0));
        }
    }

    fn push(&mut self, id: EventId, event: &Event, source: Option<Source>) {
        self.rows.push(Row {
            thread: id.thread,
            text: self.operations.text(id, event),
            source,
            tone: Tone::Plain,
            note: None,
            missed: Vec::new(),
            at: Some(event.at),
        });
    }

    fn read(&mut self, id: EventId, event: &Event, read: &Read) {
        let source = match (read.from, read.kind) {
            (Some(write), _) => Some(Source::Row(self.numbers[&write])),
            // Free from the start, or without a token: that goes without saying.
            (None, ReadKind::Await { .. }) => None,
            (None, _) => Some(Source::Initial),
        };
        self.push(id, event, source);
        let whole = read.is_exclusive() && second_half(id).index < self.story.graph.len(id.thread);
        let missed = if whole { Vec::new() } else { self.newer(id, event) };
        let reason = self.operations.reason(read);
        let Some(row) = self.rows.last_mut() else { return };
        if !missed.is_empty() {
            row.tone = Tone::Weak;
            row.note = Some(format!("stale: misses {}", numbers(&missed)));
            row.missed = missed;
        }
        if read.is_blocked() {
            row.tone = Tone::Waits;
            row.note = Some(format!("waits here: {reason}"));
        }
    }

    /// The rows above whose writes to the event's location stand behind what it reads or writes.
    fn newer(&self, id: EventId, event: &Event) -> Vec<usize> {
        let Some(loc) = event.label.loc() else { return Vec::new() };
        let writes = &self.story.graph.location(loc).writes[self.positions[&id]..];
        let mut rows: Vec<usize> =
            writes.iter().filter_map(|write| self.numbers.get(write).copied()).collect();
        rows.sort_unstable();
        rows
    }

    /// The last row writes what is older than what these rows have written.
    fn mark_out_of_order(&mut self, newer: Vec<usize>) {
        if let Some(row) = self.rows.last_mut()
            && !newer.is_empty()
        {
            row.tone = Tone::Weak;
            row.note = Some(format!("is overwritten by {}", numbers(&newer)));
            row.missed = newer;
        }
    }
}

/// `row 1`, `rows 1, 2`, `rows 1, 2, 3 and 4 more`.
fn numbers(rows: &[usize]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = rows.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = rows.len().saturating_sub(SHOWN);
    let plural = if rows.len() == 1 { "" } else { "s" };
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("row{plural} {}{rest}", shown.join(", "))
}
