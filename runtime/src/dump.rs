//! A dump of all goroutines: what each does, since when, and where it was started. Takes no lock.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use crate::goroutine::{self, Picture, Status, WaitReason};
use crate::runtime::Shared;

/// One goroutine, as a dump sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoroutineInfo {
    /// Its number.
    pub id: u64,
    /// Its name; empty if it has none. See [`named`](crate::named).
    pub name: String,
    /// What it was doing.
    pub status: Status,
    /// What it waited for, if it did.
    pub reason: WaitReason,
    /// How long it has waited, to about 10 ms; zero if it did not.
    pub waited: Duration,
    /// The machine that it has locked itself to; see [`lock_os_thread`](crate::lock_os_thread).
    pub locked: Option<usize>,
    /// Where `go` was called.
    pub location: &'static Location<'static>,
}

/// All goroutines of a runtime, each as it was at some instant while the dump was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// The goroutines, by their numbers.
    pub goroutines: Vec<GoroutineInfo>,
}

impl GoroutineInfo {
    fn new(picture: &Picture, now: u64) -> Self {
        let waited = match picture.status {
            Status::Waiting => Duration::from_nanos(now.saturating_sub(picture.waiting_since)),
            _ => Duration::ZERO,
        };
        Self {
            id: picture.id,
            name: String::from_utf8_lossy(picture.name()).into_owned(),
            status: picture.status,
            reason: picture.reason,
            waited,
            locked: picture.locked,
            location: picture.location,
        }
    }
}

/// All goroutines of a runtime.
pub(crate) fn of(shared: &Shared) -> Dump {
    let now = shared.engine().clock();
    let pictures = goroutine::all().filter_map(|goroutine| goroutine.picture(Some(shared)));
    let mut goroutines: Vec<_> =
        pictures.map(|picture| GoroutineInfo::new(&picture, now)).collect();
    goroutines.sort_by_key(|info| info.id);
    Dump { goroutines }
}

/// In Go's shape: number, what it waits for and how long, whether it is locked to a thread; then
/// its name, and where it was started. What is shorter than a second is not told.
impl fmt::Display for GoroutineInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goroutine {} [", self.id)?;
        match self.status {
            Status::Waiting => write!(f, "{}", self.reason)?,
            status => write!(f, "{status}")?,
        }
        match self.waited.as_secs() {
            0 => {}
            seconds @ 1..120 => write!(f, ", {seconds} s")?,
            seconds => write!(f, ", {} min", seconds / 60)?,
        }
        f.write_str(if self.locked.is_some() { ", locked to thread]" } else { "]" })?;
        if !self.name.is_empty() {
            write!(f, " {:?}", self.name)?;
        }
        write!(f, " started at {}:{}", self.location.file(), self.location.line())
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for goroutine in &self.goroutines {
            writeln!(f, "{goroutine}")?;
        }
        Ok(())
    }
}
