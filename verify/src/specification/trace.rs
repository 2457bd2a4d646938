//! Whether a sequence of observed steps is a run of the specification.
//!
//! Running code tells what it does, step by step, under the names of the steps. It need not tell
//! everything: steps that it never tells are *silent*, and any number of them may stand between two
//! that are told. So not one state is followed but all in which the specification can be.
//!
//! The actors and Ps of the observations are those of the model's first state: a task that runs
//! when the program begins stands on the machine and the P of its number.

use std::collections::BTreeSet;

use super::common::Model;
use super::state::{NONE, State};
use super::step::Step;

/// A step that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Who took it: the actor's place in [`State::actors`].
    pub actor: usize,
    /// The step.
    pub step: Step,
    /// The P that it concerned, if that was told.
    pub processor: Option<u8>,
}

/// Why a sequence is no run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The number of the first observation that the specification does not allow.
    pub at: usize,
    /// The steps that the actor could have taken instead.
    pub allowed: Vec<Step>,
}

/// Follows `observations` from the beginning of `model`, with the steps of `silent` never told.
/// Returns in how many states the specification can be at the end.
///
/// # Errors
///
/// With the first observation that is no step of the specification.
pub fn follow(
    model: &Model,
    observations: &[Observation],
    silent: &[Step],
) -> Result<usize, Refusal> {
    let mut states = BTreeSet::from([model.initial()]);
    for (at, seen) in observations.iter().enumerate() {
        let reached = with_silent(model, states, silent);
        let mut allowed = BTreeSet::new();
        states = BTreeSet::new();
        let mut out = Vec::new();
        for state in &reached {
            out.clear();
            model.successors_of(state, seen.actor, &mut out);
            for (label, next) in &out {
                allowed.insert(label.step);
                let same = seen.processor.is_none_or(|p| label.p == p || label.p == NONE);
                if label.step == seen.step && same {
                    states.insert(*next);
                }
            }
        }
        if states.is_empty() {
            return Err(Refusal { at, allowed: allowed.into_iter().collect() });
        }
    }
    Ok(states.len())
}

/// The states that silent steps lead to, and those that they start from.
fn with_silent(model: &Model, states: BTreeSet<State>, silent: &[Step]) -> BTreeSet<State> {
    let mut open: Vec<State> = states.iter().copied().collect();
    let mut reached = states;
    let mut out = Vec::new();
    while let Some(state) = open.pop() {
        if silent.is_empty() {
            break;
        }
        model.successors(&state, &mut out);
        let quiet = out.iter().filter(|(label, _)| silent.contains(&label.step));
        for (_, next) in quiet {
            if reached.insert(*next) {
                open.push(*next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::{Observation, follow};
    use crate::specification::catalogue::{SUITES, model};
    use crate::specification::common::Model;
    use crate::specification::settings::{Change, Design};
    use crate::specification::step::Step;

    /// What nobody need tell: steps that see nothing, and find nothing.
    const SILENT: &[Step] =
        &[Step::OwnEmpty, Step::GlobalEmpty, Step::VisitEmpty, Step::LookEmpty, Step::Fence];

    /// A run, each of whose steps is chosen by a number.
    fn run(model: &Model, seed: u64) -> Vec<Observation> {
        let mut state = model.initial();
        let mut out = Vec::new();
        let mut observations = Vec::new();
        let mut random = seed;
        loop {
            model.successors(&state, &mut out);
            if out.is_empty() {
                return observations;
            }
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (label, next) = out[(random >> 33) as usize % out.len()];
            let processor = Some(label.p);
            observations.push(Observation {
                actor: label.actor.into(),
                step: label.step,
                processor,
            });
            state = next;
        }
    }

    #[test]
    fn runs_are_runs_told_in_full_or_in_part() {
        for on in SUITES.iter().take(3).flat_map(|suite| suite.programs) {
            let model = model(Design::Word, &[], *on);
            for seed in 0..10 {
                let told = run(&model, seed);
                assert_eq!(follow(&model, &told, &[]), Ok(1), "{on:?}");
                let loud = told.into_iter().filter(|seen| !SILENT.contains(&seen.step));
                let loud: Vec<_> = loud.collect();
                assert!(follow(&model, &loud, SILENT).is_ok(), "{on:?}");
            }
        }
    }

    #[test]
    fn a_step_that_is_left_out_is_refused() {
        let model = model(Design::Word, &[], ("sub2+leaf", 2, 4, 2));
        for step in [Step::WakeNot, Step::Drop, Step::Found, Step::Park] {
            let mut refused = 0;
            for seed in 0..50 {
                let mut told = run(&model, seed);
                if let Some(at) = told.iter().position(|seen| seen.step == step) {
                    let who = told.remove(at).actor;
                    let later = told[at..].iter().any(|seen| seen.actor == who);
                    let result = follow(&model, &told, &[]);
                    assert!(result.is_err() || !later, "{step:?} {result:?}");
                    refused += usize::from(result.is_err());
                }
            }
            assert!(refused > 0, "{step:?} never came");
        }
    }

    #[test]
    fn a_run_of_a_mutant_is_no_run_of_the_design() {
        let on = ("inj1+leaf", 2, 4, 2);
        let mutant = model(Design::Word, &[Change::NoLook], on);
        let design = model(Design::Word, &[], on);
        let refused = (0..50).filter(|seed| follow(&design, &run(&mutant, *seed), &[]).is_err());
        assert!(refused.count() > 0);
    }
}
