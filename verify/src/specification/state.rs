//! A state of the protocol, as plain bytes.
//!
//! Everything that the protocol shares stands in [`State`]; what one machine, the monitor or a
//! thread from outside remembers between two steps stands in its [`Actor`]. All fields are bytes,
//! so that a state is small, and compared and hashed cheaply. Tasks have no names: a task is the
//! point of the program at which it goes on.

/// A task: where in the program it goes on; 0 is none.
pub type Task = u8;

/// In place of the number of a P: none.
pub const NONE: u8 = 0xff;

/// The most Ps of a model.
pub const PROCESSORS_MAX: usize = 4;
/// The most machines of a model.
pub const MACHINES_MAX: usize = 6;
/// The most tasks of a ring.
pub const RING_MAX: usize = 3;
/// The most threads from outside.
pub const INJECTORS_MAX: usize = 2;

/// In programs that never end: one slice in so many looks at the global queue first.
pub const INTERVAL: u8 = 2;
/// In programs that never end: the most tasks from the slot that run in one slice.
pub const CHAIN_MAX: u8 = 2;

/// The monitor's place among the actors.
pub const MONITOR: usize = MACHINES_MAX;
/// The first injector's place among the actors.
pub const INJECTOR: usize = MACHINES_MAX + 1;
/// How many actors there are.
pub const ACTORS: usize = INJECTOR + INJECTORS_MAX;

/// A short queue of tasks, oldest first; 0 ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Queue<const N: usize>([Task; N]);

impl<const N: usize> Default for Queue<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Queue<N> {
    /// How many tasks it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().position(|task| *task == 0).unwrap_or(N)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0[0] == 0
    }

    /// Adds a task at the tail.
    ///
    /// # Panics
    ///
    /// If it is full: a model has fewer tasks than a queue has places, or checks first.
    pub fn push(&mut self, task: Task) {
        let len = self.len();
        self.0[len] = task;
    }

    /// Takes the oldest task; 0 if there is none.
    pub fn pop(&mut self) -> Task {
        let task = self.0[0];
        self.0.rotate_left(1);
        self.0[N - 1] = 0;
        task
    }

    /// Moves the tasks of `other` to the tail, in their order.
    pub fn append<const M: usize>(&mut self, other: &mut Queue<M>) {
        while !other.is_empty() {
            self.push(other.pop());
        }
    }
}

/// A P's queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Processor {
    /// The slot for the task that runs next.
    pub slot: Task,
    /// The ring.
    pub ring: Queue<RING_MAX>,
    /// How many slices it has given, modulo [`INTERVAL`]: in programs that never end.
    pub slices: u8,
    /// How many tasks from the slot have run in the slice: in programs that never end.
    pub chain: u8,
}

impl Processor {
    /// Whether neither the slot nor the ring holds a task.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slot == 0 && self.ring.is_empty()
    }

    /// How many tasks it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.len() + usize::from(self.slot != 0)
    }
}

/// Where an actor stands: what its next step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum At {
    /// Not in this program.
    #[default]
    Absent,
    /// A machine on the list of parked ones, asleep on its note.
    Parked,
    /// The monitor or an injector, with nothing under way.
    Resting,
    /// An injector that has not begun.
    Inject,
    /// In user code.
    User,
    /// Has half a ring in hand, for the global queue.
    Overflow,
    /// A wake: looks whether one is needed.
    WakeLook,
    /// A wake: the read-modify-write that decides.
    WakeTake,
    /// A wake: takes a P, under the lock.
    WakeLock,
    /// A wake: the second write of a wake that found no P, under the lock.
    WakeFail,
    /// A wake: has taken a P's idle bit and must still count.
    WakeCount,
    /// Has a P for a machine, which it starts next.
    Start,
    /// Looks for a task: the own slot and ring.
    Find,
    /// Looks for a task: the global queue.
    Global,
    /// Has tasks in hand, for its own ring.
    Publish,
    /// Joins the searchers or not.
    Join,
    /// May join, and counts itself next.
    JoinCount,
    /// Has joined; clears `needspinning` next.
    JoinClear,
    /// Visits the other Ps.
    Visit,
    /// Searched and found.
    Found,
    /// Gives its P up.
    Drop,
    /// Has set the idle bit, and must still take itself off the count.
    DropCount,
    /// Saw `needspinning` under the lock, joined, and clears it.
    NeedClear,
    /// Has no P any more, and is about to look once more.
    Fence,
    /// Looks once more: the global queue.
    LookGlobal,
    /// Looks once more: the Ps' queues.
    LookQueues,
    /// Looks once more: the slot of a P whose ring was empty.
    LookSlot,
    /// Saw work, and takes a P back.
    Retake,
    /// Has taken a P back, and must still count.
    RetakeCount,
    /// Has counted; clears `needspinning` next.
    RetakeClear,
    /// Parks next.
    Park,
    /// Hands a P off: its queue.
    HandQueue,
    /// Hands a P off: the global queue.
    HandGlobal,
    /// Hands a P off: the shortcut when all are busy.
    HandShort,
    /// Hands a P off: the shortcut's compare-exchange.
    HandTake,
    /// Hands a P off: clears `needspinning`.
    HandClear,
    /// Hands a P off: saw `needspinning` under the lock, and clears it.
    HandNeed,
    /// Hands a P off: under the lock.
    HandLock,
    /// In a system call.
    Call,
    /// Back from a system call, without a P.
    Exit,
    /// Back from a system call, and there is no P: gives the task away.
    GiveAway,
    /// An injector that starts machines one by one.
    InjectStart,
    /// Looks for a task, in programs where [`At::Find`] asks what is wanted of the machine first.
    Own,
    /// A machine that the host has not started.
    Unborn,
    /// A machine that the host is being asked for.
    Reserved,
    /// Has asked the host for a machine.
    Ask,
    /// Was refused a machine: remembers it.
    Remember,
    /// Was refused a machine: puts the P down.
    PutBack,
    /// Was refused a machine, and has put the P down: remembers it once more.
    RememberAgain,
    /// Was refused a machine: looks whether one sleeps.
    AnySleeper,
    /// Looks whether a refusal is to be made up for, and whether there is work.
    RetryLook,
    /// Takes the refusal upon itself.
    RetrySwap,
    /// Hands its P, or the one that it is about to give away, to the stopper.
    Arrive,
    /// Stops the world: the idle word.
    StopWord,
    /// Stops the world: asks the Ps one by one.
    StopAsk,
    /// Stops the world: takes the P that it saw in a call.
    StopTake,
    /// Stops the world: waits for the Ps that are to come.
    StopWait,
    /// The world stands still.
    Stopped,
    /// The world stands still, and the number of Ps has been changed.
    Resized,
    /// Lets the world go on: a machine for each P with tasks.
    ResumeGive,
    /// Has found a task that is locked to another machine.
    Pass,
    /// A machine that a task is locked to, asleep until the task comes.
    LockedAsleep,
}

/// What an actor does when a wake, a hand-off or a drop is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Then {
    /// It rests.
    #[default]
    Rest,
    /// It goes on in user code.
    User,
    /// It looks for a task.
    Find,
    /// It parks.
    Park,
    /// It is in its system call.
    Call,
    /// It puts the rest of what it stole into its ring, and goes on in user code.
    Publish,
    /// It looks at its own queue.
    Own,
    /// It is on the list of parked ones already, and goes on if it was given a P meanwhile.
    Sleep,
    /// It goes on letting the world go on.
    Resume,
    /// It stops the world again.
    Stop,
}

/// What one machine, the monitor or an injector remembers between two steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor {
    /// What its next step is.
    pub at: At,
    /// What comes after the operation that it is in.
    pub then: Then,
    /// The P that it owns.
    pub p: u8,
    /// The P that it is about to give to a machine.
    pub woken: u8,
    /// The P that its system call may still have; in a look, the P whose ring was empty.
    pub old: u8,
    /// It is counted as a searcher.
    pub searching: bool,
    /// The wake that it has under way is counted as a searcher.
    pub counted: bool,
    /// It saw work too early, or must still clear `needspinning`: of two mutants.
    pub flag: bool,
    /// The task that it runs, or is about to.
    pub task: Task,
    /// Tasks on their way from one queue to another.
    pub hand: Queue<RING_MAX>,
    /// The Ps that it has visited; of an injector, how many machines to start.
    pub seen: u8,
    /// A task whose publication has not yet reached the others.
    pub buffer: Task,
    /// It is on the list of parked ones, and still looks whether a refusal is to be made up for.
    pub asleep: bool,
    /// A task is locked to it.
    pub locked: bool,
}

impl Actor {
    /// An actor that owns nothing and stands at `at`.
    #[must_use]
    pub fn new(at: At) -> Self {
        Self {
            at,
            then: Then::Rest,
            p: NONE,
            woken: NONE,
            old: NONE,
            searching: false,
            counted: false,
            flag: false,
            task: 0,
            hand: Queue::default(),
            seen: 0,
            buffer: 0,
            asleep: false,
            locked: false,
        }
    }

    /// How many tasks it has.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.hand.len() + usize::from(self.task != 0) + usize::from(self.buffer != 0)
    }
}

/// A state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    /// The Ps' queues.
    pub processors: [Processor; PROCESSORS_MAX],
    /// The machines, the monitor, the injectors.
    pub actors: [Actor; ACTORS],
    /// The global queue.
    pub global: Queue<8>,
    /// The idle Ps, as a set of bits.
    pub idle: u8,
    /// How many searchers are counted.
    pub searching: i8,
    /// Go's `needspinning`.
    pub need: bool,
    /// Whether Go's scheduler lock is held over the end of a step.
    pub locked: bool,
    /// How many tasks have begun and not ended.
    pub live: u8,
    /// How often the host may still refuse a machine.
    pub refusals: u8,
    /// The host has refused a machine, and nobody has tried again.
    pub refused: bool,
    /// The idle word says that the world is being stopped.
    pub stopping: bool,
    /// The Ps that are asked to stop, as a set.
    pub asked: u8,
    /// The Ps that the stopper has.
    pub stopped: u8,
    /// The Ps that are out of service.
    pub retired: u8,
    /// How many Ps the stopper waits for, less those that have come before it counted.
    pub missing: i8,
    /// A P and a task on their way to the machine that the task is locked to.
    pub gift: (u8, Task),
}

impl State {
    /// Whether `p` is idle.
    #[must_use]
    pub fn is_idle(&self, p: u8) -> bool {
        self.idle & (1 << p) != 0
    }

    /// The numbers of the idle Ps.
    pub fn idle_processors(&self) -> impl Iterator<Item = u8> + use<> {
        let idle = self.idle;
        (0..PROCESSORS_MAX as u8).filter(move |p| idle & (1 << p) != 0)
    }

    /// The queue of `p`.
    #[must_use]
    pub fn queue(&self, p: u8) -> &Processor {
        &self.processors[usize::from(p)]
    }

    /// How many tasks stand in queues.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.global.len() + self.processors.iter().map(Processor::len).sum::<usize>()
    }

    /// Whether such a task stands in a queue, or is on its way from one to another.
    #[must_use]
    pub fn has_queued(&self, task: Task) -> bool {
        let own = |p: &Processor| p.slot == task || p.ring.0.contains(&task);
        self.global.0.contains(&task)
            || self.processors.iter().any(own)
            || self.actors.iter().any(|actor| actor.hand.0.contains(&task))
    }

    /// A parked machine, if there is one. Parked machines remember nothing: one is as good as
    /// another, but for one that still looks after a refusal, which is chosen last.
    #[must_use]
    pub fn parked(&self) -> Option<usize> {
        let mut machines = self.actors[..MACHINES_MAX].iter();
        self.machine_at(At::Parked).or_else(|| machines.position(|machine| machine.asleep))
    }

    /// A machine that stands there, if there is one.
    #[must_use]
    pub fn machine_at(&self, at: At) -> Option<usize> {
        self.actors[..MACHINES_MAX].iter().position(|machine| machine.at == at)
    }

    /// Whether `p` is asked to stop.
    #[must_use]
    pub fn is_asked(&self, p: u8) -> bool {
        p != NONE && self.asked & (1 << p) != 0
    }

    /// Takes `p` out of the idle ones.
    pub fn unidle(&mut self, p: u8) {
        self.idle &= !(1 << p);
    }

    /// Goes on with what comes after the operation that `actor` is in.
    pub fn resume(&mut self, actor: usize) {
        let actor = &mut self.actors[actor];
        actor.at = match core::mem::take(&mut actor.then) {
            Then::Rest => At::Resting,
            Then::User => At::User,
            Then::Find => At::Find,
            Then::Park => At::Park,
            Then::Call => At::Call,
            Then::Publish => At::Publish,
            Then::Own => At::Own,
            Then::Sleep => {
                actor.asleep = false;
                if actor.p == NONE { At::Parked } else { At::Find }
            }
            Then::Resume => At::ResumeGive,
            Then::Stop => At::StopWord,
        };
    }
}
