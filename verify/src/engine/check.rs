//! A check: one case of one claim under one engine, with a name and bounds.

use core::fmt;
use core::num::NonZeroUsize;
use core::time::Duration;
use std::sync::Arc;

use super::judge::{judge, judge_samples};
use super::{AnyModel, AnySearch, Findings, Progress, Watch, sequential, stress};
use crate::claim::{self, Bounds, Claim, Property};

/// What runs a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum, serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "snake_case"))]
pub enum Engine {
    /// Every execution that RC11 allows, each once: the one engine that is exhaustive
    #[cfg(feature = "explore")]
    Explore,
    /// Interleavings and C11 reorderings of a small model, up to a bound on preemptions
    #[cfg(feature = "loom")]
    Loom,
    /// Random and PCT schedules of a model, sequentially consistent
    #[cfg(feature = "shuttle")]
    Shuttle,
    /// The model on this machine's processor, over and over
    Stress,
    /// Random operation lists in one thread, against a reference model
    Sequential,
    /// Every state of the wake-up protocol's specification, for small programs
    Specification,
}

impl Engine {
    /// The engine's name in ids and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(feature = "explore")]
            Self::Explore => "explore",
            #[cfg(feature = "loom")]
            Self::Loom => "loom",
            #[cfg(feature = "shuttle")]
            Self::Shuttle => "shuttle",
            Self::Stress => "stress",
            Self::Sequential => "sequential",
            Self::Specification => "specification",
        }
    }
}

impl Engine {
    /// Whether one check of this engine can be divided among several threads.
    #[must_use]
    pub fn can_use_several_cores(self) -> bool {
        self.name() == "explore"
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How far the engines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "snake_case"))]
pub enum Effort {
    /// The ordinary run.
    Fast,
    /// `--thorough`: larger preemption bounds, ten times as many samples.
    Thorough,
}

impl Effort {
    fn samples(self, fast: usize) -> usize {
        match self {
            Self::Fast => fast,
            Self::Thorough => fast.saturating_mul(10),
        }
    }

    fn inputs(self, property: &Property) -> u32 {
        match self {
            Self::Thorough if property.cases > 1 => property.cases.saturating_mul(10),
            _ => property.cases,
        }
    }

    #[cfg(feature = "loom")]
    fn preemptions(self, bounds: &Bounds) -> Option<usize> {
        match self {
            Self::Fast => bounds.loom_fast,
            Self::Thorough => bounds.loom_thorough,
        }
    }
}

/// One case of one claim under one engine.
#[derive(Clone)]
pub struct Check {
    /// The claim's name.
    pub claim: &'static str,
    /// The claim's sentence.
    pub sentence: &'static str,
    /// The name of the case or the property.
    pub case: &'static str,
    /// What it is, in numbers or words.
    pub shape: &'static str,
    /// What runs it.
    pub engine: Engine,
    subject: Subject,
}

#[derive(Clone)]
enum Subject {
    Model(Arc<dyn AnyModel>, Bounds),
    Property(Property),
    Search(Arc<dyn AnySearch>),
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Check({})", self.id())
    }
}

/// Every check of `claims`, in their order.
#[must_use]
pub fn checks(claims: &[Claim]) -> Vec<Check> {
    let mut checks = Vec::new();
    for claim in claims {
        let check = |case, shape, engine, subject| Check {
            claim: claim.name,
            sentence: claim.sentence,
            case,
            shape,
            engine,
            subject,
        };
        for case in &claim.cases {
            let check = |engine, subject| check(case.name, case.shape, engine, subject);
            match &case.subject {
                claim::Subject::Model(model) => {
                    let subject = Subject::Model(Arc::clone(model), case.bounds);
                    let engines = engines_of(&case.bounds).into_iter();
                    checks.extend(engines.map(|engine| check(engine, subject.clone())));
                }
                claim::Subject::Search(search) => {
                    let subject = Subject::Search(Arc::clone(search));
                    checks.push(check(Engine::Specification, subject));
                }
            }
        }
        for property in &claim.properties {
            let subject = Subject::Property(*property);
            checks.push(check(property.name, property.shape, Engine::Sequential, subject));
        }
    }
    checks
}

/// The engines that run a model with these bounds.
fn engines_of(bounds: &Bounds) -> Vec<Engine> {
    [
        #[cfg(feature = "explore")]
        (Engine::Explore, bounds.explore),
        #[cfg(feature = "loom")]
        (Engine::Loom, bounds.loom),
        #[cfg(feature = "shuttle")]
        (Engine::Shuttle, bounds.shuttle > 0),
        (Engine::Stress, bounds.stress > 0),
    ]
    .into_iter()
    .filter_map(|(engine, applies)| applies.then_some(engine))
    .collect()
}

impl Check {
    /// `claim/case@engine`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}@{}", self.claim, self.case, self.engine)
    }

    /// The bounds, in words.
    #[must_use]
    pub fn bounds(&self, effort: Effort) -> String {
        match (&self.subject, self.engine) {
            #[cfg(feature = "explore")]
            (Subject::Model(..), Engine::Explore) => "all of RC11".into(),
            #[cfg(feature = "loom")]
            (Subject::Model(_, bounds), Engine::Loom) => match effort.preemptions(bounds) {
                None => "no preemption bound".into(),
                Some(1) => "1 preemption".into(),
                Some(preemptions) => format!("{preemptions} preemptions"),
            },
            #[cfg(feature = "shuttle")]
            (Subject::Model(_, bounds), Engine::Shuttle) => {
                let count = effort.samples(bounds.shuttle);
                format!("{count} random + {count} PCT")
            }
            (Subject::Model(_, bounds), _) => format!("{} runs", effort.samples(bounds.stress)),
            (Subject::Property(property), _) => match effort.inputs(property) {
                1 => "fixed test".into(),
                inputs => format!("{inputs} random inputs"),
            },
            (Subject::Search(search), _) => search.bounds(effort),
        }
    }

    /// Runs the check for up to about `limit`. The explorer searches with so many `jobs`; what it
    /// finds does not depend on it.
    ///
    /// # Panics
    ///
    /// When the claim does not hold, with the engine's message.
    #[must_use]
    pub fn run(
        &self,
        effort: Effort,
        limit: Duration,
        jobs: NonZeroUsize,
        progress: &Progress,
    ) -> Findings {
        #[cfg(not(feature = "explore"))]
        let _ = jobs;
        let watch = Watch::start(limit, progress);
        match (&self.subject, self.engine) {
            #[cfg(feature = "explore")]
            (Subject::Model(model, bounds), Engine::Explore) => {
                let schedules = effort.samples(bounds.shuttle);
                run_explorer(&self.id(), model, schedules, jobs, limit, &watch)
            }
            #[cfg(feature = "loom")]
            (Subject::Model(model, bounds), Engine::Loom) => {
                let bound = super::loom::Bound {
                    preemptions: effort.preemptions(bounds),
                    locations: false,
                };
                run_loom(model, bound, effort.samples(bounds.shuttle), limit, &watch)
            }
            #[cfg(feature = "shuttle")]
            (Subject::Model(model, bounds), Engine::Shuttle) => {
                run_shuttle(model, effort.samples(bounds.shuttle), &watch)
            }
            (Subject::Model(model, bounds), _) => {
                let count = effort.samples(bounds.stress);
                let seen = stress::explore(|| model.on_hardware(), count, &watch);
                judge_samples(&seen, &model.must_show())
            }
            (Subject::Property(property), _) => {
                match sequential::explore(property, effort.inputs(property)) {
                    Ok(seen) => judge(&seen, None, &[]),
                    Err(message) => Findings::failed(progress.executions(), message),
                }
            }
            (Subject::Search(search), _) => search.run(effort, &watch),
        }
    }

    /// Runs the check again to show its failure: one shuttle schedule if `schedule` is given, or
    /// the whole check; loom then names source lines.
    ///
    /// # Errors
    ///
    /// If the schedule is not one, or belongs to no engine of this kind.
    ///
    /// # Panics
    ///
    /// When the claim does not hold: that is the point.
    pub fn replay(
        &self,
        schedule: Option<&str>,
        effort: Effort,
        limit: Duration,
        progress: &Progress,
    ) -> Result<Findings, String> {
        match (&self.subject, self.engine, schedule) {
            #[cfg(feature = "loom")]
            (Subject::Model(model, bounds), Engine::Loom, None) => {
                let bound =
                    super::loom::Bound { preemptions: effort.preemptions(bounds), locations: true };
                let watch = Watch::start(limit, progress);
                Ok(run_loom(model, bound, effort.samples(bounds.shuttle), limit, &watch))
            }
            #[cfg(feature = "explore")]
            (Subject::Model(model, _), Engine::Explore, Some(schedule)) => {
                match super::explore::replay(&self.id(), model, schedule)? {}
            }
            #[cfg(feature = "shuttle")]
            (Subject::Model(model, _), Engine::Shuttle, Some(schedule)) => {
                let watch = Watch::start(limit, progress);
                let model = Arc::clone(model);
                let seen = super::shuttle::replay(move || model.on_shuttle(), schedule, &watch)?;
                Ok(judge_samples(&seen, &[]))
            }
            (_, _, Some(_)) => Err(format!("{} has no schedules", self.engine)),
            (_, _, None) => Ok(self.run(effort, limit, NonZeroUsize::MIN, progress)),
        }
    }
}

/// The explorer, and then shuttle's random schedules as its witness.
#[cfg(feature = "explore")]
fn run_explorer(
    id: &str,
    model: &Arc<dyn AnyModel>,
    schedules: usize,
    jobs: NonZeroUsize,
    limit: Duration,
    watch: &Watch,
) -> Findings {
    let own_watch = Watch { deadline: watch.deadline - limit / 10, ..watch.clone() };
    let found = super::explore::explore(id, model, jobs, &own_watch);
    let witness = witness(model, schedules, &found.seen, watch);
    let must_show = model.must_show();
    let mut findings = super::judge::judge_exhaustive(&found.seen, witness.as_ref(), &must_show);
    findings.blocked = found.blocked;
    if jobs > NonZeroUsize::MIN {
        findings.notes.push(format!("{jobs} threads searched"));
    }
    findings
}

/// loom, and then shuttle's random schedules as its witness.
#[cfg(feature = "loom")]
fn run_loom(
    model: &Arc<dyn AnyModel>,
    bound: super::loom::Bound,
    schedules: usize,
    limit: Duration,
    watch: &Watch,
) -> Findings {
    // The witness gets the last tenth of the time, which is far more than it needs.
    let loom_watch = Watch { deadline: watch.deadline - limit / 10, ..watch.clone() };
    let seen = super::loom::explore(
        {
            let model = Arc::clone(model);
            move || model.on_loom()
        },
        bound,
        &loom_watch,
    );
    let witness = witness(model, schedules, &seen, watch);
    judge(&seen, witness.as_ref(), &model.must_show())
}

/// What sequentially consistent schedules show, when the engine had the time to show as much.
#[cfg(all(any(feature = "explore", feature = "loom"), feature = "shuttle"))]
fn witness(
    model: &Arc<dyn AnyModel>,
    schedules: usize,
    seen: &super::Exploration,
    watch: &Watch,
) -> Option<super::Exploration> {
    if seen.end == super::End::OutOfTime || schedules == 0 {
        return None;
    }
    let model = Arc::clone(model);
    let random = super::shuttle::Schedules::Random;
    Some(super::shuttle::explore(move || model.on_shuttle(), random, schedules, watch))
}

#[cfg(all(any(feature = "explore", feature = "loom"), not(feature = "shuttle")))]
fn witness(
    _: &Arc<dyn AnyModel>,
    _: usize,
    _: &super::Exploration,
    _: &Watch,
) -> Option<super::Exploration> {
    None
}

/// Random schedules, then PCT: one exploration of both.
#[cfg(feature = "shuttle")]
fn run_shuttle(model: &Arc<dyn AnyModel>, count: usize, watch: &Watch) -> Findings {
    use super::shuttle::{Schedules, explore};

    let run = |schedules, watch: &Watch| {
        let model = Arc::clone(model);
        explore(move || model.on_shuttle(), schedules, count, watch)
    };
    let mut seen = run(Schedules::Random, watch);
    if seen.end == super::End::Finished {
        let pct = run(Schedules::Pct, watch);
        seen.executions += pct.executions;
        seen.outcomes.extend(pct.outcomes);
        seen.end = pct.end;
    }
    judge(&seen, None, &model.must_show())
}
