//! sysmon: the thread without a processor that watches the others.
//!
//! It turns the core's [`Monitor`](gosched::Monitor): takes processors out of system calls, asks
//! long slices for an end, polls if nobody has for long. While nothing runs it sleeps until
//! somebody takes a processor up: an idle program is woken by nobody.
//!
//= go1.27:src/runtime/proc.go#sysmon

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use gosched::Nap;

use crate::runtime::Shared;

/// Starts the thread.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<JoinHandle<()>> {
    let mut monitor = shared.scheduler().monitor_with(shared.engine().settings.pace);
    let shared = Arc::clone(shared);
    let name = format!("{}-sysmon", shared.engine().settings.name);
    thread::Builder::new().name(name).spawn(move || {
        loop {
            match monitor.step(shared.engine().clock()).nap {
                Nap::For(nanoseconds) => thread::sleep(Duration::from_nanos(nanoseconds)),
                Nap::Deep => monitor.sleep(),
                Nap::End => break,
            }
        }
    })
}
