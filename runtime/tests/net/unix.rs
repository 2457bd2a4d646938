//! Unix sockets.

use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use gosched_runtime::go;
use gosched_runtime::net::unix::{UnixDatagram, UnixListener, UnixStream};

use super::{kind, on_both};

/// A path that nobody has, removed when it is dropped.
struct Path(PathBuf);

impl Path {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gosched-net-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn streams() {
    on_both(2, || {
        let path = Path::new();
        assert_eq!(kind(UnixStream::connect(&path.0)), ErrorKind::NotFound);
        let listener = UnixListener::bind(&path.0).unwrap();
        let server = go(move || {
            for _ in 0..50 {
                let (mut stream, _) = listener.accept().unwrap();
                go(move || {
                    let mut buffer = [0; 10];
                    while let Ok(count @ 1..) = stream.read(&mut buffer) {
                        stream.write_all(&buffer[..count]).unwrap();
                    }
                });
            }
        });
        let clients: Vec<_> = (0..50_u8)
            .map(|client| {
                let path = path.0.clone();
                go(move || {
                    let mut stream = UnixStream::connect(path).unwrap();
                    for round in 0..20 {
                        stream.write_all(&[client, round]).unwrap();
                        let mut answer = [0; 2];
                        stream.read_exact(&mut answer).unwrap();
                        assert_eq!(answer, [client, round]);
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        server.join().unwrap();
        // The path is there, and nobody listens.
        assert_eq!(kind(UnixStream::connect(&path.0)), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_listener_whose_queue_is_full_is_waited_for() {
    on_both(2, || {
        let path = Path::new();
        let socket =
            socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket.bind(&socket2::SockAddr::unix(&path.0).unwrap()).unwrap();
        socket.listen(1).unwrap();
        let listener = std::os::unix::net::UnixListener::from(std::os::fd::OwnedFd::from(socket));
        let listener = UnixListener::from_std(listener).unwrap();
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let path = path.0.clone();
                go(move || UnixStream::connect(path).unwrap())
            })
            .collect();
        (0..1000).for_each(|_| gosched_runtime::yield_now());
        assert!(clients.iter().any(|client| !client.is_finished()));
        let accepted: Vec<_> = (0..8).map(|_| listener.accept().unwrap()).collect();
        let connected: Vec<_> = clients.into_iter().map(|one| one.join().unwrap()).collect();
        assert_eq!(accepted.len(), connected.len());
    });
}

#[test]
fn packets() {
    const PACKETS: u32 = 2000;
    on_both(2, || {
        let path = Path::new();
        let receiver = UnixDatagram::bind(&path.0).unwrap();
        // Many more than the queue holds, before anybody reads.
        let unconnected = {
            let path = path.0.clone();
            go(move || {
                let sender = UnixDatagram::unbound().unwrap();
                for number in 0..PACKETS {
                    sender.send_to(&number.to_le_bytes(), &path).unwrap();
                }
            })
        };
        let connected = {
            let path = path.0.clone();
            go(move || {
                let sender = UnixDatagram::unbound().unwrap();
                sender.connect(&path).unwrap();
                for number in 0..PACKETS {
                    sender.send(&number.to_le_bytes()).unwrap();
                }
            })
        };
        (0..1000).for_each(|_| gosched_runtime::yield_now());
        assert!(!unconnected.is_finished() && !connected.is_finished());
        let mut sum = 0;
        for _ in 0..2 * PACKETS {
            let mut number = [0; 4];
            assert_eq!(receiver.recv(&mut number).unwrap(), 4);
            sum += u32::from_le_bytes(number);
        }
        assert_eq!(sum, PACKETS * (PACKETS - 1));
        unconnected.join().unwrap();
        connected.join().unwrap();
    });
}

#[test]
fn a_full_queue_is_waited_for_until_the_deadline() {
    on_both(2, || {
        let path = Path::new();
        let _receiver = UnixDatagram::bind(&path.0).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        let begin = Instant::now();
        let wait = std::time::Duration::from_millis(50);
        sender.set_write_deadline(Some(begin + wait));
        let error = loop {
            if let Err(error) = sender.send_to(b"x", &path.0) {
                break error.kind();
            }
        };
        assert_eq!(error, ErrorKind::TimedOut);
        assert!(begin.elapsed() >= wait);
        let (one, other) = UnixDatagram::pair().unwrap();
        one.send(b"pair").unwrap();
        let (count, _) = other.recv_from(&mut [0; 10]).unwrap();
        assert_eq!(count, 4);
    });
}
