//! Slices: what a program that never ends needs, so that no queued task waits for ever.
//!
//! A task from the slot inherits the slice of the one before it. Two tasks that ready each other
//! would so run for ever, while others wait in the ring: after [`CHAIN_MAX`] of them the one in the
//! slot queues up behind the ring. And a queue that never runs empty would keep the global queue
//! waiting: one slice in [`INTERVAL`] looks there first. The numbers are small here, and 61 and
//! more in the scheduler; what is counted is the same.

use super::common::Stepping;
use super::settings::Change;
use super::state::{At, CHAIN_MAX, INTERVAL, State};
use super::step::Step;

impl Stepping<'_> {
    /// F1: whether the slice looks at the global queue first, and there is something.
    pub(super) fn is_globals_turn(&self) -> bool {
        self.model.program.endless
            && self.from.queue(self.me().p).slices == 0
            && !self.from.global.is_empty()
            && !self.has(Change::GlobalNeverFirst)
    }

    pub(super) fn take_first_of_global(&mut self) {
        self.take(Step::GlobalTake, |state, actor| {
            state.actors[actor].task = state.global.pop();
            state.actors[actor].at =
                if state.actors[actor].searching { At::Found } else { At::User };
        });
    }

    /// F1: whether the task in the slot must queue up.
    pub(super) fn chain_is_long(&self) -> bool {
        let own = self.from.queue(self.me().p);
        own.slot != 0 && own.chain >= CHAIN_MAX && !self.has(Change::ChainWithoutEnd)
    }

    /// After a step with which a task begins.
    pub(super) fn count_slice(&self, step: Step, next: &mut State) {
        let begins = matches!(step, Step::Pop | Step::GlobalTake | Step::GlobalBatch | Step::Steal);
        if !self.model.program.endless || !begins {
            return;
        }
        let p = self.me().p;
        let inherits = step == Step::Pop && self.from.queue(p).slot != 0 && !self.chain_is_long();
        let own = &mut next.processors[usize::from(p)];
        if inherits {
            own.chain = (own.chain + 1).min(CHAIN_MAX);
        } else {
            (own.slices, own.chain) = ((own.slices + 1) % INTERVAL, 0);
        }
    }
}
