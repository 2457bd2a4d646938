//! What stays behind: alarms that come late, and wakers that nobody needs any more.

use std::future::Future;
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::net::unix::UnixStream;
use gosched_runtime::net::{Closed, UdpSocket};
use gosched_runtime::{Runtime, WaitReason, time};

use super::{LONG, both, kind, within};

const SHORT: Duration = Duration::from_millis(20);
const HOUR: Duration = Duration::from_secs(3600);

fn in_a(time: Duration) -> Option<Instant> {
    Some(Instant::now() + time)
}

struct Counts(AtomicUsize);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Stops the machine that wakes it, from the first barrier to the second.
struct Stops(Barrier, Barrier);

impl Wake for Stops {
    fn wake(self: Arc<Self>) {
        self.0.wait();
        self.1.wait();
    }
}

/// A socket's alarm comes when the next one has its descriptor, as the machine that had taken it
/// out was late. The sockets are gone again, but for their peers.
fn late_alarm() -> (Runtime, [UnixStream; 2]) {
    let runtime = Runtime::builder().processors(1).build().unwrap();
    let counts = Arc::new(Counts(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&counts));
    let mut context = Context::from_waker(&waker);
    let stops = Arc::new(Stops(Barrier::new(2), Barrier::new(2)));
    let stopping = Waker::from(Arc::clone(&stops));
    // All due at once, and so taken out at once: who stops the machine, the alarm, who tells.
    let time = Instant::now() + Duration::from_secs(1);
    let (mut first, mut last) = (pin!(runtime.at(time)), pin!(runtime.at(time)));
    let (near, peer) = runtime.net(UnixStream::pair).unwrap();
    near.set_read_deadline(Some(time));
    assert!(first.as_mut().poll(&mut Context::from_waker(&stopping)).is_pending());
    assert!(near.poll_read(&mut context, &mut [0]).is_pending());
    let told = Arc::new(Counts(AtomicUsize::new(0)));
    let tells = Waker::from(Arc::clone(&told));
    assert!(last.as_mut().poll(&mut Context::from_waker(&tells)).is_pending());
    stops.0.wait();
    drop(near);
    let (near, next_peer) = runtime.net(UnixStream::pair).unwrap();
    near.set_read_deadline(in_a(HOUR));
    assert!(near.poll_read(&mut context, &mut [0]).is_pending());
    stops.1.wait();
    while told.0.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    drop(near);
    (runtime, [peer, next_peer])
}

#[test]
fn a_late_alarm_takes_no_timer_into_another_runtime() {
    let _one = late_alarm();
    for runtime in both(1) {
        within(LONG, &runtime, || {
            let (mut near, _far) = runtime.net(UnixStream::pair).unwrap();
            near.set_read_deadline(in_a(SHORT));
            assert_eq!(kind(near.read(&mut [0])), ErrorKind::TimedOut);
        });
    }
}

#[test]
fn a_late_alarm_moves_nobodys_timer_in_another_runtime() {
    let _one = late_alarm();
    for runtime in both(1) {
        within(LONG, &runtime, || {
            let sleeper = runtime.go(|| time::sleep(Duration::from_secs(1)));
            let sleeps = || {
                let dump = runtime.dump();
                dump.goroutines.iter().any(|info| info.reason == WaitReason::Sleep)
            };
            while !sleeps() && !sleeper.is_finished() {
                thread::yield_now();
            }
            let (mut near, _far) = runtime.net(UnixStream::pair).unwrap();
            near.set_read_deadline(in_a(SHORT));
            assert_eq!(kind(near.read(&mut [0])), ErrorKind::TimedOut);
            sleeper.join().unwrap();
        });
    }
}

#[test]
fn polls_that_were_given_up_do_not_pile_up() {
    for runtime in both(1) {
        let socket = runtime.net(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        let kept = |waker: &Arc<Counts>| Arc::strong_count(waker) > 1;
        let given_up: Vec<_> = (0..20_000)
            .map(|_| {
                let counts = Arc::new(Counts(AtomicUsize::new(0)));
                let waker = Waker::from(Arc::clone(&counts));
                let mut context = Context::from_waker(&waker);
                assert!(socket.poll_recv(&mut context, &mut [0]).is_pending());
                counts
            })
            .collect();
        let count = given_up.iter().filter(|waker| kept(waker)).count();
        assert!(count <= 1000, "{count} are kept");
        // Whoever is not kept was woken, and might have come again.
        for waker in &given_up {
            assert!(kept(waker) || waker.0.load(Ordering::SeqCst) == 1);
        }
        drop(socket);
        assert!(!given_up.iter().any(kept));
    }
}

#[test]
fn many_who_wait_for_one_socket_come_to_rest_and_are_woken() {
    for runtime in both(2) {
        within(LONG, &runtime, || {
            let socket = Arc::new(runtime.net(|| UdpSocket::bind("127.0.0.1:0")).unwrap());
            let waiting: Vec<_> = (0..1000)
                .map(|_| {
                    let socket = Arc::clone(&socket);
                    runtime.go(move || socket.recv(&mut [0]))
                })
                .collect();
            let rests = || {
                let before = runtime.metrics().total.parks;
                thread::sleep(Duration::from_millis(50));
                let waits =
                    |info: &gosched_runtime::dump::GoroutineInfo| info.reason == WaitReason::Io;
                runtime.dump().goroutines.iter().filter(|info| waits(info)).count() == 1000
                    && runtime.metrics().total.parks == before
            };
            while !rests() {}
            socket.close();
            for goroutine in waiting {
                goroutine.join().unwrap().unwrap_err().downcast::<Closed>().unwrap();
            }
        });
    }
}

/// Panics when it goes.
struct Refuses;

impl Wake for Refuses {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Refuses {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("on purpose"));
    }
}

/// Polls with a waker that panics when it is dropped, and of which nothing else is kept.
fn with_one_that_refuses(poll: impl FnOnce(&mut Context<'_>)) {
    let waker = Waker::from(Arc::new(Refuses));
    poll(&mut Context::from_waker(&waker));
    drop(waker);
}

#[test]
fn wakers_that_panic_as_they_go_fail_nobody() {
    for runtime in both(1) {
        let (near, mut far) = runtime.net(UnixStream::pair).unwrap();
        with_one_that_refuses(|context| {
            assert!(near.poll_read(context, &mut [0]).is_pending());
        });
        with_one_that_refuses(|context| {
            assert!(near.poll_read(context, &mut [0]).is_pending());
        });
        assert!(catch_unwind(AssertUnwindSafe(|| drop(near))).is_ok());
        assert!(far.write(b"x").is_err());
        let mut sleep = Box::pin(runtime.after(HOUR));
        with_one_that_refuses(|context| assert!(sleep.as_mut().poll(context).is_pending()));
        // Replaced, taken out, dropped.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            with_one_that_refuses(|context| assert!(sleep.as_mut().poll(context).is_pending()));
        }));
        assert!(polled.is_ok());
        assert!(catch_unwind(AssertUnwindSafe(|| sleep.as_mut().get_mut().reset(HOUR))).is_ok());
        with_one_that_refuses(|context| assert!(sleep.as_mut().poll(context).is_pending()));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(sleep))).is_ok());
    }
}
