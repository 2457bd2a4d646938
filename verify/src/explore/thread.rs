//! The threads of a model, under the names of `std::thread`.

use crate::explore::Explored;
use crate::explore::world::ExploredJoinHandle;
use crate::world::World;

/// A thread of a model. It must be [joined](JoinHandle::join).
#[derive(Debug)]
pub struct JoinHandle<T>(ExploredJoinHandle<T>);

/// Starts a thread of the model that is being explored. There may be
/// [`THREADS_MAX`](super::THREADS_MAX), the first included.
///
/// # Panics
///
/// Outside a model.
#[track_caller]
pub fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    JoinHandle(Explored::spawn(f))
}

/// Says that the calling thread waits for another: its loop goes on in those executions in which
/// what it has read has changed.
///
/// # Panics
///
/// Outside a model.
pub fn yield_now() {
    Explored::yield_now();
}

impl<T: Send + 'static> JoinHandle<T> {
    /// Waits for the thread's end and returns what it returned. A thread that panics ends the
    /// execution, so there is no `Result`.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "most threads of a model return nothing")]
    pub fn join(self) -> T {
        Explored::join(self.0)
    }
}

/// One of `count` alternatives: every one is explored.
///
/// # Panics
///
/// Outside a model, or if `count` is zero.
#[track_caller]
#[must_use]
pub fn choose(count: u8) -> u8 {
    super::world::choose(count)
}
