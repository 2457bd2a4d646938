//! A chat server: two goroutines for each guest, one that reads and one that writes, and a hall
//! that passes on what each says to all others.
//!
//! ```text
//!    guest ──► reader ──► hall ──► the writers of all others ──► guests
//! ```
//!
//! With an address it serves until it is stopped: `nc 127.0.0.1 4000` is a client. Without one it
//! invites guests of its own, who all speak and listen, and checks what they have heard.
//!
//! ```text
//! cargo run --release -p gosched-runtime --example chat
//! cargo run --release -p gosched-runtime --example chat -- 127.0.0.1:4000
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use async_channel::{Receiver, Sender, unbounded};
use gosched_runtime::net::{TcpListener, TcpStream};
use gosched_runtime::{JoinHandle, Migrating, Runtime, block_on, go};

/// Who is there, by number, and how to reach them.
#[derive(Default)]
struct Hall {
    guests: Mutex<HashMap<u64, Sender<Arc<str>>>>,
}

impl Hall {
    fn guests(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Sender<Arc<str>>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, id: u64) -> Receiver<Arc<str>> {
        let (says, hears) = unbounded();
        let _ = says.try_send(Arc::from("welcome\n"));
        self.guests().insert(id, says);
        hears
    }

    /// Tells everybody but `id`. The lock is not kept across a scheduling point: `try_send` of an
    /// unbounded channel does not wait.
    fn say(&self, id: u64, line: &Arc<str>) {
        for (_, guest) in self.guests().iter().filter(|(other, _)| **other != id) {
            // One who has just left hears nothing.
            let _ = guest.try_send(Arc::clone(line));
        }
    }

    fn leave(&self, id: u64) {
        self.guests().remove(&id);
    }
}

/// Reads a guest's lines, until it leaves.
fn read(hall: &Hall, id: u64, stream: &TcpStream) -> io::Result<()> {
    for line in BufReader::new(stream).lines() {
        hall.say(id, &Arc::from(format!("{id}: {}\n", line?)));
    }
    Ok(())
}

/// Writes to a guest what it is to hear, until it has left.
fn write(hears: &Receiver<Arc<str>>, mut stream: &TcpStream) -> io::Result<()> {
    while let Ok(line) = block_on(hears.recv()) {
        stream.write_all(line.as_bytes())?;
    }
    stream.shutdown(Shutdown::Write)
}

/// Looks after one guest.
fn attend(hall: &Arc<Hall>, id: u64, stream: TcpStream) {
    let stream = Arc::new(stream);
    let hears = hall.enter(id);
    hall.say(id, &Arc::from(format!("{id} is here\n")));
    let writer = go({
        let stream = Arc::clone(&stream);
        move || write(&hears, &stream)
    });
    // A guest whose connection fails has left, as any other.
    let _ = read(hall, id, &stream);
    hall.leave(id);
    hall.say(id, &Arc::from(format!("{id} has left\n")));
    let _ = writer.join();
}

/// Lets guests in, so many, or for ever.
fn serve(listener: &TcpListener, most: Option<u64>) -> io::Result<()> {
    let hall = Arc::new(Hall::default());
    let mut guests = Vec::new();
    for id in 0.. {
        if most == Some(id) {
            break;
        }
        let (stream, _) = listener.accept()?;
        let hall = Arc::clone(&hall);
        let guest = go(move || attend(&hall, id, stream));
        if most.is_some() {
            guests.push(guest);
        }
    }
    guests.into_iter().for_each(JoinHandle::join_or_unwind);
    Ok(())
}

/// A guest that greets the others when all are there, and listens until it has heard all of them.
/// How many it heard.
fn visit(
    address: SocketAddr,
    others: usize,
    arrived: &Sender<()>,
    begin: &Receiver<()>,
) -> io::Result<usize> {
    let stream = TcpStream::connect(address)?;
    let mut lines = BufReader::new(&stream).lines();
    let welcome = lines.next().transpose()?;
    assert_eq!(welcome.as_deref(), Some("welcome"));
    let _ = block_on(arrived.send(()));
    // It is closed when all have arrived.
    let _ = block_on(begin.recv());
    (&stream).write_all(b"hello\n")?;
    let mut heard = 0;
    while heard < others {
        let Some(line) = lines.next() else { break };
        heard += usize::from(line?.ends_with("hello"));
    }
    stream.shutdown(Shutdown::Write)?;
    // What is still on its way is heard out, or the server could not write it.
    for line in lines {
        let _ = line?;
    }
    Ok(heard)
}

/// A hall full of guests of our own. How many greetings they have heard.
fn invite(guests: usize) -> io::Result<usize> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = go(move || serve(&listener, Some(guests as u64)));
    let (arrived, arrivals) = unbounded();
    let (all_there, begin) = unbounded();
    let visitors = (0..guests).map(|_| {
        let (arrived, begin) = (arrived.clone(), begin.clone());
        go(move || visit(address, guests - 1, &arrived, &begin))
    });
    let visitors: Vec<JoinHandle<io::Result<usize>>> = visitors.collect();
    for _ in 0..guests {
        let _ = block_on(arrivals.recv());
    }
    all_there.close();
    let mut heard = 0;
    for visitor in visitors {
        heard += visitor.join_or_unwind()?;
    }
    server.join_or_unwind()?;
    Ok(heard)
}

fn main() -> Result<(), Box<dyn Error>> {
    // SAFETY: nothing here keeps anything of its thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    let runtime = Runtime::builder().migrating(migrating).build()?;
    if let Some(address) = std::env::args().nth(1) {
        return Ok(runtime.run(move || {
            let listener = TcpListener::bind(&*address)?;
            println!("listening on {}", listener.local_addr()?);
            serve(&listener, None)
        })??);
    }
    let guests = 50;
    let heard = runtime.run(move || invite(guests))??;
    println!("{guests} guests have come, heard {heard} greetings, and left");
    assert_eq!(heard, guests * (guests - 1), "everybody has heard everybody else");
    Ok(())
}
