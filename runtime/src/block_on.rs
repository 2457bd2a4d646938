//! Futures inside goroutines.

use std::future::{Future, IntoFuture};
use std::pin::pin;

use crate::goroutine::WaitReason;
use crate::park::wait_for;

/// Waits for a future: the goroutine parks between its polls, so that the others go on. Channels,
/// locks and clients of the async world work as they are.
///
/// On a thread that runs no goroutine it blocks the thread.
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    wait_for(WaitReason::Future, |context| future.as_mut().poll(context))
}
