//! The machine that a number comes from, and the processors that its threads stand on.

use core::time::Duration;
use std::fs;
use std::time::SystemTime;

use serde::Serialize;

/// What must stand beside every number.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's own name for itself.
    pub cpu: String,
    /// How many processors this process may use.
    pub processors: usize,
    /// Whether two of them may be one core: threads to a core, as far as the system tells.
    pub threads_per_core: usize,
    /// The operating system, with its version where it is known.
    pub system: String,
    /// The compiler that built the program.
    pub rustc: &'static str,
    /// The commit it was built from; with a `+` if the sources had been changed.
    pub commit: &'static str,
    /// The peers and their versions.
    pub peers: &'static str,
    /// When the run began, UTC.
    pub date: String,
}

impl Machine {
    /// This machine, now.
    #[must_use]
    pub fn here() -> Self {
        Self {
            cpu: cpu_name().unwrap_or_else(|| format!("unknown {}", std::env::consts::ARCH)),
            processors: usable().len(),
            threads_per_core: threads_per_core(),
            system: system(),
            rustc: env!("GOSCHED_RUSTC_VERSION"),
            commit: env!("GOSCHED_COMMIT"),
            peers: env!("GOSCHED_PEER_VERSIONS"),
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
        }
    }

    /// `<date>-<cpu>`, for the name of a file.
    #[must_use]
    pub fn slug(&self) -> String {
        let date = self.date.split('T').next().unwrap_or_default();
        let lower = self.cpu.to_lowercase().replace("(r)", "").replace("(tm)", "");
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        let cpu = words.collect::<Vec<_>>().join("-");
        format!("{date}-{cpu}-{}", self.processors)
    }

    /// What the machine does besides: processes that were running in the last minute, on average.
    /// More than the measurement's own threads means noise.
    #[must_use]
    pub fn load() -> Option<f64> {
        fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
    }
}

fn cpu_name() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn system() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{} {}", std::env::consts::OS, release.trim()).trim().to_owned()
}

fn threads_per_core() -> usize {
    let first = usable().first().copied().unwrap_or(0);
    siblings(first).map_or(1, |siblings| siblings.len().max(1))
}

/// The processors that share a core with one: `0-1` or `0,64`.
fn siblings(processor: usize) -> Option<Vec<usize>> {
    let folder = format!("/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list");
    Some(parse_list(fs::read_to_string(folder).ok()?.trim()))
}

fn parse_list(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?)
    };
    text.split(',').filter_map(range).flatten().collect()
}

/// Processors for the threads of one measurement, one each.
#[derive(Clone, Debug)]
pub struct Processors(Vec<usize>);

impl Processors {
    /// So many processors: one of each core first, the second threads of the cores after them.
    /// `None` if there are fewer.
    #[must_use]
    pub fn usable(count: usize) -> Option<Self> {
        let mut all = usable();
        all.sort_by_key(|processor| {
            let place = siblings(*processor)
                .and_then(|siblings| siblings.iter().position(|sibling| sibling == processor));
            (place.unwrap_or(0), *processor)
        });
        all.truncate(count);
        (all.len() == count).then_some(Self(all))
    }

    /// Puts the calling thread on one of them, until the guard is dropped. Where the system has no
    /// such call, or refuses, the thread runs where the system likes.
    #[must_use]
    pub fn pin(&self, thread: usize) -> Pinned {
        Pinned(affinity::pin(self.0[thread]))
    }
}

/// A thread on a processor.
#[derive(Debug)]
pub struct Pinned(Option<affinity::Before>);

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = self.0.take() {
            affinity::restore(before);
        }
    }
}

/// How long the calling thread has had a processor; `None` where the system does not tell.
#[must_use]
pub fn processor_time() -> Option<Duration> {
    affinity::processor_time()
}

fn usable() -> Vec<usize> {
    affinity::usable().unwrap_or_else(|| {
        let count = std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
        (0..count).collect()
    })
}

#[cfg(target_os = "linux")]
mod affinity {
    use core::time::Duration;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) type Before = CpuSet;

    pub(super) fn usable() -> Option<Vec<usize>> {
        let set = sched_getaffinity(None).ok()?;
        Some((0..CpuSet::MAX_CPU).filter(|processor| set.is_set(*processor)).collect())
    }

    pub(super) fn pin(processor: usize) -> Option<Before> {
        let before = sched_getaffinity(None).ok()?;
        let mut one = CpuSet::new();
        one.set(processor);
        sched_setaffinity(None, &one).ok()?;
        Some(before)
    }

    pub(super) fn processor_time() -> Option<Duration> {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).ok()
    }

    pub(super) fn restore(before: Before) {
        // A thread that stays where it is does no harm.
        let _ = sched_setaffinity(None, &before);
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    pub(super) type Before = ();

    pub(super) fn usable() -> Option<Vec<usize>> {
        None
    }

    pub(super) fn pin(_processor: usize) -> Option<Before> {
        None
    }

    pub(super) fn processor_time() -> Option<core::time::Duration> {
        None
    }

    pub(super) fn restore(_before: Before) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_processors_has_ranges_and_single_ones() {
        assert_eq!(parse_list("0-2,64"), [0, 1, 2, 64]);
        assert_eq!(parse_list("5"), [5]);
        assert_eq!(parse_list(""), [0_usize; 0]);
    }

    #[test]
    fn the_name_of_a_record_is_a_file_name() {
        let mut machine = Machine::here();
        machine.cpu = "AMD EPYC(TM) 9654 / 96-Core".to_owned();
        machine.date = "2026-11-22T06:43:28Z".to_owned();
        machine.processors = 8;
        assert_eq!(machine.slug(), "2026-11-22-amd-epyc-9654-96-core-8");
    }

    #[test]
    fn a_pinned_thread_goes_back_where_it_was() {
        let before = usable();
        let one = Processors::usable(1).expect("there is a processor");
        let pinned = one.pin(0);
        if pinned.0.is_some() {
            assert_eq!(usable(), one.0);
        }
        drop(pinned);
        assert_eq!(usable(), before);
        assert!(Processors::usable(usize::MAX).is_none());
    }
}
