//! Go's protocol: the look of a searcher that gave its P up (findRunnable's re-check).

use super::common::{Stepping, hand_to_start};
use super::settings::Change;
use super::state::{At, MACHINES_MAX, NONE, State, Then};
use super::step::Step;

impl Stepping<'_> {
    pub(super) fn recheck_global(&mut self) {
        if self.from.global.is_empty() || self.has(Change::NoLookAtGlobal) {
            let saw_work = self.me().flag;
            let early = self.has(Change::LookBeforeDrop);
            let looks = !self.has(Change::NoLookAtQueues) && !early;
            return self.take(Step::LookGlobalEmpty, |state, actor| {
                let me = &mut state.actors[actor];
                me.flag = false;
                match (looks, saw_work) {
                    (true, _) => me.at = At::LookQueues,
                    (false, true) => me.at = At::Retake,
                    (false, false) => end_recheck(state, actor),
                }
            });
        }
        if self.from.idle == 0 {
            let sets = self.has_need() && !self.has(Change::LookSetsNoNeed);
            return self.take(Step::RecheckNone, |state, actor| {
                state.need |= sets;
                state.actors[actor].flag = false;
                state.actors[actor].at = At::LookQueues;
            });
        }
        for p in self.from.idle_processors() {
            let mut next = *self.from;
            next.unidle(p);
            next.actors[self.actor].p = p;
            if self.actor < MACHINES_MAX && self.me().task == 0 {
                next = self.with_batch(&next);
            }
            next.actors[self.actor].flag = false;
            next.actors[self.actor].at = At::RetakeCount;
            self.take_on(Step::RecheckTake, p, |state, _| *state = next);
        }
    }

    pub(super) fn recheck_queues(&mut self) {
        for p in self.unvisited() {
            let queue = self.from.queue(p);
            let torn = self.has(Change::TornLook);
            if !queue.ring.is_empty() || queue.slot != 0 && !torn {
                self.rechecked(Step::LookWork, p, true);
            } else if torn {
                self.take_on(Step::LookRing, p, |state, actor| {
                    (state.actors[actor].old, state.actors[actor].at) = (p, At::LookSlot);
                });
            } else {
                self.recheck_empty(p);
            }
        }
    }

    pub(super) fn recheck_slot(&mut self) {
        let p = self.me().old;
        if self.from.queue(p).slot == 0 {
            self.recheck_empty(p);
        } else {
            self.rechecked(Step::LookWork, p, true);
        }
    }

    pub(super) fn recheck_empty(&mut self, p: u8) {
        if self.me().seen | 1 << p == self.model.all() {
            return self.rechecked(Step::LookEmpty, p, false);
        }
        self.take_on(Step::LookEmpty, p, |state, actor| {
            let me = &mut state.actors[actor];
            (me.seen, me.old, me.at) = (me.seen | 1 << p, NONE, At::LookQueues);
        });
    }

    /// The look at the queues saw work, or nothing.
    pub(super) fn rechecked(&mut self, step: Step, p: u8, work: bool) {
        let early = self.me().searching;
        self.take_on(step, p, |state, actor| {
            let me = &mut state.actors[actor];
            (me.seen, me.old) = (0, NONE);
            match (early, work) {
                (true, _) => (me.flag, me.at) = (work, At::DropCount),
                (false, true) => me.at = At::Retake,
                (false, false) => end_recheck(state, actor),
            }
        });
    }

    pub(super) fn recheck_take(&mut self) {
        if self.from.idle == 0 {
            let sets = self.has_need() && !self.has(Change::LookSetsNoNeed);
            return self.take(Step::RecheckNoP, |state, actor| {
                state.need |= sets;
                end_recheck(state, actor);
            });
        }
        for p in self.from.idle_processors() {
            self.take_on(Step::RecheckP, p, |state, actor| {
                state.unidle(p);
                state.actors[actor].p = p;
                state.actors[actor].at = At::RetakeCount;
            });
        }
    }

    pub(super) fn recheck_count(&mut self) {
        let hands_off = self.is_go_hand_off();
        let clears = self.has_need() && !self.has(Change::NeverClear);
        let late = self.has(Change::LateClear);
        self.take(Step::JoinCount, |state, actor| {
            state.searching += 1;
            let me = &mut state.actors[actor];
            if hands_off {
                hand_to_start(state, actor);
                state.actors[actor].counted = true;
                return;
            }
            (me.searching, me.flag) = (true, late);
            me.at = if clears && !late {
                At::RetakeClear
            } else {
                after_recheck(me.task, !me.hand.is_empty())
            };
        });
    }

    pub(super) fn recheck_clear(&mut self) {
        self.take(Step::JoinClear, |state, actor| {
            state.need = false;
            let me = &mut state.actors[actor];
            me.at = after_recheck(me.task, !me.hand.is_empty());
        });
    }
}

/// Where a machine goes that took a P back: it may have taken tasks with it.
fn after_recheck(task: u8, batch: bool) -> At {
    match (task, batch) {
        (0, _) => At::Find,
        (_, true) => At::Publish,
        (_, false) => At::Found,
    }
}

/// The re-check saw nothing, or found no P: a machine without a task parks, others go on.
fn end_recheck(state: &mut State, actor: usize) {
    let me = &mut state.actors[actor];
    if actor < MACHINES_MAX && me.then != Then::Call {
        me.then = Then::Park;
    }
    state.resume(actor);
}
