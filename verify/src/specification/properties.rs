//! What must hold: at every state, and where nothing can happen any more.
//!
//! The names S4 to S15 and L1 are those of the list of invariants in the book.

use super::common::Model;
use super::state::{Actor, At, INJECTOR, MACHINES_MAX, NONE, State};

/// What a state violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// A task is lost or stands in two places.
    OnePlace,
    /// A P is not exactly one of idle, held, in a call and in transit.
    OneOwner,
    /// An idle P has tasks.
    IdleIsEmpty,
    /// The count of searchers is not the number of searchers and wakes under way.
    CountIsExact,
    /// A machine begins to search although its own P has tasks.
    SearcherHasNoWork,
    /// A machine parks with a P, a task or a count.
    ParksWithNothing,
    /// Work is not conserved: all rest, a task is queued, and a P is idle.
    WorkIsConserved,
    /// Nothing can happen any more, and a task has not run.
    EveryTaskRuns,
    /// The protocol can go round for ever although the program ends.
    NoLivelock,
    /// A timer is due, a P is idle, and nobody watches the timer.
    TimerIsWatched,
    /// A locked task runs on another machine, or a machine runs another task than its locked one.
    LockedIsApart,
    /// The stopper goes on, and does not have every P.
    WorldStandsStill,
    /// The stopper waits, and nobody runs who could come.
    StopEnds,
    /// A queued task waits for ever, although every machine goes on.
    NobodyStarves,
}

impl Property {
    /// Every property.
    pub const ALL: &[Self] = &[
        Self::OnePlace,
        Self::OneOwner,
        Self::IdleIsEmpty,
        Self::CountIsExact,
        Self::SearcherHasNoWork,
        Self::ParksWithNothing,
        Self::WorkIsConserved,
        Self::EveryTaskRuns,
        Self::NoLivelock,
        Self::TimerIsWatched,
        Self::LockedIsApart,
        Self::WorldStandsStill,
        Self::StopEnds,
        Self::NobodyStarves,
    ];

    /// `S4`, `L1`, `stuck`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OnePlace => "S1",
            Self::OneOwner => "S4",
            Self::IdleIsEmpty => "S6",
            Self::CountIsExact => "S13",
            Self::SearcherHasNoWork => "S14",
            Self::ParksWithNothing => "S15",
            Self::WorkIsConserved => "L1",
            Self::EveryTaskRuns => "stuck",
            Self::NoLivelock => "cycle",
            Self::TimerIsWatched => "L8",
            Self::LockedIsApart => "S21",
            Self::WorldStandsStill => "S22",
            Self::StopEnds => "L10",
            Self::NobodyStarves => "L4",
        }
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::OnePlace => "a task is lost or stands in two places",
            Self::OneOwner => "a P has no owner or two",
            Self::IdleIsEmpty => "an idle P has tasks",
            Self::CountIsExact => "the count of searchers is wrong",
            Self::SearcherHasNoWork => "a machine searches although its own P has tasks",
            Self::ParksWithNothing => "a machine parks with a P, a task or a count",
            Self::WorkIsConserved => {
                "every machine is parked, in user code or in a call, a task is queued, and a P is idle"
            }
            Self::EveryTaskRuns => "nothing can happen any more, and a task has not run",
            Self::NoLivelock => "the protocol goes round for ever",
            Self::TimerIsWatched => "a timer is due, a P is idle, and nobody watches the timer",
            Self::LockedIsApart => "a locked task and its machine do not keep to each other",
            Self::WorldStandsStill => {
                "the world is said to stand still, and a P is not the stopper's"
            }
            Self::NobodyStarves => "a queued task waits for ever, although every machine goes on",
            Self::StopEnds => "the stopper waits for a P, and nobody runs who could bring it",
        }
    }
}

/// Whether a property holds in a state.
type Holds = fn(&Model, &State) -> bool;

impl Model {
    /// What `state` violates, if anything.
    #[must_use]
    pub fn violation(&self, state: &State) -> Option<Property> {
        let checks: [(Property, Holds); 10] = [
            (Property::OnePlace, Self::every_task_in_one_place),
            (Property::OneOwner, Self::every_processor_has_one_owner),
            (Property::IdleIsEmpty, Self::idle_is_empty),
            (Property::CountIsExact, Self::count_is_exact),
            (Property::SearcherHasNoWork, Self::searchers_have_no_work),
            (Property::ParksWithNothing, Self::parks_with_nothing),
            (Property::LockedIsApart, Self::locked_is_apart),
            (Property::WorldStandsStill, Self::world_stands_still),
            (Property::StopEnds, Self::stop_ends),
            (Property::WorkIsConserved, Self::work_is_conserved),
        ];
        checks.into_iter().find(|(_, holds)| !holds(self, state)).map(|(property, _)| property)
    }

    /// What a state without a next one violates: tasks are left that have not run.
    #[must_use]
    pub fn end_violation(&self, state: &State) -> Option<Property> {
        let waits = state.actors[INJECTOR..].iter().any(|actor| actor.at == At::StopWait);
        if waits {
            return Some(Property::StopEnds);
        }
        (state.live != 0).then_some(Property::EveryTaskRuns)
    }

    fn every_task_in_one_place(&self, state: &State) -> bool {
        let held: usize = state.actors.iter().map(Actor::tasks).sum();
        let given = usize::from(state.gift.1 != 0);
        state.queued() + held + given == usize::from(state.live)
    }

    fn every_processor_has_one_owner(&self, state: &State) -> bool {
        let mut owned = 0;
        let given = if state.gift.0 == NONE { 0 } else { 1 << state.gift.0 };
        for set in [state.idle, state.stopped, state.retired, given] {
            if owned & set != 0 {
                return false;
            }
            owned |= set;
        }
        for actor in &state.actors {
            // In a look, `old` is a P that is looked at, and not one that is owned.
            let called = if actor.at == At::Call { actor.old } else { NONE };
            for p in [actor.p, actor.woken, called] {
                if p != NONE {
                    if owned & (1 << p) != 0 {
                        return false;
                    }
                    owned |= 1 << p;
                }
            }
        }
        owned == self.all()
    }

    fn idle_is_empty(&self, state: &State) -> bool {
        let unused = state.idle | state.retired;
        (0..8).filter(|p| unused & (1 << p) != 0).all(|p| state.queue(p).is_empty())
    }

    fn count_is_exact(&self, state: &State) -> bool {
        let counted: i8 = state
            .actors
            .iter()
            .map(|actor| i8::from(actor.searching) + i8::from(actor.counted))
            .sum();
        state.searching == counted
    }

    fn searchers_have_no_work(&self, state: &State) -> bool {
        state.actors[..MACHINES_MAX].iter().all(|machine| {
            let begins = machine.searching && machine.at == At::Find;
            !begins || state.queue(machine.p).is_empty()
        })
    }

    fn parks_with_nothing(&self, state: &State) -> bool {
        let nothing = Actor::new(At::Parked);
        let locked = Actor { locked: true, ..Actor::new(At::LockedAsleep) };
        state.actors[..MACHINES_MAX].iter().all(|machine| match machine.at {
            At::Parked => *machine == nothing,
            At::LockedAsleep => *machine == locked,
            _ => true,
        })
    }

    /// S21. What is said of a machine that runs a task is true of it until the task stops.
    fn locked_is_apart(&self, state: &State) -> bool {
        !self.program.locks
            || state.actors[..MACHINES_MAX].iter().all(|machine| {
                machine.at != At::User || machine.locked == self.program.is_locked(machine.task)
            })
    }

    /// S22. Nobody else has a P then, as every P has one owner: so nobody runs user code with one.
    fn world_stands_still(&self, state: &State) -> bool {
        let mut outside = state.actors[INJECTOR..].iter();
        let stands = outside.any(|actor| matches!(actor.at, At::Stopped | At::Resized));
        !stands || state.stopped | state.retired == self.all()
    }

    /// L10. User code comes to a scheduling point; a call may last for ever.
    fn stop_ends(&self, state: &State) -> bool {
        let waits = |actor: &Actor| actor.at == At::StopWait;
        let asleep = |at| matches!(at, At::Absent | At::Parked | At::LockedAsleep | At::Unborn);
        let stays = |at| matches!(at, At::Resting | At::Inject | At::StopWait | At::Call);
        let cannot_come = |actor: &Actor| asleep(actor.at) || stays(actor.at);
        state.missing <= 0
            || !state.actors[INJECTOR..].iter().any(waits)
            || !state.actors.iter().all(cannot_come)
    }

    /// L1. User code and calls may last for ever, so nobody need come to help. If the host has
    /// refused a machine and none sleeps, there is nobody who could.
    fn work_is_conserved(&self, state: &State) -> bool {
        let at_rest = |(index, actor): (usize, &Actor)| match actor.at {
            At::Absent | At::Parked | At::Resting | At::Unborn | At::LockedAsleep => true,
            At::User | At::Call => actor.buffer == 0 && !actor.flag,
            At::Inject | At::StopWord => index >= INJECTOR,
            _ => false,
        };
        let excused = state.refused && state.parked().is_none();
        excused
            || state.idle == 0
            || state.queued() == 0
            || !state.actors.iter().enumerate().all(at_rest)
    }
}
