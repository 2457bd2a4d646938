//! An HTTP/1.1 echo server: a goroutine for each connection, in plain blocking style.
//!
//! A GET is answered with `hello`, a POST with its body. With an address it serves until it is
//! stopped, for a load generator such as wrk; without one it loads itself, from as many client
//! goroutines as connections, and says what came of it.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example http_echo
//! cargo run --release -p gosched-runtime --example http_echo -- 127.0.0.1:8080
//! wrk -c 64 -t 1 -d 5s http://127.0.0.1:8080/
//! ```

mod client;
mod http;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gosched_runtime::net::{TcpListener, TcpStream};
use gosched_runtime::{JoinHandle, Migrating, Runtime, go};

use self::http::Connection;

/// How many clients the self-made load has, and for how long.
const CLIENTS: usize = 64;
const LOAD: Duration = Duration::from_secs(2);

/// Answers the requests of one connection until the peer closes it.
fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection::new(stream);
    while let Some(request) = connection.read()? {
        let body = if request.is_post { &request.body[..] } else { b"hello" };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut answer = head.into_bytes();
        answer.extend_from_slice(body);
        connection.stream().write_all(&answer)?;
        if request.is_last {
            break;
        }
    }
    Ok(())
}

/// Accepts connections, each for a goroutine of its own.
fn listen(listener: &TcpListener, stop: &AtomicBool) -> io::Result<()> {
    // ORDER: Relaxed: the closing of the listener wakes us.
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                // A connection that fails harms no other.
                drop(go(move || serve(stream)));
            }
            // The peer was gone before it was accepted.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // ORDER: Relaxed: as above.
            Err(_) if stop.load(Ordering::Relaxed) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Loads a server of our own, and returns how many requests it has answered.
fn load_ourselves() -> io::Result<u64> {
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
    let address = listener.local_addr()?;
    let stop = Arc::new(AtomicBool::new(false));
    let server = go({
        let (listener, stop) = (Arc::clone(&listener), Arc::clone(&stop));
        move || listen(&listener, &stop)
    });
    let until = Instant::now() + LOAD;
    let clients = (0..CLIENTS).map(|id| go(move || client::run(address, id, until)));
    let clients: Vec<JoinHandle<io::Result<u64>>> = clients.collect();
    let mut answered = 0;
    for client in clients {
        answered += client.join_or_unwind()?;
    }
    // ORDER: Relaxed: as above.
    stop.store(true, Ordering::Relaxed);
    listener.close();
    server.join_or_unwind()?;
    Ok(answered)
}

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: nothing here keeps anything of its thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().migrating(migrating).build()?;
    let Some(address) = std::env::args().nth(1) else {
        let answered = runtime.run(load_ourselves)??;
        println!(
            "{answered} requests of {CLIENTS} clients answered in {LOAD:?}: {} each second",
            answered / LOAD.as_secs()
        );
        return Ok(());
    };
    runtime.run(move || {
        let listener = TcpListener::bind(&*address)?;
        println!("listening on http://{}", listener.local_addr()?);
        listen(&listener, &AtomicBool::new(false))
    })??;
    Ok(())
}
