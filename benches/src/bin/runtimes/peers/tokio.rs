//! tokio's multi-threaded runtime, with I/O and timers on, as `#[tokio::main]` sets it up.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

use super::block_a_millisecond;
use super::futures::{Futures, Joined, Means};

/// tokio.
#[derive(Debug)]
pub(crate) struct Tokio;

impl Futures for Tokio {
    type Task<T: Send + 'static> = Joined<JoinHandle<T>>;
    type Means = Self;

    fn on<T: Send + 'static>(workers: usize, root: impl Future<Output = T> + Send + 'static) -> T {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime =
            builder.worker_threads(workers).enable_all().build().expect("threads, and epoll");
        runtime.block_on(async { Self::spawn(root).await })
    }

    fn spawn<T: Send + 'static>(
        task: impl Future<Output = T> + Send + 'static,
    ) -> Joined<JoinHandle<T>> {
        Joined(tokio::spawn(task))
    }

    fn yields() -> impl Future<Output = ()> + Send {
        yield_now()
    }

    fn blocks() -> impl Future<Output = ()> + Send {
        Joined(spawn_blocking(block_a_millisecond))
    }
}

impl Means for Tokio {
    type Sender = mpsc::Sender<u64>;
    type Receiver = mpsc::Receiver<u64>;
    type Signal = Arc<Notify>;

    fn channel() -> (Self::Sender, Self::Receiver) {
        mpsc::channel(1)
    }

    async fn send(sender: &Self::Sender, message: u64) {
        sender.send(message).await.expect("somebody listens");
    }

    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send {
        receiver.recv()
    }

    fn signal() -> Arc<Notify> {
        Arc::new(Notify::new())
    }

    fn let_one(signal: &Arc<Notify>) {
        signal.notify_one();
    }

    fn let_all(signal: &Arc<Notify>) {
        signal.notify_waiters();
    }

    fn given(signal: &Arc<Notify>) -> impl Future<Output = ()> + Send {
        signal.notified()
    }
}
