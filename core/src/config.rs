//! The numbers of the scheduler, with Go's as the defaults.

use core::fmt;
use core::num::NonZeroU32;

/// How a [`Scheduler`](crate::Scheduler) is made.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many processors there are to begin with. 1 to `max_processors`.
    pub processors: usize,
    /// How many there may ever be: memory is set aside for them. Beyond 48 the idle processors take
    /// more than one word; see [`IdleProcessors`](crate::IdleProcessors).
    pub max_processors: usize,
    /// How many machines there may be at a time, those in system calls included. Beyond it the
    /// scheduler does as if the host refused to start one. Go: 10,000.
    pub max_machines: usize,
    /// A processor looks at the global queue first each time it begins this many slices, so that
    /// its own tasks do not starve those there. Not 0. Go: 61.
    pub global_interval: u32,
    /// How many tasks may run in a row out of the `next` slot, in one slice, before the ring has
    /// its turn. Go has no such bound, as its monitor preempts; ours cannot.
    pub slot_chain: NonZeroU32,
    /// In how many rounds a searcher visits the others before it gives up; the slot is taken in the
    /// last alone. Not 0. Go: 4.
    pub steal_rounds: u32,
    /// Use the form of the idle word for more than 48 processors whatever their number. For checks.
    pub many_words: bool,
}

impl Config {
    /// Go's numbers, for this many processors.
    #[must_use]
    pub fn new(processors: usize) -> Self {
        Self {
            processors,
            max_processors: processors,
            max_machines: 10_000,
            global_interval: 61,
            slot_chain: NonZeroU32::MIN.saturating_add(15),
            steal_rounds: 4,
            many_words: false,
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.processors == 0 || self.processors > self.max_processors {
            return Err(ConfigError::Processors { most: self.max_processors });
        }
        if self.max_machines == 0 {
            return Err(ConfigError::NoMachines);
        }
        if self.global_interval == 0 {
            return Err(ConfigError::GlobalInterval);
        }
        if self.steal_rounds == 0 {
            return Err(ConfigError::StealRounds);
        }
        Ok(())
    }
}

/// A number that a scheduler cannot work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// No processor, or more than the maximum.
    Processors {
        /// The maximum.
        most: usize,
    },
    /// No machine.
    NoMachines,
    /// The global queue would never be looked at.
    GlobalInterval,
    /// Nobody would ever steal.
    StealRounds,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processors { most } => {
                write!(f, "the number of processors must be from 1 to {most}, the maximum")
            }
            Self::NoMachines => f.write_str("the maximum of machines must not be 0"),
            Self::GlobalInterval => f.write_str("the interval of the global queue must not be 0"),
            Self::StealRounds => f.write_str("the number of rounds of a thief must not be 0"),
        }
    }
}

impl core::error::Error for ConfigError {}
