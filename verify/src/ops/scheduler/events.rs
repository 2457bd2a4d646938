//! What each event does to the reference, and whether it can be.

use gosched::{Event, NextSlot, Place};

use super::mirror::{At, Being, MachineMirror, Mirror, Outlook};
use crate::ops::Seen;
use crate::ops::tracked::Id;

const INTERRUPTED: &str = "an operation came in the middle of another";
const STOLE_MANY: &str = "a thief took several tasks";
const SHARED: &str = "a machine took several tasks of the global queue";
const SUCCESSOR: &str = "a searcher left a successor";
const LOOKED: &str = "a machine that went idle found work at the last look";
const HANDED_OFF: &str = "a processor with work was handed off";
const RETAKEN: &str = "a processor was taken out of a system call";
const KEPT: &str = "a system call kept its processor";
const GOT: &str = "a system call ended on another processor";
const NONE: &str = "a system call ended without a processor";
const REFUSED: &str = "a machine was refused";
const CHAIN_CUT: &str = "a chain in the slot was cut";
const POLLED: &str = "tasks came from the poller or from timers";
const PASSED: &str = "a task was passed to the machine it is locked to";
const RESUMED: &str = "the world went on after a stop";
const ASKED: &str = "the monitor asked for an end of a slice";
pub(super) const SHUT_DOWN: &str = "a shutdown returned tasks";
pub(super) const NOT_WAITING: &str = "a task that did not wait was not made ready";
pub(super) const DEAD: &str = "it was told that everybody sleeps";
pub(super) const DISMISSED: &str = "a sleeping machine was sent home";
const NOT_GONE: &str = "a machine was wanted, and one sent home still counted";
pub(super) const RESIZED: &str = "a processor with tasks was taken out of service";
pub(super) const STOPPER_WAITED: &str = "a stopper waited for a machine";

pub(super) const MUST_SEE: &[&str] = &[
    INTERRUPTED,
    STOLE_MANY,
    SHARED,
    SUCCESSOR,
    LOOKED,
    HANDED_OFF,
    RETAKEN,
    KEPT,
    GOT,
    NONE,
    REFUSED,
    CHAIN_CUT,
    POLLED,
    PASSED,
    RESUMED,
    ASKED,
    SHUT_DOWN,
    NOT_WAITING,
    DEAD,
    DISMISSED,
    NOT_GONE,
    RESIZED,
    STOPPER_WAITED,
];

/// One operation that is under way: of these there are several, when one interrupts another.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The tasks that it is about to publish.
    pub(super) pending: Vec<Id>,
    /// The tasks that the host has handed out as ready.
    pub(super) hand: Vec<Id>,
    /// The task that a machine has found, and whether it runs in the slice of another.
    pub(super) found: Option<(Id, bool)>,
    /// What it brings from the poller goes to the global queue, and is told of as submitted.
    pub(super) to_global: bool,
    /// Tasks have come from the poller or from timers: the machine may run one of them.
    pub(super) polled: bool,
    /// The machine looks for work, and goes to sleep or polls if there is none.
    pub(super) goes_idle: bool,
    /// The machine has said that it falls asleep.
    pub(super) parked: bool,
    /// It has published tasks, and has yet to wake somebody for them, or to find that it need not.
    pub(super) owes: bool,
    /// A task stops here and queues up again: in the ring, that is no news to anybody.
    pub(super) requeues: bool,
    /// The machine is dropped: a task that comes with a processor goes to the global queue.
    pub(super) dropping: bool,
    /// Whether the machine's processor was asked to yield when its step began.
    pub(super) must_yield: bool,
}

/// Whether the reference agrees with the scheduler at the instant of the event, so that another
/// operation may come there.
pub(super) fn may_interrupt(event: Event) -> bool {
    !matches!(
        event,
        Event::Refused { .. } | Event::Polled { .. } | Event::Began { .. } | Event::Exited
    )
}

pub(super) fn note_interrupt(seen: &mut Seen) {
    seen.note(true, INTERRUPTED);
}

impl Mirror {
    /// The scheduler says that `by` did this.
    pub(super) fn hear(
        &mut self,
        by: Option<usize>,
        event: Event,
        frame: &mut Frame,
        outlook: Outlook,
        seen: &mut Seen,
    ) {
        match event {
            Event::Submitted { place, count } => self.submitted(by, place, count, frame),
            Event::Popped { inherited } => self.popped(by, inherited, frame, seen),
            Event::TookShare { count } => self.took_share(by, count, frame, seen),
            Event::Stole { victim, count } => self.stole(by, victim, count, frame, seen),
            Event::Polled { count } => self.polled(by, count, frame, seen),
            Event::Woke { .. } | Event::NotWoke | Event::TookForWork { .. } => {
                frame.owes = false;
                // Who falls asleep makes good for what the host refused.
                self.refused &= !frame.parked;
                self.woke_or_not(event);
            }
            Event::Searches | Event::Found { .. } => self.searched(by, event, seen),
            Event::PutDown { processor, look } => self.put_down(by, processor, look),
            Event::Looked { found } => {
                seen.note(found, LOOKED);
                self.looked(found, frame.goes_idle, outlook);
            }
            Event::Roused { sleeper, processor, searching } => {
                self.roused(by, (sleeper, processor, searching), frame, seen);
            }
            Event::Started { started, processor, searching } => {
                self.started(started, processor, searching);
            }
            Event::Refused { processor } => self.was_refused(processor, outlook.due, seen),
            Event::Began { processor, searching } => {
                frame.must_yield = self.must_yield[processor];
                self.began(by, processor, searching, frame.dropping);
            }
            Event::HandsOff { processor } => {
                seen.note(true, HANDED_OFF);
                self.hands_off(by, processor, outlook.due);
            }
            Event::Parked | Event::Polls | Event::Exited => {
                if core::mem::take(&mut frame.owes) {
                    // Who comes from the poller would take a processor itself.
                    self.woke_or_not(Event::NotWoke);
                }
                frame.parked = event == Event::Parked;
                self.rests(by, event, !frame.goes_idle);
            }
            Event::Resumed { processors } => self.resumed(processors, seen),
            Event::AskedToYield { processor } => {
                seen.note(true, ASKED);
                self.must_yield[processor] = true;
            }
            Event::Stopped { processor } => {
                self.require(self.stopping, || "who stops a processor?".into());
                self.let_go(by, processor);
                self.processors[processor] = At::Stopped;
            }
            _ => self.called(by, event, seen),
        }
    }

    fn started(&mut self, id: usize, processor: usize, searching: bool) {
        let at = self.processors[processor];
        self.agree("whom a processor is for", at, At::Carried(searching));
        let room = self.count().0 < self.most_machines;
        self.require(room, || "more machines than there may be".into());
        self.agree("who sleeps when a machine is started", self.sleepers.last().copied(), None);
        self.machine(id).being = Being::Asked;
        self.told = false;
    }

    fn hands_off(&mut self, by: Option<usize>, processor: usize, due: bool) {
        self.give_up(by, processor);
        let work = !self.queues[processor].is_empty() || !self.global.is_empty() || due;
        self.require(work, || format!("processor {processor} is handed off without work"));
    }

    /// The processor that a machine holds.
    fn held(&mut self, by: Option<usize>) -> usize {
        let at = by.and_then(|by| self.machine(by).at);
        self.require(at.is_some(), || "a machine acts that holds no processor".into());
        at.unwrap_or(0)
    }

    /// `by` has the processor no more: whether it was counted as a searcher, which it is no more.
    fn let_go(&mut self, by: Option<usize>, processor: usize) -> bool {
        let at = self.processors[processor];
        let held = by.is_some_and(|by| at == At::With(by));
        self.require(held || matches!(at, At::Carried(false)), || {
            format!("processor {processor} is given away by {by:?}, but it is {at:?}")
        });
        let Some(by) = by.filter(|_| held) else { return false };
        let machine = self.machine(by);
        machine.at = None;
        let searching = core::mem::take(&mut machine.searching);
        self.count_off(searching);
        searching
    }

    fn give_up(&mut self, by: Option<usize>, processor: usize) {
        let searching = self.let_go(by, processor);
        self.require(!searching, || "a searcher hands off".into());
        self.processors[processor] = At::Carried(false);
    }

    fn count_off(&mut self, searching: bool) {
        self.require(!searching || self.searching > 0, || "who searches?".into());
        self.searching = self.searching.saturating_sub(usize::from(searching));
    }

    fn submitted(&mut self, by: Option<usize>, place: Place, count: usize, frame: &mut Frame) {
        frame.owes = !(frame.requeues && place == Place::Ring);
        let ids = if frame.to_global {
            core::mem::take(&mut frame.hand)
        } else {
            frame.pending.drain(..count.min(frame.pending.len())).collect()
        };
        self.agree("how many tasks were submitted", count, ids.len());
        if place == Place::Global {
            return self.push_global(ids);
        }
        let at = self.held(by);
        for id in ids {
            if place == Place::Slot {
                self.queues[at].push_next_or_overflow(id, &mut self.global);
            } else {
                self.queues[at].push_or_overflow(id, &mut self.global);
            }
        }
    }

    fn popped(&mut self, by: Option<usize>, inherited: bool, frame: &mut Frame, seen: &mut Seen) {
        let at = self.held(by);
        let looks = !frame.polled
            && self.slices[at].is_multiple_of(self.interval)
            && !self.global.is_empty();
        self.require(!looks, || format!("processor {at} did not look at the global queue"));
        let Some((mut id, mut from_slot)) = self.queues[at].pop() else {
            return self.object(format!("processor {at} popped from an empty queue"));
        };
        let long = self.inherited[at] >= self.chain;
        if from_slot && !inherited {
            seen.note(true, CHAIN_CUT);
            let asked = self.must_yield[at];
            self.require(long || asked, || "a chain was cut early".into());
            self.queues[at].push_or_overflow(id, &mut self.global);
            (id, from_slot) = self.queues[at].pop().expect("a task was just pushed");
        }
        self.agree("whether the task came from the slot", inherited, from_slot);
        self.require(!inherited || !long, || "a chain is too long".into());
        self.require(!inherited || !frame.must_yield, || "a chain outlives its slice".into());
        frame.found = Some((id, inherited));
    }

    fn took_share(&mut self, by: Option<usize>, count: usize, frame: &mut Frame, seen: &mut Seen) {
        let at = self.held(by);
        // F2: the rest was nowhere for a while, and who looked then has missed it.
        frame.owes = count > 1 && !by.is_some_and(|by| self.machine(by).searching);
        self.passed_over.fill(0);
        let before = self.queues[at].len();
        let now_and_then = self.slices[at].is_multiple_of(self.interval);
        let first = if now_and_then {
            self.global.pop_front()
        } else {
            self.require(before == 0, || "a share beside tasks of its own".into());
            let active = self.active;
            self.queues[at].take_share(&mut self.global, active)
        };
        let taken = usize::from(first.is_some()) + self.queues[at].len() - before;
        self.agree("the size of the share", count, taken);
        seen.note(taken > 1, SHARED);
        frame.found = first.map(|id| (id, false));
    }

    fn stole(
        &mut self,
        by: Option<usize>,
        victim: usize,
        count: usize,
        frame: &mut Frame,
        seen: &mut Seen,
    ) {
        let at = self.held(by);
        let idle = self.processors[victim] == At::Idle;
        self.require(victim != at && !idle, || format!("{at} steals from {victim}"));
        let mut own = self.queues[at].clone();
        let stolen = self.queues[victim].steal_into(&mut own, NextSlot::Take);
        self.queues[at] = own;
        let Ok(stolen) = stolen else { return self.object("a steal from an empty queue") };
        seen.note(stolen.moved > 0, STOLE_MANY);
        self.agree("how many tasks were stolen", count, 1 + stolen.moved);
        frame.found = Some((stolen.task, false));
    }

    fn polled(&mut self, by: Option<usize>, count: usize, frame: &mut Frame, seen: &mut Seen) {
        seen.note(true, POLLED);
        frame.owes = true;
        self.agree("how many tasks the poller brought", count, frame.hand.len());
        frame.polled = true;
        if !frame.to_global {
            let at = self.held(by);
            for id in frame.hand.drain(..) {
                self.queues[at].push_or_overflow(id, &mut self.global);
            }
        }
    }

    fn woke_or_not(&mut self, event: Event) {
        let could = self.searching == 0 && self.idle() > 0 && !self.stopping;
        match event {
            Event::Woke { processor } | Event::TookForWork { processor } => {
                self.require(could, || "who may be woken?".into());
                self.agree("whose a processor was", self.processors[processor], At::Idle);
                self.processors[processor] = At::Carried(true);
                self.searching += 1;
            }
            _ => self.require(!could, || "nobody was woken".into()),
        }
    }

    fn searched(&mut self, by: Option<usize>, event: Event, seen: &mut Seen) {
        let Some(by) = by else { return self.object("a thread that is no machine searches") };
        let Event::Found { successor } = event else {
            let few = 2 * self.searching < self.active - self.idle();
            self.require(few, || "too many searchers".into());
            self.searching += 1;
            self.machine(by).searching = true;
            return;
        };
        let counted = core::mem::take(&mut self.machine(by).searching);
        self.require(counted, || "a search ends that was not counted".into());
        let last = self.searching == 1 && self.idle() > 0 && !self.stopping;
        self.agree("whether a searcher leaves a successor", successor.is_some(), last);
        seen.note(last, SUCCESSOR);
        match successor {
            Some(processor) => self.processors[processor] = At::Carried(true),
            None => self.count_off(true),
        }
    }

    fn put_down(&mut self, by: Option<usize>, processor: usize, look: bool) {
        self.let_go(by, processor);
        self.processors[processor] = At::Idle;
        let empty = self.queues[processor].is_empty();
        self.require(empty && !self.stopping, || format!("processor {processor} goes idle"));
        self.agree("whether a machine looks once more", look, self.searching == 0);
    }

    /// The last look. Whoever goes idle then polls, if nobody does; who only hands its processor
    /// off starts somebody who will, if a timer is pending or that was the last processor.
    fn looked(&mut self, found: bool, goes_idle: bool, outlook: Outlook) {
        let polls = self.machines.values().any(|machine| machine.being == Being::Polling);
        let wanted = outlook.timers || self.idle() == self.active;
        let poller = !goes_idle && outlook.has_poller && !polls && wanted;
        let expected = self.has_work() || outlook.due || poller;
        self.agree("whether there is work, at D4", found, expected);
    }

    fn roused(
        &mut self,
        by: Option<usize>,
        (sleeper, processor, searching): (usize, usize, bool),
        frame: &mut Frame,
        seen: &mut Seen,
    ) {
        if self.processors[processor] != At::Carried(searching) {
            // A task is passed on to its machine, with the processor.
            seen.note(true, PASSED);
            self.give_up(by, processor);
            self.machine(sleeper).ahead = frame.found.take().map(|(id, _)| id);
        } else {
            let last = self.sleepers.pop();
            self.agree("who is roused", Some(sleeper), last);
        }
        let machine = self.machine(sleeper);
        if machine.being == Being::Asleep {
            machine.being = Being::Roused;
        }
        self.told = false;
    }

    fn was_refused(&mut self, processor: usize, due: bool, seen: &mut Seen) {
        seen.note(true, REFUSED);
        let At::Carried(searching) = self.processors[processor] else {
            return self.object("a processor was refused that nobody carries");
        };
        let tasks = self.queues[processor].drain();
        self.push_global(tasks);
        self.count_off(searching);
        self.processors[processor] = if self.stopping { At::Stopped } else { At::Idle };
        // Somebody may have fallen asleep since: then it is tried again at once.
        let looks = !self.stopping && self.searching == 0;
        let sleeper = !self.sleepers.is_empty();
        if !core::mem::take(&mut self.refusing) {
            let full = !sleeper && self.count().0 >= self.most_machines;
            self.require(full, || "no machine was found for a processor".into());
            let is_leaving = |machine: &MachineMirror| machine.being == Being::Dismissed;
            seen.note(self.machines.values().any(is_leaving), NOT_GONE);
        }
        self.refused = !(looks && sleeper && (self.has_work() || due));
    }

    fn began(&mut self, by: Option<usize>, processor: usize, searching: bool, dropping: bool) {
        let Some(by) = by else { return self.object("a thread that is no machine begins") };
        let at = self.processors[processor];
        let brought = at == At::Idle && !self.machines.contains_key(&by);
        self.require(at == At::Carried(searching) || brought, || {
            format!("machine {by} begins on processor {processor}, which is {at:?}")
        });
        self.processors[processor] = At::With(by);
        let before = self.machine(by).at;
        self.agree("what else a machine holds", before, None);
        let machine = self.machine(by);
        *machine =
            MachineMirror { being: Being::Going, at: Some(processor), searching, ..*machine };
        if let Some(task) = machine.ahead.take_if(|_| dropping) {
            self.push_global([task]);
        }
        self.told = false;
    }

    fn rests(&mut self, by: Option<usize>, event: Event, locked: bool) {
        let Some(by) = by else { return self.object("a thread that is no machine rests") };
        let held = self.machine(by).at;
        self.agree("what a machine without work holds", held, None);
        let being = match event {
            Event::Parked => Being::Asleep,
            Event::Polls => Being::Polling,
            _ => Being::Left,
        };
        let others = self.machines.values().filter(|machine| machine.being == Being::Polling);
        let alone = being != Being::Polling || others.count() == 0;
        self.require(alone, || "two machines poll".into());
        self.sleepers.retain(|&sleeper| sleeper != by);
        let machine = self.machine(by);
        machine.locked = locked;
        // A task may have been passed to its machine before that sleeps.
        machine.being = match machine.ahead {
            Some(_) if being == Being::Asleep => Being::Roused,
            _ => being,
        };
    }

    fn resumed(&mut self, processors: usize, seen: &mut Seen) {
        seen.note(true, RESUMED);
        self.agree("the number of processors", processors, self.active);
        self.agree("who searches while the world stands still", self.searching, 0);
        for id in 0..self.active {
            self.agree("whose a processor was", self.processors[id], At::Stopped);
            let empty = self.queues[id].is_empty();
            let stays = empty && self.own != Some(id);
            self.processors[id] = if stays { At::Idle } else { At::Carried(false) };
        }
        self.stopping = false;
    }

    /// System calls.
    fn called(&mut self, by: Option<usize>, event: Event, seen: &mut Seen) {
        if let Event::Retaken { processor } = event {
            seen.note(true, RETAKEN);
            let inside = matches!(self.processors[processor], At::Inside(_));
            self.require(inside, || "a processor was retaken from no system call".into());
            self.processors[processor] = At::Carried(false);
            return;
        }
        let Some(by) = by else { return self.object("a thread that is no machine calls") };
        match event {
            Event::Entered { processor } => {
                self.let_go(Some(by), processor);
                self.processors[processor] = At::Inside(by);
            }
            Event::Kept { processor } => {
                seen.note(true, KEPT);
                self.agree("whose a processor was", self.processors[processor], At::Inside(by));
                self.processors[processor] = At::With(by);
                self.machine(by).at = Some(processor);
            }
            Event::Got { processor } => {
                seen.note(true, GOT);
                let own = self.processors.contains(&At::Inside(by));
                self.require(!own, || "a machine leaves its own processor alone".into());
                self.agree("whose a processor was", self.processors[processor], At::Idle);
                self.processors[processor] = At::Carried(false);
            }
            _ => {
                seen.note(true, NONE);
                self.agree("idle processors for who comes back", self.idle(), 0);
            }
        }
    }
}
