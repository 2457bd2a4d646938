//! Goroutines with names, for dumps, traces and the message of a stack's overflow.

use std::borrow::Cow;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use crate::goroutine::{Body, Kind};
use crate::join::{self, JoinHandle};
use crate::park::checkpoint_here;
use crate::runtime::{Runtime, Shared};
use crate::spawn::{NoRuntime, start_named};
use crate::worker::Worker;

/// Gives the next goroutine a name. Of a long one the first [`MAX_NAME`](crate::MAX_NAME) bytes are
/// kept, of one with a zero byte what is before it.
///
/// ```
/// use gosched_runtime::{Runtime, named, yield_now};
///
/// # Runtime::new()?.run(|| {
/// let reader = named("reader").go(|| 42);
/// let number = 7;
/// let worker = named(format!("worker {number}")).go(|| yield_now());
/// assert_eq!(reader.join().unwrap(), 42);
/// # worker.join().unwrap();
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn named(name: impl Into<Cow<'static, str>>) -> Named {
    Named { name: name.into() }
}

/// The name of a goroutine that is about to be started: see [`named`].
#[derive(Clone, Debug)]
#[must_use = "a name is nothing until a goroutine is started"]
pub struct Named {
    name: Cow<'static, str>,
}

impl Named {
    /// As [`go`](crate::go).
    ///
    /// # Panics
    ///
    /// On a thread that runs no goroutine.
    #[track_caller]
    pub fn go<F, T>(self, function: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.try_go(function) {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`try_go`](crate::try_go).
    ///
    /// # Errors
    ///
    /// On a thread that runs no goroutine. The function is dropped.
    #[track_caller]
    pub fn try_go<F, T>(self, function: F) -> Result<JoinHandle<T>, NoRuntime>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (body, ending) = join::closure(function);
        let id = self.start_here(body, Kind::Stackful, Location::caller())?;
        Ok(JoinHandle::new(ending, id))
    }

    /// As [`go_future`](crate::go_future).
    ///
    /// # Panics
    ///
    /// On a thread that runs no goroutine.
    #[track_caller]
    pub fn go_future<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (body, ending) = join::future(future);
        match self.start_here(body, Kind::Future, Location::caller()) {
            Ok(id) => JoinHandle::new(ending, id),
            Err(error) => panic!("{error}"),
        }
    }

    /// As [`Runtime::go`].
    #[track_caller]
    pub fn go_on<F, T>(self, runtime: &Runtime, function: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (body, ending) = join::closure(function);
        let shared: &Arc<Shared> = runtime.shared();
        let worker = Worker::running().map(|(worker, _)| worker);
        let worker = worker.filter(|worker| Arc::ptr_eq(&worker.shared, shared));
        let location = Location::caller();
        let id = start_named(shared, worker, &self.name, body, Kind::Stackful, location);
        JoinHandle::new(ending, id)
    }

    fn start_here(
        &self,
        body: Arc<dyn Body>,
        kind: Kind,
        location: &'static Location<'static>,
    ) -> Result<u64, NoRuntime> {
        let (worker, goroutine) = Worker::running().ok_or(NoRuntime)?;
        let id = start_named(&worker.shared, Some(worker), &self.name, body, kind, location);
        checkpoint_here(worker, goroutine);
        Ok(id)
    }
}
