//! `go`: making goroutines.
//!
//= go1.27:src/runtime/proc.go#newproc

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::counters::Count;
use crate::goroutine::{Body, Free, Kind, Runnable, single_id};
use crate::join::{self, JoinHandle};
use crate::park::{checkpoint_here, tell_ready};
use crate::runtime::Shared;
use crate::watch;
use crate::worker::Worker;

/// `go` was called on a thread that runs no goroutine. [`Runtime::go`](crate::Runtime::go) needs
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRuntime;

impl fmt::Display for NoRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "this thread runs no goroutine: call it inside `Runtime::run`, or use `Runtime::go`",
        )
    }
}

impl std::error::Error for NoRuntime {}

/// Starts a goroutine, which runs `function`, next on this processor.
///
/// It costs one allocation; a stack is taken when it first runs. Whether it may move between
/// threads is the runtime's affair: see [`Migrating`](crate::Migrating). If it does not, the others
/// of its thread still run while it waits: the closure of a scoped thread-local (the crate
/// `scoped-tls`, say), which takes the scopes of a thread to be nested, must not wait.
///
/// # Panics
///
/// On a thread that runs no goroutine; see [`try_go`].
//= go1.27:src/runtime/proc.go#newproc
#[track_caller]
pub fn go<F, T>(function: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match try_go(function) {
        Ok(handle) => handle,
        Err(error) => panic!("{error}"),
    }
}

/// As [`go`], with an error in place of the panic.
///
/// # Errors
///
/// On a thread that runs no goroutine. The function is dropped.
#[track_caller]
pub fn try_go<F, T>(function: F) -> Result<JoinHandle<T>, NoRuntime>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (worker, goroutine) = Worker::running().ok_or(NoRuntime)?;
    let (body, ending) = join::closure(function);
    let id = start(&worker.shared, Some(worker), body, Kind::Stackful, Location::caller());
    checkpoint_here(worker, goroutine);
    Ok(JoinHandle::new(ending, id))
}

/// Starts a goroutine without a stack, which polls `future`. It may always move between threads, as
/// the compiler has checked that it can.
///
/// Where the future parks or blocks inside a poll, it does so with its machine's thread.
///
/// # Panics
///
/// As [`go`].
#[track_caller]
pub fn go_future<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let Some((worker, goroutine)) = Worker::running() else { panic!("{NoRuntime}") };
    let (body, ending) = join::future(future);
    let id = start(&worker.shared, Some(worker), body, Kind::Future, Location::caller());
    checkpoint_here(worker, goroutine);
    JoinHandle::new(ending, id)
}

/// Makes a goroutine of a body, and submits it. Its number.
pub(crate) fn start(
    shared: &Shared,
    worker: Option<&Worker>,
    body: Arc<dyn Body>,
    kind: Kind,
    location: &'static Location<'static>,
) -> u64 {
    start_named(shared, worker, "", body, kind, location)
}

/// As [`start`], with a name; one that is empty is none.
pub(crate) fn start_named(
    shared: &Shared,
    worker: Option<&Worker>,
    name: &str,
    body: Arc<dyn Body>,
    kind: Kind,
    location: &'static Location<'static>,
) -> u64 {
    let carrier = if kind == Kind::Future { std::ptr::null_mut() } else { shared.next_carrier() };
    let (descriptor, id) = match worker {
        Some(worker) => {
            worker.count(Count::Started);
            worker.new_descriptor()
        }
        None => {
            shared.engine().counters.add_outside(Count::Started);
            (Free::default().pop(), single_id())
        }
    };
    descriptor.set_name(name);
    let runnable = Runnable::new(descriptor, id, shared, Some(location), body, kind, carrier);
    if watch::is_any() {
        shared.engine().tracer.name(id, name);
        tell_ready(&runnable);
    }
    let submitted = match (descriptor.home(), worker) {
        (Some(home), _) => {
            home.push(runnable);
            Ok(())
        }
        (None, Some(worker)) => worker.submit(runnable),
        (None, None) => shared.scheduler().inject(runnable),
    };
    if let Err(closed) = submitted {
        closed.0.abandon();
    }
    id
}
