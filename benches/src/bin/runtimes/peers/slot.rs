//! The channel of gosched's goroutines here: room for one message, a lock of std, `park` and
//! `unpark`. gosched has no channel of its own; this is the one that its two primitives make.
//!
//! ```text
//!    send: full?  leave a handle, park, again     recv: empty?  leave a handle, park, again
//!          else   put it, unpark who waits              else    take it, unpark who waits
//! ```

use std::sync::{Arc, Mutex};

use gosched_runtime::{Handle, current, park};

#[derive(Debug)]
struct State<T> {
    message: Option<T>,
    closed: bool,
    /// The receiver of an empty one, or the sender to a full one; never both.
    waiting: Option<Handle>,
}

type Shared<T> = Arc<Mutex<State<T>>>;

/// The one that sends. When it is dropped, the channel is closed.
#[derive(Debug)]
pub(super) struct Sender<T>(Shared<T>);

/// The one that receives.
#[derive(Debug)]
pub(super) struct Receiver<T>(Shared<T>);

/// A channel with room for one message.
pub(super) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { message: None, closed: false, waiting: None };
    let shared = Arc::new(Mutex::new(state));
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// Tries until `step` has a result; the goroutine sleeps in between. Whoever waits is woken
/// afterwards, the lock being free again.
fn wait<T, R>(shared: &Shared<T>, mut step: impl FnMut(&mut State<T>) -> Option<R>) -> R {
    loop {
        let mut state = shared.lock().expect("nobody panics with it");
        if let Some(result) = step(&mut state) {
            let waiting = state.waiting.take();
            drop(state);
            if let Some(handle) = waiting {
                handle.unpark();
            }
            return result;
        }
        state.waiting = current();
        drop(state);
        park();
    }
}

impl<T> Sender<T> {
    /// Sends, as soon as there is room.
    pub(super) fn send(&self, message: T) {
        let mut message = Some(message);
        wait(&self.0, |state| state.message.is_none().then(|| state.message = message.take()));
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        wait(&self.0, |state| {
            state.closed = true;
            Some(())
        });
    }
}

impl<T> Receiver<T> {
    /// Receives, as soon as there is a message. `None` when it is empty and closed.
    pub(super) fn recv(&self) -> Option<T> {
        wait(&self.0, |state| match state.message.take() {
            None if state.closed => Some(None),
            None => None,
            message => Some(message),
        })
    }
}

#[cfg(test)]
mod tests {
    use gosched_runtime::{Runtime, go};

    use super::*;

    #[test]
    fn messages_come_in_order_and_then_the_end() {
        let runtime = Runtime::builder().processors(2).build().expect("a runtime");
        let received = runtime.run(|| {
            let (sender, receiver) = channel();
            let sending = go(move || (0..1000).for_each(|message| sender.send(message)));
            let received: Vec<_> = core::iter::from_fn(|| receiver.recv()).collect();
            sending.join_or_unwind();
            received
        });
        assert!(received.expect("it ran").into_iter().eq(0..1000));
    }
}
