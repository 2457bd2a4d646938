//! Who starts threads for those that should not: Go's template thread.
//!
//! A thread inherits from the one that starts it: processors that it may use, nice value, blocked
//! signals, namespaces. A goroutine that is locked to its thread may have changed these there, and
//! other goroutines must not have them. So from the first lock on a runtime has one thread more,
//! which runs nothing: it starts the machines that a locked goroutine's thread would have started.
//!
//= go1.27:src/runtime/proc.go#templateThread
//= go1.27:src/runtime/proc.go#startTemplateThread

use std::cell::Cell;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

type Order = Box<dyn FnOnce() + Send>;

thread_local! {
    /// Whether a goroutine is locked to this thread, and may have changed it.
    static CHANGED: Cell<bool> = const { Cell::new(false) };
}

/// The thread is changed from now on, or not any more. Not inlined, as goroutines change threads.
#[inline(never)]
pub(crate) fn set_changed(changed: bool) {
    CHANGED.set(changed);
}

#[inline(never)]
fn is_changed() -> bool {
    CHANGED.get()
}

/// A thread as it was before anybody changed it, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Template {
    thread: Mutex<Option<(Sender<Order>, JoinHandle<()>)>>,
}

impl Template {
    fn thread(&self) -> MutexGuard<'_, Option<(Sender<Order>, JoinHandle<()>)>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The calling thread is about to be changed: there is a template from now on, which does
    /// `begin` first, if the system has a thread for it.
    pub(crate) fn make(&self, name: String, begin: impl FnOnce() + Send + 'static) {
        let mut thread = self.thread();
        if thread.is_none() {
            let (orders, ordered) = channel::<Order>();
            let serve = move || {
                begin();
                ordered.into_iter().for_each(|order| order());
            };
            let made = Builder::new().name(name).spawn(serve);
            *thread = made.ok().map(|made| (orders, made));
        }
    }

    /// Starts a thread: from here, or from the template, if this thread was changed.
    pub(crate) fn start(&self, start: impl FnOnce() + Send + 'static) {
        let template = if is_changed() { self.thread() } else { return start() };
        let orders = template.as_ref().map(|(orders, _)| orders.clone());
        drop(template);
        match orders {
            // Whoever receives lives as long as there is a sender.
            Some(orders) => drop(orders.send(Box::new(start))),
            None => start(),
        }
    }

    /// Joins the thread. Its last orders are done first.
    pub(crate) fn end(&self) {
        let thread = self.thread().take();
        if let Some((orders, thread)) = thread {
            drop(orders);
            // An order does not panic; and if one has, this is not the place to say so.
            let _ = thread.join();
        }
    }
}
