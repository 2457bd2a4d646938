//! `specification`: one search through the states of the wake-up protocol, and its schedule drawn.

use core::time::Duration;
use std::time::Instant;

use serde::Serialize;

use crate::engine::Progress;
use crate::report::{Exit, thousands};
use crate::specification::Model;
use crate::specification::picture;
use crate::specification::program::Program;
use crate::specification::schedule::{Schedule, Taken, Verdict, find_violation};
use crate::specification::search::{Ending, Limits};
use crate::specification::settings::{Change, Changes, Design};
use crate::specification::step::Step;
use crate::specification::system::{Protocol, Reduction};

/// Flags of `specification`.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// The program: terms joined by `+`, such as sub2, leaf, sys, block, yield, inj1, monitor
    program: String,
    /// The protocol
    #[arg(long, value_enum, default_value = "word")]
    design: Design,
    /// A change to it. Repeatable; a wrong name lists all
    #[arg(long, value_name = "CHANGE")]
    change: Vec<Change>,
    /// How many Ps
    #[arg(short, long, default_value_t = 2)]
    processors: usize,
    /// How many machines
    #[arg(short, long, default_value_t = 4)]
    machines: usize,
    /// How many tasks a ring holds
    #[arg(short, long, default_value_t = 2)]
    capacity: usize,
    /// Seconds until the search ends as incomplete
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    time_limit: u64,
    /// Explore also what differs in the names of machines and Ps only
    #[arg(long)]
    no_symmetry: bool,
    /// Explore also the places of steps that nobody else can see
    #[arg(long)]
    no_local: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The result, for scripts.
#[derive(Serialize)]
struct Outcome<'a> {
    program: &'a str,
    processors: usize,
    machines: usize,
    capacity: usize,
    design: &'a str,
    changes: Vec<&'a str>,
    /// `complete`, `violated` or `incomplete`.
    ending: &'a str,
    states: u64,
    seconds: f64,
    violates: Option<&'a str>,
    /// The number of steps before a cycle.
    cycle_from: Option<usize>,
    steps: Vec<Row>,
}

/// A step of the schedule.
#[derive(Serialize)]
struct Row {
    actor: String,
    step: &'static str,
    says: String,
    /// The shared words after it.
    shared: String,
}

/// Runs the search that the arguments describe. An error is one of usage.
pub(super) fn run(args: &Args) -> Result<Exit, String> {
    let program = Program::new(&args.program, args.processors, args.machines, args.capacity)?;
    if args.design == Design::Go && program.asks_first() {
        return Err(format!("{}: stops, refusals and locks are of --design word", args.program));
    }
    let model = Model { program, design: args.design, changes: Changes::of(&args.change) };
    let reduction = Reduction { symmetry: !args.no_symmetry, local_steps_alone: !args.no_local };
    let protocol = Protocol::new(model, reduction);
    let started = Instant::now();
    let verdict = search(&protocol, Duration::from_secs(args.time_limit));
    let seconds = started.elapsed().as_secs_f64();
    super::print(&if args.json {
        json(args, &protocol, &verdict, seconds)
    } else {
        text(&protocol, &verdict, seconds)
    });
    Ok(match verdict.search.ending {
        Ending::Complete => Exit::Passed,
        Ending::Violated(_) => Exit::Failed,
        Ending::Incomplete => Exit::Incomplete,
    })
}

/// Searches, and says now and then on standard error how far it is.
fn search(protocol: &Protocol, limit: Duration) -> Verdict<Protocol> {
    let progress = Progress::default();
    let mut told = Instant::now();
    let mut watch = |states| {
        progress.add(states);
        if told.elapsed() > Duration::from_secs(2) {
            eprintln!("{} states", thousands(progress.executions()));
            told = Instant::now();
        }
    };
    let deadline = Instant::now() + limit;
    let mut limits = Limits { deadline, states: usize::MAX, watch: &mut watch };
    find_violation(protocol, &mut limits)
}

fn text(protocol: &Protocol, verdict: &Verdict<Protocol>, seconds: f64) -> String {
    let model = &protocol.model;
    let states = thousands(verdict.search.states);
    let ending = match verdict.search.ending {
        Ending::Complete => "complete for this model: nothing is violated".to_owned(),
        Ending::Incomplete => "incomplete: the time was over".to_owned(),
        Ending::Violated(property) => format!("violates {}", property.name()),
    };
    let mut text = format!(
        "{}, {}: {}\n{states} states in {seconds:.1} s: {ending}\n",
        model.design.name(),
        model.changes,
        model.program.describe()
    );
    if let Some(schedule) = &verdict.schedule {
        let steps = schedule.steps.len();
        text += &format!("the shortest schedule, {steps} steps:\n\n");
        text += &picture::draw(protocol, schedule);
    }
    let taken = Step::ALL.iter().filter(|step| verdict.search.taken & (1 << **step as u32) != 0);
    let mut names: Vec<_> = taken.map(|step| step.name()).collect();
    names.dedup();
    text + &format!("steps taken: {}\n", names.join(" "))
}

fn json(args: &Args, protocol: &Protocol, verdict: &Verdict<Protocol>, seconds: f64) -> String {
    let (ending, violates) = match verdict.search.ending {
        Ending::Complete => ("complete", None),
        Ending::Incomplete => ("incomplete", None),
        Ending::Violated(property) => ("violated", Some(property.name())),
    };
    let result = Outcome {
        program: &args.program,
        processors: args.processors,
        machines: args.machines,
        capacity: args.capacity,
        design: args.design.name(),
        changes: args.change.iter().map(|change| change.name()).collect(),
        ending,
        states: verdict.search.states,
        seconds,
        violates,
        cycle_from: verdict.schedule.as_ref().and_then(|schedule| schedule.cycle_from),
        steps: verdict.schedule.as_ref().map_or_else(Vec::new, |found| rows(protocol, found)),
    };
    let mut text = serde_json::to_string_pretty(&result).expect("a result is plain data");
    text.push('\n');
    text
}

fn rows(protocol: &Protocol, schedule: &Schedule<Protocol>) -> Vec<Row> {
    let row = |taken: &Taken<Protocol>| Row {
        actor: picture::actor(usize::from(taken.0.actor)),
        step: taken.0.step.name(),
        says: picture::words(&taken.0),
        shared: picture::shared(protocol.model.design, &taken.1),
    };
    schedule.steps.iter().map(row).collect()
}
