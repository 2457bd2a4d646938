//! Counterexamples: the execution that fails, for the eyes.
//!
//! A graph is a set of events with relations; a reader wants a story. [`Trace`] tells it three
//! ways: as a listing with the lines of the program, as a sequence diagram in text with a column a
//! thread, and as the same diagram in SVG. It also writes the [schedule](Trace::schedule) from
//! which [`Builder::replay`](super::Builder::replay) makes the execution again.
//!
//! The rows stand in an order that respects each thread's own order and shows a write before the
//! reads that read it (`order`). What cannot be drawn as an interleaving is marked: a read that has
//! missed a write above it is *stale*, and names the row. Locations are named after the source line
//! that made them (`names`).

mod names;
mod operation;
mod order;
mod rows;
mod svg;
mod text;

use std::fmt;
use std::fs;
use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::rows::Rows;
use super::event::THREADS_MAX;
use super::fault::Fault;
use super::graph::Graph;
use super::replay;

/// What a location is to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Word,
    Pointer,
    Lock,
    Parker,
    /// The owners of an `Arc`, counted.
    Owners,
}

/// How a location came to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) initial: u64,
    pub(super) what: What,
    pub(super) at: &'static Location<'static>,
    /// Where it stood when it was last used.
    pub(super) address: usize,
}

/// Something that is no event of the graph, but part of the story.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) thread: u8,
    /// It stands behind so many events of its thread; `None` is at the end of all.
    pub(super) after: Option<u16>,
    pub(super) text: String,
    pub(super) at: Option<&'static Location<'static>>,
}

/// What is known of an execution that fails.
pub(super) struct Story {
    /// What was performed before the failure, and nothing else.
    pub(super) graph: Graph,
    /// The threads, in the order in which they performed their events.
    pub(super) order: Vec<u8>,
    pub(super) made: [Vec<Made>; THREADS_MAX],
    pub(super) marks: Vec<Mark>,
    pub(super) fault: Fault,
}

/// An execution that fails: for the eyes, and to be [run again](super::Builder::replay).
#[derive(Clone)]
pub struct Trace(Arc<Story>);

impl Trace {
    pub(super) fn new(story: Story) -> Self {
        Self(Arc::new(story))
    }

    /// Event by event: the thread, what it did, the write that it read, and the line of the
    /// program.
    #[must_use]
    pub fn listing(&self) -> String {
        text::listing(&Rows::of(&self.0))
    }

    /// A sequence diagram: a column a thread, a row an event. Reads name the row of the write that
    /// they read; the last row is what was violated.
    #[must_use]
    pub fn columns(&self) -> String {
        text::columns(&Rows::of(&self.0))
    }

    /// The diagram as an SVG file, with arrows from the writes to the reads.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(&Rows::of(&self.0))
    }

    /// The choices of the execution, for [`Builder::replay`](super::Builder::replay): one line of
    /// letters, digits and `:./_=-`, which a shell takes as it is.
    #[must_use]
    pub fn schedule(&self) -> String {
        replay::encode(&self.0)
    }

    /// Writes `counterexample.txt` (diagram, listing and schedule) and `counterexample.svg` into a
    /// folder, which is made if need be. Returns their paths.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write_to(&self, folder: impl AsRef<Path>) -> io::Result<[PathBuf; 2]> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder)?;
        let paths = ["txt", "svg"].map(|kind| folder.join(format!("counterexample.{kind}")));
        let (columns, listing) = (self.columns(), self.listing());
        let schedule = self.schedule();
        fs::write(&paths[0], format!("{columns}\n{listing}\nschedule: {schedule}\n"))?;
        fs::write(&paths[1], self.svg())?;
        Ok(paths)
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Trace({} events)", self.0.graph.total())
    }
}
