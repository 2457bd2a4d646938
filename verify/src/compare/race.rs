//! All runs of a comparison, one at a time, until every model has its rows or Ctrl-C comes.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::child::{Job, Lost, Measurement, measure};
use super::report::{Comparison, End, FORMAT, Row};
use super::subject::{Contestant, Subject};
use crate::report::thousands;

/// A run that takes longer than this is not repeated: its time is long against what disturbs it.
const SHORT_SECONDS: f64 = 5.0;

/// How far the comparison goes.
#[derive(Debug)]
pub(super) struct Settings {
    /// Seconds for each run.
    pub(super) budget: u64,
    /// Runs of each engine on each model.
    pub(super) rounds: u16,
    /// Set by Ctrl-C.
    pub(super) interrupted: &'static AtomicBool,
}

impl Settings {
    fn is_interrupted(&self) -> bool {
        // ORDER: Relaxed: a flag alone; who sees it late, acts late.
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// What became of an engine on a model, over the rounds.
type Best = Option<Result<Measurement, Lost>>;

/// Compares the engines on each of the models.
pub(super) fn compare(subjects: &[Subject], settings: &Settings) -> Comparison {
    let started = Instant::now();
    let display = Display::new(subjects.iter().map(|subject| subject.contestants().len()).sum());
    let mut rows = Vec::new();
    for subject in subjects {
        if settings.is_interrupted() {
            break;
        }
        rows.extend(rows_of(subject, settings, &display));
    }
    display.finish();
    Comparison {
        format: FORMAT,
        budget: settings.budget,
        rounds: settings.rounds,
        seconds: started.elapsed().as_secs_f64(),
        interrupted: settings.is_interrupted(),
        rows,
    }
}

fn rows_of(subject: &Subject, settings: &Settings, display: &Display) -> Vec<Row> {
    let contestants = subject.contestants();
    let mut best: Vec<Best> = contestants.iter().map(|_| None).collect();
    for round in 0..settings.rounds {
        for (contestant, best) in contestants.iter().zip(&mut best) {
            let repeats = match best {
                None => true,
                Some(Ok(before)) => before.is_through && before.seconds < SHORT_SECONDS,
                Some(Err(_)) => false,
            };
            if repeats && !settings.is_interrupted() {
                let measured = run(subject, *contestant, round, settings, display);
                keep_the_faster(best, measured);
            }
        }
    }
    display.done(contestants.len());
    let all = match best.first() {
        Some(Some(Ok(explorer))) if explorer.is_through => Some(explorer.clone()),
        _ => None,
    };
    let best = contestants.into_iter().zip(best);
    best.map(|(contestant, best)| row(subject, contestant, best, all.as_ref())).collect()
}

fn run(
    subject: &Subject,
    contestant: Contestant,
    round: u16,
    settings: &Settings,
    display: &Display,
) -> Result<Measurement, Lost> {
    let job = Job { subject: subject.name.clone(), contestant, budget: settings.budget };
    display.running(&job, 0);
    let watch = |executions| display.running(&job, executions);
    let measured = measure(&job, || settings.is_interrupted(), watch);
    if round == 0 {
        display.ended(&job, &measured);
    }
    measured
}

/// Interrupted, a row keeps what an earlier round has measured.
fn keep_the_faster(best: &mut Best, measured: Result<Measurement, Lost>) {
    let is_better = match (&*best, &measured) {
        (Some(Ok(before)), Ok(after)) => after.seconds < before.seconds,
        (Some(Ok(_)), Err(Lost::Interrupted)) => false,
        _ => true,
    };
    if is_better {
        *best = Some(measured);
    }
}

/// The row of an engine, beside all that there is to see if the explorer was through.
fn row(subject: &Subject, contestant: Contestant, best: Best, all: Option<&Measurement>) -> Row {
    let (end, measured) = match best {
        Some(Ok(measured)) if measured.is_through => (End::Through, Some(measured)),
        Some(Ok(measured)) => (End::Budget, Some(measured)),
        Some(Err(Lost::Died(message))) => (End::Died { message }, None),
        Some(Err(Lost::Interrupted)) | None => (End::Interrupted, None),
    };
    let count = |a: &BTreeSet<_>, b: &BTreeSet<_>| a.difference(b).count();
    let beside = |measured: &Measurement| {
        let all = all?;
        let (theirs, seen) = (&all.outcomes, &measured.outcomes);
        Some((count(theirs, seen), count(seen, theirs), measured.seconds / all.seconds))
    };
    let beside = measured.as_ref().and_then(beside);
    Row {
        model: subject.name.clone(),
        shape: subject.shape.into(),
        contestant,
        executions: measured.as_ref().map_or(0, |it| it.executions),
        blocked: measured.as_ref().map_or(0, |it| it.blocked),
        outcomes: measured.as_ref().map_or(0, |it| it.outcomes.len()),
        seconds: measured.as_ref().map_or(0.0, |it| it.seconds),
        missed: beside.map(|it| it.0),
        beyond: beside.map(|it| it.1),
        ratio: beside.map(|it| it.2),
        end,
    }
}

/// A line on a terminal that says what runs, or a line for each run that ended elsewhere. All on
/// standard error, so that standard output holds the table and nothing else.
struct Display {
    bar: Option<ProgressBar>,
}

impl Display {
    fn new(runs: usize) -> Self {
        let style = ProgressStyle::with_template("{elapsed_precise} [{pos}/{len}] {msg}")
            .expect("the template is well-formed");
        let bar = || ProgressBar::new(runs as u64).with_style(style);
        Self { bar: std::io::stderr().is_terminal().then(bar) }
    }

    fn running(&self, job: &Job, executions: u64) {
        if let Some(bar) = &self.bar {
            let executions = thousands(executions);
            bar.set_message(format!("{}: {}, {executions}", job.subject, job.contestant));
        }
    }

    fn ended(&self, job: &Job, measured: &Result<Measurement, Lost>) {
        if self.bar.is_some() {
            return;
        }
        let how = match measured {
            Ok(it) => format!("{} executions, {:.3} s", thousands(it.executions), it.seconds),
            Err(Lost::Interrupted) => "interrupted".into(),
            Err(Lost::Died(message)) => message.clone(),
        };
        // A reader that left is no reason to end the run.
        let _ = writeln!(std::io::stderr(), "{}: {}: {how}", job.subject, job.contestant);
    }

    fn done(&self, runs: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(runs as u64);
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
