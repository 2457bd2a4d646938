//! One who shares a socket closes it, or the runtime ends.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use gosched_runtime::net::{Closed, NoPoller, TcpListener, TcpStream, UdpSocket};
use gosched_runtime::{JoinHandle, go, yield_now};

use super::{both, on_both, pair, within};

fn is_closed<T>(result: io::Result<T>) -> bool {
    let Err(error) = result else { return false };
    error.downcast::<Closed>().is_ok()
}

/// Has several goroutines wait for the same, closes it, and sees that all have the reason; also of
/// what is tried afterwards.
fn close_over<S: Send + Sync + 'static>(socket: S, wait: fn(&S) -> io::Result<()>, close: fn(&S)) {
    let socket = Arc::new(socket);
    let waiting: Vec<JoinHandle<_>> = (0..3)
        .map(|_| {
            let socket = Arc::clone(&socket);
            go(move || wait(&socket))
        })
        .collect();
    (0..1000).for_each(|_| yield_now());
    assert!(waiting.iter().all(|one| !one.is_finished()));
    close(&socket);
    close(&socket);
    for one in waiting {
        assert!(is_closed(one.join().unwrap()));
    }
    assert!(is_closed(wait(&socket)));
}

#[test]
fn all_who_wait_are_told() {
    on_both(2, || {
        let (near, mut far) = pair();
        close_over(near, |mut stream| stream.read_exact(&mut [0]), TcpStream::close);
        assert_eq!(far.read(&mut [0]).unwrap(), 0, "the peer sees the end");
        let (near, _far) = pair();
        let write = |mut stream: &TcpStream| stream.write_all(&vec![0; 64 << 20]);
        close_over(near, write, TcpStream::close);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        close_over(listener, |listener| listener.accept().map(drop), TcpListener::close);
        assert_eq!(super::kind(TcpStream::connect(address)), io::ErrorKind::ConnectionRefused);
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        close_over(socket, |socket| socket.recv(&mut [0]).map(drop), UdpSocket::close);
    });
}

#[test]
fn threads_are_told_of_a_shutdown() {
    for runtime in both(2) {
        within(super::LONG, &runtime, || {
            let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0")).unwrap();
            let listener = Arc::new(listener);
            let waiting = {
                let listener = Arc::clone(&listener);
                std::thread::spawn(move || listener.accept().map(drop))
            };
            std::thread::sleep(Duration::from_millis(50));
            assert!(!waiting.is_finished());
            assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
            let error = waiting.join().unwrap().unwrap_err();
            assert_eq!(error.downcast::<NoPoller>().unwrap(), NoPoller::Shutdown);
            // What need not wait goes on.
            let address = listener.local_addr().unwrap();
            let _client = std::net::TcpStream::connect(address).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            let error = (&accepted).read(&mut [0]).unwrap_err();
            assert_eq!(error.downcast::<NoPoller>().unwrap(), NoPoller::Shutdown);
        });
    }
}
