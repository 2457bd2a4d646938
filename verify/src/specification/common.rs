//! What both protocols share: a model, its first state, user code, the own queue, stealing.

use super::program::{LEAF, Operation, Program};
use super::refuse::give;
use super::settings::{Change, Changes, Design};
use super::state::{
    ACTORS, Actor, At, INJECTOR, MACHINES_MAX, MONITOR, NONE, Processor, Queue, State, Task, Then,
};
use super::step::{Label, Step};

/// A program under a design with changes: what is explored.
#[derive(Clone, Debug)]
pub struct Model {
    /// The program.
    pub program: Program,
    /// The design.
    pub design: Design,
    /// The changes to it.
    pub changes: Changes,
}

/// The next states of a state, with what leads to them.
pub type Successors = Vec<(Label, State)>;

/// A step in the making: the model, the state before, who steps, and where the results go.
pub(super) struct Stepping<'a> {
    pub(super) model: &'a Model,
    pub(super) from: &'a State,
    pub(super) actor: usize,
    pub(super) out: &'a mut Successors,
}

impl Model {
    /// The state in which the program begins.
    #[must_use]
    pub fn initial(&self) -> State {
        let Program { processors, machines, ref running, ref injections, searchers, .. } =
            self.program;
        let actor = |at| Actor::new(at);
        let mut state = State {
            processors: Default::default(),
            actors: [actor(At::Absent); ACTORS],
            global: Queue::default(),
            idle: (1 << processors) - 1,
            searching: i8::try_from(searchers).expect("there are few"),
            need: false,
            locked: false,
            live: u8::try_from(running.len()).expect("there are few"),
            refusals: self.program.refusals,
            refused: false,
            stopping: false,
            asked: 0,
            stopped: 0,
            retired: 0,
            missing: 0,
            gift: (NONE, 0),
        };
        let spare = if self.program.refusals == 0 { At::Parked } else { At::Unborn };
        state.actors[..machines].fill(actor(spare));
        if self.program.monitor {
            state.actors[MONITOR] = actor(At::Resting);
        }
        for (actor, &seen) in state.actors[INJECTOR..].iter_mut().zip(injections) {
            *actor = Actor { seen, ..Actor::new(At::Inject) };
        }
        if let Some(resizes) = self.program.stopper {
            let seen = if resizes { 2 } else { 1 };
            let stopper = Actor { seen, flag: resizes, ..Actor::new(At::StopWord) };
            state.actors[INJECTOR + injections.len()] = stopper;
        }
        for index in 0..running.len() + searchers {
            let p = u8::try_from(index).expect("there are few");
            let machine = match running.get(index) {
                Some(&task) => Actor { p, task, ..actor(At::User) },
                None => Actor { p, searching: true, ..actor(At::Find) },
            };
            state.actors[index] = machine;
            state.unidle(p);
        }
        state
    }

    /// Puts into `out` every state that one step leads to from `from`.
    pub fn successors(&self, from: &State, out: &mut Successors) {
        out.clear();
        for actor in 0..from.actors.len() {
            self.successors_of(from, actor, out);
        }
    }

    /// Puts into `out` every state that one step of `actor` leads to from `from`.
    pub fn successors_of(&self, from: &State, actor: usize, out: &mut Successors) {
        let mut stepping = Stepping { model: self, from, actor, out };
        if from.actors[actor].buffer != 0 {
            stepping.flush();
        }
        if stepping.owes_clear() {
            stepping.take(Step::LateClear, |state, actor| {
                (state.need, state.actors[actor].flag) = (false, false);
            });
        }
        stepping.step();
    }

    /// The first step that no other actor can tell from none: it is taken alone, before all others.
    ///
    /// An own queue that is empty stays so but for its owner; and a machine that is about to park
    /// decides nothing any more.
    #[must_use]
    pub fn local_step(&self, from: &State) -> Option<(Label, State)> {
        let asks = self.program.asks_first();
        let is_local = |actor: &Actor| match actor.at {
            At::Park => !asks,
            At::Find | At::HandQueue if asks => false,
            At::Find | At::HandQueue | At::Own => {
                actor.buffer == 0 && from.queue(actor.p).is_empty()
            }
            _ => false,
        };
        let actor = from.actors.iter().position(is_local)?;
        let mut out = Vec::with_capacity(1);
        self.successors_of(from, actor, &mut out);
        out.pop()
    }

    pub(super) fn has(&self, change: Change) -> bool {
        self.changes.has(change)
    }

    /// All Ps, as a set.
    pub(super) fn all(&self) -> u8 {
        (1 << self.program.processors) - 1
    }
}

impl Stepping<'_> {
    /// The actor before the step.
    pub(super) fn me(&self) -> &Actor {
        &self.from.actors[self.actor]
    }

    pub(super) fn has(&self, change: Change) -> bool {
        self.model.has(change)
    }

    /// A step that concerns no other P.
    pub(super) fn take(&mut self, step: Step, change: impl FnOnce(&mut State, usize)) {
        self.take_on(step, NONE, change);
    }

    /// A step that concerns `p`.
    pub(super) fn take_on(&mut self, step: Step, p: u8, change: impl FnOnce(&mut State, usize)) {
        let mut next = *self.from;
        change(&mut next, self.actor);
        self.stop_at_foreign_task(&mut next);
        self.count_slice(step, &mut next);
        self.out.push((Label::on(self.actor, step, p), next));
    }

    /// A step after which the actor stands at `at`.
    pub(super) fn go(&mut self, step: Step, at: At) {
        self.take(step, |state, actor| state.actors[actor].at = at);
    }

    /// Whether the clear of `needspinning` is still in the buffer, of a machine that is no searcher
    /// any more.
    fn owes_clear(&self) -> bool {
        self.has(Change::LateClear) && self.me().flag && !self.me().searching
    }

    fn step(&mut self) {
        let me = *self.me();
        // A store in the buffer may be overtaken by loads, not by what writes.
        if (me.buffer != 0 || self.owes_clear()) && me.at != At::WakeLook {
            return;
        }
        match me.at {
            At::User => self.user(me.task),
            At::Overflow if !self.from.locked => self.take(Step::SubmitOverflow, |state, actor| {
                let mut hand = core::mem::take(&mut state.actors[actor].hand);
                state.global.append(&mut hand);
                state.actors[actor].at = At::WakeLook;
            }),
            At::Find if self.model.program.asks_first() => self.ask_first(),
            At::Find | At::Own => self.find(),
            At::Publish => self.publish(),
            At::Park if self.model.program.asks_first() => self.park_unless(),
            At::Park => self.take(Step::Park, |state, actor| {
                state.actors[actor].at = At::Parked;
            }),
            At::Start => self.start(),
            At::HandQueue if self.from.is_asked(me.p) => self.go(Step::HandStopped, At::Arrive),
            At::HandQueue => self.hand_queue(),
            At::Call => self.leave_call(),
            At::Resting if self.actor == MONITOR => self.monitor(),
            At::Absent | At::Parked | At::Resting | At::Overflow => {}
            At::Unborn | At::Reserved | At::LockedAsleep => {}
            At::Ask | At::Remember | At::PutBack | At::RememberAgain => self.refusal(me.at),
            At::AnySleeper | At::RetryLook | At::RetrySwap => self.refusal(me.at),
            At::Arrive => self.arrive(),
            At::Pass => self.pass(),
            At::StopWord | At::StopAsk | At::StopTake | At::StopWait => self.stop(me.at),
            At::Stopped | At::Resized | At::ResumeGive => self.stop(me.at),
            _ => match self.model.design {
                Design::Word => self.word(me.at),
                Design::Go => self.go_step(me.at),
            },
        }
    }

    fn user(&mut self, task: Task) {
        let (operation, after) = self.model.program.next(task);
        let go = self.model.design == Design::Go;
        match operation {
            Operation::End => self.take(Step::End, |state, actor| {
                state.live -= 1;
                state.actors[actor].task = 0;
                state.actors[actor].at = At::Find;
            }),
            Operation::Submit(new) => self.submit(new, after),
            Operation::Yield if go && self.from.locked => {}
            Operation::Yield => {
                let wake = !self.has(Change::YieldWithoutWake);
                self.take(Step::Yield, |state, actor| {
                    state.global.push(after);
                    let me = &mut state.actors[actor];
                    me.task = 0;
                    me.then = if wake { Then::Find } else { Then::Rest };
                    me.at = if wake { At::WakeLook } else { At::Find };
                });
            }
            Operation::YieldLocally if self.ring_is_full() => {
                self.take(Step::Yield, |state, actor| {
                    state.global.push(after);
                    let me = &mut state.actors[actor];
                    (me.task, me.then, me.at) = (0, Then::Find, At::WakeLook);
                })
            }
            Operation::YieldLocally => self.take(Step::YieldLocally, |state, actor| {
                let p = usize::from(state.actors[actor].p);
                state.processors[p].ring.push(after);
                state.actors[actor].task = 0;
                state.actors[actor].at = At::Find;
            }),
            Operation::Call if self.must_hand_over() => {
                self.take(Step::EnterStopped, |state, actor| {
                    let me = &mut state.actors[actor];
                    (me.task, me.then, me.at) = (after, Then::Call, At::Arrive);
                });
            }
            Operation::Call => self.take(Step::Enter, |state, actor| {
                let me = &mut state.actors[actor];
                me.task = after;
                me.old = core::mem::replace(&mut me.p, NONE);
                me.at = At::Call;
            }),
            Operation::BlockingCall => self.take(Step::EnterBlocking, |state, actor| {
                let me = &mut state.actors[actor];
                (me.task, me.then, me.at) = (after, Then::Call, At::HandQueue);
            }),
            Operation::Lock | Operation::Free => {
                let locks = operation == Operation::Lock;
                let step = if locks { Step::Lock } else { Step::Free };
                self.take(step, |state, actor| {
                    let me = &mut state.actors[actor];
                    (me.task, me.locked) = (after, locks);
                });
            }
        }
    }

    fn ring_is_full(&self) -> bool {
        self.from.queue(self.me().p).ring.len() == self.model.program.capacity
    }

    /// A1: the new task goes into the slot, what it displaces to the ring's tail.
    fn submit(&mut self, new: Task, after: Task) {
        if self.has(Change::LatePublication) {
            self.take(Step::Buffered, |state, actor| {
                state.live += 1;
                let me = &mut state.actors[actor];
                (me.task, me.buffer, me.then, me.at) = (after, new, Then::User, At::WakeLook);
            });
            return;
        }
        let capacity = self.model.program.capacity;
        let processor = self.from.queue(self.me().p);
        let full = processor.slot != 0 && self.ring_is_full();
        let step = if full { Step::SubmitFull } else { Step::Submit };
        self.take(step, |state, actor| {
            state.live += 1;
            let me = &mut state.actors[actor];
            (me.task, me.then) = (after, Then::User);
            me.at = if full { At::Overflow } else { At::WakeLook };
            put(&mut state.processors[usize::from(me.p)], &mut me.hand, new, capacity);
        });
    }

    /// The publication leaves the store buffer.
    fn flush(&mut self) {
        let capacity = self.model.program.capacity;
        self.take(Step::Flush, |state, actor| {
            let me = &mut state.actors[actor];
            let new = core::mem::take(&mut me.buffer);
            put(&mut state.processors[usize::from(me.p)], &mut me.hand, new, capacity);
            let mut hand = core::mem::take(&mut me.hand);
            state.global.append(&mut hand);
        });
    }

    /// F1: the own slot, then the own ring.
    fn find(&mut self) {
        if self.is_globals_turn() {
            return self.take_first_of_global();
        }
        if self.from.queue(self.me().p).is_empty() {
            return self.go(Step::OwnEmpty, At::Global);
        }
        let chained = self.chain_is_long();
        self.take(Step::Pop, |state, actor| {
            let me = &mut state.actors[actor];
            let own = &mut state.processors[usize::from(me.p)];
            if chained {
                own.ring.push(core::mem::take(&mut own.slot));
            }
            me.task = match core::mem::take(&mut own.slot) {
                0 => own.ring.pop(),
                task => task,
            };
            me.at = At::User;
        });
    }

    /// F2: the hand goes into the own ring.
    fn publish(&mut self) {
        let wakes = match self.model.design {
            Design::Word => !self.has(Change::BatchWithoutWake),
            Design::Go => !self.has(Change::H4),
        };
        self.take(Step::Publish, |state, actor| {
            let me = &mut state.actors[actor];
            state.processors[usize::from(me.p)].ring.append(&mut me.hand);
            me.at = if me.searching { At::Found } else { At::User };
            let late = core::mem::take(&mut me.flag);
            if !late && !me.searching && wakes {
                (me.then, me.at) = (Then::User, At::WakeLook);
            }
        });
    }

    /// A5: a parked machine gets the P. If none is parked, this waits.
    fn start(&mut self) {
        let Some(machine) = self.from.parked() else { return self.ask_host() };
        if self.model.design == Design::Go && self.from.locked {
            return;
        }
        let p = self.me().woken;
        let counted = self.me().counted;
        let step = if counted { Step::StartSearching } else { Step::Start };
        self.take_on(step, p, |state, actor| {
            let me = &mut state.actors[actor];
            me.woken = NONE;
            me.counted = false;
            give(&mut state.actors[machine], p, counted);
            state.resume(actor);
        });
    }

    /// O1: a P with tasks goes to a machine.
    fn hand_queue(&mut self) {
        let empty = self.from.queue(self.me().p).is_empty();
        if empty || self.has(Change::HandOffIgnoresTasks) {
            return self.go(Step::HandEmpty, At::HandGlobal);
        }
        self.take(Step::HandWork, hand_to_start);
    }

    /// The monitor takes a P from a system call.
    fn monitor(&mut self) {
        self.monitor_retries();
        for machine in 0..MACHINES_MAX {
            let p = self.from.actors[machine].old;
            if self.from.actors[machine].at == At::Call && p != NONE {
                let untold = self.has(Change::TakeUntold);
                self.take_on(Step::MonitorTake, p, |state, monitor| {
                    if !untold {
                        state.actors[machine].old = NONE;
                    }
                    state.actors[monitor].p = p;
                    state.actors[monitor].at = At::HandQueue;
                });
            }
        }
    }

    /// X2: the P that the call began with, if nobody took it.
    fn leave_call(&mut self) {
        if self.me().old == NONE {
            return self.go(Step::ExitLost, At::Exit);
        }
        self.take(Step::Exit, |state, actor| {
            let me = &mut state.actors[actor];
            me.p = core::mem::replace(&mut me.old, NONE);
            me.at = At::User;
        });
    }

    /// Takes a batch from the global queue: a fair share, which fits into the hand, the first task
    /// of it to run.
    pub(super) fn take_batch(&self, state: &mut State, actor: usize) {
        let Program { processors, capacity, .. } = self.model.program;
        let processors = processors - state.retired.count_ones() as usize;
        let len = state.global.len();
        let share = (len / processors + 1).min(len).min(capacity + 1);
        let me = &mut state.actors[actor];
        me.task = state.global.pop();
        for _ in 1..share {
            me.hand.push(state.global.pop());
        }
    }

    /// F4: takes the older half of the ring of `p`, rounded up, or the slot if the ring is empty.
    /// The newest of it is the one to run.
    pub(super) fn steal(&mut self, p: u8) {
        let late = self.has(Change::LateRest);
        let copies = self.has(Change::StealCopies);
        self.take_on(Step::Steal, p, |state, actor| {
            let me = &mut state.actors[actor];
            let victim = &mut state.processors[usize::from(p)];
            for _ in 1..victim.ring.len().div_ceil(2) {
                me.hand.push(victim.ring.pop());
            }
            me.task = match victim.ring.pop() {
                0 if copies => victim.slot,
                0 => core::mem::take(&mut victim.slot),
                task => task,
            };
            me.seen = 0;
            me.at = if me.hand.is_empty() || late { At::Found } else { At::Publish };
        });
    }

    /// Whether a thief finds something at `p`.
    pub(super) fn has_loot(&self, p: u8) -> bool {
        let queue = self.from.queue(p);
        !queue.ring.is_empty() || queue.slot != 0 && !self.has(Change::SlotNotStealable)
    }

    /// The Ps that the actor has not visited.
    pub(super) fn unvisited(&self) -> impl Iterator<Item = u8> + use<> {
        let left = self.model.all() & !self.me().seen;
        (0..8).filter(move |p| left & (1 << p) != 0)
    }

    /// Marks `p` as visited; after the last one the actor goes to `end`.
    pub(super) fn visited(&mut self, step: Step, p: u8, end: At) {
        let all = self.model.all();
        self.take_on(step, p, |state, actor| {
            let me = &mut state.actors[actor];
            me.seen |= 1 << p;
            if me.seen == all {
                (me.seen, me.at) = (0, end);
            }
        });
    }

    /// The tasks of an injection, pushed at once.
    pub(super) fn push_injected(&self, state: &mut State, actor: usize) -> u8 {
        let count = core::mem::take(&mut state.actors[actor].seen);
        (0..count).for_each(|_| state.global.push(LEAF));
        state.live += count;
        count
    }
}

/// Puts `new` into the slot; what it displaces goes to the ring, or, with the older half of a full
/// ring, into the hand.
fn put(processor: &mut Processor, hand: &mut Queue<3>, new: Task, capacity: usize) {
    let displaced = core::mem::replace(&mut processor.slot, new);
    if displaced == 0 {
        return;
    }
    if processor.ring.len() == capacity {
        for _ in 0..capacity / 2 {
            hand.push(processor.ring.pop());
        }
        hand.push(displaced);
    } else {
        processor.ring.push(displaced);
    }
}

/// The P that is handed off goes to a machine that does not search.
pub(super) fn hand_to_start(state: &mut State, actor: usize) {
    let me = &mut state.actors[actor];
    me.woken = core::mem::replace(&mut me.p, NONE);
    me.at = At::Start;
}
