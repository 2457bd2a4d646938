//! A host that refuses to start a machine.
//!
//! A machine that sleeps is there for whoever has a P to give; one that the host must start may be
//! refused. Then the tasks of the P go to the global queue, the refusal is remembered, and the P
//! goes back together with the searcher that was counted for it, in one step. Who looks for a task,
//! and the monitor, try again.
//!
//! That leaves two cases. Somebody tries again before the P is back: no P is idle, or the count
//! still says that somebody searches, and the refusal is spent for nothing. So it is remembered
//! once more when the P is back. And a machine falls asleep between the look for a sleeper and the
//! refusal: so who was refused looks for a sleeper once more, and who has fallen asleep looks
//! whether somebody was refused; one of the two comes second.
//!
//! The look for work that comes with a retry is one step here; that of a drop is not.

use super::common::Stepping;
use super::settings::Change;
use super::state::{Actor, At, NONE, State, Then};
use super::step::Step;

impl Stepping<'_> {
    /// A5: no machine sleeps. Reserves one that the host is to start; if there are as many as there
    /// may be, that is a refusal, too. When there is none left to refuse, a machine is waited for.
    pub(super) fn ask_host(&mut self) {
        if self.model.program.refusals == 0 {
            return;
        }
        match self.from.machine_at(At::Unborn) {
            Some(machine) => self.take(Step::AskHost, |state, actor| {
                state.actors[machine].at = At::Reserved;
                state.actors[actor].at = At::Ask;
            }),
            None if self.from.refusals != 0 => self.refused(None),
            None => {}
        }
    }

    pub(super) fn refusal(&mut self, at: At) {
        match at {
            At::Ask => self.ask(),
            At::Remember => self.remember(At::PutBack),
            At::RememberAgain => self.remember(At::AnySleeper),
            At::PutBack => self.put_back(),
            At::AnySleeper => match self.from.parked() {
                Some(_) => self.go(Step::SleeperSeen, At::RetryLook),
                None => self.take(Step::SleeperNone, |state, actor| state.resume(actor)),
            },
            At::RetryLook if self.from.refused && self.from.queued() != 0 => {
                self.go(Step::RetryNeeded, At::RetrySwap);
            }
            At::RetryLook => self.take(Step::RetryNot, |state, actor| state.resume(actor)),
            At::RetrySwap if self.from.refused => self.take(Step::Retry, retry),
            _ => self.take(Step::RetryLost, |state, actor| state.resume(actor)),
        }
    }

    fn ask(&mut self) {
        let reserved = self.from.machine_at(At::Reserved).expect("it was reserved");
        let (p, counted) = (self.me().woken, self.me().counted);
        self.take_on(Step::Started, p, |state, actor| {
            let me = &mut state.actors[actor];
            (me.woken, me.counted) = (NONE, false);
            give(&mut state.actors[reserved], p, counted);
            state.resume(actor);
        });
        if self.from.refusals != 0 {
            self.refused(Some(reserved));
        }
    }

    fn refused(&mut self, reserved: Option<usize>) {
        let keeps = self.has(Change::RefusalKeepsTasks);
        let p = self.me().woken;
        self.take_on(Step::Refused, p, |state, actor| {
            state.refusals -= 1;
            if let Some(machine) = reserved {
                state.actors[machine].at = At::Unborn;
            }
            if !keeps {
                state.drain(p);
            }
            state.actors[actor].at = At::Remember;
        });
    }

    fn remember(&mut self, next: At) {
        let forgets = self.has(Change::RefusalForgotten);
        let ignores = self.has(Change::RefusalIgnoresSleeper) && next == At::AnySleeper;
        self.take(Step::RefusalKept, |state, actor| {
            state.refused |= !forgets;
            if ignores {
                state.resume(actor);
            } else {
                state.actors[actor].at = next;
            }
        });
    }

    /// One step of the word, as D1: the P goes idle and the count goes down.
    fn put_back(&mut self) {
        let keeps_count = self.has(Change::RefusalKeepsCount);
        let keeps_p = self.has(Change::RefusalKeepsProcessor);
        let once = self.has(Change::RefusalKeptOnce);
        let p = self.me().woken;
        self.take_on(Step::RefusalDropped, p, |state, actor| {
            let me = &mut state.actors[actor];
            let counted = core::mem::take(&mut me.counted) && !keeps_count;
            state.searching -= i8::from(counted);
            if state.stopping {
                me.at = At::Arrive;
                return;
            }
            me.woken = NONE;
            if !keeps_p {
                state.idle |= 1 << p;
            }
            if state.searching > 0 {
                state.resume(actor);
            } else {
                me.at = if once { At::AnySleeper } else { At::RememberAgain };
            }
        });
    }

    /// The monitor tries again after a refusal.
    pub(super) fn monitor_retries(&mut self) {
        if self.from.refused {
            self.take(Step::Retry, retry);
        }
    }
}

/// Takes the refusal upon itself, and goes on as whoever has submitted.
pub(super) fn retry(state: &mut State, actor: usize) {
    state.refused = false;
    let me = &mut state.actors[actor];
    if me.at == At::Find {
        me.then = Then::Own;
    }
    me.at = At::WakeLook;
}

/// A machine on the list of parked ones gets a P. If it still looks after a refusal, it will see
/// to that first.
pub(super) fn give(machine: &mut Actor, p: u8, searching: bool) {
    if machine.asleep {
        (machine.p, machine.searching, machine.asleep) = (p, searching, false);
    } else {
        *machine = Actor { p, searching, ..Actor::new(At::Find) };
    }
}
