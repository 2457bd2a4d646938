//! The kernel's side alone: edges, wake-ups, times, and descriptors that are used again.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::descriptor::{Descriptor, Direction};
use super::kernel::{Armed, Event, Kernel, Timeout};
use super::{Registration, key_of, list, tell};
use crate::Runtime;

const KEY: usize = 77;
const SOON: Timeout = Timeout::After(Duration::from_millis(20));
const LONG: Timeout = Timeout::After(Duration::from_secs(30));

fn pair() -> (UnixStream, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    (one, other)
}

/// What a poll tells of a file; none if it tells of nothing.
fn events(kernel: &Kernel, timeout: Timeout) -> Vec<Event> {
    let mut events = Vec::new();
    kernel.poll(timeout, |event| events.push(event));
    events
}

#[test]
fn each_edge_is_told_once() {
    let kernel = Kernel::new().unwrap();
    let (mut near, mut far) = pair();
    let armed = Armed::new();
    kernel.add(near.as_raw_fd(), KEY).unwrap();
    kernel.arm(&armed, near.as_raw_fd(), KEY, Direction::Read).unwrap();
    // That it can be written to may be told at once.
    events(&kernel, SOON);
    kernel.arm(&armed, near.as_raw_fd(), KEY, Direction::Read).unwrap();
    for _ in 0..3 {
        far.write_all(b"x").unwrap();
        let told = events(&kernel, LONG);
        assert!(told.len() == 1 && told[0].key == KEY && told[0].read, "{told:?}");
        assert!(events(&kernel, SOON).is_empty(), "there has been no other edge");
        near.read_exact(&mut [0]).unwrap();
        Kernel::disarm(&armed);
        kernel.arm(&armed, near.as_raw_fd(), KEY, Direction::Read).unwrap();
    }
    drop(far);
    let told = events(&kernel, LONG);
    assert!(told.len() == 1 && told[0].read && told[0].ended, "{told:?}");
    kernel.remove(near.as_raw_fd());
}

#[test]
fn a_wake_is_for_the_poll_that_waits() {
    let kernel = Arc::new(Kernel::new().unwrap());
    // Before the poll; and however often somebody looks meanwhile.
    kernel.wake();
    kernel.wake();
    for _ in 0..3 {
        assert!(!kernel.poll(Timeout::Now, |_| {}));
    }
    assert!(kernel.poll(Timeout::Never, |_| {}));
    // It is over then. A poll may return once more for the second.
    kernel.poll(SOON, |_| {});
    let begin = Instant::now();
    assert!(!kernel.poll(SOON, |_| {}));
    assert!(begin.elapsed() >= Duration::from_millis(20));
    // While it waits, and others look.
    for _ in 0..100 {
        let others = Arc::clone(&kernel);
        let waking = thread::spawn(move || {
            others.poll(Timeout::Now, |_| {});
            others.wake();
            others.poll(Timeout::Now, |_| {});
        });
        while !kernel.poll(Timeout::Never, |_| {}) {}
        waking.join().unwrap();
    }
}

#[test]
fn it_returns_no_earlier_than_it_should() {
    let kernel = Kernel::new().unwrap();
    for nanoseconds in [1, 999, 100_000, 1_000_001, 20_500_000] {
        let time = Duration::from_nanos(nanoseconds);
        let begin = Instant::now();
        assert!(!kernel.poll(Timeout::After(time), |_| {}));
        assert!(begin.elapsed() >= time, "{time:?}: {:?}", begin.elapsed());
    }
    let begin = Instant::now();
    kernel.poll(Timeout::Now, |_| {});
    assert!(begin.elapsed() < Duration::from_secs(1));
    // The longest time is no error.
    kernel.wake();
    assert!(kernel.poll(Timeout::After(Duration::MAX), |_| {}));
}

struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_the_kernel_says_of_a_socket_that_is_gone_is_not_for_the_next() {
    let runtime = Runtime::new().unwrap();
    let engine = runtime.shared().engine();
    let count = Arc::new(AtomicUsize::new(0));
    let descriptor: &'static Descriptor = list::list().pop().unwrap();
    descriptor.begin(1, &count);
    let index = descriptor.index as usize;
    let stale = key_of(index, descriptor.generation());
    descriptor.end(engine);
    descriptor.begin(1, &count);
    let fresh = key_of(index, descriptor.generation());
    assert_ne!(stale, fresh);
    let wakes = Arc::new(Counts(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&wakes));
    let side = descriptor.side(Direction::Read);
    let seen = side.edges();
    side.wait(engine, seen, &waker, || true);
    // The same waker is kept once, and counted once.
    side.wait(engine, seen, &waker, || true);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    let event = |key| Event { key, read: true, write: true, ended: false };
    let mut ready = crate::engine::Batch::new();
    assert!(!tell(event(stale), engine, &mut ready));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
    assert!(tell(event(fresh), engine, &mut ready));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert_eq!(count.load(Ordering::Relaxed), 0);
    // The edge is remembered for whoever began before it.
    assert_eq!(side.wait(engine, seen, &waker, || true), super::descriptor::Wait::Again);
    // What is kept of a future that is gone is dropped with the socket, and counted no more.
    side.wait(engine, side.edges(), &waker, || true);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(descriptor.end(engine));
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert_eq!(Arc::strong_count(&wakes), 2);
    list::list().push(descriptor);
}

#[test]
fn an_alarm_that_comes_late_leaves_no_timer_behind() {
    let runtimes = [Runtime::new().unwrap(), Runtime::new().unwrap()];
    let descriptor: &'static Descriptor = list::list().pop().unwrap();
    let side = descriptor.side(Direction::Read);
    let waker = Waker::from(Arc::new(Counts(AtomicUsize::new(0))));
    for runtime in &runtimes {
        let engine = runtime.shared().engine();
        descriptor.begin(1, &Arc::new(AtomicUsize::new(0)));
        let hour = 3600 * 1_000_000_000;
        drop(side.set_deadline(hour, engine));
        side.wait(engine, side.edges(), &waker, || true);
        assert_eq!(engine.timers.next_deadline(), Some(hour));
        // A machine had taken out the alarm of the socket before, and wakes only now.
        side.went_off().wake();
        assert_eq!(engine.timers.next_deadline(), Some(hour));
        drop(descriptor.end(engine));
        assert_eq!(engine.timers.next_deadline(), None);
    }
    list::list().push(descriptor);
}

#[test]
fn closing_wakes_without_the_kernels_help() {
    let runtime = Runtime::new().unwrap();
    // A pipe cannot be shut down, and so has no edge for it.
    let (reader, _writer) = std::io::pipe().unwrap();
    let registration = Registration::new(reader.as_fd(), Arc::clone(runtime.shared())).unwrap();
    let wakes = Arc::new(Counts(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&wakes));
    for direction in [Direction::Read, Direction::Write] {
        let seen = registration.side(direction).edges();
        // That a pipe's end can be read or written may be told meanwhile, and then nobody waits.
        let _ = registration.wait(direction, seen, &waker);
    }
    let before = wakes.0.load(Ordering::Relaxed);
    assert!(registration.begin(Direction::Read).is_ok());
    assert!(registration.close());
    assert!(!registration.close());
    assert!(wakes.0.load(Ordering::Relaxed) > before);
    assert!(registration.begin(Direction::Read).is_err());
    let seen = registration.side(Direction::Read).edges();
    assert!(!registration.wait(Direction::Read, seen, &waker).unwrap());
}

#[test]
fn a_short_read_is_no_proof_after_the_end() {
    let count = Arc::new(AtomicUsize::new(0));
    let descriptor: &'static Descriptor = list::list().pop().unwrap();
    descriptor.begin(1, &count);
    let side = descriptor.side(Direction::Read);
    let seen = side.edges();
    assert!(!side.is_spent(seen));
    side.set_spent(seen);
    assert!(side.is_spent(seen));
    drop(side.tell(false));
    assert!(!side.is_spent(side.edges()));
    drop(side.tell(true));
    side.set_spent(side.edges());
    assert!(!side.is_spent(side.edges()));
    list::list().push(descriptor);
}
