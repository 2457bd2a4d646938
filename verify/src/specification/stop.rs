//! Stopping the world, changing the number of Ps, and going on.
//!
//! T1: the idle word says that the world is being stopped, and the idle Ps are the stopper's. T2:
//! each other P is asked to stop; one that is in a call is taken. T3: the stopper waits for those
//! that are missing. Nobody puts a P down meanwhile, as the word says so in the very step; it is
//! handed over. A machine hands over at a scheduling point, also on its way into a call. T4: the Ps
//! that go out of service leave their tasks at the front of the global queue. T5: the word opens,
//! Ps without tasks are idle, each other one gets a machine; then a look, and a wake if there is
//! work.
//!
//! Which P goes out of service does not matter here, as Ps have no order: so it is any.

use super::common::{Stepping, hand_to_start};
use super::settings::Change;
use super::state::{At, MACHINES_MAX, NONE, State, Then};
use super::step::Step;
use super::word::end_drop;

impl Stepping<'_> {
    /// Whether who enters a call must leave the P to the stopper.
    pub(super) fn must_hand_over(&self) -> bool {
        self.from.is_asked(self.me().p) && !self.has(Change::EnterIgnoresStop)
    }

    /// T3, by the one who brings a P.
    pub(super) fn arrive(&mut self) {
        let me = *self.me();
        let refused = me.woken != NONE;
        let p = if refused { me.woken } else { me.p };
        self.take_on(Step::Arrive, p, |state, actor| {
            state.stopped |= 1 << p;
            state.missing -= 1;
            if refused {
                state.actors[actor].woken = NONE;
                state.resume(actor);
            } else {
                state.actors[actor].p = NONE;
                end_drop(state, actor);
            }
        });
    }

    pub(super) fn stop(&mut self, at: At) {
        match at {
            At::StopWord => self.stop_word(),
            At::StopAsk => self.stop_ask(),
            At::StopTake => self.stop_take(),
            At::StopWait if self.from.missing == 0 || self.has(Change::StopWaitsNot) => {
                self.go(Step::StopAll, At::Stopped);
            }
            At::StopWait => {}
            At::Stopped if self.me().flag => self.resize(),
            At::Stopped | At::Resized => self.resume(),
            At::ResumeGive => self.resume_give(),
            _ => unreachable!("{at:?} is no place of the stopper"),
        }
    }

    /// What is missing is counted at the end, in one sum. Nobody reads it before, so here it is
    /// counted as it comes.
    fn stop_word(&mut self) {
        let busy = self.model.all() & !(self.from.idle | self.from.retired);
        let missing = i8::try_from(busy.count_ones()).expect("there are few");
        self.take(Step::StopWord, |state, actor| {
            state.stopping = true;
            state.stopped = core::mem::take(&mut state.idle);
            state.missing += missing;
            state.actors[actor].at = At::StopAsk;
        });
    }

    fn stop_ask(&mut self) {
        let state = self.from;
        let left = self.model.all() & !(state.stopped | state.retired | state.asked);
        if left == 0 {
            return self.go(Step::StopCount, At::StopWait);
        }
        let ignores = self.has(Change::StopIgnoresCalls);
        for p in (0..8).filter(|p| left & (1 << p) != 0) {
            let in_call = caller(state, 1 << p).is_some() && !ignores;
            let step = if in_call { Step::StopAskCall } else { Step::StopAsk };
            self.take_on(step, p, |state, actor| {
                state.asked |= 1 << p;
                if in_call {
                    state.actors[actor].at = At::StopTake;
                }
            });
        }
    }

    /// A P that is asked to stop does not go into a call: so the one that is in one was seen there.
    fn stop_take(&mut self) {
        let Some(machine) = caller(self.from, self.from.asked) else {
            return self.go(Step::StopTakeLost, At::StopAsk);
        };
        let p = self.from.actors[machine].old;
        let untold = self.has(Change::StopUntold);
        self.take_on(Step::StopTake, p, |state, actor| {
            state.asked &= !(1 << p);
            state.stopped |= 1 << p;
            state.missing -= 1;
            if !untold {
                state.actors[machine].old = NONE;
            }
            state.actors[actor].at = At::StopAsk;
        });
    }

    /// The first time one P goes, the second time it comes back.
    fn resize(&mut self) {
        if self.from.retired != 0 {
            return self.take(Step::Resize, |state, actor| {
                state.stopped |= core::mem::take(&mut state.retired);
                state.actors[actor].at = At::Resized;
            });
        }
        let keeps = self.has(Change::RetireKeepsSlot);
        for p in (0..8).filter(|p| self.from.stopped & (1 << p) != 0) {
            self.take_on(Step::Resize, p, |state, actor| {
                state.stopped &= !(1 << p);
                state.retired |= 1 << p;
                let slot = state.processors[usize::from(p)].slot;
                state.retire(p);
                if keeps && slot != 0 {
                    state.global.pop();
                    state.processors[usize::from(p)].slot = slot;
                }
                state.actors[actor].at = At::Resized;
            });
        }
    }

    fn resume(&mut self) {
        let all = self.has(Change::ResumeIgnoresTasks);
        self.take(Step::Resume, |state, actor| {
            let rests =
                |p: &u8| state.stopped & (1 << p) != 0 && (all || state.queue(*p).is_empty());
            let idle = (0..8).filter(rests).fold(0, |set, p| set | 1 << p);
            state.stopped &= !idle;
            (state.idle, state.asked, state.stopping) = (idle, 0, false);
            state.actors[actor].at = At::ResumeGive;
        });
    }

    fn resume_give(&mut self) {
        if self.from.stopped == 0 {
            return self.resume_look();
        }
        for p in (0..8).filter(|p| self.from.stopped & (1 << p) != 0) {
            self.take_on(Step::ResumeGive, p, |state, actor| {
                state.stopped &= !(1 << p);
                state.actors[actor].p = p;
                state.actors[actor].then = Then::Resume;
                hand_to_start(state, actor);
            });
        }
    }

    /// As after any submit: what was pushed meanwhile could wake nobody.
    fn resume_look(&mut self) {
        let work = self.from.queued() != 0 && !self.has(Change::ResumeWithoutLook);
        let step = if work { Step::ResumeLookWork } else { Step::ResumeLookEmpty };
        self.take(step, |state, actor| {
            let then = after_stop(state, actor);
            state.actors[actor].then = then;
            if work {
                state.actors[actor].at = At::WakeLook;
            } else {
                state.resume(actor);
            }
        });
    }
}

/// What the stopper does when the world goes on: stops it again, or rests.
fn after_stop(state: &mut State, actor: usize) -> Then {
    let me = &mut state.actors[actor];
    me.seen -= 1;
    if me.seen == 0 {
        me.flag = false;
        Then::Rest
    } else {
        Then::Stop
    }
}

/// A machine in a call whose P is in the set, and not taken.
fn caller(state: &State, set: u8) -> Option<usize> {
    state.actors[..MACHINES_MAX].iter().position(|machine| {
        machine.at == At::Call && machine.old != NONE && set & (1 << machine.old) != 0
    })
}

impl State {
    /// The tasks of `p` go to the tail of the global queue: the slot's first.
    pub(super) fn drain(&mut self, p: u8) {
        let own = &mut self.processors[usize::from(p)];
        let slot = core::mem::take(&mut own.slot);
        if slot != 0 {
            self.global.push(slot);
        }
        self.global.append(&mut own.ring);
    }

    /// S26: the tasks of `p` go to the front of the global queue: the slot's, the ring's oldest,
    /// and so on to its newest.
    pub(super) fn retire(&mut self, p: u8) {
        let mut behind = core::mem::take(&mut self.global);
        self.drain(p);
        self.global.append(&mut behind);
    }
}

#[cfg(test)]
mod tests {
    use crate::specification::catalogue::model;
    use crate::specification::settings::Design;

    #[test]
    fn a_retired_queue_comes_first_and_in_order() {
        let mut state = model(Design::Word, &[], ("leaf+resize", 2, 2, 3)).initial();
        state.global.push(9);
        let own = &mut state.processors[1];
        own.slot = 4;
        [5, 6, 7].into_iter().for_each(|task| own.ring.push(task));
        state.retire(1);
        assert!(state.queue(1).is_empty());
        let order: Vec<_> = core::iter::from_fn(|| Some(state.global.pop())).take(6).collect();
        assert_eq!(order, [4, 5, 6, 7, 9, 0]);
    }
}
