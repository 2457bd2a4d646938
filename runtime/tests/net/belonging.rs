//! Which runtime a socket belongs to, and who may use it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use gosched_runtime::net::unix::UnixStream;
use gosched_runtime::net::{NoPoller, TcpListener, TcpStream, UdpSocket};
use gosched_runtime::{Migrating, Runtime, WaitReason, blocking, go};

use super::{both, on_both, pair, within};

#[test]
fn outside_of_a_runtime_there_is_a_clear_error() {
    let reason = |error: std::io::Error| error.downcast::<NoPoller>().unwrap();
    let error = TcpListener::bind("127.0.0.1:0").unwrap_err();
    assert!(error.to_string().contains("Runtime::net"), "{error}");
    assert_eq!(reason(error), NoPoller::NoRuntime);
    assert_eq!(reason(TcpStream::connect("127.0.0.1:1").unwrap_err()), NoPoller::NoRuntime);
    assert_eq!(reason(UdpSocket::bind("127.0.0.1:0").unwrap_err()), NoPoller::NoRuntime);
    let [one, other] = both(1);
    let other = Arc::new(other);
    let error = one.run(move || other.net(|| UdpSocket::bind("127.0.0.1:0")).unwrap_err());
    assert_eq!(reason(error.unwrap()), NoPoller::OtherRuntime);
    // `net` is left when it is over, by a panic, too.
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        one.net(|| -> std::io::Result<()> { panic!("on purpose") })
    }));
    assert!(caught.is_err());
    assert!(UdpSocket::bind("127.0.0.1:0").is_err());
}

#[test]
fn threads_wait_though_nothing_has_ever_run() {
    for runtime in both(2) {
        within(super::LONG, &runtime, || {
            let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            let client = thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                thread::sleep(Duration::from_millis(50));
                stream.write_all(b"hello").unwrap();
            });
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello");
            client.join().unwrap();
        });
    }
}

#[test]
fn inside_a_system_call_the_thread_waits() {
    on_both(2, || {
        let (mut near, mut far) = pair();
        let reader = go(move || blocking(|| near.read(&mut [0; 5]).unwrap()));
        let other = go(|| (0..1000).for_each(|_| gosched_runtime::yield_now()));
        other.join().unwrap();
        far.write_all(b"hello").unwrap();
        assert_eq!(reader.join().unwrap(), 5);
    });
}

#[test]
fn inside_a_system_call_somebody_polls_though_all_others_sleep() {
    on_both(2, || {
        let (near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut near = UnixStream::from_std(near).unwrap();
        let peer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            far.write_all(b"hello").unwrap();
        });
        blocking(|| {
            // Long enough for sysmon to take the processor, and to sleep, too.
            thread::sleep(Duration::from_millis(100));
            near.read_exact(&mut [0; 5]).unwrap();
        });
        peer.join().unwrap();
    });
}

/// Reads, as its goroutine unwinds, when it is told to.
struct Reads(UnixStream, Arc<AtomicUsize>);

impl Drop for Reads {
    fn drop(&mut self) {
        self.1.store(2, Ordering::SeqCst);
        while self.1.load(Ordering::SeqCst) != 3 {
            thread::yield_now();
        }
        self.0.read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn unwinding_without_a_processor_somebody_polls() {
    // SAFETY: nothing of a thread is kept across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(1).migrating(migrating).build().unwrap();
    within(super::LONG, &runtime, || {
        let (near, mut far) = runtime.net(UnixStream::pair).unwrap();
        let step = Arc::new(AtomicUsize::new(0));
        let mine = Arc::clone(&step);
        let reader = runtime.go(move || {
            let _reads = Reads(near, Arc::clone(&mine));
            // It has the processor from before the end of the call until that is over.
            let hogs = Arc::clone(&mine);
            go(move || {
                hogs.store(1, Ordering::SeqCst);
                while hogs.load(Ordering::SeqCst) == 1 {
                    thread::yield_now();
                }
            });
            blocking(|| {
                while mine.load(Ordering::SeqCst) == 0 {
                    thread::yield_now();
                }
                panic!("on purpose");
            })
        });
        while step.load(Ordering::SeqCst) != 2 || runtime.snapshot().idle == 0 {
            thread::yield_now();
        }
        // Long enough for the last machine to go to sleep.
        thread::sleep(Duration::from_millis(50));
        step.store(3, Ordering::SeqCst);
        until_someone_waits_for_input(&runtime);
        far.write_all(b"x").unwrap();
        assert!(reader.join().is_err());
    });
}

fn until_someone_waits_for_input(runtime: &Runtime) {
    while !runtime.dump().goroutines.iter().any(|info| info.reason == WaitReason::Io) {
        thread::yield_now();
    }
}

#[test]
fn a_goroutine_of_another_runtime_runs_there() {
    // SAFETY: nothing of a thread is kept across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let build = |name: &str| {
        let builder = Runtime::builder().processors(2).name(name).detect_deadlock(false);
        builder.migrating(migrating).build().unwrap()
    };
    let (mine, theirs) = (build("mine"), build("theirs"));
    within(super::LONG, &theirs, || {
        let (mut near, mut far) = mine.run(pair).unwrap();
        let reader = theirs.go(move || {
            for _ in 0..200 {
                near.read_exact(&mut [0; 5]).unwrap();
                let thread = thread::current();
                assert!(thread.name().unwrap().starts_with("theirs"), "{thread:?}");
                near.write_all(b"x").unwrap();
            }
        });
        mine.run(move || {
            for _ in 0..200 {
                far.write_all(b"hello").unwrap();
                far.read_exact(&mut [0]).unwrap();
            }
        })
        .unwrap();
        reader.join().unwrap();
    });
}

#[test]
fn who_waits_for_input_is_not_in_a_deadlock_and_is_seen() {
    for runtime in both(2) {
        within(super::LONG, &runtime, || {
            let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            let accepting = runtime.go(move || listener.accept().map(drop));
            until_someone_waits_for_input(&runtime);
            drop(std::net::TcpStream::connect(address).unwrap());
            accepting.join().unwrap().unwrap();
        });
    }
}

#[test]
fn sockets_of_std_come_and_go() {
    on_both(2, || {
        let (near, far) = std::os::unix::net::UnixStream::pair().unwrap();
        let near = UnixStream::from_std(near).unwrap();
        let writer = go(move || blocking(|| (&far).write_all(b"hello").unwrap()));
        (&near).read_exact(&mut [0; 5]).unwrap();
        writer.join().unwrap();
        let near = near.into_std().unwrap();
        near.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        // It blocks again: the peer has gone.
        assert_eq!((&near).read(&mut [0]).unwrap(), 0);
        // And can be registered once more.
        drop(UnixStream::from_std(near).unwrap());
    });
}
