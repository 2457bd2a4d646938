//! Everybody has a turn: yields, all processors at once, hogs, and queues that feed themselves.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gosched_runtime::{
    Handle, Runtime, checkpoint, current, go, go_future, lock_os_thread, park, yield_now,
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
