//! The steps of the book's guide *Build your own runtime*, from one thread to timers and tracing.
//!
//! Each file is a host that stands alone and asserts what its page says. The last page is
//! `host.rs`, beside this folder.
//!
//! ```text
//! cargo run --example host_steps          all steps
//! cargo run --example host_steps -- 4     the fourth
//! ```

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a host: its threads and its locks are its own"
)]

mod blocking;
mod channel;
mod observe;
mod one_thread;
mod shutdown;
mod sleep;
mod threads;
mod yields;

/// The steps, in the order of the guide.
const STEPS: [(&str, fn()); 8] = [
    ("one thread", one_thread::main),
    ("threads", threads::main),
    ("yields", yields::main),
    ("a channel", channel::main),
    ("blocking", blocking::main),
    ("sleep", sleep::main),
    ("shutdown", shutdown::main),
    ("observe", observe::main),
];

pub(crate) fn main() {
    let only: Option<usize> = std::env::args().nth(1).and_then(|number| number.parse().ok());
    for (number, (name, step)) in (1..).zip(STEPS) {
        if only.is_none_or(|only| only == number) {
            println!("step {number}: {name}");
            step();
        }
    }
}
