//! Stopping the world, and changing the number of processors.
//!
//! The one who stops the world takes every processor. The idle ones come with the step that closes
//! the [idle word](crate::IdleProcessors); those in system calls are taken by their status words,
//! as the monitor takes them; the running ones are asked for, and come when their machines reach a
//! scheduling point. Nobody can put a processor down meanwhile: the idle word says so in the very
//! step, and the processor is handed over instead.
//!
//! ```text
//!    stopper                                  the others
//!    idle word: stopping, all idle taken
//!    each status word: asked to stop
//!    in a system call? taken
//!    waits for the rest                       scheduling point: asked to stop: hands over
//!                                             puts down: the word says stopping: hands over
//!                                             enters a system call: asked to stop: hands over
//!                                             comes back from one: finds none; X3
//!    owns every processor
//! ```
//!
//! The queues of processors that are taken out of service go to the front of the global queue, in
//! their order. Those that still have tasks when the world goes on each get a machine; the others
//! go idle in the one step that opens the word; then, as after any submit, one is woken if there is
//! work.
//!
//= go1.27:src/runtime/proc.go#stopTheWorldWithSema
//= go1.27:src/runtime/proc.go#startTheWorldWithSema
//= go1.27:src/runtime/proc.go#procresize

use alloc::vec::Vec;
use core::fmt;

use crossbeam_utils::CachePadded;

use super::Scheduler;
use super::machine::{Machine, Place};
use crate::config::ConfigError;
use crate::host::Host;
use crate::machine::Token;
use crate::memory::{Atomic, AtomicInt, Memory, Ordering, Park, RaceCell};
use crate::observe::Event;
use crate::processor::ProcessorState;
use crate::{Batch, Note};

/// Where the stopper waits.
pub(super) struct Stop<H: Host<CAP>, const CAP: usize> {
    /// Processors that the stopper waits for, less those that have come. They may come before it
    /// has counted, so it passes through numbers below 0, wrapping.
    missing: CachePadded<<H::Memory as Memory>::AtomicU64>,
    note: Note<H::Memory, H::Parker>,
}

impl<H: Host<CAP>, const CAP: usize> Stop<H, CAP> {
    pub(super) fn new() -> Self {
        Self {
            missing: CachePadded::new(Atomic::new(0)),
            note: Note::with_memory_and_parker(H::Parker::new()),
        }
    }
}

/// Why the world was not stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopError {
    /// Somebody else is stopping it, or has. A machine should reach a scheduling point now, since
    /// that one waits for it.
    AlreadyStopped,
    /// The machine is in a system call.
    Blocked,
    /// The scheduler has shut down.
    Closed,
}

impl fmt::Display for StopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyStopped => "somebody else has stopped the world",
            Self::Blocked => "a machine in a system call cannot stop the world",
            Self::Closed => "the scheduler has shut down",
        })
    }
}

impl core::error::Error for StopError {}

impl<H: Host<CAP>, const CAP: usize> Scheduler<H, CAP> {
    /// Stops the world: waits until no machine runs a task, or none but those in system calls.
    ///
    /// For threads that are no machines; a machine calls its [own](Machine::stop_the_world), or it
    /// would wait for itself. A machine that never reaches a scheduling point is waited for, too.
    ///
    /// # Errors
    ///
    /// If somebody else has stopped it, or the scheduler has shut down.
    pub fn stop_the_world(&self) -> Result<StoppedWorld<H, CAP>, StopError> {
        self.stop(|| None)
    }

    /// Changes the number of processors, while the world is stopped for it.
    ///
    /// # Errors
    ///
    /// As [`StoppedWorld::set_processors`] and [`stop_the_world`](Scheduler::stop_the_world).
    pub fn set_processors(&self, count: usize) -> Result<(), ResizeError> {
        self.stop_the_world().map_err(ResizeError::Stop)?.set_processors(count)?;
        Ok(())
    }

    /// Stops the world. `own` is called by the one who stops it alone, for the processor that it
    /// holds itself.
    pub(super) fn stop(
        &self,
        own: impl FnOnce() -> Option<Token<H, CAP>>,
    ) -> Result<StoppedWorld<H, CAP>, StopError> {
        let shared = &self.shared;
        let mut taken = 0;
        let idle = |id| {
            self.processor(id).stop();
            taken += 1;
        };
        if !shared.idle.stop(idle) {
            return Err(match shared.outside.is_closed() {
                true => StopError::Closed,
                false => StopError::AlreadyStopped,
            });
        }
        // From here on the number of processors is ours to change.
        let count = self.processors();
        let own = own().map(|token| {
            let id = token.id;
            self.processor(id).stop();
            self.processor(id).lay_down(token);
            taken += 1;
            id
        });
        taken += (0..count).filter(|&id| self.stop_in_system_call(id)).count();
        let missing = (count - taken) as u64;
        // ORDER: Acquire: pairs with the Release in `arrive`, if all have come by now; without it
        // we may miss what they left in their processors.
        let before = shared.stop.missing.fetch_add(missing, Ordering::Acquire);
        if before.wrapping_add(missing) != 0 {
            shared.stop.note.sleep();
        }
        Ok(StoppedWorld { scheduler: self.clone(), own, stopper: None, resumes: true })
    }

    /// Asks a processor to stop, and takes it if it is in a system call.
    fn stop_in_system_call(&self, id: usize) -> bool {
        let processor = self.processor(id);
        let mut seen = processor.ask_to_stop();
        while seen.state() == ProcessorState::InSystemCall {
            if processor.take(seen) {
                processor.stop();
                return true;
            }
            seen = processor.status();
        }
        false
    }

    /// A processor is the stopper's now; its token lies in its cell.
    pub(super) fn arrive(&self) {
        let stop = &self.shared.stop;
        // ORDER: AcqRel: Release pairs with the Acquire of the last one to come, or of the stopper,
        // which see all that came before; without it the stopper may miss what was left in a
        // processor. Acquire: we may be the last, and pass that on by the note.
        if stop.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            stop.note.wake();
        }
    }

    /// Hands a processor to the stopper, whatever is in its queue.
    pub(super) fn surrender(&self, by: Option<usize>, token: Token<H, CAP>, searching: bool) {
        let id = token.id;
        if searching {
            self.shared.idle.cancel_search();
        }
        self.tell(by, Event::Stopped { processor: id });
        self.processor(id).stop();
        self.processor(id).lay_down(token);
        self.arrive();
    }
}

/// The world stands still: no task runs but in system calls. It goes on when this is dropped, or
/// by [`Machine::resume`].
#[must_use = "the world goes on when this is dropped"]
pub struct StoppedWorld<H: Host<CAP>, const CAP: usize = 256> {
    scheduler: Scheduler<H, CAP>,
    /// The processor of the machine that stopped the world.
    own: Option<usize>,
    /// The number of that machine.
    stopper: Option<usize>,
    resumes: bool,
}

impl<H: Host<CAP>, const CAP: usize> StoppedWorld<H, CAP> {
    /// Changes the number of processors. The tasks of those that are taken out of service go to the
    /// front of the global queue: of the lowest first, each with its slot before its ring.
    ///
    /// # Errors
    ///
    /// If `count` is 0 or more than the configured maximum. Nothing is changed then.
    //= go1.27:src/runtime/proc.go#procresize
    pub fn set_processors(&mut self, count: usize) -> Result<(), ConfigError> {
        let shared = &self.scheduler.shared;
        let most = shared.config.max_processors;
        if count == 0 || count > most {
            return Err(ConfigError::Processors { most });
        }
        let before = self.scheduler.processors();
        for id in (count..before).rev() {
            shared.global.push_batch_front(self.drain(id));
            shared.processors[id].retire(true);
        }
        for processor in &shared.processors[before.min(count)..count] {
            processor.retire(false);
        }
        if self.own.is_some_and(|own| own >= count) {
            self.own = Some(0);
        }
        // ORDER: Relaxed: whoever is given a processor later is ordered after this by that.
        shared.active.store(count, Ordering::Relaxed);
        shared.order.with_mut(|order| {
            // SAFETY: the order is read by whoever owns a processor, and we own all of them.
            unsafe { &mut *order }.resize(count);
        });
        shared.host.resized(before, count);
        Ok(())
    }

    /// Takes all tasks of a processor.
    fn drain(&self, id: usize) -> Batch<H::Task, H::Memory> {
        let processor = self.scheduler.processor(id);
        // SAFETY: we have stopped the world, and own every processor.
        let mut token = unsafe { processor.pick_up() };
        let batch = token.queue.drain();
        processor.lay_down(token);
        batch
    }

    /// Takes all tasks there are, and leaves the world stopped for ever.
    pub(super) fn end(mut self) -> Batch<H::Task, H::Memory> {
        self.resumes = false;
        let mut all = Batch::with_memory();
        for id in 0..self.scheduler.processors() {
            all.append(&mut self.drain(id));
        }
        all.append(&mut self.scheduler.shared.global.pop_all());
        all
    }

    /// Lets the world go on. Returns the processor of the machine that had stopped it.
    fn go_on(&mut self, own: Option<usize>) -> Option<Token<H, CAP>> {
        self.resumes = false;
        let scheduler = &self.scheduler;
        let count = scheduler.processors();
        scheduler.shared.processors.iter().for_each(|processor| processor.may_go_on());
        let others = || (0..count).filter(|&id| Some(id) != own);
        // First all of them are sorted, then the first machine is started: it could steal what we
        // have not looked at yet.
        let (idle, busy): (Vec<usize>, Vec<usize>) =
            others().partition(|&id| scheduler.processor(id).stealer.is_empty());
        idle.iter().for_each(|&id| scheduler.processor(id).rest());
        scheduler.shared.idle.resume(idle.iter().copied());
        scheduler.tell(None, Event::Resumed { processors: count });
        let mut rest = Rest { scheduler, busy: busy.into_iter(), own };
        for id in rest.busy.by_ref() {
            // SAFETY: we have stopped the world, and have not put this processor down.
            let token = unsafe { scheduler.take_up(id) };
            scheduler.give(None, token, false);
        }
        let own = rest.own.take();
        // SAFETY: as above.
        let own = own.map(|id| unsafe { scheduler.take_up(id) });
        scheduler.wake_monitor();
        // Whoever left the poller meanwhile, or was told of a timer, could wake nobody.
        if scheduler.look() || scheduler.nobody_polls() {
            scheduler.published(None);
        } else if own.is_none() {
            // The last machine may have gone to sleep while the world stood still.
            scheduler.check_asleep();
        }
        own
    }
}

/// Processors that nobody has yet while the world begins to go on. If the host panics when it is
/// asked for a machine, they go idle, and their tasks to the global queue.
struct Rest<'a, H: Host<CAP>, const CAP: usize> {
    scheduler: &'a Scheduler<H, CAP>,
    busy: alloc::vec::IntoIter<usize>,
    own: Option<usize>,
}

impl<H: Host<CAP>, const CAP: usize> Drop for Rest<'_, H, CAP> {
    fn drop(&mut self) {
        for id in self.busy.by_ref().chain(self.own.take()) {
            // SAFETY: the world was stopped, and this processor has not been put down.
            let token = unsafe { self.scheduler.take_up(id) };
            self.scheduler.refused(None, token, false);
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> Drop for StoppedWorld<H, CAP> {
    fn drop(&mut self) {
        if self.resumes {
            self.go_on(None);
        }
    }
}

impl<H: Host<CAP>, const CAP: usize> fmt::Debug for StoppedWorld<H, CAP> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoppedWorld")
            .field("processors", &self.scheduler.processors())
            .finish_non_exhaustive()
    }
}

/// Why the number of processors was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResizeError {
    /// The world could not be stopped.
    Stop(StopError),
    /// The number makes no sense.
    Config(ConfigError),
}

impl From<ConfigError> for ResizeError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for ResizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stop(error) => error.fmt(f),
            Self::Config(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ResizeError {}

impl<H: Host<CAP>, const CAP: usize> Machine<H, CAP> {
    /// Stops the world, as [`Scheduler::stop_the_world`], from a machine, whose processor is given
    /// back to it by [`resume`](Machine::resume).
    ///
    /// # Errors
    ///
    /// If somebody else has stopped it or waits for this machine, if the machine is in a system
    /// call, or the scheduler has shut down.
    pub fn stop_the_world(&mut self) -> Result<StoppedWorld<H, CAP>, StopError> {
        if let Place::Inside(..) = self.place {
            return Err(StopError::Blocked);
        }
        let scheduler = self.scheduler.clone();
        let mut world = scheduler.stop(|| match self.place {
            Place::With(_) => {
                let (token, searching) = self.let_go();
                if searching {
                    scheduler.shared.idle.cancel_search();
                }
                Some(token)
            }
            _ => None,
        })?;
        world.stopper = Some(self.record.id);
        Ok(world)
    }

    /// Lets the world go on that this machine has stopped, and takes a processor back.
    ///
    /// A machine that had none, or is not the one that stopped the world, gets none.
    pub fn resume(&mut self, mut world: StoppedWorld<H, CAP>) {
        let mine = world.stopper == Some(self.record.id)
            && core::ptr::eq(&*world.scheduler.shared, &*self.scheduler.shared);
        let own = world.own.filter(|_| mine && matches!(self.place, Place::Without));
        if let Some(token) = world.go_on(own) {
            self.hold(token, false);
        }
    }
}
