//! A process without free file descriptors: errors that say so, and nothing lost.
//!
//! A binary of its own, with one test: the limit is the process's.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::net::{TcpListener, TcpStream, UdpSocket};
use gosched_runtime::{Migrating, Runtime, go, time, yield_now};

/// Sets how many files the process may have open.
fn limit(files: u64) {
    let limit = libc::rlimit { rlim_cur: files, rlim_max: 4096 };
    // SAFETY: a structure of two numbers.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Opens files until there are no more.
fn fill() -> Vec<std::fs::File> {
    std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect()
}

fn is_exhausted<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.raw_os_error() == Some(libc::EMFILE))
}

fn check() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut near = TcpStream::connect(address).unwrap();
    let mut filled = fill();
    assert!(filled.len() > 10);
    // What was there goes on; what is new has the system's error, each time anew.
    for _ in 0..3 {
        assert!(is_exhausted(listener.accept()));
        assert!(is_exhausted(TcpStream::connect(address)));
        assert!(is_exhausted(TcpListener::bind("127.0.0.1:0")));
        assert!(is_exhausted(UdpSocket::bind("127.0.0.1:0")));
    }
    near.write_all(b"early").unwrap();
    // With one file free, the connection that waited is accepted, and what was sent is there.
    filled.pop();
    let (mut far, _) = listener.accept().unwrap();
    far.read_exact(&mut [0; 5]).unwrap();
    // Who waits when there is no file free gets the error, and the connection after it.
    let listener = Arc::new(listener);
    let tried = Arc::new(AtomicBool::new(false));
    let waiting = {
        let (listener, tried) = (Arc::clone(&listener), Arc::clone(&tried));
        go(move || {
            let first = listener.accept();
            tried.store(true, Ordering::SeqCst);
            assert!(is_exhausted(first), "the first who accepts has the error");
            let begin = Instant::now();
            loop {
                match listener.accept() {
                    Ok((stream, _)) => return stream,
                    Err(_) if begin.elapsed() < Duration::from_secs(30) => yield_now(),
                    Err(error) => panic!("{error}"),
                }
            }
        })
    };
    (0..1000).for_each(|_| yield_now());
    // A client needs a file, too: another process has it.
    let mut client = connect_from_outside(address);
    while !tried.load(Ordering::SeqCst) {
        time::sleep(Duration::from_millis(1));
    }
    filled.pop();
    let mut stream = waiting.join().unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "from outside\n");
    assert!(client.wait().unwrap().success());
}

/// A process that connects, writes, and ends: not before it is told, when there are no files again.
fn connect_from_outside(address: SocketAddr) -> std::process::Child {
    let peer = format!("/dev/tcp/{}/{}", address.ip(), address.port());
    let script = format!("read word; echo from outside > {peer}");
    // Starting a process needs files for a moment.
    limit(4000);
    let mut command = std::process::Command::new("bash");
    let child = command.arg("-c").arg(script).stdin(std::process::Stdio::piped()).spawn();
    limit(FILES);
    let mut child = child.unwrap();
    child.stdin.take().unwrap().write_all(b"now\n").unwrap();
    child
}

const FILES: u64 = 100;

#[test]
fn nothing_is_lost_without_files() {
    // A hang is a failure.
    thread::spawn(|| {
        thread::sleep(Duration::from_secs(60));
        eprintln!("it hangs");
        std::process::abort();
    });
    // SAFETY: nothing of a thread is kept across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(2);
    for runtime in [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
    {
        limit(FILES);
        runtime.run(check).unwrap();
        limit(4000);
    }
    // And no poller.
    limit(FILES);
    let filled = fill();
    let error = Runtime::new().unwrap_err();
    assert!(error.to_string().contains("open files"), "{error}");
    drop(filled);
    drop(Runtime::new().unwrap());
}
