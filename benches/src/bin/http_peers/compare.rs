//! Every server in turn, round after round.
//!
//! All of them run for the whole time, and all but one of them sleep. The load has the same machine
//! as the server: its processors are part of what is compared, so processor time for a request says
//! more than requests a second.

use core::net::SocketAddr;
use core::time::Duration;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use clap::Args;
use gosched_benches::go::Go;
use gosched_benches::machine::Machine;
use gosched_benches::statistics::Spread;

use crate::wrk::{self, Amount, Load};

/// What is compared, and how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often each server is loaded.
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// How long each time.
    #[arg(long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,

    /// How many connections.
    #[arg(long, value_name = "N", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,

    /// gosched's server, which is started with an address; `target/release/examples/http_echo`,
    /// beside this program, unless said.
    #[arg(long, value_name = "PATH")]
    gosched: Option<PathBuf>,

    /// Go's command; `$GOSCHED_GO`, or `go` in the path, unless said.
    #[arg(long, value_name = "PATH")]
    go: Option<PathBuf>,
}

/// The program in Go.
const SOURCES: [(&str, &str); 2] = [
    ("go.mod", include_str!("../../../go/http/go.mod")),
    ("main.go", include_str!("../../../go/http/main.go")),
];

/// A server that runs. It is ended with this.
#[derive(Debug)]
struct Running {
    name: &'static str,
    address: SocketAddr,
    child: Child,
    loads: Vec<(Load, f64)>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that is gone already is what we want.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Prints the table.
///
/// # Errors
///
/// If wrk cannot be run or a server does not answer. A server that is not there is left out, with
/// one line.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let here = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let (mut servers, go) = start_all(options, &here)?;
    let amount = Amount { seconds: options.seconds, connections: options.connections };
    let load = Machine::load().map_or(String::new(), |load| format!(", load {load}"));
    for round in 0..options.rounds {
        for index in 0..servers.len() {
            let count = servers.len();
            let server = &mut servers[(round as usize + index) % count];
            eprintln!("round {}: {}", round + 1, server.name);
            let cpu = || wrk::cpu_seconds(server.child.id()).ok_or("the system tells no times");
            let before = cpu()?;
            let load = wrk::load(server.address, amount)?;
            let used = cpu()? - before;
            server.loads.push((load, used));
        }
    }
    let machine = Machine::here();
    println!(
        "{}, {} processors, {}{load}; {}, {}; {}; {}",
        machine.cpu,
        machine.processors,
        machine.system,
        machine.rustc,
        go.as_ref().map_or("no Go", Go::version),
        machine.peers,
        machine.date,
    );
    println!(
        "{} connections, {} rounds of {} s\n",
        amount.connections, options.rounds, amount.seconds
    );
    print!("{}", table(&servers));
    Ok(())
}

fn start_all(options: &Options, here: &Path) -> Result<(Vec<Running>, Option<Go>), String> {
    let mut servers = Vec::new();
    let go = Go::build(options.go.as_deref(), "http", &SOURCES);
    match &go {
        Ok(go) => servers.push(start("go net/http", Command::new(go.program()))?),
        Err(message) => eprintln!("http-peers: Go is left out: {message}"),
    }
    let beside = here.parent().map(|folder| folder.join("examples/http_echo"));
    match options.gosched.clone().or(beside).filter(|path| path.exists()) {
        Some(path) => servers.push(start("gosched", Command::new(path))?),
        None => eprintln!("http-peers: gosched is left out: build its example http_echo first"),
    }
    for (name, argument) in [("tokio", "tokio"), ("hyper over tokio", "hyper")] {
        let mut command = Command::new(here);
        command.args(["serve", argument]);
        servers.push(start(name, command)?);
    }
    Ok((servers, go.ok()))
}

/// Starts a server on a port of its own, and waits until it listens.
fn start(name: &'static str, mut command: Command) -> Result<Running, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.map_err(|error| format!("no port: {error}"))?;
    let child = command.arg(address.to_string()).stdout(Stdio::null()).spawn();
    let child = child.map_err(|error| format!("cannot start {name}: {error}"))?;
    let mut running = Running { name, address, child, loads: Vec::new() };
    for _ in 0..500 {
        if TcpStream::connect(address).is_ok() {
            return Ok(running);
        }
        if let Ok(Some(status)) = running.child.try_wait() {
            return Err(format!("{name} does not listen at {address}: {status}"));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("{name} does not listen at {address}"))
}

/// Medians over the rounds, and the ratio to the first server's.
fn table(servers: &[Running]) -> String {
    let mut text =
        "| server | requests/s | CPU us/request | / first | p50 us | p99 us | errors |\n\
                    |---|---:|---:|---:|---:|---:|---:|\n"
            .to_owned();
    let cpu = |server: &Running| -> Vec<f64> {
        server.loads.iter().map(|(load, used)| used * 1e6 / load.requests).collect()
    };
    for server in servers {
        let middle = |of: fn(&Load) -> f64| median(server.loads.iter().map(|(load, _)| of(load)));
        let ratio = Spread::of_ratios(&cpu(server), &cpu(&servers[0]));
        text += &format!(
            "| {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} |\n",
            server.name,
            middle(|load| load.requests_a_second),
            median(cpu(server)),
            ratio.map_or(f64::NAN, |ratio| ratio.median),
            middle(|load| load.p50_us),
            middle(|load| load.p99_us),
            server.loads.iter().map(|(load, _)| load.errors).sum::<f64>(),
        );
    }
    text
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    Spread::of(values).map_or(f64::NAN, |spread| spread.median)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn loaded(name: &'static str, requests: f64, used: f64) -> Running {
        let load =
            Load { requests, requests_a_second: requests, p50_us: 1.0, p99_us: 2.0, errors: 0.0 };
        let child = Command::new("true").spawn().expect("a process");
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        Running { name, address, child, loads: vec![(load, used)] }
    }

    #[test]
    fn processor_time_is_for_a_request_and_its_ratio_to_the_first() {
        let table = table(&[loaded("one", 1000.0, 0.02), loaded("two", 2000.0, 0.02)]);
        let line = table.lines().last().expect("a line");
        assert_eq!(line, "| two | 2000 | 10.00 | 0.50 | 1 | 2 | 0 |");
    }

    #[test]
    fn a_server_that_does_not_listen_is_told() {
        let error = start("sleeper", Command::new("true")).expect_err("it does not listen");
        assert!(error.starts_with("sleeper does not listen"), "{error}");
    }
}
