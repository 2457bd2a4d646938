//! The timers against a sorted list.

use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use proptest::prelude::*;

use super::*;

/// The processors of the runtime that the tests act as.
const PROCESSORS: usize = 4;

/// Who has woken, in order.
type Log = Arc<Mutex<Vec<usize>>>;

/// Writes its name into the log.
struct Writes(usize, Log);

impl Wake for Writes {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn waker(name: usize, log: &Log) -> Waker {
    Waker::from(Arc::new(Writes(name, Arc::clone(log))))
}

#[derive(Clone, Debug)]
enum Step {
    Set { timer: usize, when: u64, processor: usize, renamed: bool },
    Remove { timer: usize },
    Take { processor: usize, now: u64 },
    Resize { to: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Few times, so that many are equal.
    let set = (0..40usize, 0..30u64, 0..PROCESSORS, any::<bool>()).prop_map(
        |(timer, when, processor, renamed)| Step::Set { timer, when, processor, renamed },
    );
    let take = (0..PROCESSORS, 0..30u64).prop_map(|(processor, now)| Step::Take { processor, now });
    let step = prop_oneof![
        6 => set,
        3 => (0..40usize).prop_map(|timer| Step::Remove { timer }),
        2 => take,
        1 => (1..=PROCESSORS).prop_map(|to| Step::Resize { to }),
    ];
    prop::collection::vec(step, 1..300)
}

/// What is pending: the slow way. When, in which order, whose waker, on which processor, which
/// timer.
#[derive(Default)]
struct Reference {
    pending: Vec<(u64, u64, usize, usize, usize)>,
    number: u64,
}

impl Reference {
    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn earliest(&self, processor: usize) -> u64 {
        let here = self.pending.iter().filter(|entry| entry.3 == processor);
        here.map(|entry| entry.0).min().unwrap_or(NEVER)
    }

    /// As [`Timers::set`].
    fn set(&mut self, timer: usize, when: u64, name: usize, processor: usize) -> bool {
        let number = self.next();
        let was = self.pending.iter().position(|entry| entry.4 == timer);
        let processor = was.map_or(processor, |index| self.pending[index].3);
        let before = self.earliest(processor);
        match was {
            Some(index) => {
                let entry = &mut self.pending[index];
                if entry.0 != when {
                    (entry.0, entry.1) = (when, number);
                }
                entry.2 = name;
            }
            None => self.pending.push((when, number, name, processor, timer)),
        }
        self.earliest(processor) < before
    }

    fn take(&mut self, processor: usize, now: u64) -> Vec<usize> {
        let due = |entry: &(u64, u64, usize, usize, usize)| entry.3 == processor && entry.0 <= now;
        let mut taken: Vec<_> = self.pending.iter().copied().filter(due).collect();
        self.pending.retain(|entry| !due(entry));
        taken.sort_unstable();
        taken.into_iter().map(|entry| entry.2).collect()
    }

    fn resize(&mut self, to: usize) {
        for gone in to..PROCESSORS {
            let mut moved: Vec<_> =
                self.pending.iter().copied().filter(|entry| entry.3 == gone).collect();
            moved.sort_unstable();
            for (_, _, _, _, timer) in moved {
                let number = self.next();
                let entry = self.pending.iter_mut().find(|entry| entry.4 == timer).unwrap();
                (entry.1, entry.3) = (number, gone % to);
            }
        }
    }
}

/// Does the steps to both, and compares what can be seen after each.
fn compare(steps: Vec<Step>) {
    let (timers, mut reference) = (Timers::new(PROCESSORS, PROCESSORS), Reference::default());
    let own: Vec<_> = (0..40).map(|_| Timer::new()).collect();
    let log = Log::default();
    let mut wakers: Vec<_> = (0..40).map(|name| waker(name, &log)).collect();
    let (mut processors, mut names) = (PROCESSORS, 40);
    for step in steps {
        match step {
            Step::Set { timer, when, processor, renamed } => {
                if renamed {
                    wakers[timer] = waker(names, &log);
                }
                let name = if renamed { names } else { named(&wakers[timer], &log) };
                names += usize::from(renamed);
                let lies = if processor < processors { processor } else { 0 };
                let told = timers.set(&own[timer], when, &wakers[timer], processor);
                assert_eq!(told, reference.set(timer, when, name, lies));
            }
            Step::Remove { timer } => {
                timers.remove(&own[timer]);
                reference.pending.retain(|entry| entry.4 != timer);
            }
            Step::Take { processor, now } => {
                timers.take_due(processor, || now, |waker| waker.wake());
                let woken = std::mem::take(&mut *log.lock().unwrap());
                assert_eq!(woken, reference.take(processor, now));
            }
            Step::Resize { to } => {
                timers.resized(processors, to);
                processors = to;
                reference.resize(to);
            }
        }
        for processor in 0..PROCESSORS {
            let earliest = timers.shards[processor].earliest.load(Ordering::Relaxed);
            assert_eq!(earliest, reference.earliest(processor));
        }
        let first = reference.pending.iter().map(|entry| entry.0).min();
        assert_eq!(timers.next_deadline(), first);
        assert_eq!(timers.any(), first.is_some());
        for (timer, own) in own.iter().enumerate() {
            let pending = reference.pending.iter().any(|entry| entry.4 == timer);
            assert_eq!(own.is_pending(), pending);
        }
    }
}

/// A waker's name.
fn named(waker: &Waker, log: &Log) -> usize {
    let before = log.lock().unwrap().len();
    waker.wake_by_ref();
    let mut log = log.lock().unwrap();
    assert_eq!(log.len(), before + 1);
    log.pop().unwrap()
}

proptest! {
    #[test]
    fn timers_wake_as_a_sorted_list_says(steps in steps()) {
        compare(steps);
    }
}

#[test]
fn ten_thousand_wake_in_order_and_equal_times_as_they_came() {
    let (timers, log) = (Timers::new(1, 1), Log::default());
    let times = |name: usize| (name as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 53;
    let own: Vec<_> = (0..10_000).map(|_| Timer::new()).collect();
    for (name, timer) in own.iter().enumerate() {
        let _ = timers.set(timer, times(name), &waker(name, &log), 0);
    }
    timers.take_due(0, || 1 << 11, |waker| waker.wake());
    let mut sorted: Vec<_> = (0..10_000).collect();
    sorted.sort_by_key(|&name| times(name));
    assert_eq!(*log.lock().unwrap(), sorted);
    assert!(!timers.any());
}

#[test]
fn a_storm_of_removed_timers_leaves_nothing() {
    let (timers, log) = (Timers::new(1, 1), Log::default());
    let waker = waker(0, &log);
    let keeps = Timer::new();
    let _ = timers.set(&keeps, 1 << 40, &waker, 0);
    for round in 0..10u64 {
        let own: Vec<_> = (0..10_000).map(|_| Timer::new()).collect();
        for (index, timer) in own.iter().enumerate() {
            let _ = timers.set(timer, 1000 + round + index as u64 % 7, &waker, 0);
        }
        assert_eq!(timers.shards[0].heap.lock().unwrap().len(), 10_001);
        own.iter().for_each(|timer| timers.remove(timer));
        let heap = timers.shards[0].heap.lock().unwrap();
        assert_eq!(heap.len(), 1);
        assert!(heap.room() <= 4 * 64, "{} entries are kept", heap.room());
    }
    assert_eq!(timers.next_deadline(), Some(1 << 40));
}

#[test]
fn threads_add_and_remove_while_timers_are_taken_and_moved() {
    let timers = Timers::new(PROCESSORS, PROCESSORS);
    let log = Log::default();
    let kept: Vec<_> = (0..400).map(|_| Timer::new()).collect();
    std::thread::scope(|scope| {
        for thread in 0..2usize {
            let (timers, log, kept) = (&timers, &log, &kept);
            scope.spawn(move || {
                for (index, keeps) in kept.iter().enumerate().skip(thread).step_by(2) {
                    let gone = Timer::new();
                    let _ = timers.set(&gone, index as u64, &waker(usize::MAX, log), index % 4);
                    let _ = timers.set(keeps, 500 + index as u64, &waker(index, log), index % 4);
                    timers.remove(&gone);
                    assert!(!gone.is_pending());
                }
            });
        }
        for round in 0..200 {
            timers.resized(PROCESSORS, 1 + round % PROCESSORS);
        }
    });
    timers.resized(PROCESSORS, 1);
    assert!(kept.iter().all(Timer::is_pending), "a timer was lost");
    timers.take_due(0, || 10_000, |waker| waker.wake());
    assert!(!timers.any());
    let woken = log.lock().unwrap();
    let mut all: Vec<_> = woken.clone();
    all.sort_unstable();
    assert_eq!(all, (0..400).collect::<Vec<_>>());
}

#[test]
fn a_poller_that_looks_during_a_resize_sees_what_is_pending() {
    let (timers, log) = (Timers::new(PROCESSORS, PROCESSORS), Log::default());
    let (timer, waker) = (Timer::new(), waker(0, &log));
    // Odd while the timer is pending, and perhaps moves.
    let phase = AtomicUsize::new(0);
    let over = AtomicUsize::new(0);
    let (mut seen, mut wrong, begin) = (0, None, std::time::Instant::now());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while over.load(Ordering::Relaxed) == 0 {
                timers.resized(1, PROCESSORS);
                let _ = timers.set(&timer, 7, &waker, PROCESSORS - 1);
                phase.fetch_add(1, Ordering::SeqCst);
                timers.resized(PROCESSORS, 1);
                phase.fetch_add(1, Ordering::SeqCst);
                timers.remove(&timer);
            }
        });
        // The more processors the test has for itself, the sooner it has seen enough.
        while seen < 1_000_000 && wrong.is_none() && begin.elapsed().as_secs() < 5 {
            let before = phase.load(Ordering::SeqCst);
            let (next, any) = (timers.next_deadline(), timers.any());
            if before % 2 == 1 && phase.load(Ordering::SeqCst) == before {
                wrong = Some((next, any)).filter(|&seen| seen != (Some(7), true));
                seen += 1;
            }
        }
        over.store(1, Ordering::Relaxed);
    });
    assert!(seen > 0 && wrong.is_none(), "{wrong:?}");
}

#[test]
fn nothing_is_added_after_the_end() {
    let (timers, log) = (Timers::new(2, 2), Log::default());
    let (before, after) = (Timer::new(), Timer::new());
    let waker = waker(0, &log);
    assert!(timers.set(&before, 5, &waker, 1));
    timers.close();
    assert!(!before.is_pending());
    assert!(!timers.set(&after, 5, &waker, 1));
    assert!(!after.is_pending() && !timers.any());
}

/// Panics when it goes, with what does so, too.
struct Refuses;

impl Wake for Refuses {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Refuses {
    fn drop(&mut self) {
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
        }
        std::panic::resume_unwind(Box::new(Again));
    }
}

#[test]
fn wakers_that_panic_as_they_go_keep_no_other() {
    let timers = Timers::new(PROCESSORS, PROCESSORS);
    let log = Log::default();
    let all: Vec<_> = (0..4).map(|_| Timer::new()).collect();
    let set = |timer, waker: Waker| assert!(timers.set(timer, 7, &waker, 0) || timers.any());
    for (index, timer) in all.iter().enumerate() {
        if index < 3 {
            set(timer, Waker::from(Arc::new(Refuses)));
        } else {
            set(timer, waker(index, &log));
        }
    }
    // One is taken out, one is replaced.
    timers.remove(&all[0]);
    set(&all[1], Waker::from(Arc::new(Refuses)));
    timers.close();
    assert!(!timers.any());
    assert_eq!(Arc::strong_count(&log), 1);
}
