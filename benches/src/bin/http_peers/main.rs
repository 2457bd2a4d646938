//! Servers under load: Go's, gosched's, tokio's, each answering `hello`, and wrk against each in
//! turn.
//!
//! ```text
//! cargo build --release -p gosched-runtime --example http_echo
//! cargo run --release -p gosched-benches --bin http-peers -- compare
//! cargo run --release -p gosched-benches --bin http-peers -- serve tokio 127.0.0.1:8080
//! ```
//!
//! What they do differs, and the table says so. gosched's example and `tokio` here do the same: a
//! request's head is parsed by httparse, and a short answer put together. `hyper` (over tokio)
//! and `go` (`net/http`) are whole HTTP servers, with everything that a real one must do.
//!
//! Read `serve` for the peers' side, `wrk` for the load, `compare` for the rounds.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

mod compare;
mod serve;
mod wrk;

use core::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// HTTP servers over Go, gosched and tokio, under the load of wrk.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Serve until stopped.
    Serve {
        /// How.
        server: serve::Server,
        /// Where, such as 127.0.0.1:8080.
        address: SocketAddr,
        /// Threads that run tasks; as many as processors unless said.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        workers: Option<u32>,
    },
    /// Start every server, load each in turn, round after round, and print a table.
    Compare(compare::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Serve { server, address, workers } => {
            serve::run(server, address, workers.map(|workers| workers as usize))
        }
        What::Compare(options) => compare::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("http-peers: {message}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }
}
