//! Nobody is starved: timers, input and goroutines that never wait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::net::{TcpListener, TcpStream, UdpSocket};
use gosched_runtime::{Migrating, Runtime, checkpoint, go, yield_now};

use super::{both, kind, pair, within};

/// Longer than anybody here may wait, on a machine that has much else to do: who is starved waits
/// as long as the others go on.
const PATIENCE: Duration = Duration::from_secs(3);

/// Echoes in goroutines, until the peer ends.
fn serve(mut far: TcpStream) {
    let mut buffer = [0; 64];
    while let Ok(count @ 1..) = far.read(&mut buffer) {
        far.write_all(&buffer[..count]).unwrap();
    }
}

/// A thread's round trips to a server of goroutines. The longest.
fn round_trips(address: std::net::SocketAddr, count: usize) -> Duration {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let trip = |_| {
        let begin = Instant::now();
        stream.write_all(b"request").unwrap();
        stream.read_exact(&mut [0; 7]).unwrap();
        begin.elapsed()
    };
    (0..count).map(trip).max().unwrap()
}

/// Round trips, while goroutines that are always runnable do `busy`.
fn beside(busy: fn()) {
    for runtime in both(2) {
        within(super::LONG, &runtime, || {
            let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            let over = Arc::new(AtomicBool::new(false));
            let hogs: Vec<_> = (0..4)
                .map(|_| {
                    let over = Arc::clone(&over);
                    runtime.go(move || {
                        while !over.load(Ordering::Relaxed) {
                            busy();
                        }
                    })
                })
                .collect();
            let server = runtime.go(move || serve(listener.accept().unwrap().0));
            let longest = round_trips(address, 20);
            over.store(true, Ordering::Relaxed);
            assert!(longest < PATIENCE, "{longest:?}");
            server.join().unwrap();
            hogs.into_iter().for_each(|hog| hog.join().unwrap());
        });
    }
}

#[test]
fn input_beside_goroutines_that_yield() {
    beside(yield_now);
}

#[test]
fn input_beside_goroutines_that_compute() {
    beside(|| {
        let end = Instant::now() + Duration::from_millis(1);
        while Instant::now() < end {
            checkpoint();
        }
    });
}

/// A goroutine and a peer that keep each other busy, until told; how often.
fn chatter(over: &Arc<AtomicBool>) -> gosched_runtime::JoinHandle<usize> {
    let (mut near, far) = pair();
    go(move || serve(far));
    let over = Arc::clone(over);
    go(move || {
        let mut rounds = 0;
        while !over.load(Ordering::Relaxed) {
            near.write_all(b"request").unwrap();
            near.read_exact(&mut [0; 7]).unwrap();
            rounds += 1;
        }
        rounds
    })
}

#[test]
fn timers_beside_input_and_input_beside_timers() {
    for runtime in both(2) {
        within(super::LONG, &runtime, || {
            runtime
                .run(|| {
                    let over = Arc::new(AtomicBool::new(false));
                    let begin = Instant::now();
                    let chats: Vec<_> = (0..4).map(|_| chatter(&over)).collect();
                    let gone = Arc::new(AtomicUsize::new(0));
                    let timers: Vec<_> = (0..50)
                        .map(|_| {
                            let gone = Arc::clone(&gone);
                            go(move || {
                                let (mut silent, _peer) = pair();
                                for _ in 0..20 {
                                    let begin = Instant::now();
                                    let wait = Duration::from_millis(5);
                                    silent.set_read_deadline(Some(begin + wait));
                                    assert_eq!(kind(silent.read(&mut [0])), ErrorKind::TimedOut);
                                    let late = begin.elapsed() - wait;
                                    assert!(late < PATIENCE, "{late:?}");
                                    gone.fetch_add(1, Ordering::Relaxed);
                                }
                            })
                        })
                        .collect();
                    timers.into_iter().for_each(|timer| timer.join().unwrap());
                    assert_eq!(gone.load(Ordering::Relaxed), 1000);
                    over.store(true, Ordering::Relaxed);
                    // Were input noticed by sysmon alone, every 10 ms, a round would take two of
                    // its polls.
                    let starved = begin.elapsed().as_millis() as usize / 20;
                    for chat in chats {
                        let rounds = chat.join().unwrap();
                        assert!(rounds > 2 * starved, "{rounds} rounds, starved: {starved}");
                    }
                })
                .unwrap();
        });
    }
}

#[test]
fn one_who_is_always_served_gives_others_their_turn() {
    for runtime in both(1) {
        within(super::LONG, &runtime, || {
            let listener = runtime.net(|| TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            let over = Arc::new(AtomicBool::new(false));
            // A thread that always has more to say.
            let talker = {
                let over = Arc::clone(&over);
                thread::spawn(move || {
                    let mut stream = std::net::TcpStream::connect(address).unwrap();
                    let bytes = vec![0; 1 << 16];
                    while !over.load(Ordering::Relaxed) {
                        stream.write_all(&bytes).unwrap();
                    }
                })
            };
            let listens = runtime.go(move || {
                let (mut stream, _) = listener.accept().unwrap();
                // It reads so little at a time that there is always more.
                while let Ok(1..) = stream.read(&mut [0; 16]) {}
            });
            thread::sleep(Duration::from_millis(20));
            let begin = Instant::now();
            for _ in 0..10 {
                runtime.go(yield_now).join().unwrap();
            }
            let took = begin.elapsed();
            over.store(true, Ordering::Relaxed);
            talker.join().unwrap();
            listens.join().unwrap();
            assert!(took < PATIENCE, "{took:?}");
        });
    }
}

/// A name that is found when somebody else has run.
struct Slow(SocketAddr, Arc<AtomicBool>);

impl ToSocketAddrs for Slow {
    type Iter = std::option::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        while !self.1.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        Ok(Some(self.0).into_iter())
    }
}

#[test]
fn a_name_that_takes_its_time_keeps_nobody_waiting() {
    // SAFETY: nothing of a thread is kept across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().processors(1).migrating(migrating).build().unwrap();
    let test = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let slow = |address| {
            let run = Arc::new(AtomicBool::new(false));
            let runs = Arc::clone(&run);
            go(move || runs.store(true, Ordering::SeqCst));
            Slow(address, run)
        };
        let address = socket.local_addr().unwrap();
        assert_eq!(socket.send_to(b"x", slow(address)).unwrap(), 1);
        socket.connect(slow(address)).unwrap();
        TcpStream::connect(slow(listener.local_addr().unwrap())).unwrap();
    };
    within(super::LONG, &runtime, || runtime.run(test).unwrap());
}
