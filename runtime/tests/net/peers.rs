//! The peer goes at each step, and nobody hangs.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};

use gosched_runtime::go;
use gosched_runtime::net::{TcpListener, TcpStream, UdpSocket};

use socket2::{Domain, Type};

use super::{kind, on_both, pair};

/// Closes so that the peer is told of a reset.
fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
}

#[test]
fn nobody_listens() {
    on_both(2, || {
        // A port that is taken, so that it stays nobody's: bound, and not listening.
        let bound = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        bound.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let address = bound.local_addr().unwrap().as_socket().unwrap();
        assert_eq!(kind(TcpStream::connect(address)), ErrorKind::ConnectionRefused);
        // A packet's port is kept by one who receives from somebody else only.
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        other.connect(address).unwrap();
        let address = other.local_addr().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(address).unwrap();
        socket.send(b"x").unwrap();
        assert_eq!(kind(socket.recv(&mut [0])), ErrorKind::ConnectionRefused);
        let none: &[SocketAddr] = &[];
        assert_eq!(kind(TcpStream::connect(none)), ErrorKind::InvalidInput);
    });
}

#[test]
fn before_it_is_accepted() {
    on_both(2, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(TcpStream::connect(address).unwrap());
        let (mut end, _) = listener.accept().unwrap();
        assert_eq!(end.read(&mut [0]).unwrap(), 0);
        reset(TcpStream::connect(address).unwrap());
        let (mut gone, _) = listener.accept().unwrap();
        assert_eq!(kind(gone.read(&mut [0])), ErrorKind::ConnectionReset);
        // And the listener, before the connection is accepted.
        let mut stream = TcpStream::connect(address).unwrap();
        drop(listener);
        assert_eq!(kind(stream.read(&mut [0])), ErrorKind::ConnectionReset);
    });
}

#[test]
fn while_it_is_read_from() {
    on_both(2, || {
        for gentle in [true, false] {
            let (near, mut far) = pair();
            let reader = go(move || far.read(&mut [0; 10]));
            while !waits() {
                gosched_runtime::yield_now();
            }
            if gentle {
                drop(near);
                assert_eq!(reader.join().unwrap().unwrap(), 0);
            } else {
                reset(near);
                assert_eq!(kind(reader.join().unwrap()), ErrorKind::ConnectionReset);
            }
        }
    });
}

/// Long enough for another goroutine to have come to wait.
fn waits() -> bool {
    (0..1000).for_each(|_| gosched_runtime::yield_now());
    true
}

#[test]
fn while_it_is_written_to_with_full_buffers() {
    on_both(2, || {
        for gentle in [true, false] {
            let (mut near, far) = pair();
            let writer = go(move || {
                let bytes = vec![0; 64 << 20];
                near.write_all(&bytes)
            });
            while !waits() {}
            if gentle {
                // What is unread when it closes is a reset for the writer.
                drop(far);
            } else {
                reset(far);
            }
            let error = kind(writer.join().unwrap());
            assert!(
                matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                "{error:?}"
            );
        }
    });
}

#[test]
fn after_it_has_gone() {
    on_both(2, || {
        let (mut near, far) = pair();
        drop(far);
        let error = loop {
            if let Err(error) = near.write(b"x") {
                break error.kind();
            }
        };
        assert!(matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error:?}");
        assert_eq!(kind(near.write(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn half_of_it() {
    on_both(2, || {
        let (near, mut far) = pair();
        near.shutdown(Shutdown::Read).unwrap();
        // What comes is thrown away, and reading ends.
        far.write_all(b"x").unwrap();
        near.shutdown(Shutdown::Both).unwrap();
        assert_eq!(far.read(&mut [0]).unwrap(), 0);
        assert_eq!(kind((&near).write(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn every_descriptor_is_used_again() {
    on_both(2, || {
        // Events of sockets that are gone come to those that have their descriptors now.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = go(move || {
            for _ in 0..2000 {
                let (mut stream, _) = listener.accept().unwrap();
                go(move || {
                    let _ = stream.write_all(b"hello");
                });
            }
        });
        let clients: Vec<_> = (0..20)
            .map(|client| {
                go(move || {
                    for round in 0..100 {
                        let mut stream = TcpStream::connect(address).unwrap();
                        if (client + round) % 3 == 0 {
                            reset(stream);
                        } else {
                            let mut text = [0; 5];
                            stream.read_exact(&mut text).unwrap();
                            assert_eq!(&text, b"hello");
                        }
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        server.join().unwrap();
    });
}
