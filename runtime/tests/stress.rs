//! Goroutines that do all there is to do, at random, on a runtime that is resized meanwhile.
//! Nothing is lost: each that was started ends once, each that was to be woken goes on, sums come
//! out right.
//!
//! ```text
//! GOSCHED_STRESS_SECONDS=60 GOSCHED_STRESS_SEED=7 cargo test -p gosched-runtime --test stress
//! ```

use std::env;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::{
    Builder, Handle, Migrating, Runtime, block_on, blocking, checkpoint, current, go, go_future,
    lock_os_thread, park, set_processors, yield_now,
};

/// A small generator: each goroutine has its own, so that a seed names a run's choices.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    fn child(&mut self) -> Self {
        Self(self.next(u64::MAX) | 1)
    }
}

/// What all goroutines of a run share.
#[derive(Default)]
struct Counts {
    started: AtomicU64,
    ended: AtomicU64,
    /// Parked goroutines, each with the flag that it waits for.
    parked: Mutex<Vec<(Handle, Arc<AtomicBool>)>>,
    /// What kinds of steps there were: a run without one shows nothing of it.
    steps: [AtomicU64; STEPS as usize],
    over: AtomicBool,
}

const STEPS: u64 = 11;

/// Counts the start now and the end when it is dropped, whatever ends it.
struct Alive(Arc<Counts>);

impl Alive {
    fn new(counts: &Arc<Counts>) -> Self {
        counts.started.fetch_add(1, SeqCst);
        Self(Arc::clone(counts))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, SeqCst);
    }
}

/// Lets one of those that are parked go on.
fn wake_one(counts: &Counts, random: &mut Random) {
    let woken = {
        let mut parked = counts.parked.lock().unwrap();
        let count = parked.len() as u64;
        (count > 0).then(|| parked.swap_remove(random.next(count) as usize))
    };
    if let Some((handle, told)) = woken {
        told.store(true, SeqCst);
        handle.unpark();
    }
}

/// Parks until somebody picks this one out of the list.
fn wait_to_be_picked(counts: &Counts) {
    let told = Arc::new(AtomicBool::new(false));
    counts.parked.lock().unwrap().push((current().unwrap(), Arc::clone(&told)));
    while !told.load(SeqCst) && !counts.over.load(SeqCst) {
        park();
    }
}

/// One goroutine: `steps` things at random. The sum of what it and all it has joined did.
fn live(alive: Alive, mut random: Random, steps: u64, depth: u64) -> u64 {
    let counts = Arc::clone(&alive.0);
    let me = current().unwrap().id();
    let mut sum = 0;
    for _ in 0..steps {
        let step = random.next(STEPS);
        counts.steps[step as usize].fetch_add(1, SeqCst);
        match step {
            0 => yield_now(),
            1 => checkpoint(),
            2 => wake_one(&counts, &mut random),
            3 => sum += have_children(&counts, &mut random, depth),
            4 => blocking(|| thread::sleep(Duration::from_micros(random.next(120)))),
            5 => {
                let _lock = lock_os_thread();
                yield_now();
            }
            6 if depth > 0 => {
                // Nobody waits for it.
                let (alive, random) = (Alive::new(&counts), random.child());
                drop(go(move || live(alive, random, 4, depth - 1)));
            }
            7 => sum += block_on(go_future(some_polls(random.next(4)))).unwrap() - 1,
            8 => fall(&counts),
            // Never so many that all sleep, with nobody left to pick them.
            9 if counts.parked.lock().unwrap().len() < 16 => wait_to_be_picked(&counts),
            10 if random.next(20) == 0 => set_processors(1 + random.next(4) as usize).unwrap(),
            _ => (0..random.next(2000)).for_each(|_| std::hint::spin_loop()),
        }
        assert_eq!(current().unwrap().id(), me);
        sum += 1;
    }
    sum
}

/// Starts a few, and joins them. How many steps they made.
fn have_children(counts: &Arc<Counts>, random: &mut Random, depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    let children: Vec<_> = (0..random.next(4))
        .map(|_| {
            let (alive, random, steps) = (Alive::new(counts), random.child(), random.next(12));
            (steps, go(move || live(alive, random, steps, depth - 1)))
        })
        .collect();
    let join = |(least, child): (u64, gosched_runtime::JoinHandle<u64>)| {
        let sum = child.join().unwrap();
        assert!(sum >= least, "a goroutine's steps: {sum} of {least}");
        sum
    };
    children.into_iter().map(join).sum()
}

/// A future that is ready at its `polls`-th poll after the first, and wakes itself until then.
async fn some_polls(polls: u64) -> u64 {
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    1
}

/// A goroutine that panics, in a call sometimes.
fn fall(counts: &Arc<Counts>) {
    let alive = Alive::new(counts);
    let falls = go(move || {
        let _alive = alive;
        yield_now();
        blocking(|| std::panic::resume_unwind(Box::new(17_u64)));
    });
    assert!(falls.join().unwrap_err().into_panic().is::<u64>());
}

/// A run for a while. How many goroutines there were.
fn run(runtime: Runtime, seed: u64, longest: Duration) -> u64 {
    let counts = Arc::new(Counts::default());
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let begin = Instant::now();
    let outside = runtime.outside();
    while begin.elapsed() < longest {
        let roots: Vec<_> = (0..8)
            .map(|_| {
                let (alive, random) = (Alive::new(&counts), random.child());
                runtime.go(move || live(alive, random, 40, 3))
            })
            .collect();
        // Those that are parked when all else has ended are picked from here.
        for root in roots {
            let waits = Instant::now();
            while !root.is_finished() {
                wake_one(&counts, &mut random);
                thread::sleep(Duration::from_micros(200));
                let stuck = waits.elapsed() > Duration::from_secs(60);
                assert!(!stuck, "seed {seed}: {}\n{:?}", runtime.dump(), runtime.snapshot());
            }
            assert!(root.join().unwrap() >= 40);
        }
    }
    counts.over.store(true, SeqCst);
    let shutdown = loop {
        wake_one(&counts, &mut random);
        if counts.ended.load(SeqCst) == counts.started.load(SeqCst) {
            drop(outside);
            break runtime.shutdown(Duration::from_secs(20)).unwrap();
        }
        let late = begin.elapsed() > longest + Duration::from_secs(60);
        assert!(!late, "seed {seed}: {}\n{:?}", runtime.dump(), runtime.snapshot());
        thread::sleep(Duration::from_micros(200));
    };
    assert!(shutdown.is_clean(), "seed {seed}: {shutdown}");
    let steps = counts.steps.each_ref().map(|count| count.load(SeqCst));
    assert!(steps.iter().all(|count| *count > 0), "seed {seed}: {steps:?}");
    counts.started.load(SeqCst)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Runs on a runtime of this kind, as long as the environment says, or a little.
fn stress(builder: &Builder) {
    let longest = Duration::from_secs(number("GOSCHED_STRESS_SECONDS").unwrap_or(2));
    let seed = number("GOSCHED_STRESS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let count = run(builder.clone().build().unwrap(), seed, longest);
    println!("seed {seed}: {count} goroutines");
}

fn migrating() -> Builder {
    // SAFETY: this test keeps nothing of a thread across a scheduling point.
    Runtime::builder().migrating(unsafe { Migrating::promise() }).max_processors(4)
}

#[test]
fn goroutines_that_migrate() {
    stress(&migrating().processors(2));
}

#[test]
fn goroutines_that_migrate_on_few_machines() {
    // Locked ones need a thread each, and one more.
    stress(&migrating().processors(1).max_machines(40));
}

#[test]
fn pinned_goroutines() {
    stress(&Runtime::builder().max_processors(4).processors(2));
}

#[test]
fn pinned_goroutines_on_few_machines() {
    stress(&Runtime::builder().max_processors(4).processors(2).max_machines(5));
}
