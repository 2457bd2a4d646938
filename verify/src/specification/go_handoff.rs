//! Go's protocol: a P is handed off (handoffp).

use super::common::{Stepping, hand_to_start};
use super::settings::Change;
use super::state::{At, MACHINES_MAX, NONE, Then};
use super::step::Step;

impl Stepping<'_> {
    /// Whether the P that is taken back is for another machine: the monitor's hand-off, or that of
    /// a blocking call.
    pub(super) fn is_go_hand_off(&self) -> bool {
        self.actor >= MACHINES_MAX || self.me().then == Then::Call
    }

    pub(super) fn hand_global(&mut self) {
        let short = !self.has(Change::NoShortcut);
        if self.from.global.is_empty() {
            self.go(Step::HandGlobalEmpty, if short { At::HandShort } else { At::HandLock });
        } else {
            self.take(Step::HandGlobalWork, hand_to_start);
        }
    }

    pub(super) fn hand_short(&mut self) {
        let all_busy = self.from.searching == 0 && self.from.idle == 0;
        if all_busy {
            self.go(Step::HandAllBusy, At::HandTake);
        } else {
            self.go(Step::HandRead, At::HandLock);
        }
    }

    pub(super) fn hand_take(&mut self) {
        if self.from.searching != 0 {
            return self.go(Step::HandCasLost, At::HandLock);
        }
        self.take(Step::HandCas, |state, actor| {
            state.searching = 1;
            state.actors[actor].counted = true;
            state.actors[actor].at = At::HandClear;
        });
    }

    /// After the shortcut, or, where H1 is repaired, under the lock, which it gives up.
    pub(super) fn hand_clear(&mut self) {
        let clears = self.has_need() && !self.has(Change::NeverClear);
        let unlocks = self.me().at == At::HandNeed;
        self.take(Step::HandClear, |state, actor| {
            state.need &= !clears;
            state.locked &= !unlocks;
            hand_to_start(state, actor);
        });
    }

    pub(super) fn hand_lock(&mut self) {
        if !self.from.global.is_empty() && !self.has(Change::HandOffIgnoresGlobal) {
            return self.take(Step::HandLockWork, hand_to_start);
        }
        if self.from.need && self.has_need() && !self.has(Change::H1) {
            return self.take(Step::HandLockNeed, |state, actor| {
                state.searching += 1;
                state.locked = true;
                let me = &mut state.actors[actor];
                (me.counted, me.at) = (true, At::HandNeed);
            });
        }
        let p = self.me().p;
        let looks = self.has(Change::AllLook);
        self.take_on(Step::HandIdle, p, |state, actor| {
            state.idle |= 1 << p;
            state.actors[actor].p = NONE;
            if looks {
                state.actors[actor].at = At::LookGlobal;
            } else {
                state.resume(actor);
            }
        });
    }
}
