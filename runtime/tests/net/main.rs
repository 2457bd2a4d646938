//! Sockets: what goes through them, when they fail, and who is not starved.

mod belonging;
mod closing;
mod deadlines;
mod echo;
mod fairness;
mod leftovers;
mod peers;
mod unix;

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gosched_runtime::net::{TcpListener, TcpStream};
use gosched_runtime::{Migrating, Runtime};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

/// A runtime whose goroutines migrate, and one whose goroutines are pinned.
fn both(processors: usize) -> [Runtime; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let builder = Runtime::builder().processors(processors);
    [builder.clone().migrating(migrating).build().unwrap(), builder.build().unwrap()]
}

/// Runs a test in a goroutine of each kind of runtime, and aborts when it hangs.
fn on_both(processors: usize, test: fn()) {
    for runtime in both(processors) {
        within(LONG, &runtime, || runtime.run(test).unwrap_or_else(|error| panic!("{error}")));
    }
}

/// Does something, and aborts the process if it takes too long, with the state of the runtime: a
/// hang is a failure.
fn within<T>(limit: Duration, runtime: &Runtime, act: impl FnOnce() -> T) -> T {
    let (done, wait) = mpsc::channel::<()>();
    let name = thread::current().name().map(str::to_owned);
    thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{name:?} hangs\n{:#?}\n{}", runtime.snapshot(), runtime.dump());
                std::process::abort();
            }
        });
        let result = act();
        drop(done);
        result
    })
}

/// Both ends of a connection.
fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, address) = listener.accept().unwrap();
    assert_eq!(near.local_addr().unwrap(), address);
    (near, far)
}

/// The error's kind.
fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.kind(),
    }
}
