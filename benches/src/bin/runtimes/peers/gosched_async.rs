//! gosched's tasks without stacks: `go_future` polls a future on the same scheduler. The channel is
//! smol's.

use gosched_runtime::{JoinHandle, block_on, go_future};
use smol::future::yield_now;

use super::block_a_millisecond;
use super::channels::AsyncChannel;
use super::futures::{Futures, Joined};
use super::gosched::runtime;

/// gosched, tasks without stacks.
#[derive(Debug)]
pub(crate) struct GoschedAsync;

impl Futures for GoschedAsync {
    type Task<T: Send + 'static> = Joined<JoinHandle<T>>;
    type Means = AsyncChannel;

    fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = runtime(workers);
        // The thread that wakes from outside is unknown to the runtime, and no task's sleep a
        // deadlock.
        let _announced = runtime.outside();
        let task = runtime.run(|| Self::spawn(root)).expect("a task was made");
        block_on(task)
    }

    fn spawn<T: Send + 'static>(
        task: impl Future<Output = T> + Send + 'static,
    ) -> Joined<JoinHandle<T>> {
        Joined(go_future(task))
    }

    fn yields() -> impl Future<Output = ()> + Send {
        yield_now()
    }

    async fn blocks() {
        gosched_runtime::blocking(block_a_millisecond);
    }
}
