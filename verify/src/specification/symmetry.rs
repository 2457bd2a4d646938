//! States that differ only in the names of machines and Ps are one state.
//!
//! [`Symmetry::canonical`] chooses one of them: the smallest over all ways to number the Ps, with
//! the machines in order. It may choose two different ones for states that are the same but for
//! names only if it is wrong, and then more states are explored than need be, none fewer.

use super::state::{Actor, INJECTOR, MACHINES_MAX, NONE, PROCESSORS_MAX, State};

/// A way to number the Ps anew: the new number of each.
type Renaming = [u8; PROCESSORS_MAX];

/// The ways to number so many Ps.
#[derive(Clone, Debug)]
pub(super) struct Symmetry {
    renamings: Vec<Renaming>,
    processors: usize,
}

impl Symmetry {
    /// The symmetry of `processors` Ps.
    #[must_use]
    pub(super) fn of(processors: usize) -> Self {
        let mut renamings = vec![];
        permute(&mut [0, 1, 2, 3], 0, processors, &mut renamings);
        Self { renamings, processors }
    }

    /// The state that stands for all that differ from `state` in names only.
    #[must_use]
    pub(super) fn canonical(&self, state: &State) -> State {
        let mut smallest: Option<State> = None;
        for renaming in &self.renamings {
            if !self.sorts(state, renaming) {
                continue;
            }
            let mut renamed = rename(state, renaming);
            renamed.actors[..MACHINES_MAX].sort_unstable();
            renamed.actors[INJECTOR..].sort_unstable();
            if smallest.as_ref().is_none_or(|smallest| renamed < *smallest) {
                smallest = Some(renamed);
            }
        }
        smallest.expect("one numbering sorts the Ps")
    }

    /// Whether the Ps' queues come in order when they are numbered so: the others are not smallest.
    fn sorts(&self, state: &State, renaming: &Renaming) -> bool {
        let mut place = [0; PROCESSORS_MAX];
        for p in 0..self.processors {
            place[usize::from(renaming[p])] = p;
        }
        place[..self.processors]
            .windows(2)
            .all(|pair| state.processors[pair[0]] <= state.processors[pair[1]])
    }
}

fn permute(numbers: &mut Renaming, fixed: usize, count: usize, out: &mut Vec<Renaming>) {
    if fixed == count {
        out.push(*numbers);
        return;
    }
    for index in fixed..count {
        numbers.swap(fixed, index);
        permute(numbers, fixed + 1, count, out);
        numbers.swap(fixed, index);
    }
}

fn rename(state: &State, renaming: &Renaming) -> State {
    let mut renamed = *state;
    for (p, &new) in renaming.iter().enumerate() {
        renamed.processors[usize::from(new)] = state.processors[p];
    }
    for set in [&mut renamed.idle, &mut renamed.asked, &mut renamed.stopped, &mut renamed.retired] {
        *set = rename_set(*set, renaming);
    }
    rename_processor(&mut renamed.gift.0, renaming);
    for (index, actor) in renamed.actors.iter_mut().enumerate() {
        rename_actor(actor, renaming);
        // A thread from outside counts there.
        if index < INJECTOR {
            actor.seen = rename_set(actor.seen, renaming);
        }
    }
    renamed
}

fn rename_actor(actor: &mut Actor, renaming: &Renaming) {
    for p in [&mut actor.p, &mut actor.woken, &mut actor.old] {
        rename_processor(p, renaming);
    }
}

fn rename_processor(p: &mut u8, renaming: &Renaming) {
    if *p != NONE {
        *p = renaming[usize::from(*p)];
    }
}

fn rename_set(set: u8, renaming: &Renaming) -> u8 {
    if set == 0 {
        return 0;
    }
    let bits = renaming.iter().enumerate().filter(|(p, _)| set & (1 << p) != 0);
    bits.fold(0, |set, (_, new)| set | 1 << new)
}
