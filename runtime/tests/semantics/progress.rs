//! Everybody has a turn: yields, all processors at once, hogs, and queues that feed themselves.

use std::future::{Future, poll_fn};
use std::hint::spin_loop;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::dump::GoroutineInfo;
use gosched_runtime::net::unix::UnixStream;
use gosched_runtime::time::timeout;
use gosched_runtime::{
    Handle, Runtime, Status, block_on, blocking, checkpoint, current, go, go_future,
    lock_os_thread, park, yield_now,
};

use crate::kinds::{both, eventually, watch, works_and_ends};

/// Yields until the other one has had its turn.
fn yields_until_told(runtime: &Runtime, locked: bool) {
    let told = Arc::new(AtomicBool::new(false));
    runtime
        .run(move || {
            let _lock = locked.then(lock_os_thread);
            let tells = Arc::clone(&told);
            let teller = go(move || {
                for _ in 0..10 {
                    yield_now();
                }
                tells.store(true, SeqCst);
            });
            while !told.load(SeqCst) {
                yield_now();
            }
            teller.join().unwrap();
        })
        .unwrap();
    works_and_ends(runtime);
}

#[test]
fn whoever_yields_lets_the_others_run() {
    let _watch = watch();
    both(1).iter().for_each(|runtime| yields_until_told(runtime, false));
}

#[test]
fn whoever_yields_locked_to_its_thread_lets_the_others_run() {
    let _watch = watch();
    both(1).iter().for_each(|runtime| yields_until_told(runtime, true));
    both(2).iter().for_each(|runtime| yields_until_told(runtime, true));
}

#[test]
fn as_many_goroutines_run_at_once_as_there_are_processors() {
    let _watch = watch();
    for runtime in both(4) {
        for _ in 0..20 {
            let arrived = Arc::new(AtomicUsize::new(0));
            runtime
                .run(move || {
                    let all: Vec<_> = (0..4)
                        .map(|_| {
                            let arrived = Arc::clone(&arrived);
                            // Without a scheduling point: none may depend on another's turn.
                            go(move || {
                                arrived.fetch_add(1, SeqCst);
                                while arrived.load(SeqCst) < 4 {
                                    std::thread::yield_now();
                                }
                            })
                        })
                        .collect();
                    all.into_iter().for_each(|one| one.join().unwrap());
                })
                .unwrap();
        }
        works_and_ends(&runtime);
    }
}

/// Ready when it is told, and meanwhile woken inside each of its polls.
fn wakes_itself_until(told: Arc<AtomicBool>) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        context.waker().wake_by_ref();
        if told.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    })
}

/// Spins until it is told, in some way that lets others take their turn.
const SPINS: [fn(&Arc<AtomicBool>); 3] = [
    |told| {
        while !told.load(SeqCst) {
            yield_now();
        }
    },
    |told| {
        while !told.load(SeqCst) {
            checkpoint();
        }
    },
    |told| block_on(wakes_itself_until(Arc::clone(told))),
];

#[test]
fn whoever_yields_inside_a_poll_lets_the_others_run() {
    let _watch = watch();
    for runtime in both(1) {
        for spin in SPINS {
            let told = Arc::new(AtomicBool::new(false));
            runtime
                .run(move || {
                    // A future tells: where goroutines are pinned, theirs may be this thread.
                    let spins = go_future(async move {
                        let tells = Arc::clone(&told);
                        go_future(async move { tells.store(true, SeqCst) });
                        spin(&told);
                    });
                    spins.join().unwrap();
                })
                .unwrap();
        }
        works_and_ends(&runtime);
    }
}

/// Spins when it is dropped.
struct Spins(fn(&Arc<AtomicBool>), Arc<AtomicBool>);

impl Drop for Spins {
    fn drop(&mut self) {
        (self.0)(&self.1);
    }
}

#[test]
fn whoever_yields_while_it_unwinds_lets_the_others_run() {
    let _watch = watch();
    for runtime in both(1) {
        for spin in SPINS {
            let told = Arc::new(AtomicBool::new(false));
            let error = runtime.run(move || {
                let tells = Arc::clone(&told);
                let unwinds = go(move || {
                    let _spins = Spins(spin, told);
                    go_future(async move { tells.store(true, SeqCst) });
                    resume_unwind(Box::new("unwinds"));
                });
                unwinds.join().unwrap_err()
            });
            assert_eq!(error.unwrap().message(), Some("unwinds"));
        }
        works_and_ends(&runtime);
    }
}

/// Blocks in a call when it is dropped, until it is told.
struct Blocks(Arc<AtomicBool>);

impl Drop for Blocks {
    fn drop(&mut self) {
        blocking(|| eventually("it is told", || self.0.load(SeqCst)));
    }
}

#[test]
fn whoever_lost_its_processor_while_it_was_unwound_queues_up_for_one() {
    const POINTS: [fn(); 2] = [checkpoint, || drop(go(|| ()))];
    let _watch = watch();
    for runtime in both(1) {
        for point in POINTS {
            let (has, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
            let (had, has_it) = runtime
                .run(move || {
                    let (hogs, stops) = (Arc::clone(&has), Arc::clone(&stop));
                    let blocks = Blocks(Arc::clone(&has));
                    // It takes the processor that the call leaves, and keeps it for a while.
                    let hog = go_future(async move {
                        hogs.store(true, SeqCst);
                        while !stops.load(SeqCst) {
                            spin_loop();
                        }
                        hogs.store(false, SeqCst);
                    });
                    let caught = catch_unwind(AssertUnwindSafe(|| {
                        let _blocks = blocks;
                        resume_unwind(Box::new("unwinds"));
                    }));
                    assert!(caught.is_err());
                    let had = has.load(SeqCst);
                    let stopper = thread::spawn(move || {
                        thread::sleep(Duration::from_millis(20));
                        stop.store(true, SeqCst);
                    });
                    point();
                    let has_it = has.load(SeqCst);
                    blocking(|| stopper.join().unwrap());
                    hog.join().unwrap();
                    (had, has_it)
                })
                .unwrap();
            assert!(had, "it went on without a processor");
            assert!(!has_it, "it had its turn before the one with the processor had ended its");
        }
        works_and_ends(&runtime);
    }
}

/// Something that happens once, and whoever waits for it.
#[derive(Default)]
struct Event(Mutex<(bool, Option<Waker>)>);

impl Event {
    fn set(&self) {
        let waker = {
            let mut event = self.0.lock().unwrap();
            event.0 = true;
            event.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut event = self.0.lock().unwrap();
        event.1 = Some(context.waker().clone());
        if event.0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[test]
fn a_wait_of_a_thread_inside_another_takes_no_wake_of_that_one() {
    const LONG: Duration = Duration::from_secs(1000);
    let _watch = watch();
    for limited in [false, true] {
        let (outer, inner) = (Event::default(), Arc::new(Event::default()));
        let mut first = true;
        let waits = poll_fn(|context| {
            let poll = outer.poll(context);
            if std::mem::take(&mut first) {
                outer.set();
                let sets = Arc::clone(&inner);
                let setter = thread::spawn(move || sets.set());
                block_on(poll_fn(|context| inner.poll(context)));
                setter.join().unwrap();
            }
            poll
        });
        match limited {
            true => timeout(LONG, waits).unwrap(),
            false => block_on(waits),
        }
    }
}

#[test]
fn a_goroutine_that_waits_for_a_socket_is_in_no_deadlock() {
    let _watch = watch();
    for runtime in both(2) {
        let (mut near, mut far) = runtime.net(UnixStream::pair).unwrap();
        let read = thread::scope(|scope| {
            let read = scope.spawn(|| {
                runtime.run(move || {
                    let mut buffer = [0];
                    near.read_exact(&mut buffer).map(|()| buffer[0])
                })
            });
            eventually("all are asleep", || {
                let snapshot = runtime.snapshot();
                let waits = |info: &GoroutineInfo| info.status == Status::Waiting;
                let all = runtime.dump().goroutines;
                !all.is_empty() && all.iter().all(waits) && snapshot.idle == 2
            });
            assert!(!read.is_finished(), "it is told of no deadlock");
            far.write_all(&[7]).unwrap();
            read.join().unwrap()
        });
        assert_eq!(read.unwrap().unwrap(), 7);
        works_and_ends(&runtime);
    }
}

/// Runs until it is told to end, with no scheduling point but the checkpoint.
fn hog(stop: &Arc<AtomicBool>, count: &Arc<AtomicU64>) -> impl FnOnce() + Send + 'static {
    let (stop, count) = (Arc::clone(stop), Arc::clone(count));
    move || {
        while !stop.load(SeqCst) {
            count.fetch_add(1, SeqCst);
            spin_loop();
            checkpoint();
        }
    }
}

/// One of two that hand a permit back and forth: says who it is, and plays its rounds.
fn play(rounds: u32, turn: &AtomicU64, mine: u64, who: &[OnceLock<Handle>; 2]) {
    who[mine as usize].set(current().unwrap()).unwrap();
    let other = loop {
        match who[1 - mine as usize].get() {
            Some(other) => break other,
            None => yield_now(),
        }
    };
    for _ in 0..rounds {
        while turn.load(SeqCst) != mine {
            park();
        }
        turn.store(1 - mine, SeqCst);
        other.unpark();
    }
}

#[test]
fn two_that_hand_a_permit_back_and_forth_are_not_slowed_down_by_hogs() {
    const ROUNDS: u32 = 20_000;
    let _watch = watch();
    for runtime in both(1) {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let hogs: Vec<_> = (0..2).map(|_| runtime.go(hog(&stop, &count))).collect();
        eventually("a hog runs", || count.load(SeqCst) > 0);
        let before = count.load(SeqCst);
        let begin = Instant::now();
        let shared = Arc::new((AtomicU64::new(0), [OnceLock::new(), OnceLock::new()]));
        let players: Vec<_> = [0, 1]
            .into_iter()
            .map(|mine| {
                let shared = Arc::clone(&shared);
                runtime.go(move || play(ROUNDS, &shared.0, mine, &shared.1))
            })
            .collect();
        players.into_iter().for_each(|player| player.join().unwrap());
        let took = begin.elapsed();
        let hogged = count.load(SeqCst) - before;
        stop.store(true, SeqCst);
        hogs.into_iter().for_each(|hog| hog.join().unwrap());
        // Were each hand-over to wait for a hog's slice of 10 ms, it would be 400 s.
        assert!(took < Duration::from_secs(20), "{ROUNDS} rounds took {took:?}");
        // And the hogs have their turns: the two do not keep the processor.
        assert!(hogged > 0);
        works_and_ends(&runtime);
    }
}

#[test]
fn two_that_wake_each_other_for_ever_do_not_starve_one_that_comes_from_outside() {
    let _watch = watch();
    for runtime in both(1) {
        let shared = Arc::new((AtomicU64::new(0), [OnceLock::new(), OnceLock::new()]));
        let stop = Arc::new(AtomicBool::new(false));
        let players: Vec<_> = [0, 1]
            .into_iter()
            .map(|mine| {
                let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
                runtime.go(move || {
                    while !stop.load(SeqCst) {
                        play_once(&shared.0, mine, &shared.1);
                    }
                    shared.1.iter().filter_map(OnceLock::get).for_each(Handle::unpark);
                })
            })
            .collect();
        eventually("the two wake each other", || shared.0.load(SeqCst) > 1000);
        for _ in 0..100 {
            // The thread's, so into the global queue.
            runtime.go(|| ()).join().unwrap();
        }
        stop.store(true, SeqCst);
        shared.1.iter().filter_map(OnceLock::get).for_each(Handle::unpark);
        players.into_iter().for_each(|player| player.join().unwrap());
        works_and_ends(&runtime);
    }
}

/// Wakes the other and waits to be woken, once; it may be woken for nothing.
fn play_once(count: &AtomicU64, mine: usize, who: &[OnceLock<Handle>; 2]) {
    let _ = who[mine].get_or_init(|| current().unwrap());
    count.fetch_add(1, SeqCst);
    match who[1 - mine].get() {
        Some(other) => {
            other.unpark();
            park();
        }
        None => yield_now(),
    }
}

/// Starts its successor, which runs next, for as long as it may.
fn breed(stop: Arc<AtomicBool>, born: Arc<AtomicU64>) {
    if !stop.load(SeqCst) {
        born.fetch_add(1, SeqCst);
        go(move || breed(stop, born));
    }
}

#[test]
fn goroutines_that_start_their_successors_for_ever_starve_nobody() {
    let _watch = watch();
    for runtime in both(1) {
        let (stop, born) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        runtime.go({
            let (stop, born) = (Arc::clone(&stop), Arc::clone(&born));
            move || breed(stop, born)
        });
        eventually("there are many", || born.load(SeqCst) > 1000);
        for _ in 0..100 {
            // The first comes by the global queue, the second stands behind the breeders in the
            // processor's own.
            runtime.run(|| go(yield_now).join().unwrap()).unwrap();
        }
        stop.store(true, SeqCst);
        works_and_ends(&runtime);
    }
}

#[test]
fn a_future_that_wakes_itself_for_ever_starves_nobody() {
    let _watch = watch();
    for runtime in both(1) {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let spinner = runtime
            .run(move || {
                go_future(std::future::poll_fn(move |context| {
                    context.waker().wake_by_ref();
                    match stops.load(SeqCst) {
                        true => std::task::Poll::Ready(()),
                        false => std::task::Poll::Pending,
                    }
                }))
            })
            .unwrap();
        for _ in 0..20 {
            runtime.go(yield_now).join().unwrap();
        }
        stop.store(true, SeqCst);
        spinner.join().unwrap();
        works_and_ends(&runtime);
    }
}
