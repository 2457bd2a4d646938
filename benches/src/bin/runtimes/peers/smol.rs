//! smol: its executor on threads that each run `smol::block_on`, as `smol::spawn` has it.

use std::thread;

use smol::future::{pending, yield_now};
use smol::{Executor, Task};

use super::block_a_millisecond;
use super::channels::AsyncChannel;
use super::futures::Futures;

/// smol.
#[derive(Debug)]
pub(crate) struct Smol;

/// `smol::spawn` has one like it, whose number of threads is an environment variable's.
static EXECUTOR: Executor<'static> = Executor::new();

impl Futures for Smol {
    type Task<T: Send + 'static> = Task<T>;
    type Means = AsyncChannel;

    fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
        for _ in 0..workers {
            thread::spawn(|| smol::block_on(EXECUTOR.run(pending::<()>())));
        }
        smol::block_on(Self::spawn(root))
    }

    fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> Task<T> {
        EXECUTOR.spawn(task)
    }

    fn yields() -> impl Future<Output = ()> + Send {
        yield_now()
    }

    fn blocks() -> impl Future<Output = ()> + Send {
        smol::unblock(block_a_millisecond)
    }
}
