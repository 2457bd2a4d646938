//! What is sent arrives, and comes back.

use std::future::poll_fn;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gosched_runtime::net::{TcpListener, TcpStream, UdpSocket};
use gosched_runtime::time::sleep;
use gosched_runtime::{go, go_future, yield_now};

use super::{on_both, pair};

fn serve(mut connection: TcpStream) {
    let mut buffer = [0; 64];
    loop {
        match connection.read(&mut buffer).unwrap() {
            0 => return,
            count => connection.write_all(&buffer[..count]).unwrap(),
        }
    }
}

#[test]
fn tcp() {
    on_both(2, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = go(move || {
            let serving: Vec<_> = (0..200)
                .map(|_| {
                    let (connection, _) = listener.accept().unwrap();
                    go(move || serve(connection))
                })
                .collect();
            serving.into_iter().for_each(|one| one.join().unwrap());
        });
        let clients: Vec<_> = (0..200_u32)
            .map(|client| {
                go(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    for round in 0..20 {
                        // Shorter than the server's buffer, as long, and longer.
                        let text = vec![(client + round) as u8; [3, 64, 200][round as usize % 3]];
                        stream.write_all(&text).unwrap();
                        let mut answer = vec![0; text.len()];
                        stream.read_exact(&mut answer).unwrap();
                        assert_eq!(answer, text);
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        server.join().unwrap();
    });
}

#[test]
fn more_than_the_buffers_hold() {
    const SIZE: usize = 16 << 20;
    on_both(2, || {
        let (mut near, mut far) = pair();
        let writer = go(move || {
            let bytes: Vec<u8> = (0..SIZE).map(|at| (at * 7 / 3) as u8).collect();
            near.write_all(&bytes).unwrap();
            bytes
        });
        let mut got = Vec::new();
        // Slowly at first, so that the writer waits.
        let mut small = [0; 1000];
        for _ in 0..100 {
            let count = far.read(&mut small).unwrap();
            got.extend_from_slice(&small[..count]);
            yield_now();
        }
        far.read_to_end(&mut got).unwrap();
        assert!(got == writer.join().unwrap());
    });
}

#[test]
fn udp() {
    on_both(2, || {
        let server = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let address = server.local_addr().unwrap();
        let echoes: Vec<_> = (0..4)
            .map(|_| {
                let server = Arc::clone(&server);
                go(move || {
                    let mut buffer = [0; 100];
                    loop {
                        let (count, from) = server.recv_from(&mut buffer).unwrap();
                        if count == 0 {
                            return;
                        }
                        server.send_to(&buffer[..count], from).unwrap();
                    }
                })
            })
            .collect();
        let clients: Vec<_> = (0..50_u8)
            .map(|client| {
                go(move || {
                    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                    socket.connect(address).unwrap();
                    for round in 0..20_u8 {
                        assert_eq!(socket.send(&[client, round]).unwrap(), 2);
                        let mut buffer = [0; 100];
                        assert_eq!(socket.peek(&mut buffer).unwrap(), 2);
                        assert_eq!(socket.recv(&mut buffer).unwrap(), 2);
                        assert_eq!(buffer[..2], [client, round]);
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
        let stop = UdpSocket::bind("127.0.0.1:0").unwrap();
        // Each ends one, whichever it is.
        echoes.iter().for_each(|_| assert_eq!(stop.send_to(&[], address).unwrap(), 0));
        echoes.into_iter().for_each(|echo| echo.join().unwrap());
    });
}

#[test]
fn one_direction_ends_and_the_other_goes_on() {
    on_both(2, || {
        let (mut near, mut far) = pair();
        let server = go(move || {
            let mut all = String::new();
            far.read_to_string(&mut all).unwrap();
            far.write_all(format!("{} bytes", all.len()).as_bytes()).unwrap();
        });
        near.write_all(b"question").unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        near.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "8 bytes");
        server.join().unwrap();
    });
}

#[test]
fn the_end_is_seen_after_a_short_read() {
    on_both(2, || {
        // The end comes after the read; before it; and before it, with the poller's word.
        for (early, told) in [(false, false), (true, false), (true, true)] {
            let (mut near, mut far) = pair();
            near.write_all(b"last words").unwrap();
            let near = Some(near).filter(|_| !early);
            if told {
                sleep(Duration::from_millis(20));
            }
            let mut buffer = [0; 100];
            assert_eq!(far.read(&mut buffer).unwrap(), 10);
            drop(near);
            assert_eq!(far.read(&mut buffer).unwrap(), 0);
            assert_eq!(far.read(&mut buffer).unwrap(), 0);
        }
    });
}

#[test]
fn several_buffers_and_a_look_ahead() {
    on_both(2, || {
        let (mut near, mut far) = pair();
        let parts = [IoSlice::new(b"one "), IoSlice::new(b"two")];
        assert_eq!(near.write_vectored(&parts).unwrap(), 7);
        let mut ahead = [0; 10];
        assert_eq!(far.peek(&mut ahead).unwrap(), 7);
        assert_eq!(far.peek(&mut ahead).unwrap(), 7);
        let (mut one, mut two) = ([0; 4], [0; 4]);
        let count =
            far.read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)]).unwrap();
        assert_eq!((count, &one, &two[..3]), (7, b"one ", &b"two"[..]));
        near.set_nodelay(true).unwrap();
        assert!(near.nodelay().unwrap());
        near.set_ttl(7).unwrap();
        assert_eq!(near.ttl().unwrap(), 7);
    });
}

#[test]
fn two_goroutines_share_a_connection() {
    on_both(2, || {
        let (near, far) = pair();
        let near = Arc::new(near);
        let reader = {
            let near = Arc::clone(&near);
            go(move || {
                let mut all = [0; 3000];
                (&*near).read_exact(&mut all).unwrap();
                all.iter().map(|byte| usize::from(*byte)).sum::<usize>()
            })
        };
        let echo = go(move || serve(far));
        for _ in 0..1000 {
            (&*near).write_all(&[1, 2, 3]).unwrap();
        }
        assert_eq!(reader.join().unwrap(), 6000);
        drop(near);
        echo.join().unwrap();
    });
}

#[test]
fn several_goroutines_accept_from_one_listener() {
    on_both(2, || {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicUsize::new(0));
        let acceptors: Vec<_> = (0..8)
            .map(|_| {
                let (listener, accepted) = (Arc::clone(&listener), Arc::clone(&accepted));
                go(move || {
                    while listener.accept().is_ok() {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let clients: Vec<_> =
            (0..100).map(|_| go(move || TcpStream::connect(address).unwrap())).collect();
        let _open: Vec<_> = clients.into_iter().map(|client| client.join().unwrap()).collect();
        while accepted.load(Ordering::Relaxed) < 100 {
            yield_now();
        }
        listener.close();
        acceptors.into_iter().for_each(|acceptor| acceptor.join().unwrap());
        assert_eq!(accepted.load(Ordering::Relaxed), 100);
    });
}

#[test]
fn futures_read_and_write() {
    on_both(2, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = go_future(async move {
            let (connection, _) = poll_fn(|context| listener.poll_accept(context)).await.unwrap();
            let mut buffer = [0; 10];
            loop {
                let count =
                    poll_fn(|context| connection.poll_read(context, &mut buffer)).await.unwrap();
                if count == 0 {
                    return;
                }
                let written =
                    poll_fn(|context| connection.poll_write(context, &buffer[..count])).await;
                assert_eq!(written.unwrap(), count);
            }
        });
        let mut client = TcpStream::connect(address).unwrap();
        for round in 0..100_u8 {
            client.write_all(&[round; 9]).unwrap();
            let mut answer = [0; 9];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [round; 9]);
        }
        drop(client);
        server.join().unwrap();
    });
}
