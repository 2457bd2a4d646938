//! The alarm of a direction: the timer that wakes who waits when the deadline has come.
//!
//! A server moves a connection's deadline with every request, and nearly never does it come. So a
//! deadline is a number, and the timer is set when somebody begins to wait and none is set that is
//! early enough. It may go off before a deadline that was moved; whoever waits then sets it anew:
//! once for each length of the timeout, however often the deadline moves.
//!
//! The timer wakes the [`Side`], which is never freed, so its waker is one word that owns nothing.

use std::mem::ManuallyDrop;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::descriptor::{NEVER, Side};
use crate::engine::Engine;
use crate::timers::Timer;
use crate::worker::Worker;

/// A direction's timer.
#[derive(Default)]
pub(super) struct Alarm {
    timer: Option<Timer>,
    /// When it goes off; [`NEVER`], or nothing, if it is not set.
    at: Option<u64>,
}

impl Alarm {
    /// Has the alarm go off at the deadline, or before. The time, if the scheduler is to be told.
    pub(super) fn set(
        &mut self,
        side: &'static Side,
        deadline: u64,
        engine: &Engine,
    ) -> Option<u64> {
        if deadline == NEVER || self.at.is_some_and(|at| at <= deadline) {
            return None;
        }
        self.at = Some(deadline);
        let timer = self.timer.get_or_insert_with(Timer::new);
        let first = engine.timers.set(timer, deadline, &waker_of(side), Worker::processor_here());
        first.then_some(deadline)
    }

    /// It has gone off. If it is pending, the one that has is of before: a machine that was late
    /// wakes for a time that was moved since, or for the socket that had the descriptor.
    pub(super) fn went_off(&mut self) {
        if !self.timer.as_ref().is_some_and(Timer::is_pending) {
            self.at = None;
        }
    }

    /// Nobody needs it any more. It is in no heap then: the next socket may be another runtime's,
    /// whose timers lie elsewhere.
    pub(super) fn cancel(&mut self, engine: &Engine) {
        self.at = None;
        if let Some(timer) = &self.timer {
            engine.timers.remove(timer);
        }
    }
}

/// The direction whose alarm it is that wakes, if it is one's.
pub(super) fn side_woken_by(waker: &Waker) -> Option<&'static Side> {
    std::ptr::eq(waker.vtable(), &raw const WAKER).then(|| side_of(waker.data()))
}

static WAKER: RawWakerVTable = RawWakerVTable::new(
    |side| RawWaker::new(side, &WAKER),
    |side| side_of(side).went_off().wake(),
    |side| side_of(side).went_off().wake(),
    |_| {},
);

fn side_of(data: *const ()) -> &'static Side {
    // SAFETY: only wakers of sides have the table, and sides are never freed.
    unsafe { &*data.cast::<Side>() }
}

fn waker_of(side: &'static Side) -> ManuallyDrop<Waker> {
    let data = std::ptr::from_ref(side).cast();
    // SAFETY: the table keeps a waker's contract: a copy of the pointer is as good as another.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &WAKER)) })
}
