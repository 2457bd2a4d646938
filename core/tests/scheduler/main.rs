//! The scheduler as its host sees it: on one thread, where the test chooses who makes the next
//! step, and at last on real threads. What it does between threads at the grain of its atomic
//! steps is checked by the claims `scheduler::*`.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]
#![allow(clippy::disallowed_types, reason = "a host beside the scheduler under test")]
#![allow(clippy::disallowed_methods, reason = "tests on threads make threads")]

mod asleep;
mod blocking;
mod dismiss;
mod find;
mod hand_off;
mod host;
mod hostile;
mod idle_word;
mod locked;
mod many;
mod misuse;
mod monitor;
mod park;
mod poller;
mod resize;
mod shutdown;
mod snapshot;
mod steal;
mod stop;
mod submit;
mod threads;
mod wake;
