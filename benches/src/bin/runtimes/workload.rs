//! The workloads: what one operation is, how many there are, and the arithmetic by which each run
//! checks itself.
//!
//! A run is `tasks` times `rounds` operations. Both numbers are decided here and handed to every
//! runtime, also to the program in Go, so that all do the same work.

use core::fmt;

use clap::ValueEnum;

/// What a runtime is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// Waves of tasks: all of a wave are spawned, then all joined.
    Spawn,
    /// A tree of tasks in which each one spawns ten and adds up what they return.
    Skynet,
    /// Tasks that do nothing but yield.
    Yield,
    /// Two tasks that hand one message to and fro.
    PingPong,
    /// One message that goes round a ring of tasks.
    Ring,
    /// A thread that is none of the runtime's wakes a task; the runtime is idle.
    Wake,
    /// Tasks that block their thread for a millisecond again and again, beside tasks that compute.
    Blocking,
    /// Tasks that wait, and their memory.
    Idle,
}

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) tasks: usize,
    pub(crate) rounds: usize,
}

impl Workload {
    pub(crate) const ALL: [Self; 8] = [
        Self::Spawn,
        Self::Skynet,
        Self::Yield,
        Self::PingPong,
        Self::Ring,
        Self::Wake,
        Self::Blocking,
        Self::Idle,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Spawn => "spawn",
            Self::Skynet => "skynet",
            Self::Yield => "yield",
            Self::PingPong => "ping-pong",
            Self::Ring => "ring",
            Self::Wake => "wake",
            Self::Blocking => "blocking",
            Self::Idle => "idle",
        }
    }

    /// What one operation is.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Spawn => "a task spawned and joined, in waves of 10000",
            Self::Skynet => "a leaf of a tree of tasks, ten children each",
            Self::Yield => "a yield, by 1000 tasks in turn",
            Self::PingPong => "a round trip of a message between two tasks",
            Self::Ring => "a hop of a message in a ring of 1000 tasks",
            Self::Wake => "a task woken by a thread outside the runtime, which was idle",
            Self::Blocking => "1 ms of blocked thread, by 64 tasks beside 16 that compute",
            Self::Idle => "a task spawned, parked, woken and joined",
        }
    }

    /// The full size times `scale`. Spawning and waiting tasks stay as many as they are, as long as
    /// there is something else to make less.
    pub(crate) fn size(self, scale: f64) -> Size {
        let (tasks, rounds) = match self {
            Self::Spawn => (10_000, 100),
            Self::Skynet => return Size { tasks: power_of_ten(1e6 * scale), rounds: 1 },
            Self::Yield | Self::Ring => (1000, 1000),
            Self::PingPong => (1, 1_000_000),
            Self::Wake => (1, 500),
            Self::Blocking => (64, 100),
            Self::Idle => return Size { tasks: scaled(100_000, scale), rounds: 1 },
        };
        Size { tasks, rounds: scaled(rounds, scale) }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Size {
    pub(crate) fn operations(self) -> u64 {
        (self.tasks * self.rounds) as u64
    }
}

fn scaled(count: usize, scale: f64) -> usize {
    (count as f64 * scale).round().max(1.0) as usize
}

fn power_of_ten(most: f64) -> usize {
    let mut power = 10;
    while (power * 10) as f64 <= most {
        power *= 10;
    }
    power
}

/// `0 + 1 + … + (count - 1)`: what so many numbered tasks return together.
pub(crate) fn sum_below(count: u64) -> u64 {
    count * count.saturating_sub(1) / 2
}

/// The tasks that compute beside those that block.
pub(crate) const COMPUTING: u64 = 16;

/// How many chunks each of them computes: some 0.6 s of one processor, all tasks together, when the
/// others block a hundred times.
pub(crate) fn chunks(rounds: usize) -> usize {
    (rounds * 5).div_ceil(2)
}

/// One chunk: a chain of operations each of which needs the one before, so that every compiler
/// makes the same time of it; a tenth or two of a millisecond.
pub(crate) fn chunk(seed: u64) -> u64 {
    let mut word = seed | 1;
    for _ in 0..100_000 {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
    }
    word
}

/// Asserts that the tasks that compute did: by their number, and by what the last one must return.
pub(crate) fn assert_computed(words: &[u64], size: Size) {
    assert_eq!(words.len() as u64, COMPUTING);
    let last = (0..chunks(size.rounds)).fold(COMPUTING - 1, |word, _| chunk(word));
    assert_eq!(words.last(), Some(&last));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_size_is_a_million_where_it_is_said_to_be() {
        for workload in [Workload::Spawn, Workload::Skynet, Workload::Yield, Workload::PingPong] {
            assert_eq!(workload.size(1.0).operations(), 1_000_000, "{workload}");
        }
        assert_eq!(Workload::Blocking.size(1.0).operations(), 6400);
        assert_eq!(Workload::Idle.size(1.0).operations(), 100_000);
    }

    #[test]
    fn the_least_size_still_does_something() {
        for workload in Workload::ALL {
            assert!(workload.size(1e-9).operations() >= 1, "{workload}");
        }
        assert_eq!(Workload::Skynet.size(0.0015).tasks, 1000);
    }

    #[test]
    fn the_checks_are_sums_and_no_constants() {
        assert_eq!(sum_below(5), 10);
        assert_eq!(sum_below(0), 0);
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn a_chunk_that_was_left_out_is_noticed() {
        let size = Size { tasks: 1, rounds: 1 };
        let short = (1..chunks(size.rounds)).fold(COMPUTING - 1, |word, _| chunk(word));
        assert_computed(&[short; COMPUTING as usize], size);
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for workload in Workload::ALL {
            assert_eq!(Workload::from_str(workload.name(), false), Ok(workload));
        }
    }
}
