//! A dump of all goroutines: what each does, since when, and where it was started. Takes no lock.

use std::fmt;
use std::panic::Location;

use crate::goroutine::{self, Status, WaitReason};
use crate::runtime::Shared;

/// One goroutine, as a dump sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoroutineInfo {
    /// Its number.
    pub id: u64,
    /// What it was doing.
    pub status: Status,
    /// What it waited for, if it did.
    pub reason: WaitReason,
    /// Where `go` was called.
    pub location: &'static Location<'static>,
}

/// All goroutines of a runtime, each as it was at some instant while the dump was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// The goroutines, by their numbers.
    pub goroutines: Vec<GoroutineInfo>,
}

/// All goroutines of a runtime.
pub(crate) fn of(shared: &Shared) -> Dump {
    let ours = goroutine::all().filter(|goroutine| goroutine.is_of(shared));
    let mut goroutines: Vec<GoroutineInfo> = ours
        .filter_map(|goroutine| {
            let (status, reason) = goroutine.status();
            let location = goroutine.location()?;
            Some(GoroutineInfo { id: goroutine.id(), status, reason, location })
        })
        .filter(|info| info.id != 0 && !matches!(info.status, Status::Free | Status::Dead))
        .collect();
    goroutines.sort_by_key(|info| info.id);
    Dump { goroutines }
}

impl fmt::Display for GoroutineInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goroutine {} [{}", self.id, self.status)?;
        if self.status == Status::Waiting {
            write!(f, ": {}", self.reason)?;
        }
        f.write_str("]")?;
        write!(f, ", started at {}:{}", self.location.file(), self.location.line())
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
