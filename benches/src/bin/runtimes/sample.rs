//! One measurement: what a child process found out about itself.
//!
//! The meter runs from the first operation to the last, in the root task: the runtime stands, its
//! threads run. Processor time and context switches are the whole process's, idle workers, blocking
//! threads and garbage collectors included. A child hands its sample over as one line of JSON.

use core::time::Duration;
use std::fs;
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

/// What one child measured. What a workload does not have is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) operations: u64,
    pub(crate) wall_ns: u64,
    /// User and system time of all threads.
    pub(crate) cpu_ns: u64,
    pub(crate) voluntary: u64,
    pub(crate) involuntary: u64,
    /// The most memory that the process ever had, its program included.
    #[serde(default)]
    pub(crate) peak_bytes: u64,
    /// From the outside thread's clock before the wake-up to the task's after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) p50_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) p99_ns: Option<u64>,
    /// When the last of the tasks that compute was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) compute_ns: Option<u64>,
    /// Resident memory of a task that waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bytes_per_task: Option<f64>,
}

impl Sample {
    pub(crate) fn with_compute(mut self, done: Duration) -> Self {
        self.compute_ns = Some(nanoseconds(done));
        self
    }

    /// Adds what so many waiting tasks added to the resident memory.
    pub(crate) fn with_memory(mut self, before: u64, waiting: u64, tasks: usize) -> Self {
        self.bytes_per_task = Some((waiting as f64 - before as f64) / tasks as f64);
        self
    }

    pub(crate) fn with_latencies(mut self, mut latencies: Vec<u64>) -> Self {
        latencies.sort_unstable();
        let at = |percent: usize| latencies.get((latencies.len() - 1) * percent / 100).copied();
        (self.p50_ns, self.p99_ns) = (at(50), at(99));
        self
    }
}

/// A measurement that has begun.
#[derive(Debug)]
pub(crate) struct Meter {
    begin: Instant,
    before: Usage,
}

#[derive(Debug)]
struct Usage {
    cpu_ns: u64,
    voluntary: u64,
    involuntary: u64,
}

impl Usage {
    fn now() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the system tells a process its usage");
        let cpu = usage.user_time() + usage.system_time();
        Self {
            cpu_ns: cpu.num_nanoseconds() as u64,
            voluntary: usage.voluntary_context_switches() as u64,
            involuntary: usage.involuntary_context_switches() as u64,
        }
    }
}

impl Meter {
    pub(crate) fn start() -> Self {
        let before = Usage::now();
        Self { begin: Instant::now(), before }
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    pub(crate) fn stop(self, operations: u64) -> Sample {
        let wall_ns = nanoseconds(self.elapsed());
        let after = Usage::now();
        Sample {
            operations,
            wall_ns,
            cpu_ns: after.cpu_ns - self.before.cpu_ns,
            voluntary: after.voluntary - self.before.voluntary,
            involuntary: after.involuntary - self.before.involuntary,
            ..Sample::default()
        }
    }
}

pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Memory of this process that is in the machine's memory now; 0 where the system does not tell.
/// The exact sum over its mappings: the system's quick count is off by some pages a processor.
pub(crate) fn resident_bytes() -> u64 {
    kilobytes("/proc/self/smaps_rollup", "Rss:")
}

/// The most that it ever was. Of this program alone: the usage that `getrusage` tells has, after
/// `exec`, the parent's peak in it.
pub(crate) fn peak_bytes() -> u64 {
    kilobytes("/proc/self/status", "VmHWM:")
}

fn kilobytes(path: &str, field: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    kilobytes_in(&text, field).unwrap_or(0) * 1024
}

fn kilobytes_in(text: &str, field: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(field))?;
    value.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spent_computing_is_wall_time_and_processor_time() {
        let meter = Meter::start();
        let mut word = 1;
        while meter.elapsed() < Duration::from_millis(30) {
            word = crate::workload::chunk(word);
        }
        let sample = meter.stop(core::hint::black_box(7));
        assert_eq!(sample.operations, 7);
        assert!(sample.wall_ns >= 30_000_000, "{sample:?}");
        assert!(sample.cpu_ns > 1_000_000, "{sample:?}");
    }

    #[test]
    fn a_sleep_is_a_context_switch_and_no_processor_time() {
        let meter = Meter::start();
        std::thread::sleep(Duration::from_millis(2));
        assert!(meter.stop(1).voluntary >= 1);
    }

    #[test]
    fn percentiles_are_of_the_sorted_values() {
        let sample = Sample::default().with_latencies((0..=100).rev().collect());
        assert_eq!((sample.p50_ns, sample.p99_ns), (Some(50), Some(99)));
    }

    #[test]
    fn a_sample_survives_its_line() {
        let sample = Sample { wall_ns: 5, ..Sample::default() }.with_memory(100, 300, 4);
        let line = serde_json::to_string(&sample).expect("JSON");
        assert!(!line.contains("p50"), "{line}");
        assert_eq!(serde_json::from_str::<Sample>(&line).expect("a sample"), sample);
        assert_eq!(sample.bytes_per_task, Some(50.0));
    }

    #[test]
    fn memory_stands_in_kilobytes() {
        let text = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(kilobytes_in(text, "VmHWM:"), Some(2048));
        assert_eq!(kilobytes_in(text, "VmSwap:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory() {
        assert!(peak_bytes() >= resident_bytes() / 2 && resident_bytes() > 100_000);
    }
}
