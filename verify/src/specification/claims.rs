//! The specification's claims, as checks: what a search must find, and what it must not.

use std::sync::Arc;

use super::catalogue::{CAUGHT, Caught, On, SOUND, SUITES, Suite, WORD_SUITES, model};
use super::picture;
use super::schedule::{Verdict as Outcome, confirm, find_violation};
use super::search::{Ending, Limits};
use super::settings::{Change, Change as C, Changes, Design};
use super::system::{Protocol, Reduction};
use super::timers::Timers;
use crate::claim::{Case, Claim};
use crate::engine::{AnySearch, Effort, Findings, Verdict, Watch};

/// How many states a search keeps before it ends as incomplete: about 5 GiB.
const STATES_MAX: usize = 80_000_000;

/// What a check of the specification does.
enum Check {
    /// No program of the suite violates anything.
    Holds(Design, &'static Suite),
    /// No program of the suite violates anything, under each of these changes.
    Sound(Design, &'static Suite),
    /// Go as written leaves a timer unwatched (H2); Go repaired and the idle word do not.
    Timers,
    /// Each of these changes violates what it should, in so many steps.
    Caught(Vec<&'static Caught>),
}

/// Every claim of the specification.
pub(crate) fn claims() -> Vec<Claim> {
    let claim = |name, sentence, cases| Claim { name, sentence, cases, properties: vec![] };
    vec![
        claim(
            "protocol::work_is_conserved",
            "With the idle word, no task waits in a queue beside an idle P once all that is under \
             way has ended; and every task of a program that ends runs, whatever the scheduling.",
            suites(|suite| Check::Holds(Design::Word, suite)),
        ),
        claim(
            "protocol::a_refused_start_is_made_up_for",
            "If the host refuses to start a machine, no P, count or task is lost; a task waits beside \
             an idle P only while the refusal is remembered and no machine sleeps; and every task runs.",
            word_suites(&["refusals_2p"]),
        ),
        claim(
            "protocol::the_world_stops_and_goes_on",
            "Whoever stops the world gets every P once user code comes to a scheduling point, also \
             from calls that last; has them all when it goes on; may change their number; and when \
             the world goes on, work is conserved and every task runs.",
            word_suites(&["stops_2p", "resizes_2p"]),
        ),
        claim(
            "protocol::a_locked_task_keeps_its_machine",
            "A task that is locked to a machine runs there alone, and the machine runs nothing else; \
             whoever finds the task hands it over with the P, and work is conserved.",
            word_suites(&["locks_2p"]),
        ),
        claim(
            "protocol::no_queued_task_starves",
            "In programs that never end every queued task runs at last, in a ring or in the global \
             queue, if every machine goes on.",
            word_suites(&["endless"]),
        ),
        claim(
            "protocol::go_repaired_conserves_work",
            "So it is in Go's protocol once its holes H1, H3 and H4 are repaired.",
            suites(|suite| Check::Holds(Design::Go, suite)),
        ),
        claim(
            "protocol::go_as_written_loses_work",
            "Go 1.27's protocol as it is written lets a task wait beside an idle P, in three ways, \
             and a timer in a fourth; filling the ring under the lock does not mend the third.",
            holes(),
        ),
        claim(
            "protocol::each_mutant_is_caught",
            "The absence of each needed piece of either protocol is found, with a shortest schedule, \
             which violates a named property.",
            [Design::Word, Design::Go].map(mutants_case).into(),
        ),
        claim(
            "protocol::what_is_redundant",
            "Some pieces are not: without them, or with them done otherwise, nothing is violated.",
            [Design::Word, Design::Go].into_iter().flat_map(sound_cases).collect(),
        ),
    ]
}

fn suites(check: impl Fn(&'static Suite) -> Check) -> Vec<Case> {
    SUITES.iter().map(|suite| case(suite.name, suite.says, check(suite))).collect()
}

fn word_suites(names: &[&str]) -> Vec<Case> {
    let named = WORD_SUITES.iter().filter(|suite| names.contains(&suite.name));
    named.map(|suite| case(suite.name, suite.says, Check::Holds(Design::Word, suite))).collect()
}

fn case(name: &'static str, shape: &'static str, check: Check) -> Case {
    Case::searched(name, shape, Arc::new(check))
}

fn holes() -> Vec<Case> {
    let mut holes: Vec<_> = [C::H1, C::H3, C::H4, C::FillUnderLock].map(hole_case).into();
    let shape = "A poller that finds no P tells nobody, and who did not search does not look.";
    holes.insert(1, case("h2", shape, Check::Timers));
    holes
}

fn hole_case(hole: Change) -> Case {
    let is_hole = |caught: &&Caught| caught.design == Design::Go && caught.change == hole;
    let name = match hole {
        C::FillUnderLock => "fill_under_lock",
        _ => hole.name(),
    };
    case(name, hole.says(), Check::Caught(CAUGHT.iter().filter(is_hole).collect()))
}

fn mutants_case(design: Design) -> Case {
    let of = CAUGHT.iter().filter(|caught| caught.design == design).collect();
    case(design.name(), "one change at a time", Check::Caught(of))
}

fn sound_cases(design: Design) -> Vec<Case> {
    let names = match design {
        Design::Word => ["word_submits_2p", "word_injections_2p", "word_calls_2p"],
        Design::Go => ["go_submits_2p", "go_injections_2p", "go_calls_2p"],
    };
    let suites = SUITES.iter().zip(names);
    suites.map(|(suite, name)| case(name, suite.says, Check::Sound(design, suite))).collect()
}

impl AnySearch for Check {
    fn bounds(&self, effort: Effort) -> String {
        match self {
            Self::Holds(_, suite) => counted(programs(suite, effort).count(), "program"),
            Self::Sound(design, suite) => {
                let changes = SOUND.iter().filter(|(of, _)| of == design).count();
                let programs = counted(programs(suite, effort).count(), "program");
                format!("{}, {programs} each", counted(changes, "change"))
            }
            Self::Timers => "3 designs".into(),
            Self::Caught(all) => counted(all.len(), "change"),
        }
    }

    fn run(&self, effort: Effort, watch: &Watch) -> Findings {
        let mut tally = Tally { states: 0, schedules: 0, notes: Vec::new() };
        let found = match self {
            Self::Holds(design, suite) => {
                programs(suite, effort).try_for_each(|on| tally.holds(*design, &[], on, watch))
            }
            Self::Sound(design, suite) => {
                let sound =
                    SOUND.iter().filter(|(of, _)| of == design).map(|(_, changes)| *changes);
                let mut runs =
                    sound.flat_map(|changes| programs(suite, effort).map(move |on| (changes, on)));
                runs.try_for_each(|(changes, on)| tally.holds(*design, changes, on, watch))
            }
            Self::Timers => tally.timers(watch),
            Self::Caught(all) => all.iter().try_for_each(|caught| tally.caught(caught, watch)),
        };
        let verdict = found.err().unwrap_or(Verdict::CompleteForModel);
        Findings {
            executions: tally.states,
            blocked: 0,
            outcomes: tally.schedules,
            verdict,
            notes: tally.notes,
        }
    }
}

fn programs(suite: &Suite, effort: Effort) -> impl Iterator<Item = On> {
    let more = if effort == Effort::Thorough { suite.thorough } else { &[] };
    suite.programs.iter().chain(more).copied()
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// What the searches of a check have seen.
struct Tally {
    states: u64,
    schedules: usize,
    notes: Vec<String>,
}

impl Tally {
    fn search(
        &mut self,
        protocol: &Protocol,
        watch: &Watch,
        search: fn(&Protocol, &mut Limits<'_>) -> Outcome<Protocol>,
    ) -> Outcome<Protocol> {
        let mut count = |states| watch.progress.add(states);
        let mut limits = Limits { deadline: watch.deadline, states: STATES_MAX, watch: &mut count };
        let outcome = search(protocol, &mut limits);
        self.states += outcome.search.states;
        outcome
    }

    fn holds(
        &mut self,
        design: Design,
        changes: &[Change],
        on: On,
        watch: &Watch,
    ) -> Result<(), Verdict> {
        let protocol = Protocol::new(model(design, changes, on), Reduction::FULL);
        let outcome = self.search(&protocol, watch, confirm);
        let what = describe(design, changes, &protocol);
        match (outcome.search.ending, &outcome.schedule) {
            (Ending::Complete, _) => Ok(()),
            (Ending::Incomplete, _) => Err(incomplete(&what, outcome.search.states)),
            (Ending::Violated(property), schedule) => {
                let drawn = schedule.as_ref().map(|found| picture::draw(&protocol, found));
                let drawn = drawn.unwrap_or_default();
                let message = format!("{what}: {}\n{drawn}", property.says());
                Err(Verdict::Failed { message })
            }
        }
    }

    /// H2: found as Go is written, in three steps, and in no other design.
    fn timers(&mut self, watch: &Watch) -> Result<(), Verdict> {
        let designs =
            [(Timers::GoAsWritten, Some(3)), (Timers::GoRepaired, None), (Timers::Word, None)];
        for (design, expected) in designs {
            let mut count = |states| watch.progress.add(states);
            let (deadline, states) = (watch.deadline, STATES_MAX);
            let mut limits = Limits { deadline, states, watch: &mut count };
            let outcome = find_violation(&design, &mut limits);
            self.states += outcome.search.states;
            let steps = outcome.schedule.as_ref().map(|schedule| schedule.steps.len());
            if outcome.search.ending == Ending::Incomplete {
                return Err(incomplete(&format!("{design:?}"), outcome.search.states));
            }
            if steps != expected {
                let message = format!("{design:?}: {expected:?} steps expected: {outcome:?}");
                return Err(Verdict::Failed { message });
            }
            self.schedules += usize::from(steps.is_some());
        }
        Ok(())
    }

    fn caught(&mut self, caught: &Caught, watch: &Watch) -> Result<(), Verdict> {
        let Caught { design, change, on, property, steps } = *caught;
        let protocol = Protocol::new(model(design, &[change], on), Reduction::FULL);
        let outcome = self.search(&protocol, watch, find_violation);
        let what = describe(design, &[change], &protocol);
        let failed = |message| Err(Verdict::Failed { message });
        match (outcome.search.ending, outcome.schedule) {
            (Ending::Incomplete, _) => Err(incomplete(&what, outcome.search.states)),
            (Ending::Violated(found), Some(schedule)) => {
                let found_steps = schedule.steps.len();
                if (found, found_steps) != (property, steps) {
                    let drawn = picture::draw(&protocol, &schedule);
                    let expected = format!("{} in {steps} steps", property.name());
                    return failed(format!("{what}: not {expected}, but\n{drawn}"));
                }
                self.schedules += 1;
                Ok(())
            }
            _ => failed(format!("{what}: violates nothing; {} was expected", property.name())),
        }
    }
}

fn describe(design: Design, changes: &[Change], protocol: &Protocol) -> String {
    let changes = Changes::of(changes);
    format!("{}, {changes}, {}", design.name(), protocol.model.program.describe())
}

fn incomplete(what: &str, states: u64) -> Verdict {
    Verdict::Incomplete { reached: format!("{what}: stopped after {states} states") }
}
