//! A run: so many children at a time, until all checks have a row or Ctrl-C comes.

use core::time::Duration;
use std::sync::mpsc;
use std::time::Instant;

use super::cores::Cores;
use super::progress::Display;
use super::select::Selection;
use super::supervise::{Settings, supervise};
use crate::engine::Check;
use crate::report::{FORMAT, Report, Row};

/// How often the display is told that time passes.
const TICK: Duration = Duration::from_millis(200);

enum Event {
    Started(usize),
    Executions(usize, u64),
    Ended(usize, Box<Row>),
}

/// Runs the selected checks, `jobs` at a time. When there are fewer, the explorer's get the cores
/// that are left over.
#[must_use]
pub(super) fn run(selection: Selection, settings: &Settings, jobs: usize) -> Report {
    let started = Instant::now();
    let checks = &selection.checks;
    let mut rows: Vec<Option<Row>> = checks.iter().map(|_| None).collect();
    let mut display = Display::new(checks.len(), settings.seconds);
    // loom's checks are the long ones: first, so that none of them runs alone at the end.
    let mut order: Vec<_> = (0..checks.len()).collect();
    order.sort_by_key(|&index| checks[index].engine);
    let cores = Cores::new(jobs);
    std::thread::scope(|scope| {
        let (events, happened) = mpsc::channel();
        for _ in 0..jobs.min(checks.len()) {
            let events = events.clone();
            scope.spawn(|| work(checks, &order, &cores, settings, events));
        }
        drop(events);
        loop {
            match happened.recv_timeout(TICK) {
                Ok(Event::Started(index)) => display.started(index, &checks[index]),
                Ok(Event::Executions(index, executions)) => display.executions(index, executions),
                Ok(Event::Ended(index, row)) => {
                    display.ended(index, &row);
                    rows[index] = Some(*row);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
            display.tick();
        }
    });
    display.finish();
    let rows = rows.into_iter().zip(checks);
    Report {
        format: FORMAT,
        effort: settings.effort,
        jobs,
        seconds: started.elapsed().as_secs_f64(),
        interrupted: settings.is_interrupted(),
        rows: rows
            .map(|(row, check)| row.unwrap_or_else(|| Row::not_run(check, settings.effort)))
            .collect(),
        not_checked: selection.not_checked,
    }
}

/// One worker: takes the next check until there is none.
fn work(
    checks: &[Check],
    order: &[usize],
    cores: &Cores,
    settings: &Settings,
    events: mpsc::Sender<Event>,
) {
    // The receiver lives as long as the workers do, so a failed send means that it panicked.
    let send = |event| events.send(event).expect("the display is alive");
    let can_share = |place: usize| checks[order[place]].engine.can_use_several_cores();
    while !settings.is_interrupted() {
        let Some(turn) = cores.take(order.len(), can_share) else { return };
        let index = order[turn.place];
        send(Event::Started(index));
        let row = supervise(&checks[index], settings, turn.cores, |executions| {
            send(Event::Executions(index, executions));
        });
        cores.give_back(turn);
        send(Event::Ended(index, Box::new(row)));
    }
}
