//! sysmon: the thread without a processor that watches the others.
//!
//! It turns the core's [`Monitor`](gosched::Monitor): takes processors out of system calls, asks
//! long slices for an end, polls if nobody has for long. While nothing runs it sleeps until
//! somebody takes a processor up: an idle program is woken by nobody.
//!
//= go1.27:src/runtime/proc.go#sysmon

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use gosched::Nap;

use crate::runtime::Shared;

/// How often it looks for machines to be sent home; and how long it sleeps while nothing runs but
/// it cannot sleep deep: there are machines to be sent home, or nothing runs only since just now.
/// (Whoever takes a processor up must wake a deep sleeper, which would make each of a series of
/// wake-ups dearer.)
const LOOK: Duration = Duration::from_millis(10);

/// Starts the thread.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let shared = Arc::clone(shared);
    let name = format!("{}-sysmon", shared.engine().settings.name);
    thread::Builder::new().name(name).spawn(move || run(&shared))
}

/// Wakes sysmon where it has lain down for long since nothing ran, and a call begins that it is to
/// watch.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    dozes: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Bell {
    /// sysmon sleeps, for so long or until somebody rings.
    fn doze(&self, longest: Duration) {
        let _ = self.thread.set(thread::current());
        // ORDER: Release: pairs with the Acquire in `ring`: the thread is known. A call that begins
        // just now may miss it; then it is watched from the end of this sleep on.
        self.dozes.store(true, Ordering::Release);
        thread::park_timeout(longest);
        // ORDER: Relaxed: who still rings wakes one who is awake.
        self.dozes.store(false, Ordering::Relaxed);
    }

    /// A call begins. One load, if sysmon is about.
    #[inline]
    pub(crate) fn ring(&self) {
        // ORDER: Acquire: pairs with the Release in `doze`.
        if self.dozes.load(Ordering::Acquire) {
            self.rouse();
        }
    }

    #[cold]
    fn rouse(&self) {
        // ORDER: Relaxed: it spares the others their rings.
        self.dozes.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

fn run(shared: &Shared) {
    shared.engine().threads.belong();
    let mut monitor = shared.scheduler().monitor_with(shared.engine().settings.pace);
    let mut surplus = Surplus::default();
    let mut rested = false;
    loop {
        let now = shared.engine().clock();
        shared.engine().counters.set_coarse(now);
        let nap = monitor.step(now).nap;
        let pending = surplus.send_home(shared);
        let at_rest = nap == Nap::Deep;
        match nap {
            Nap::For(nanoseconds) => thread::sleep(Duration::from_nanos(nanoseconds)),
            Nap::Deep if pending || !rested => shared.engine().bell.doze(LOOK),
            Nap::Deep => monitor.sleep(),
            Nap::End => break,
        }
        rested = at_rest;
    }
}

/// Machines that sleep beyond the number of processors. A burst of system calls leaves them behind;
/// after a while without another burst they are sent home, and their threads end.
#[derive(Default)]
struct Surplus {
    since: Option<u64>,
    looked: u64,
}

impl Surplus {
    /// Whether there are any.
    fn send_home(&mut self, shared: &Shared) -> bool {
        let scheduler = shared.scheduler();
        let now = shared.engine().clock();
        if Duration::from_nanos(now - self.looked) < LOOK {
            return self.since.is_some();
        }
        self.looked = now;
        let keep = scheduler.processors();
        if scheduler.sleeping() <= keep {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        if Duration::from_nanos(now - since) < shared.engine().settings.linger {
            return true;
        }
        while scheduler.dismiss(keep) {}
        self.since = None;
        false
    }
}
