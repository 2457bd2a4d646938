//! The idle word's protocol, step by step.
//!
//! A load that decides nothing for good and the compare-exchange that follows it are two steps; a
//! compare-exchange that is lost, the load after it and the decision on what was loaded are one:
//! nothing can be seen in between. The loads of the idle set (D3, F3) are remembered, so a visit
//! may skip a P that is idle no more.

use super::common::{Stepping, hand_to_start};
use super::settings::Change;
use super::state::{At, MACHINES_MAX, NONE, State, Then};
use super::step::Step;

impl Stepping<'_> {
    pub(super) fn word(&mut self, at: At) {
        match at {
            At::WakeLook => self.word_wake_look(),
            At::WakeTake => self.word_wake_take(),
            At::WakeCount => self.take(Step::WakeCount, |state, actor| {
                state.searching += 1;
                state.actors[actor].counted = true;
                state.actors[actor].at = At::Start;
            }),
            At::Global => self.word_global(),
            At::Join => self.word_join(),
            At::Visit => self.word_visit(),
            At::Found => self.word_found(),
            At::Drop => self.word_drop(),
            At::DropCount => {
                let after = self.after_drop(self.from.searching - 1, true);
                self.take(Step::DropCount, |state, actor| {
                    state.searching -= 1;
                    state.actors[actor].searching = false;
                    go_after_drop(state, actor, after);
                });
            }
            At::Fence => self.word_fence(),
            At::LookGlobal => self.word_look_global(),
            At::LookQueues => self.word_look_queues(),
            At::LookSlot => self.word_look_slot(),
            At::Retake => self.word_retake(),
            At::RetakeCount => self.take(Step::RetakeCount, |state, actor| {
                state.searching += 1;
                retaken(state, actor);
            }),
            At::HandGlobal => self.word_hand_global(),
            At::Exit => self.word_exit(),
            At::GiveAway => self.word_give_away(),
            At::Inject => self.word_inject(),
            _ => unreachable!("{at:?} is no place of this protocol"),
        }
    }

    /// Whether the word, as it is now, asks a submitter to wake somebody.
    fn wake_needed(&self) -> bool {
        let free = self.from.searching <= 0 || self.has(Change::NoThrottle);
        self.from.idle != 0 && free
    }

    fn word_wake_look(&mut self) {
        if self.wake_needed() {
            self.go(Step::WakeNeeded, At::WakeTake);
        } else {
            self.take(Step::WakeNot, |state, actor| state.resume(actor));
        }
    }

    fn word_wake_take(&mut self) {
        if !self.wake_needed() {
            return self.take(Step::WakeLost, |state, actor| state.resume(actor));
        }
        let two = self.has(Change::TwoWords);
        let step = if two { Step::WakeTakeBit } else { Step::WakeTake };
        for p in self.from.idle_processors() {
            self.take_on(step, p, |state, actor| {
                state.unidle(p);
                let me = &mut state.actors[actor];
                me.woken = p;
                me.at = if two { At::WakeCount } else { At::Start };
                if !two {
                    me.counted = true;
                    state.searching += 1;
                }
            });
        }
    }

    fn word_global(&mut self) {
        let searching = self.me().searching;
        if self.from.global.is_empty() {
            let all = self.model.all();
            let before = self.before_drop();
            return self.take(Step::GlobalEmpty, |state, actor| {
                if searching {
                    visit(state, actor, all, before);
                } else {
                    state.actors[actor].at = At::Join;
                }
            });
        }
        let mut next = *self.from;
        self.take_batch(&mut next, self.actor);
        let me = &mut next.actors[self.actor];
        let batch = !me.hand.is_empty();
        me.at = match (batch, searching) {
            (true, _) => At::Publish,
            (false, true) => At::Found,
            (false, false) => At::User,
        };
        let step = if batch { Step::GlobalBatch } else { Step::GlobalTake };
        self.take(step, |state, _| *state = next);
    }

    /// F3, or not: which machines search is policy, so any answer is explored.
    fn word_join(&mut self) {
        let all = self.model.all();
        let before = self.before_drop();
        if !self.has(Change::NeverJoin) {
            self.take(Step::Join, |state, actor| {
                state.searching += 1;
                state.actors[actor].searching = true;
                visit(state, actor, all, before);
            });
        }
        if !self.has(Change::AlwaysJoin) {
            self.go(Step::JoinNot, before);
        }
    }

    fn word_visit(&mut self) {
        let before = self.before_drop();
        for p in self.unvisited() {
            if self.has_loot(p) {
                self.steal(p);
            } else {
                self.visited(Step::VisitEmpty, p, before);
            }
        }
    }

    fn word_found(&mut self) {
        let late = !self.me().hand.is_empty();
        let then = if late { Then::Publish } else { Then::User };
        let two = self.has(Change::TwoStepFound) || self.has(Change::TwoWords);
        let last = self.from.searching == 1 && self.from.idle != 0;
        if last && !two && !self.has(Change::NoSuccessor) {
            for p in self.from.idle_processors() {
                self.take_on(Step::FoundLast, p, |state, actor| {
                    state.unidle(p);
                    let me = &mut state.actors[actor];
                    (me.searching, me.counted, me.woken) = (false, true, p);
                    (me.flag, me.then, me.at) = (late, then, At::Start);
                });
            }
            return;
        }
        self.take(Step::Found, |state, actor| {
            state.searching -= 1;
            let me = &mut state.actors[actor];
            (me.searching, me.flag, me.then) = (false, late, then);
            if two {
                me.at = At::WakeLook;
            } else {
                state.resume(actor);
            }
        });
    }

    /// Where a machine goes that found nothing: to the drop, or, where the fence is missing, to
    /// the look that overtakes it.
    fn before_drop(&self) -> At {
        if self.has(Change::LookBeforeDrop) { At::Fence } else { At::Drop }
    }

    /// D2: whether the one who gave a P up looks, when so many searchers are left.
    fn after_drop(&self, searching: i8, searched: bool) -> At {
        let hands_off = self.is_hand_off();
        let exempt = self.has(Change::NoLook)
            || self.has(Change::OnlySearchersLook) && !searched && !hands_off
            || self.has(Change::HandOffWithoutLook) && hands_off;
        let owes = searching <= 0 || self.has(Change::AlwaysLook);
        if exempt || !owes {
            At::Park
        } else if !self.has(Change::LookBeforeDrop) {
            At::Fence
        } else if self.me().flag {
            At::Retake
        } else {
            At::Park
        }
    }

    /// Whether the actor hands a P off, and does not give up its own for want of work.
    fn is_hand_off(&self) -> bool {
        is_hand_off(self.from, self.actor)
    }

    fn word_drop(&mut self) {
        let searched = self.me().searching;
        if self.from.stopping && !self.has(Change::DropIgnoresStop) {
            return self.take(Step::DropStopped, |state, actor| {
                state.searching -= i8::from(searched);
                let me = &mut state.actors[actor];
                (me.searching, me.at) = (false, At::Arrive);
            });
        }
        let step = if self.is_hand_off() { Step::HandDrop } else { Step::Drop };
        let p = self.me().p;
        if searched && (self.has(Change::TwoStepDrop) || self.has(Change::TwoWords)) {
            return self.take_on(step, p, |state, actor| {
                state.idle |= 1 << p;
                state.actors[actor].p = NONE;
                state.actors[actor].at = At::DropCount;
            });
        }
        let stays = self.has(Change::ParksAsSearcher) && searched;
        let kept = self.has(Change::CountKept) || stays;
        let searching = self.from.searching - i8::from(searched && !kept);
        let after = self.after_drop(searching, searched);
        self.take_on(step, p, |state, actor| {
            state.idle |= 1 << p;
            state.searching = searching;
            state.actors[actor].p = NONE;
            state.actors[actor].searching = stays;
            go_after_drop(state, actor, after);
        });
    }

    fn word_fence(&mut self) {
        self.take(Step::Fence, |state, actor| {
            state.actors[actor].seen = state.idle | state.retired;
            state.actors[actor].at = At::LookGlobal;
        });
    }

    /// A look saw work, or nothing.
    fn looked(&mut self, step: Step, p: u8, work: bool) {
        let early = self.me().p != NONE;
        self.take_on(step, p, |state, actor| {
            let me = &mut state.actors[actor];
            (me.seen, me.old, me.flag) = (0, NONE, early && work);
            match (early, work) {
                (true, _) => me.at = At::Drop,
                (false, true) => me.at = At::Retake,
                (false, false) => end_drop(state, actor),
            }
        });
    }

    fn word_look_global(&mut self) {
        let work = !self.from.global.is_empty() && !self.has(Change::NoLookAtGlobal);
        let all_idle = self.me().seen == self.model.all();
        if work {
            self.looked(Step::LookGlobalWork, NONE, true);
        } else if all_idle || self.has(Change::NoLookAtQueues) {
            self.looked(Step::LookGlobalEmpty, NONE, false);
        } else {
            self.go(Step::LookGlobalEmpty, At::LookQueues);
        }
    }

    fn word_look_queues(&mut self) {
        for p in self.unvisited() {
            let queue = self.from.queue(p);
            let torn = self.has(Change::TornLook);
            if !queue.ring.is_empty() || queue.slot != 0 && !torn {
                self.looked(Step::LookWork, p, true);
            } else if torn {
                self.take_on(Step::LookRing, p, |state, actor| {
                    (state.actors[actor].old, state.actors[actor].at) = (p, At::LookSlot);
                });
            } else {
                self.look_was_empty(p);
            }
        }
    }

    fn look_was_empty(&mut self, p: u8) {
        if self.me().seen | 1 << p == self.model.all() {
            self.looked(Step::LookEmpty, p, false);
        } else {
            self.take_on(Step::LookEmpty, p, |state, actor| {
                let me = &mut state.actors[actor];
                (me.seen, me.old, me.at) = (me.seen | 1 << p, NONE, At::LookQueues);
            });
        }
    }

    fn word_look_slot(&mut self) {
        let p = self.me().old;
        if self.from.queue(p).slot == 0 {
            self.look_was_empty(p);
        } else {
            self.looked(Step::LookWork, p, true);
        }
    }

    fn word_retake(&mut self) {
        if self.from.idle == 0 || self.from.searching > 0 {
            return self.take(Step::RetakeNot, end_drop);
        }
        let two = self.has(Change::TwoWords);
        let step = if two { Step::RetakeBit } else { Step::Retake };
        for p in self.from.idle_processors() {
            self.take_on(step, p, |state, actor| {
                state.unidle(p);
                state.actors[actor].p = p;
                state.actors[actor].flag = false;
                if two {
                    state.actors[actor].at = At::RetakeCount;
                } else {
                    state.searching += 1;
                    retaken(state, actor);
                }
            });
        }
    }

    fn word_hand_global(&mut self) {
        if self.from.global.is_empty() {
            let before = self.before_drop();
            self.go(Step::HandGlobalEmpty, before);
        } else {
            self.take(Step::HandGlobalWork, hand_to_start);
        }
    }

    fn word_exit(&mut self) {
        if self.from.idle == 0 {
            return self.go(Step::ExitNone, At::GiveAway);
        }
        for p in self.from.idle_processors() {
            self.take_on(Step::ExitTake, p, |state, actor| {
                state.unidle(p);
                state.actors[actor].p = p;
                state.actors[actor].at = At::User;
            });
        }
    }

    fn word_give_away(&mut self) {
        let wakes = !self.has(Change::ExitWithoutWake);
        self.take(Step::GiveAway, |state, actor| {
            let me = &mut state.actors[actor];
            state.global.push(core::mem::take(&mut me.task));
            (me.then, me.at) =
                if wakes { (Then::Park, At::WakeLook) } else { (Then::Rest, At::Park) };
        });
    }

    fn word_inject(&mut self) {
        let wakes = !self.has(Change::InjectWithoutWake);
        let mut next = *self.from;
        self.push_injected(&mut next, self.actor);
        next.actors[self.actor].at = if wakes { At::WakeLook } else { At::Resting };
        self.take(Step::Inject, |state, _| *state = next);
    }
}

/// Begins to visit the Ps that are not idle now; if there is none, goes to `end`.
fn visit(state: &mut State, actor: usize, all: u8, end: At) {
    let me = &mut state.actors[actor];
    me.seen = state.idle | state.retired | 1 << me.p;
    me.at = At::Visit;
    if me.seen == all || state.stopping {
        (me.seen, me.at) = (0, end);
    }
}

/// Goes where [`Stepping::after_drop`] says: to the look, to what it would lead to, or home.
fn go_after_drop(state: &mut State, actor: usize, after: At) {
    if after == At::Park {
        end_drop(state, actor);
    } else {
        state.actors[actor].at = after;
    }
}

/// Whether the actor hands a P off, and does not give up its own for want of work.
fn is_hand_off(state: &State, actor: usize) -> bool {
    let me = &state.actors[actor];
    actor >= MACHINES_MAX || me.task != 0 || me.locked
}

/// The drop is over: a machine without a task parks, others go on.
pub(super) fn end_drop(state: &mut State, actor: usize) {
    let me = &mut state.actors[actor];
    me.flag = false;
    if actor < MACHINES_MAX && me.task == 0 {
        me.then = Then::Park;
    }
    state.resume(actor);
}

/// A P was taken back and a searcher counted: the machine is it, or starts one.
fn retaken(state: &mut State, actor: usize) {
    let hands_off = is_hand_off(state, actor);
    let me = &mut state.actors[actor];
    if hands_off {
        me.woken = core::mem::replace(&mut me.p, NONE);
        (me.counted, me.at) = (true, At::Start);
    } else {
        (me.searching, me.at) = (true, At::Find);
    }
}
