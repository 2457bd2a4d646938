//! What is asked of a machine before it looks for a task; and tasks that are locked to a machine.
//!
//! In a program in which the world is stopped, the host refuses, or a task is locked, a machine
//! asks first: is its P asked to stop, is a task locked to it, is a refusal to be made up for?
//!
//! One task of a program may lock itself to its machine. A task has no name here, but the points at
//! which it is locked are known, and so is the machine: the two belong together. The machine that
//! finds the task gives it to that one, with its P; it may come before the machine has fallen
//! asleep, and then waits for it. A machine whose task has stopped hands its P off and sleeps
//! apart.

use super::common::Stepping;
use super::refuse::retry;
use super::settings::Change;
use super::state::{Actor, At, MACHINES_MAX, NONE, State, Then};
use super::step::Step;

impl Stepping<'_> {
    pub(super) fn ask_first(&mut self) {
        let me = *self.me();
        if self.from.is_asked(me.p) {
            if !me.searching {
                return self.go(Step::FindStopped, At::Arrive);
            }
            self.take(Step::SearchCancelled, |state, actor| {
                state.searching -= 1;
                state.actors[actor].searching = false;
            });
        } else if me.locked && !self.has(Change::LockedTakesOthers) {
            self.take(Step::LockedLeaves, |state, actor| {
                (state.actors[actor].then, state.actors[actor].at) = (Then::Park, At::HandQueue);
            });
        } else if self.from.refused {
            self.take(Step::Retry, retry);
        } else {
            self.go(Step::NotAsked, At::Own);
        }
    }

    /// D6: a locked machine waits for its task, or has been given it already; another one sleeps.
    pub(super) fn park_unless(&mut self) {
        let refuses = self.model.program.refusals != 0;
        let looks = refuses && !self.has(Change::SleeperIgnoresRefusal);
        let apart = self.me().locked && !self.has(Change::LockedSleepsAmongOthers);
        self.take(Step::Park, |state, actor| {
            let me = &mut state.actors[actor];
            if apart {
                me.at = At::LockedAsleep;
                receive(state, actor);
            } else if looks {
                (me.asleep, me.then, me.at) = (true, Then::Sleep, At::RetryLook);
            } else {
                me.at = At::Parked;
            }
        });
    }

    /// A machine that has just found a task which is locked to another does not begin it.
    pub(super) fn stop_at_foreign_task(&self, next: &mut State) {
        if !self.model.program.locks || self.has(Change::LockedAnywhere) {
            return;
        }
        let me = &mut next.actors[self.actor];
        let foreign = me.at == At::User && !me.locked && self.model.program.is_locked(me.task);
        if foreign {
            me.at = At::Pass;
        }
    }

    /// Gives the task to its machine, with the P.
    pub(super) fn pass(&mut self) {
        let p = self.me().p;
        let only_sleepers = self.has(Change::PassToSleepersOnly);
        self.take_on(Step::Pass, p, |state, actor| {
            let task = state.actors[actor].task;
            state.actors[actor] = Actor::new(At::Park);
            state.gift = (p, task);
            let mut machines = 0..MACHINES_MAX;
            let sleeper = machines.find(|index| state.actors[*index].at == At::LockedAsleep);
            match sleeper {
                Some(machine) => receive(state, machine),
                None if only_sleepers => state.gift = (NONE, 0),
                None => {}
            }
        });
    }
}

/// A locked machine that sleeps gets what it was given.
fn receive(state: &mut State, machine: usize) {
    let (p, task) = state.gift;
    if task != 0 {
        state.gift = (NONE, 0);
        let me = &mut state.actors[machine];
        (me.p, me.task, me.at) = (p, task, At::User);
    }
}
