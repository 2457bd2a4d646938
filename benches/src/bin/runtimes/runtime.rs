//! The runtimes by name, and what each of them cannot do.

use core::fmt;

use clap::ValueEnum;

use crate::peers::{self, Gosched, GoschedAsync, May, Smol, Tokio};
use crate::sample::{Sample, peak_bytes};
use crate::workload::{Size, Workload};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    /// Go's own: a program in Go, which the others' ratios are taken against.
    Go,
    /// Goroutines: tasks with stacks.
    Gosched,
    /// The same scheduler's tasks without stacks: futures.
    GoschedAsync,
    Tokio,
    Smol,
    May,
}

impl Runtime {
    pub(crate) const ALL: [Self; 6] =
        [Self::Go, Self::Gosched, Self::GoschedAsync, Self::Tokio, Self::Smol, Self::May];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Gosched => "gosched",
            Self::GoschedAsync => "gosched-async",
            Self::Tokio => "tokio",
            Self::Smol => "smol",
            Self::May => "may",
        }
    }

    /// How much it does of a workload whose full size this is.
    pub(crate) fn size(self, workload: Workload, size: Size) -> Size {
        match self {
            Self::May => May::limited(workload, size),
            _ => size,
        }
    }

    /// Why it has no row, if it has none.
    pub(crate) fn left_out(self, workload: Workload, workers: usize) -> Option<&'static str> {
        match (self, workload) {
            (Self::Go, Workload::Wake) if workers == 1 => Some(
                "Go has no thread outside its scheduler: the one that wakes needs a P of its own",
            ),
            _ => None,
        }
    }

    /// What is to be known beside its row.
    pub(crate) fn note(self, workload: Workload) -> Option<&'static str> {
        match (self, workload) {
            (Self::May, Workload::Spawn | Workload::Skynet) => {
                Some("may: fewer tasks, each has a stack and two mappings; a pool of 20000 stacks")
            }
            (Self::May, Workload::Idle) => {
                Some("may: fewer tasks, each has a stack and two mappings")
            }
            (Self::May, Workload::Blocking) => {
                Some("may: a tenth of the calls; a call that blocks keeps its worker")
            }
            (Self::Gosched, Workload::PingPong | Workload::Ring) => {
                Some("gosched: a channel of 60 lines over park and unpark; it has none of its own")
            }
            (Self::GoschedAsync, Workload::PingPong | Workload::Ring) => {
                Some("gosched-async: async-channel, as smol")
            }
            (Self::Go, Workload::Wake) => {
                Some("go: the thread that wakes is a goroutine bound to its thread, with its P")
            }
            _ => None,
        }
    }

    /// Runs the workload in this process.
    ///
    /// # Errors
    ///
    /// For Go, which is another program.
    pub(crate) fn measure(
        self,
        workload: Workload,
        workers: usize,
        size: Size,
    ) -> Result<Sample, String> {
        let sample = match self {
            Self::Go => return Err("Go's workloads are a program of their own".to_owned()),
            Self::Gosched => peers::measure::<Gosched>(workload, workers, size),
            Self::GoschedAsync => peers::measure::<GoschedAsync>(workload, workers, size),
            Self::Tokio => peers::measure::<Tokio>(workload, workers, size),
            Self::Smol => peers::measure::<Smol>(workload, workers, size),
            Self::May => peers::measure::<May>(workload, workers, size),
        };
        Ok(Sample { peak_bytes: peak_bytes(), ..sample })
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_command_line() {
        for runtime in Runtime::ALL {
            assert_eq!(Runtime::from_str(runtime.name(), false), Ok(runtime));
        }
        assert_eq!(Runtime::value_variants(), Runtime::ALL);
    }
}
