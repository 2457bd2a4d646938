//! The end of a runtime: what it reports is what was left, and what can be given back is.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::net::UdpSocket;
use gosched_runtime::{
    JoinError, RunError, Runtime, ShutdownError, Status, WaitReason, block_on, blocking, current,
    go, go_future, lock_os_thread, park, time, yield_now,
};

use crate::kinds::{Hog, both, eventually, migrating, thread_number, watch, works_and_ends};

#[test]
fn it_waits_as_long_as_it_is_told_and_no_longer() {
    let _watch = watch();
    for runtime in both(2) {
        let over = Arc::new(AtomicBool::new(false));
        let tells = Arc::clone(&over);
        runtime.go(move || {
            blocking(|| thread::sleep(Duration::from_millis(50)));
            tells.store(true, SeqCst);
        });
        assert!(runtime.shutdown(Duration::from_secs(20)).unwrap().is_clean());
        assert!(over.load(SeqCst));
    }
    for runtime in both(2) {
        runtime.go(park);
        let begin = Instant::now();
        let shutdown = runtime.shutdown(Duration::from_millis(50)).unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(50));
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert_eq!(shutdown.left.goroutines.len(), 1);
    }
}

#[test]
fn parked_runnable_and_blocked_goroutines_are_reported_as_they_are() {
    let _watch = watch();
    for runtime in both(2) {
        let open = Arc::new(AtomicBool::new(false));
        let inside = Arc::new(AtomicUsize::new(0));
        let mut expected = Vec::new();
        let line = line!();
        let parked = runtime.go(park);
        expected.push((parked.id(), Status::Waiting, WaitReason::Park));
        let joins = runtime.go(move || parked.join().unwrap());
        expected.push((joins.id(), Status::Waiting, WaitReason::Join));
        let future = runtime.go(|| block_on(std::future::pending::<()>()));
        expected.push((future.id(), Status::Waiting, WaitReason::Future));
        let pure = runtime.run(|| go_future(std::future::pending::<()>())).unwrap();
        expected.push((pure.id(), Status::Waiting, WaitReason::Future));
        let yields = runtime.go(|| {
            loop {
                yield_now();
            }
        });
        expected.push((yields.id(), Status::Runnable, WaitReason::None));
        eventually("four wait", || {
            let waiting = |info: &&_| {
                matches!(info, gosched_runtime::dump::GoroutineInfo { status: Status::Waiting, .. })
            };
            runtime.dump().goroutines.iter().filter(waiting).count() == 4
        });
        let blocked = runtime.go({
            let (open, inside) = (Arc::clone(&open), Arc::clone(&inside));
            move || {
                blocking(|| {
                    inside.fetch_add(1, SeqCst);
                    while !open.load(SeqCst) {
                        thread::sleep(Duration::from_millis(1));
                    }
                });
                inside.fetch_add(1, SeqCst);
            }
        });
        expected.push((blocked.id(), Status::InSystemCall, WaitReason::None));
        eventually("one is in a call", || inside.load(SeqCst) == 1);
        let shutdown = runtime.shutdown(Duration::from_millis(10)).unwrap();
        let found = shutdown.left.goroutines.iter().map(|info| (info.id, info.status, info.reason));
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(id, ..)| *id);
        expected.sort_by_key(|(id, ..)| *id);
        assert_eq!(found, expected);
        assert_eq!(shutdown.threads, 1);
        assert!(
            shutdown
                .left
                .goroutines
                .iter()
                .all(|info| info.location.file() == file!() && info.location.line() > line)
        );
        let text = shutdown.to_string();
        assert!(text.starts_with("6 goroutines and 1 threads were left"), "{text}");
        drop(runtime);
        // The call returns into a runtime that is no more: its goroutine stays where it is.
        open.store(true, SeqCst);
        thread::sleep(Duration::from_millis(20));
        assert_eq!(inside.load(SeqCst), 1);
        assert!(!blocked.is_finished());
    }
}

#[test]
fn goroutines_that_never_ran_are_cancelled_and_what_they_captured_is_dropped() {
    let _watch = watch();
    for runtime in both(1) {
        let captured = Arc::new(());
        let hog = Hog::on(&runtime);
        let never: Vec<_> = (0..1000)
            .map(|_| {
                let captured = Arc::clone(&captured);
                runtime.go(move || drop(captured))
            })
            .collect();
        let shutdown = thread::scope(|scope| {
            let shutdown = scope.spawn(|| runtime.shutdown(Duration::ZERO).unwrap());
            eventually("it shuts down", || runtime.snapshot().stopped);
            hog.stop()();
            shutdown.join().unwrap()
        });
        // None but the hog, which may not have ended yet.
        assert!(shutdown.left.goroutines.len() <= 1, "{shutdown}");
        hog.join();
        let cancelled = |handle: gosched_runtime::JoinHandle<()>| {
            assert!(matches!(handle.join(), Err(JoinError::Cancelled(_))));
        };
        never.into_iter().for_each(cancelled);
        assert_eq!(Arc::strong_count(&captured), 1);
    }
}

#[test]
fn a_runtime_that_ends_leaves_the_goroutines_of_others_alone() {
    let _watch = watch();
    let [lasting, _] = both(2);
    for round in 0..300 {
        let ending = Runtime::builder().processors(2).build().unwrap();
        for _ in 0..8 {
            drop(ending.go(|| ()));
        }
        if round % 2 == 0 {
            thread::yield_now();
        }
        let _ = ending.shutdown(Duration::ZERO).unwrap();
        // What was the ending one's is another's now, who parks: it is woken by its own alone.
        let woken: Vec<_> = (0..80)
            .map(|_| {
                lasting.go(|| {
                    let me = current().unwrap();
                    let told = Arc::new(AtomicBool::new(false));
                    let tells = Arc::clone(&told);
                    go(move || {
                        yield_now();
                        tells.store(true, SeqCst);
                        me.unpark();
                    });
                    while !told.load(SeqCst) {
                        park();
                    }
                })
            })
            .collect();
        drop(ending);
        woken.into_iter().for_each(|one| one.join().unwrap());
    }
    works_and_ends(&lasting);
}

/// Waits until the runtime's machines all sleep.
fn all_sleep(runtime: &Runtime) {
    eventually("all sleep", || {
        let snapshot = runtime.snapshot();
        snapshot.machines > 0 && snapshot.sleeping == snapshot.machines
    });
}

#[test]
fn run_ends_when_the_runtime_is_shut_down_under_it() {
    let _watch = watch();
    for detect in [true, false] {
        for builder in [migrating(), Runtime::builder()] {
            let runtime = builder.processors(1).detect_deadlock(detect).build().unwrap();
            thread::scope(|scope| {
                let waits = scope.spawn(|| runtime.run(|| time::sleep(Duration::from_secs(3600))));
                eventually("it waits", || runtime.dump().to_string().contains("sleep"));
                let shutdown = runtime.shutdown(Duration::ZERO).unwrap();
                assert_eq!(shutdown.left.goroutines.len(), 1, "{shutdown}");
                let error = waits.join().unwrap().unwrap_err();
                let text = error.to_string();
                assert!(text.starts_with("the runtime was shut down"), "{text}");
                let RunError::Shutdown(left) = error else { panic!("{error}") };
                assert_eq!(left.goroutines[0].id, shutdown.left.goroutines[0].id);
            });
        }
    }
}

static HELD: AtomicBool = AtomicBool::new(false);
static RELEASED: AtomicBool = AtomicBool::new(false);

/// Holds the thread that gets the signal, as a kernel does that does not schedule it.
extern "C" fn hold(_signal: libc::c_int) {
    HELD.store(true, SeqCst);
    while !RELEASED.load(SeqCst) {
        // SAFETY: a system call that a handler may make.
        unsafe { libc::poll(std::ptr::null_mut(), 0, 1) };
    }
}

#[test]
fn a_thread_that_is_only_late_is_waited_for() {
    let _watch = watch();
    // SAFETY: zeroes are a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = hold as *const () as usize;
    // SAFETY: the handler does what a handler may.
    unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()) };
    for runtime in both(1) {
        [&HELD, &RELEASED].into_iter().for_each(|flag| flag.store(false, SeqCst));
        let thread = runtime.run(thread_number).unwrap();
        all_sleep(&runtime);
        // SAFETY: the call has no precondition.
        unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGUSR2) };
        eventually("it is held", || HELD.load(SeqCst));
        let shutdown = thread::scope(|scope| {
            let shutdown = scope.spawn(|| runtime.shutdown(Duration::ZERO).unwrap());
            eventually("it shuts down", || runtime.snapshot().stopped);
            // Longer than a thread in a system call is waited for.
            thread::sleep(Duration::from_millis(400));
            RELEASED.store(true, SeqCst);
            shutdown.join().unwrap()
        });
        assert!(shutdown.is_clean(), "{shutdown}");
    }
}

/// Ends late.
struct Late(Arc<AtomicBool>);

impl Drop for Late {
    fn drop(&mut self) {
        thread::sleep(Duration::from_millis(200));
        self.0.store(true, SeqCst);
    }
}

thread_local! {
    static LATE: Cell<Option<Late>> = const { Cell::new(None) };
    static LAST: Cell<Option<Arc<Runtime>>> = const { Cell::new(None) };
}

#[test]
fn no_code_runs_on_its_threads_after_a_clean_end() {
    let _watch = watch();
    for runtime in both(1) {
        let over = Arc::new(AtomicBool::new(false));
        let late = Late(Arc::clone(&over));
        runtime.run(move || LATE.set(Some(late))).unwrap();
        assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
        assert!(over.load(SeqCst), "a thread-local's destructor runs still");
    }
}

/// How many threads there are whose names begin so.
fn threads_named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|other| other.starts_with(name)).count()
}

#[test]
fn a_runtime_may_be_dropped_by_a_destructor_of_one_of_its_threads() {
    let _watch = watch();
    let runtime = Arc::new(migrating().processors(1).name("by-local").build().unwrap());
    let last = Arc::clone(&runtime);
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = Arc::clone(&gone);
    let locked = runtime.go(move || {
        // Its thread ends with it.
        std::mem::forget(lock_os_thread());
        while !is_gone.load(SeqCst) {
            yield_now();
        }
        LAST.set(Some(last));
    });
    eventually("it runs", || threads_named("by-local-m") > 0);
    drop(runtime);
    gone.store(true, SeqCst);
    locked.join().unwrap();
    eventually("its threads have ended", || threads_named("by-local") == 0);
}

/// Tells on which thread it wakes, and how it shuts the runtime down there; and drops it.
struct Ends(Mutex<Option<Arc<Runtime>>>, Sender<(Option<String>, ShutdownError)>);

impl Wake for Ends {
    fn wake(self: Arc<Self>) {
        let Some(runtime) = self.0.lock().unwrap().take() else { return };
        let error = runtime.shutdown(Duration::ZERO).unwrap_err();
        self.1.send((thread::current().name().map(str::to_owned), error)).unwrap();
    }
}

#[test]
fn a_runtime_may_be_dropped_by_a_waker_on_sysmon() {
    let _watch = watch();
    for builder in [migrating(), Runtime::builder()] {
        let runtime = Arc::new(builder.processors(1).name("by-waker").build().unwrap());
        let stop = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stop);
        // Nobody polls but sysmon.
        let hog = runtime.go(move || {
            while !is_over.load(SeqCst) {
                std::hint::spin_loop();
            }
        });
        let socket = runtime.net(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        let address = socket.local_addr().unwrap();
        let (tell, told) = channel();
        let waker = Waker::from(Arc::new(Ends(Mutex::new(Some(runtime)), tell)));
        assert!(socket.poll_recv(&mut Context::from_waker(&waker), &mut [0]).is_pending());
        std::net::UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[1], address).unwrap();
        let told = told.recv().unwrap();
        assert_eq!(told, (Some("by-waker-sysmon".to_owned()), ShutdownError::Inside));
        stop.store(true, SeqCst);
        hog.join().unwrap();
        eventually("its threads have ended", || threads_named("by-waker") == 0);
    }
}

#[test]
fn a_goroutine_that_ends_another_runtime_leaves_its_processor_to_the_others() {
    let _watch = watch();
    for drops in [false, true] {
        let runtime = migrating().processors(1).build().unwrap();
        let ending = Runtime::builder().processors(1).build().unwrap();
        let hog = Hog::on(&ending);
        let stop = hog.stop();
        let ended = runtime.run(move || {
            let stops = go(stop);
            if drops {
                drop(ending);
            } else {
                let shutdown = ending.shutdown(Duration::from_secs(60)).unwrap();
                assert!(shutdown.is_clean(), "{shutdown}");
            }
            stops.join().unwrap();
        });
        ended.unwrap();
        hog.join();
        works_and_ends(&runtime);
    }
}

#[test]
fn its_end_finds_no_rest_after_any_number_of_runtimes() {
    let _watch = watch();
    for _ in 0..50 {
        for runtime in both(2) {
            runtime.run(|| (0..20).for_each(|_| drop(go(yield_now)))).unwrap();
            works_and_ends(&runtime);
        }
    }
}
