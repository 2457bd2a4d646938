//! Go's protocol, step by step, after its specification (1.27): as it is written, or repaired.
//!
//! A section under the scheduler lock is one step, unless it writes two words that others access
//! without the lock: then the lock is held over the end of the first step (`locked`), and steps
//! that need it wait.

use super::common::Stepping;
use super::settings::Change;
use super::state::{At, NONE, State, Then};
use super::step::Step;

impl Stepping<'_> {
    pub(super) fn go_step(&mut self, at: At) {
        match at {
            At::WakeLook => self.wakep_look(),
            At::WakeTake => self.wakep_count(),
            At::WakeFail => self.wakep_fail(),
            At::Join => self.go_join(),
            At::JoinCount => self.join_count(),
            At::JoinClear => self.join_clear(),
            At::Visit => self.go_visit(),
            At::Found => self.reset_spinning(),
            At::NeedClear => self.need_clear(),
            At::DropCount => self.uncount(),
            At::LookQueues => self.recheck_queues(),
            At::LookSlot => self.recheck_slot(),
            At::RetakeCount => self.recheck_count(),
            At::RetakeClear => self.recheck_clear(),
            At::HandGlobal => self.hand_global(),
            At::HandShort => self.hand_short(),
            At::HandTake => self.hand_take(),
            At::HandClear | At::HandNeed => self.hand_clear(),
            At::Global if self.from.global.is_empty() => self.go_global(),
            // What is left takes the lock.
            _ if self.from.locked => {}
            At::WakeLock => self.wakep_lock(),
            At::Global => self.go_global(),
            At::Drop => self.retire(),
            At::LookGlobal => self.recheck_global(),
            At::Retake => self.recheck_take(),
            At::HandLock => self.hand_lock(),
            At::Exit => self.go_exit(),
            At::Inject => self.go_inject(),
            At::InjectStart => self.inject_start(),
            _ => unreachable!("{at:?} is no place of this protocol"),
        }
    }

    pub(super) fn has_need(&self) -> bool {
        !self.has(Change::NoNeed) && !self.has(Change::AllLook)
    }

    // wakep

    fn wakep_look(&mut self) {
        let skips = self.has(Change::FastPath) && self.from.idle == 0;
        if self.from.searching != 0 || skips {
            self.take(Step::WakepNot, |state, actor| state.resume(actor));
        } else {
            self.go(Step::WakepNeeded, At::WakeTake);
        }
    }

    fn wakep_count(&mut self) {
        if self.from.searching != 0 {
            return self.take(Step::WakepLost, |state, actor| state.resume(actor));
        }
        self.take(Step::WakepCount, |state, actor| {
            state.searching = 1;
            state.actors[actor].counted = true;
            state.actors[actor].at = At::WakeLock;
        });
    }

    fn wakep_lock(&mut self) {
        for p in self.from.idle_processors() {
            self.take_on(Step::WakepTake, p, |state, actor| {
                state.unidle(p);
                state.actors[actor].woken = p;
                state.actors[actor].at = At::Start;
            });
        }
        if self.from.idle != 0 {
            return;
        }
        let sets = self.has_need() && !self.has(Change::WakeSetsNoNeed);
        if self.has(Change::H3) && sets {
            self.take(Step::WakepNoneNeed, |state, actor| {
                (state.need, state.locked) = (true, true);
                state.actors[actor].at = At::WakeFail;
            });
        } else {
            self.take(Step::WakepNone, |state, actor| {
                state.searching -= 1;
                state.actors[actor].counted = false;
                if sets {
                    state.locked = true;
                    state.actors[actor].at = At::WakeFail;
                } else {
                    state.resume(actor);
                }
            });
        }
    }

    fn wakep_fail(&mut self) {
        let counted = self.me().counted;
        let step = if counted { Step::WakepUncount } else { Step::WakepNeed };
        self.take(step, |state, actor| {
            if counted {
                state.searching -= 1;
                state.actors[actor].counted = false;
            } else {
                state.need = true;
            }
            state.locked = false;
            state.resume(actor);
        });
    }

    // findRunnable

    fn go_global(&mut self) {
        let searching = self.me().searching;
        if self.from.global.is_empty() {
            return self.go(Step::GlobalEmpty, if searching { At::Visit } else { At::Join });
        }
        let next = self.with_batch(self.from);
        let batch = !next.actors[self.actor].hand.is_empty();
        let step = if batch { Step::GlobalBatch } else { Step::GlobalTake };
        self.take(step, |state, _| *state = next);
    }

    /// `state` after the actor took a batch from the global queue, which it has in hand.
    pub(super) fn with_batch(&self, state: &State) -> State {
        let mut next = *state;
        self.take_batch(&mut next, self.actor);
        let me = &mut next.actors[self.actor];
        if self.has(Change::FillUnderLock) {
            next.processors[usize::from(me.p)].ring.append(&mut me.hand);
        }
        me.at = match (me.hand.is_empty(), me.searching) {
            (false, _) => At::Publish,
            (true, true) => At::Found,
            (true, false) => At::User,
        };
        next
    }

    /// Go's limit: as many searchers as half of the busy Ps.
    fn may_join(&self) -> bool {
        let busy = self.model.program.processors - self.from.idle.count_ones() as usize;
        2 * usize::try_from(self.from.searching).unwrap_or(0) < busy
    }

    fn go_join(&mut self) {
        let joins = match (self.has(Change::AlwaysJoin), self.has(Change::NeverJoin)) {
            (false, false) => self.may_join(),
            (always, _) => always,
        };
        if joins {
            self.go(Step::JoinMay, At::JoinCount);
        } else {
            self.go(Step::JoinNot, At::Drop);
        }
    }

    /// becomeSpinning: the count, and then the clear, or the other way round.
    fn join_count(&mut self) {
        let clear_first = self.has(Change::ClearFirst);
        if clear_first && !self.me().flag {
            return self.take(Step::JoinClear, |state, actor| {
                state.need = false;
                state.actors[actor].flag = true;
            });
        }
        let late = self.has(Change::LateClear);
        let clears = self.has_need() && !clear_first && !late && !self.has(Change::NeverClear);
        self.take(Step::JoinCount, |state, actor| {
            state.searching += 1;
            let me = &mut state.actors[actor];
            (me.searching, me.flag) = (true, late);
            me.at = if clears { At::JoinClear } else { At::Visit };
        });
    }

    fn join_clear(&mut self) {
        self.take(Step::JoinClear, |state, actor| {
            state.need = false;
            state.actors[actor].at = At::Visit;
        });
    }

    fn go_visit(&mut self) {
        let own = self.me().p;
        let others = self.model.all() & !(1 << own);
        for p in self.unvisited().filter(|p| *p != own) {
            if self.has_loot(p) {
                self.steal(p);
            } else {
                self.take_on(Step::VisitEmpty, p, |state, actor| {
                    let me = &mut state.actors[actor];
                    me.seen |= 1 << p;
                    if me.seen == others {
                        (me.seen, me.at) = (0, At::Drop);
                    }
                });
            }
        }
        if others == 0 {
            self.go(Step::VisitEmpty, At::Drop);
        }
    }

    fn reset_spinning(&mut self) {
        let wakes = !self.has(Change::NoSuccessor);
        let rest = !self.me().hand.is_empty();
        self.take(Step::ResetSpinning, |state, actor| {
            state.searching -= 1;
            let me = &mut state.actors[actor];
            me.searching = false;
            me.then = if rest { Then::Publish } else { Then::User };
            me.flag |= rest;
            if wakes {
                me.at = At::WakeLook;
            } else {
                state.resume(actor);
            }
        });
    }

    /// The lock section in which a machine without work gives its P up, or does not.
    fn retire(&mut self) {
        let me = *self.me();
        if !self.from.global.is_empty() && !self.has(Change::DropIgnoresGlobal) {
            let next = self.with_batch(self.from);
            return self.take(Step::RetireTake, |state, _| *state = next);
        }
        if !me.searching && self.from.need && self.has_need() {
            return self.take(Step::RetireNeed, |state, actor| {
                state.searching += 1;
                state.locked = true;
                state.actors[actor].searching = true;
                state.actors[actor].at = At::NeedClear;
            });
        }
        let looks = self.has(Change::AllLook);
        let early = self.has(Change::LookBeforeDrop);
        self.take_on(Step::Retire, me.p, |state, actor| {
            state.idle |= 1 << me.p;
            state.actors[actor].p = NONE;
            state.actors[actor].at = match (me.searching, looks) {
                (true, _) if early => At::LookQueues,
                (true, _) => At::DropCount,
                (false, true) => At::LookGlobal,
                (false, false) => At::Park,
            };
        });
    }

    fn need_clear(&mut self) {
        let clears = !self.has(Change::NeverClear);
        self.take(Step::JoinClear, |state, actor| {
            if clears {
                state.need = false;
            }
            state.locked = false;
            state.actors[actor].at = At::Find;
        });
    }

    fn uncount(&mut self) {
        let looks = !self.has(Change::NoLook);
        self.take(Step::Uncount, |state, actor| {
            state.searching -= 1;
            let me = &mut state.actors[actor];
            me.searching = false;
            me.at = if looks { At::LookGlobal } else { At::Park };
        });
    }

    // System calls and injections

    fn go_exit(&mut self) {
        if self.from.idle == 0 {
            return self.take(Step::GiveAway, |state, actor| {
                let me = &mut state.actors[actor];
                state.global.push(core::mem::take(&mut me.task));
                me.at = At::Park;
            });
        }
        for p in self.from.idle_processors() {
            self.take_on(Step::ExitTake, p, |state, actor| {
                state.unidle(p);
                state.actors[actor].p = p;
                state.actors[actor].at = At::User;
            });
        }
    }

    fn go_inject(&mut self) {
        let wakes = !self.has(Change::InjectWithoutWake);
        let mut next = *self.from;
        let count = self.push_injected(&mut next, self.actor);
        if wakes {
            next.actors[self.actor].seen = count;
            next.actors[self.actor].at = At::InjectStart;
        } else {
            next.actors[self.actor].at = At::Resting;
        }
        self.take(Step::Inject, |state, _| *state = next);
    }

    /// One P for each task, while there are idle ones: its machine does not search.
    fn inject_start(&mut self) {
        if self.me().seen == 0 {
            return self.go(Step::InjectEnd, At::Resting);
        }
        if self.from.idle == 0 {
            let sets = self.has_need() && !self.has(Change::InjectSetsNoNeed);
            return self.take(Step::InjectNone, |state, actor| {
                state.need |= sets;
                state.actors[actor].seen = 0;
                state.actors[actor].at = At::Resting;
            });
        }
        let Some(machine) = self.from.parked() else { return };
        for p in self.from.idle_processors() {
            self.take_on(Step::InjectStart, p, |state, actor| {
                state.unidle(p);
                state.actors[actor].seen -= 1;
                (state.actors[machine].p, state.actors[machine].at) = (p, At::Find);
            });
        }
    }
}
