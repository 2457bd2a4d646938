//! A histogram of times, for one writer.
//!
//! Its buckets are as wide as a quarter of the power of two that they lie in, so that a time is
//! known to 25 % whatever its size. One writer at a time, no locked instruction:
//!
//! ```text
//!    0 1 2 3 | 4 5 6 7 | 8-9 10-11 12-13 14-15 | 16-19 20-23 24-27 28-31 | ...
//! ```

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Four for each power of two, from 4 ns to 2^40 ns, about 18 minutes.
const BUCKETS: usize = 160;

/// Times in nanoseconds, in buckets.
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], sum: AtomicU64::new(0) }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Histogram")
    }
}

/// The bucket of a time.
fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < 4 {
        return nanoseconds as usize;
    }
    let power = nanoseconds.ilog2() as usize;
    let quarter = (nanoseconds >> (power - 2)) as usize & 3;
    ((power - 1) * 4 + quarter).min(BUCKETS - 1)
}

/// The largest time of a bucket.
fn upper(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let (power, quarter) = (bucket / 4 + 1, bucket as u64 % 4);
    (1 << power) + ((quarter + 1) << (power - 2)) - 1
}

impl Histogram {
    /// Adds a time. One writer at a time, each of which comes after the one before.
    pub(crate) fn add(&self, nanoseconds: u64) {
        let add = |word: &AtomicU64, what: u64| {
            // ORDER: Relaxed, both: a count of one writer, which tells itself alone.
            word.store(word.load(Ordering::Relaxed).wrapping_add(what), Ordering::Relaxed);
        };
        add(&self.buckets[bucket(nanoseconds)], 1);
        add(&self.sum, nanoseconds);
    }

    /// Adds its counts to a picture.
    pub(crate) fn add_to(&self, latency: &mut Latency) {
        for (sum, bucket) in latency.buckets.iter_mut().zip(&self.buckets) {
            // ORDER: Relaxed: as above.
            *sum += bucket.load(Ordering::Relaxed);
        }
        // ORDER: Relaxed: as above.
        latency.sum += self.sum.load(Ordering::Relaxed);
    }
}

/// How long goroutines have waited from runnable to running, each time counted once.
#[derive(Clone, PartialEq, Eq)]
pub struct Latency {
    buckets: Vec<u64>,
    sum: u64,
}

impl Latency {
    pub(crate) fn new() -> Self {
        Self { buckets: vec![0; BUCKETS], sum: 0 }
    }

    /// How many times were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Their mean; zero if there are none.
    #[must_use]
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum.checked_div(self.count()).unwrap_or(0))
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// A time that this share of all did not exceed, 0.99 of them say: the upper end of its bucket,
    /// which is at most a quarter too much. Zero if there are none; a share outside of 0 to 1 is
    /// taken to be the nearer of the two.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let count = self.count();
        let rank = ((count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        });
        Duration::from_nanos(found.map_or(0, upper))
    }

    /// The buckets that are not empty: the largest time of each, and how many times were in it.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let counts = self.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(index, count)| (Duration::from_nanos(upper(index)), *count))
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latency")
            .field("count", &self.count())
            .field("mean", &self.mean())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_lies_in_a_bucket_that_is_at_most_a_quarter_wide() {
        let times = (0..40).flat_map(|power| [(1u64 << power) - 1, 1 << power, 3 << power >> 1]);
        for time in times {
            let index = bucket(time);
            let lower = if index == 0 { 0 } else { upper(index - 1) + 1 };
            assert!((lower..=upper(index)).contains(&time), "{time} in {lower}..={}", upper(index));
            assert!(upper(index) - lower <= lower / 4, "{lower}..={}", upper(index));
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_the_buckets_upper_ends() {
        let histogram = Histogram::default();
        for time in 1..=1000 {
            histogram.add(time);
        }
        let mut latency = Latency::new();
        histogram.add_to(&mut latency);
        assert_eq!((latency.count(), latency.sum().as_nanos()), (1000, 500_500));
        assert_eq!(latency.quantile(0.5), Duration::from_nanos(511));
        assert_eq!(latency.quantile(0.0), Duration::from_nanos(1));
        assert_eq!(latency.quantile(2.0), Duration::from_nanos(1023));
        assert_eq!(latency.buckets().map(|(_, count)| count).sum::<u64>(), 1000);
    }
}
