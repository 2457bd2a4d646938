//! From records to slices and arrows.
//!
//! Each thread's records are read in their order. A run of a goroutine is a slice of its thread,
//! and as many of its processor as there were system calls in it, plus one: inside them the
//! processor may belong to somebody else. While a goroutine has the world stopped it has none
//! either, and may come back with another. A goroutine that was made runnable and then ran gives an
//! arrow; so does one that has stopped, was runnable all the time, and went on.

use std::collections::HashMap;
use std::panic::Location;

use super::buffer::{Record, Thread};
use super::{Instant, What, Why, Without};

/// Where something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Track {
    Processor(usize),
    /// A thread, by its place in the list.
    Thread(usize),
}

/// Something that took a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    pub(super) track: Track,
    pub(super) begin: u64,
    pub(super) end: u64,
    pub(super) what: Shown,
}

/// What a slice shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown {
    /// A run of a goroutine; why it stopped, if it did.
    Run { goroutine: u64, location: Option<&'static Location<'static>>, why: Option<Why> },
    /// A part of a run without a processor.
    Without(Without),
    /// A goroutine was made runnable, outside of any.
    Wakes { goroutine: u64 },
}

/// Where a goroutine was made runnable, and where it then ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrow {
    pub(super) from: (Track, u64),
    pub(super) to: (Track, u64),
}

/// A trace, ready to be drawn.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Machine and name of each thread.
    pub(super) threads: Vec<(Option<usize>, String)>,
    pub(super) slices: Vec<Slice>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) instants: Vec<(Track, u64, Instant)>,
    /// How many runs there were.
    pub(super) runs: usize,
    /// By goroutine: where it was made runnable, and where it ran.
    readied: HashMap<u64, Vec<(u64, Track)>>,
    ran: HashMap<u64, Vec<(u64, Track)>>,
}

/// A run that has not ended.
struct Open {
    goroutine: u64,
    location: Option<&'static Location<'static>>,
    begin: u64,
    /// The processor, and since when.
    held: Option<(usize, u64)>,
    /// Since when it goes on without its processor, and what it does.
    inside: Option<(u64, Without)>,
}

/// Reads one thread's records.
struct Reader<'a> {
    shape: &'a mut Shape,
    thread: usize,
    open: Option<Open>,
    /// When the last slice outside of goroutines ended.
    last: u64,
}

impl Shape {
    /// The shape of what was recorded until `end`.
    pub(super) fn of(threads: &[Thread], end: u64) -> Self {
        let mut shape = Self::default();
        for (index, thread) in threads.iter().enumerate() {
            shape.threads.push((thread.machine, thread.name.clone()));
            let mut reader = Reader { shape: &mut shape, thread: index, open: None, last: 0 };
            for record in &thread.records {
                reader.read(record);
            }
            let last = thread.records.last().map_or(end, |record| record.time);
            reader.stop(if thread.is_cut { last } else { end.max(last) }, None);
        }
        shape.draw_arrows();
        shape
    }

    /// An arrow leads to a run from the last time before it, and after the run before it, that the
    /// goroutine was made runnable.
    fn draw_arrows(&mut self) {
        let mut readied = std::mem::take(&mut self.readied);
        for (goroutine, mut ran) in std::mem::take(&mut self.ran) {
            let Some(readied) = readied.get_mut(&goroutine) else { continue };
            readied.sort_by_key(|(time, _)| *time);
            ran.sort_by_key(|(time, _)| *time);
            let mut before = readied.iter().peekable();
            for (time, track) in ran {
                let mut from = None;
                while let Some(next) = before.next_if(|(ready, _)| *ready <= time) {
                    from = Some(*next);
                }
                if let Some((ready, source)) = from {
                    self.arrows.push(Arrow { from: (source, ready), to: (track, time) });
                }
            }
        }
        self.arrows.sort_by_key(|arrow| arrow.from.1);
    }
}

impl Reader<'_> {
    fn read(&mut self, record: &Record) {
        let (time, goroutine) = (record.time, record.goroutine);
        match record.what {
            What::Run { processor, location } => {
                self.stop(time, None);
                let held = processor.map(|processor| (processor, time));
                self.open = Some(Open { goroutine, location, begin: time, held, inside: None });
                self.shape.runs += 1;
                let track = self.track();
                self.shape.ran.entry(goroutine).or_default().push((time, track));
            }
            What::Stop(why) => self.stop(time, Some(why)),
            What::Ready => self.ready(time, goroutine),
            What::Enter(without) => {
                self.release(time, Some(Why::Enter(without)));
                if let Some(open) = &mut self.open {
                    open.inside = Some((time, without));
                }
            }
            What::Exit { processor } => self.exit(time, processor),
            What::Instant(instant) => {
                let track = match instant {
                    // What somebody else does to a processor.
                    Instant::Retaken { processor } | Instant::AskedToYield { processor } => {
                        Track::Processor(processor)
                    }
                    _ => Track::Thread(self.thread),
                };
                self.shape.instants.push((track, time, instant));
            }
        }
    }

    /// Where the goroutine that runs on this thread is shown.
    fn track(&self) -> Track {
        let held = self.open.as_ref().and_then(|open| open.held);
        held.map_or(Track::Thread(self.thread), |(processor, _)| Track::Processor(processor))
    }

    fn ready(&mut self, time: u64, goroutine: u64) {
        let mut from = time;
        if self.open.is_none() {
            // An arrow begins at a slice.
            from = time.max(self.last);
            self.last = from + 1;
            let track = Track::Thread(self.thread);
            let what = Shown::Wakes { goroutine };
            self.shape.slices.push(Slice { track, begin: from, end: self.last, what });
        }
        let track = self.track();
        self.shape.readied.entry(goroutine).or_default().push((from, track));
    }

    /// The goroutine that stops here is still runnable: nobody else makes it so.
    fn stays_runnable(&mut self, time: u64) {
        let track = self.track();
        if let Some(open) = &self.open {
            // Inside of the slice, and after its begin.
            let from = time.saturating_sub(1).max(open.begin + 1);
            self.shape.readied.entry(open.goroutine).or_default().push((from, track));
        }
    }

    fn exit(&mut self, time: u64, processor: Option<usize>) {
        let track = Track::Thread(self.thread);
        let Some(open) = &mut self.open else { return };
        open.held = processor.map(|processor| (processor, time));
        if let Some((begin, without)) = open.inside.take() {
            let what = Shown::Without(without);
            self.shape.slices.push(Slice { track, begin, end: time, what });
        }
    }

    /// The goroutine's time on its processor is over.
    fn release(&mut self, time: u64, why: Option<Why>) {
        let Some(open) = &mut self.open else { return };
        if let Some((processor, begin)) = open.held.take() {
            let Open { goroutine, location, .. } = *open;
            let what = Shown::Run { goroutine, location, why };
            let track = Track::Processor(processor);
            self.shape.slices.push(Slice { track, begin, end: time, what });
        }
    }

    /// The goroutine stops.
    fn stop(&mut self, time: u64, why: Option<Why>) {
        if self.open.as_ref().is_some_and(|open| open.inside.is_some()) {
            self.exit(time, None);
        }
        if matches!(why, Some(Why::Yield | Why::Preempted | Why::NoProcessor)) {
            self.stays_runnable(time);
        }
        self.release(time, why);
        if let Some(open) = self.open.take() {
            let Open { goroutine, location, begin, .. } = open;
            let what = Shown::Run { goroutine, location, why };
            let track = Track::Thread(self.thread);
            self.shape.slices.push(Slice { track, begin, end: time, what });
            self.last = self.last.max(time);
        }
    }
}
