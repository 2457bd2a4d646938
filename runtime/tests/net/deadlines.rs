//! Deadlines: past, while something waits, and moved.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gosched_runtime::net::{TcpListener, TcpStream, UdpSocket};
use gosched_runtime::{go, yield_now};

use super::{both, kind, on_both, pair, within};

const SHORT: Duration = Duration::from_millis(50);
const MUCH: Duration = Duration::from_secs(30);

fn in_a(while_: Duration) -> Option<Instant> {
    Some(Instant::now() + while_)
}

/// Waits without a timer, so that this does not test itself.
fn spin(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        yield_now();
    }
}

#[test]
fn one_that_has_passed_fails_at_once_and_does_nothing() {
    on_both(2, || {
        let (mut near, mut far) = pair();
        far.write_all(b"there").unwrap();
        near.set_deadline(Some(Instant::now()));
        let mut buffer = [0; 5];
        assert_eq!(kind(near.read(&mut buffer)), ErrorKind::TimedOut);
        assert_eq!(kind(near.peek(&mut buffer)), ErrorKind::TimedOut);
        assert_eq!(kind(near.write(&buffer)), ErrorKind::TimedOut);
        // One direction alone.
        near.set_write_deadline(None);
        assert_eq!(near.write(b"x").unwrap(), 1);
        assert_eq!(kind(near.read(&mut buffer)), ErrorKind::TimedOut);
        near.set_deadline(None);
        near.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"there");
    });
}

#[test]
fn one_that_comes_ends_the_wait() {
    on_both(2, || {
        let (mut near, _far) = pair();
        for _ in 0..3 {
            let begin = Instant::now();
            near.set_read_deadline(in_a(SHORT));
            assert_eq!(kind(near.read(&mut [0])), ErrorKind::TimedOut);
            assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
            assert!(begin.elapsed() < MUCH, "{:?}", begin.elapsed());
        }
        let full = vec![0; 64 << 20];
        let begin = Instant::now();
        near.set_write_deadline(in_a(SHORT));
        assert_eq!(kind(near.write_all(&full)), ErrorKind::TimedOut);
        assert!(begin.elapsed() >= SHORT, "{:?}", begin.elapsed());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_deadline(in_a(SHORT));
        assert_eq!(kind(listener.accept()), ErrorKind::TimedOut);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_deadline(in_a(SHORT));
        assert_eq!(kind(socket.recv(&mut [0])), ErrorKind::TimedOut);
    });
}

#[test]
fn one_that_is_set_while_somebody_waits_holds_for_it() {
    on_both(2, || {
        let (near, _far) = pair();
        let near = Arc::new(near);
        for first in [None, in_a(MUCH)] {
            near.set_read_deadline(first);
            let reader = {
                let near = Arc::clone(&near);
                go(move || kind((&*near).read(&mut [0])))
            };
            spin(Duration::from_millis(20));
            assert!(!reader.is_finished());
            let begin = Instant::now();
            near.set_read_deadline(in_a(SHORT));
            assert_eq!(reader.join().unwrap(), ErrorKind::TimedOut);
            assert!(begin.elapsed() >= SHORT && begin.elapsed() < MUCH, "{:?}", begin.elapsed());
            // And one that has passed.
            near.set_read_deadline(first);
            let reader = {
                let near = Arc::clone(&near);
                go(move || kind((&*near).read(&mut [0])))
            };
            spin(Duration::from_millis(20));
            near.set_read_deadline(Some(Instant::now() - SHORT));
            assert_eq!(reader.join().unwrap(), ErrorKind::TimedOut);
        }
    });
}

#[test]
fn one_that_is_moved_comes_later() {
    on_both(2, || {
        let (near, mut far) = pair();
        let near = Arc::new(near);
        let mut last = Instant::now() + 4 * SHORT;
        near.set_read_deadline(Some(last));
        let reader = {
            let near = Arc::clone(&near);
            go(move || {
                let kind = kind((&*near).read(&mut [0]));
                (kind, Instant::now())
            })
        };
        let mut moved = 0;
        for _ in 0..10 {
            spin(SHORT);
            let next = Instant::now() + 4 * SHORT;
            near.set_read_deadline(Some(next));
            if Instant::now() > last {
                // This thread had no processor for so long.
                break;
            }
            (last, moved) = (next, moved + 1);
        }
        let (error, end) = reader.join().unwrap();
        assert_eq!(error, ErrorKind::TimedOut);
        assert!(end >= last, "{:?} early, moved {moved} times", last - end);
        // And one that is taken away does not come.
        near.set_read_deadline(in_a(10 * SHORT));
        let reader = {
            let near = Arc::clone(&near);
            go(move || (&*near).read(&mut [0]).unwrap())
        };
        spin(SHORT);
        near.set_read_deadline(None);
        spin(10 * SHORT);
        assert!(!reader.is_finished());
        far.write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap(), 1);
    });
}

#[test]
fn data_that_comes_before_it_is_read() {
    on_both(2, || {
        let (mut near, mut far) = pair();
        let echo = go(move || {
            let mut buffer = [0; 10];
            while let Ok(count @ 1..) = far.read(&mut buffer) {
                far.write_all(&buffer[..count]).unwrap();
            }
        });
        for _ in 0..2000 {
            near.set_deadline(in_a(MUCH));
            near.write_all(b"request").unwrap();
            near.read_exact(&mut [0; 7]).unwrap();
        }
        drop(near);
        echo.join().unwrap();
    });
}

#[test]
fn those_that_come_are_counted_as_timers() {
    // Pinned goroutines become runnable with their threads, which are not counted.
    let [runtime, _] = both(2);
    within(super::LONG, &runtime, || {
        let fired = || runtime.metrics().total.timers_fired;
        let (before, mut rounds) = (fired(), 0);
        // Sysmon may have been the first to see some of them.
        while fired() == before {
            rounds += 1;
            let test = || {
                let (mut near, _far) = pair();
                near.set_read_deadline(in_a(SHORT));
                assert_eq!(kind(near.read(&mut [0])), ErrorKind::TimedOut);
            };
            runtime.run(test).unwrap();
            assert!(rounds < 100, "{}", runtime.metrics());
        }
    });
}

/// An address that answers no request to connect: the queue of its listener is full.
fn full_listener() -> (std::net::TcpListener, SocketAddr, Vec<std::net::TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(1).unwrap();
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let short = Duration::from_millis(100);
    let open = |_| std::net::TcpStream::connect_timeout(&address, short).ok();
    let open = (0..10).map_while(open).collect();
    (listener, address, open)
}

#[test]
fn connecting_takes_no_longer_than_it_may() {
    on_both(2, || {
        let (_listener, address, open) = full_listener();
        assert!(open.len() < 10, "the listener's queue has an end");
        let begin = Instant::now();
        assert_eq!(kind(TcpStream::connect_timeout(&address, SHORT)), ErrorKind::TimedOut);
        assert!(begin.elapsed() >= SHORT && begin.elapsed() < MUCH, "{:?}", begin.elapsed());
        let none = TcpStream::connect_timeout(&address, Duration::ZERO);
        assert_eq!(kind(none), ErrorKind::TimedOut);
        // With time enough it waits in no timer that fails it later.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut stream = TcpStream::connect_timeout(&address, 10 * SHORT).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        spin(20 * SHORT);
        stream.write_all(b"x").unwrap();
        far.read_exact(&mut [0]).unwrap();
    });
}

#[test]
fn threads_have_them_too() {
    for runtime in both(2) {
        within(super::LONG, &runtime, || {
            let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0")).unwrap();
            let begin = Instant::now();
            listener.set_deadline(in_a(SHORT));
            assert_eq!(kind(listener.accept()), ErrorKind::TimedOut);
            assert!(begin.elapsed() >= SHORT && begin.elapsed() < MUCH, "{:?}", begin.elapsed());
        });
    }
}
