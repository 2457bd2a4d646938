//! gosched's tasks without stacks: `go_future` polls a future on the same scheduler. The channel is
//! smol's.

use core::pin::Pin;
use core::task::{Context, Poll};

use gosched_runtime::{JoinHandle, block_on, go_future};
use smol::future::yield_now;

use super::block_a_millisecond;
use super::channels::AsyncChannel;
use super::futures::Futures;
use super::gosched::runtime;

/// gosched, tasks without stacks.
#[derive(Debug)]
pub(crate) struct GoschedAsync;

/// A task's result, where no task panics.
#[derive(Debug)]
pub(crate) struct Joined<T>(JoinHandle<T>);

impl<T> Future for Joined<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        Pin::new(&mut self.0).poll(context).map(|result| result.expect("no task panics"))
    }
}

impl Futures for GoschedAsync {
    type Task<T: Send + 'static> = Joined<T>;
    type Means = AsyncChannel;

    fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = runtime(workers);
        // The thread that wakes from outside is unknown to the runtime, and no task's sleep a
        // deadlock.
        let _announced = runtime.outside();
        let task = runtime.run(|| Self::spawn(root)).expect("a task was made");
        block_on(task)
    }

    fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Joined<T> {
        Joined(go_future(task))
    }

    fn yields() -> impl Future<Output = ()> + Send {
        yield_now()
    }

    async fn blocks() {
        gosched_runtime::blocking(block_a_millisecond);
    }
}
