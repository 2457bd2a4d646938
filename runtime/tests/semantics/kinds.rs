//! Both kinds of runtime, and what a test does when it is done: the runtime still works, and ends
//! without a rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::{Builder, JoinHandle, Migrating, Runtime, go, yield_now};

/// How long a test may take on a machine that does other things, too.
const LONGEST: Duration = Duration::from_secs(120);

/// Ends the process if the test hangs: a test that waits for ever says nothing.
pub(crate) struct Watch {
    _over: Sender<()>,
}

/// Watches the test until the value is dropped.
#[track_caller]
pub(crate) fn watch() -> Watch {
    let (over, is_over) = channel();
    let place = std::panic::Location::caller();
    thread::spawn(move || {
        if is_over.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the test at {place} hangs");
            std::process::abort();
        }
    });
    Watch { _over: over }
}

/// A builder of a runtime whose goroutines migrate.
pub(crate) fn migrating() -> Builder {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    Runtime::builder().migrating(unsafe { Migrating::promise() })
}

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
pub(crate) fn both(processors: usize) -> [Runtime; 2] {
    let build = |builder: Builder| builder.processors(processors).build().unwrap();
    [build(migrating()), build(Runtime::builder())]
}

/// The runtime runs goroutines as ever, and then ends without a rest.
#[track_caller]
pub(crate) fn works_and_ends(runtime: &Runtime) {
    let sum = runtime.run(|| {
        let parts: Vec<_> = (0..100u64)
            .map(|part| {
                go(move || {
                    yield_now();
                    part
                })
            })
            .collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum::<u64>()
    });
    assert_eq!(sum.unwrap(), 4950);
    let shutdown = runtime.shutdown(Duration::from_secs(20)).unwrap();
    assert!(shutdown.is_clean(), "{shutdown}");
}

/// Looks again and again until it is so. Not for goroutines: the thread sleeps.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it never came to be that {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A goroutine that keeps its processor, and meets no scheduling point, until it is let go.
pub(crate) struct Hog {
    stop: Arc<AtomicBool>,
    goroutine: JoinHandle<()>,
}

impl Hog {
    /// One that runs already.
    pub(crate) fn on(runtime: &Runtime) -> Self {
        let (stop, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (stops, begins) = (Arc::clone(&stop), Arc::clone(&begun));
        let goroutine = runtime.go(move || {
            begins.store(true, SeqCst);
            while !stops.load(SeqCst) {
                std::hint::spin_loop();
            }
        });
        eventually("it runs", || begun.load(SeqCst));
        Self { stop, goroutine }
    }

    /// What lets it go.
    pub(crate) fn stop(&self) -> impl Fn() + Send + 'static {
        let stop = Arc::clone(&self.stop);
        move || stop.store(true, SeqCst)
    }

    pub(crate) fn join(self) {
        self.goroutine.join().unwrap();
    }
}

/// The kernel's number of this thread. A system call: nothing is read from a thread-local.
pub(crate) fn thread_number() -> i64 {
    // SAFETY: the call has no precondition.
    unsafe { libc::syscall(libc::SYS_gettid) }
}
