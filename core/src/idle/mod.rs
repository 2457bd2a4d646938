//! The idle word: which processors are idle, and how many machines search for work.
//!
//! The wake-up protocol hangs on one question: *may this processor go to sleep, or is there work
//! that nobody will look for?* In Go the answer is spread over `nmspinning`, `needspinning`,
//! `npidle`, a mask and a list under a lock, and as written it has holes. Here it is one word:
//!
//! ```text
//!     63         62          48 47                                   0
//!    +----------+--------------+--------------------------------------+
//!    | stopping |  searching   |  idle: bit p = processor p is idle   |
//!    +----------+--------------+--------------------------------------+
//! ```
//!
//! Every change is a compare-exchange of the whole word whose decision is a function of the value
//! it replaces. Two rules carry the protocol:
//!
//! 1. *A searcher is counted only by a step that also gives it a processor.* So no count is ever
//!    taken back without a look at the queues.
//! 2. *A processor goes idle by a step after which a searcher remains, or the one who put it down
//!    looks at every queue once more* ([`Put::Look`]).
//!
//! A searcher that finds work either leaves a successor ([`end_search`]) or knows of another. The
//! labels A3, D1, … name the steps of the protocol; the essay of [`scheduler`](crate::scheduler)
//! has the table, and the proof that no work is stranded.
//!
//! Who takes a processor's bit out of the word owns the processor; who owns it may put it back.
//! The word orders that hand-over: taking acquires what putting released.
//!
//! # More than 48 processors
//!
//! Beyond 48 processors the bits stand in as many words as it takes and the count in another.
//! There is no step that changes both, so their order matters: *take the bit, then count the
//! searcher*; *set the bit, then take the count off, then look*. In between, the count is too low:
//! somebody may start a searcher too many, never one too few. The single word buys exact
//! throttling and a short proof, not safety.
//!
//! # Stopping
//!
//! While the world is being stopped, the word's highest bit is set: nobody is woken, and whoever
//! would put a processor down hands it to the stopper instead ([`Put::Stopping`]).
//!
//! [`end_search`]: IdleProcessors::end_search
//!
//! DIFF: Go has a list, a mask, two counters and a flag, changed under the scheduler's lock; ours
//! is one word. What Go's `needspinning` repairs cannot arise, since no count is ever undone.
//!
//= go1.27:src/runtime/proc.go#pidleget
//= go1.27:src/runtime/proc.go#pidleput

mod many;
mod one;

use core::fmt;

use crate::memory::{Hardware, Memory};

use self::many::ManyWords;
use self::one::OneWord;

/// The idle processors and the number of searching machines.
///
/// A processor is a number below [`processors`](IdleProcessors::processors). All methods are
/// lock-free. None looks at a queue: what the caller must do next is in the value returned.
pub struct IdleProcessors<Mem: Memory = Hardware> {
    form: Form<Mem>,
}

enum Form<Mem: Memory> {
    One(OneWord<Mem>),
    Many(ManyWords<Mem>),
}

/// What a machine owes after it has put its processor down.
#[must_use = "work may be stranded"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The processor is idle, and another machine is searching: that one owes the look.
    Leave,
    /// The processor is idle and nobody searches: make a `fence(SeqCst)`, look at every queue, and
    /// if there is something in one, ask [`take_for_work`](IdleProcessors::take_for_work).
    Look,
    /// The processor was **not** put down, since the world is being stopped: hand it to the
    /// stopper. The caller no longer counts as searching.
    Stopping,
}

/// What the idle word said at one instant: for thieves, who skip the idle.
#[derive(Clone, Copy, Debug)]
pub struct IdleView<'a, Mem: Memory = Hardware>(View<'a, Mem>);

#[derive(Debug)]
enum View<'a, Mem: Memory> {
    One(one::Word),
    /// With many words there is no one instant: each bit is looked up when it is asked for.
    Many(&'a ManyWords<Mem>),
}

impl<Mem: Memory> Clone for View<'_, Mem> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Mem: Memory> Copy for View<'_, Mem> {}

impl<Mem: Memory> IdleView<'_, Mem> {
    /// Whether `processor` was idle. A processor that is not may have work.
    #[must_use]
    pub fn is_idle(&self, processor: usize) -> bool {
        match self.0 {
            View::One(word) => word.is_idle(processor),
            View::Many(words) => words.is_idle(processor),
        }
    }

    /// The number of idle processors.
    #[must_use]
    pub fn idle(&self) -> usize {
        match self.0 {
            View::One(word) => word.idle(),
            View::Many(words) => words.idle(),
        }
    }

    /// The number of searching machines.
    #[must_use]
    pub fn searching(&self) -> usize {
        match self.0 {
            View::One(word) => word.searching(),
            View::Many(words) => words.searching(),
        }
    }

    /// Whether the world is being stopped, or is.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        match self.0 {
            View::One(word) => word.is_stopping(),
            View::Many(words) => words.is_stopping(),
        }
    }
}

/// Forwards to the form in use.
macro_rules! in_form {
    ($self:ident, $words:ident => $call:expr) => {
        match &$self.form {
            Form::One($words) => $call,
            Form::Many($words) => $call,
        }
    };
}

impl IdleProcessors {
    /// The processors from 0 to `processors - 1`, none of them idle, and nobody searching.
    #[must_use]
    pub fn new(processors: usize) -> Self {
        Self::with_memory(processors)
    }
}

impl<Mem: Memory> IdleProcessors<Mem> {
    /// Up to this many processors share one word.
    pub const IN_ONE_WORD: usize = one::PROCESSORS;

    /// [`new`](IdleProcessors::new), for any [`Memory`].
    #[must_use]
    pub fn with_memory(processors: usize) -> Self {
        if processors <= Self::IN_ONE_WORD {
            Self { form: Form::One(OneWord::new(processors)) }
        } else {
            Self::with_memory_in_many_words(processors)
        }
    }

    /// As [`with_memory`](IdleProcessors::with_memory), in the form for more than 48 processors,
    /// whatever their number: so that models check that form with few.
    #[must_use]
    pub fn with_memory_in_many_words(processors: usize) -> Self {
        Self { form: Form::Many(ManyWords::new(processors)) }
    }

    /// The number of processors there may be.
    #[must_use]
    pub fn processors(&self) -> usize {
        in_form!(self, words => words.processors())
    }

    /// **A3, A4**: after work was published and a `fence(SeqCst)` made: if nobody searches and a
    /// processor is idle, takes one and counts a searcher for it. The caller must start a machine
    /// on that processor, as a searcher.
    ///
    /// `None` is one load when the word is one.
    #[must_use = "the processor belongs to the caller, and a searcher is counted for it"]
    #[inline]
    pub fn wake_one(&self) -> Option<usize> {
        in_form!(self, words => words.wake_one())
    }

    /// **F3**: counts the caller, who has a processor, as a searcher, unless there are enough.
    ///
    /// Enough is: twice the searchers are no fewer than the busy processors, of which there are
    /// `processors` less the idle. Any answer is correct; the limit spares the caches.
    #[must_use]
    pub fn begin_search(&self, processors: usize) -> bool {
        in_form!(self, words => words.begin_search(processors))
    }

    /// **F5**: the caller, a searcher, has found work, and published what it will not run at once:
    /// it is a searcher no more. If it was the last one and a processor is idle, that processor is
    /// returned: the count stands, and the caller must start a machine on it, as a searcher.
    #[must_use = "the processor belongs to the caller, and a searcher is counted for it"]
    pub fn end_search(&self) -> Option<usize> {
        in_form!(self, words => words.end_search())
    }

    /// The caller, a searcher that has not found anything yet, gives up its search and hands its
    /// processor to the stopper: allowed only while the world is being stopped, since nobody looks
    /// in its place. Whoever ends the stop looks.
    pub fn cancel_search(&self) {
        in_form!(self, words => words.cancel_search());
    }

    /// **D1, D2**: puts down the caller's `processor`, whose queue is empty; `searching` says
    /// whether the caller is a counted searcher, which it is no more afterwards.
    #[inline]
    pub fn put(&self, processor: usize, searching: bool) -> Put {
        in_form!(self, words => words.put(processor, searching))
    }

    /// **D5**: the caller has no processor and has seen work: takes an idle one and counts the
    /// caller as a searcher, unless somebody searches already.
    #[must_use = "the processor belongs to the caller, who is counted as a searcher"]
    pub fn take_for_work(&self) -> Option<usize> {
        // The same step as A4: the one who starts searching is another.
        self.wake_one()
    }

    /// **X2**: takes an idle processor for a task that is to run at once, `preferred` if that one
    /// is idle. Nobody is counted.
    #[must_use = "the processor belongs to the caller"]
    pub fn take(&self, preferred: usize) -> Option<usize> {
        in_form!(self, words => words.take(preferred))
    }

    /// Begins to stop the world: takes every idle processor and gives each to `taken`; from now on
    /// nobody is woken and nobody puts a processor down.
    ///
    /// False, and nothing is done, if the world was being stopped already.
    #[must_use]
    pub fn stop(&self, taken: impl FnMut(usize)) -> bool {
        in_form!(self, words => words.stop(taken))
    }

    /// Ends the stop: the processors of `idle` are idle, whom the caller owns. Nobody searches.
    pub fn resume(&self, idle: impl Iterator<Item = usize>) {
        in_form!(self, words => words.resume(idle));
    }

    /// What the word says now. Relaxed: whoever goes to sleep on it makes a `fence(SeqCst)` first.
    #[must_use]
    pub fn view(&self) -> IdleView<'_, Mem> {
        IdleView(match &self.form {
            Form::One(word) => View::One(word.view()),
            Form::Many(words) => View::Many(words),
        })
    }
}

impl<Mem: Memory> fmt::Debug for IdleProcessors<Mem> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view();
        let idle = (0..self.processors()).filter(|&processor| view.is_idle(processor));
        f.debug_struct("IdleProcessors")
            .field("idle", &idle.collect::<alloc::vec::Vec<_>>())
            .field("searching", &view.searching())
            .field("stopping", &view.is_stopping())
            .finish()
    }
}
