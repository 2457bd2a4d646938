//! Where nothing happens, nothing is spent: connections, timers and goroutines that wait wake
//! nobody.
//!
//! A binary of its own, with one test: the time and the switches are the process's.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use gosched_runtime::net::{TcpListener, TcpStream};
use gosched_runtime::time::{sleep, timeout};
use gosched_runtime::{Migrating, Runtime, go, park};

const CONNECTIONS: usize = 1000;

/// The processor's time that the process has had, and how often its threads have gone to sleep.
/// (How often they were taken off tells of the machine's other work.)
fn usage() -> (Duration, i64) {
    // SAFETY: a structure of numbers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is written.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) }, 0);
    let time = |time: libc::timeval| {
        Duration::new(time.tv_sec as u64, 1000 * u32::try_from(time.tv_usec).unwrap())
    };
    (time(usage.ru_utime) + time(usage.ru_stime), usage.ru_nvcsw)
}

/// Asserts that for two seconds nobody is woken: in one of three tries, as a thread that is late on
/// a busy machine may have something left to do.
fn assert_quiet(what: &str) {
    let is_quiet = |_| {
        // sysmon needs some rounds to find that there is nothing to do.
        thread::sleep(Duration::from_millis(500));
        let before = usage();
        thread::sleep(Duration::from_secs(2));
        let after = usage();
        let (time, switches) = (after.0 - before.0, after.1 - before.1);
        println!("{what}, 2 s: {time:?}, {switches} switches");
        // This thread's own sleep is one.
        switches <= 5 && time < Duration::from_millis(5)
    };
    assert!((0..3).any(is_quiet), "{what}: somebody is woken");
}

fn idle_connections_wake_nobody(runtime: &Runtime) {
    let (all, wait) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let main = runtime.go(move || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let readers: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let near = TcpStream::connect(address).unwrap();
                let (mut far, _) = listener.accept().unwrap();
                let reader = go(move || far.read(&mut [0; 10]).unwrap());
                (near, reader)
            })
            .collect();
        all.send(()).unwrap();
        gosched_runtime::blocking(|| ends.recv()).unwrap_err();
        for (mut near, reader) in readers {
            near.write_all(b"x").unwrap();
            assert_eq!(reader.join().unwrap(), 1);
        }
    });
    wait.recv().unwrap();
    assert_quiet("idle connections");
    drop(end);
    main.join().unwrap();
}

fn goroutines_that_wait_for_each_other_wake_nobody(runtime: &Runtime) {
    let parked: Vec<_> = (0..1000).map(|_| runtime.go(park)).collect();
    assert_quiet("parked goroutines");
    assert!(parked.iter().all(|goroutine| !goroutine.is_finished()));
}

fn a_timer_that_is_far_off_wakes_nobody(runtime: &Runtime) {
    let hour = Duration::from_secs(3600);
    let sleeper = runtime.go(move || sleep(hour));
    // Others that were cancelled leave one time to wake up at, at most: the poller's, if it slept
    // until then. Were they left, there would be a time each 10 ms.
    let cancelled = runtime.go(|| {
        for n in 0..1000 {
            let mut first = true;
            let twice = poll_fn(|context| {
                if std::mem::take(&mut first) {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(())
            });
            timeout(Duration::from_millis(1000 + 10 * n), twice).unwrap();
        }
    });
    cancelled.join().unwrap();
    assert_quiet("a timer that is an hour off");
    assert!(!sleeper.is_finished());
}

#[test]
fn where_nothing_happens_nobody_is_woken() {
    // SAFETY: nothing of a thread is kept across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(2).linger(Duration::from_millis(50));
    for builder in [builder.clone().migrating(migrating), builder] {
        // The goroutines that are left behind have a runtime of their own each time.
        let runtimes = [(); 3].map(|()| builder.clone().build().unwrap());
        idle_connections_wake_nobody(&runtimes[0]);
        goroutines_that_wait_for_each_other_wake_nobody(&runtimes[1]);
        a_timer_that_is_far_off_wakes_nobody(&runtimes[2]);
    }
}
