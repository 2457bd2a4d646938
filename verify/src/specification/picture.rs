//! A schedule as a picture: a column for each actor that steps, a row for each step, and at the
//! right what the protocol's words hold after it.

use core::fmt::Write;

use super::schedule::Schedule;
use super::settings::Design;
use super::state::{At, INJECTOR, MACHINES_MAX, MONITOR, NONE, State};
use super::step::Label;
use super::system::Protocol;

/// The width of a column.
const WIDTH: usize = 30;

/// The actor's name: `M1`, `monitor`, `outside 1`.
#[must_use]
pub fn actor(index: usize) -> String {
    match index {
        0..MACHINES_MAX => format!("M{}", index + 1),
        MONITOR => "monitor".into(),
        _ => format!("outside {}", index - INJECTOR + 1),
    }
}

/// What a step is, in words.
#[must_use]
pub fn words(label: &Label) -> String {
    let mut text = format!("{} {}", label.step.name(), label.step.says());
    if label.p != NONE {
        let _ = write!(text, ": P{}", label.p + 1);
    }
    text
}

/// The shared words of the protocol, in short.
#[must_use]
pub fn shared(design: Design, state: &State) -> String {
    let idle: Vec<_> = state.idle_processors().map(|p| format!("P{}", p + 1)).collect();
    let idle = if idle.is_empty() { "-".into() } else { idle.join(",") };
    match design {
        Design::Word => format!("{{{idle} | {}}}", state.searching),
        Design::Go => format!("{idle}, {}/{}", state.searching, u8::from(state.need)),
    }
}

/// The picture.
#[must_use]
pub fn draw(protocol: &Protocol, schedule: &Schedule<Protocol>) -> String {
    let model = &protocol.model;
    let mut text = steps(model.design, &schedule.from, &schedule.steps, schedule.cycle_from);
    let last = schedule.steps.last().map_or(&schedule.from, |(_, state)| state);
    let property = schedule.property;
    let _ = writeln!(text, "{}: {}", property.name(), property.says());
    let _ = writeln!(text, "{}", queues(last, model.program.processors));
    text
}

/// The steps from a state on, a row each; of a cycle, with the number of steps before it.
#[must_use]
pub fn steps(
    design: Design,
    from: &State,
    steps: &[(Label, State)],
    cycle_from: Option<usize>,
) -> String {
    let mut columns: Vec<usize> = steps.iter().map(|(label, _)| usize::from(label.actor)).collect();
    columns.sort_unstable();
    columns.dedup();
    let heading = match design {
        Design::Word => "{idle | searching}",
        Design::Go => "idle, nmspinning/needspinning",
    };
    let mut text = String::new();
    let heads: Vec<_> = columns.iter().map(|index| begins(from, *index)).collect();
    row(&mut text, "", &heads, heading);
    let empty = vec![String::new(); columns.len()];
    row(&mut text, "", &empty, &shared(design, from));
    for (number, (label, state)) in steps.iter().enumerate() {
        if cycle_from == Some(number) {
            text += "from here on, for ever:\n";
        }
        let mut cells = empty.clone();
        let column = columns.iter().position(|index| *index == usize::from(label.actor));
        cells[column.expect("every actor has a column")] = words(label);
        row(&mut text, &format!("{}", number + 1), &cells, &shared(design, state));
    }
    text
}

/// Where the tasks stand.
#[must_use]
pub fn queues(state: &State, processors: usize) -> String {
    let mut parts = vec![format!("global queue {}", state.global.len())];
    for p in 0..processors {
        let queue = &state.processors[p];
        let idle = if state.is_idle(p as u8) { " (idle)" } else { "" };
        let slot = usize::from(queue.slot != 0);
        parts.push(format!("P{}{idle}: slot {slot}, ring {}", p + 1, queue.ring.len()));
    }
    format!("tasks in queues: {}", parts.join("; "))
}

fn begins(state: &State, index: usize) -> String {
    let me = &state.actors[index];
    let name = actor(index);
    match me.at {
        At::User => format!("{name} on P{}, runs a task", me.p + 1),
        At::Find => format!("{name} on P{}, searches", me.p + 1),
        At::Parked => format!("{name}, parked"),
        _ => name,
    }
}

/// A row whose cells are wrapped to the columns' width.
fn row(text: &mut String, number: &str, cells: &[String], right: &str) {
    let wrapped: Vec<Vec<String>> = cells.iter().map(|cell| wrap(cell)).collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0).max(1);
    for line in 0..height {
        let mut out = format!("{:>3} ", if line == 0 { number } else { "" });
        for cell in &wrapped {
            let part = cell.get(line).map_or("", String::as_str);
            let _ = write!(out, "| {part:<WIDTH$} ");
        }
        let _ = write!(out, "| {}", if line == 0 { right } else { "" });
        let _ = writeln!(text, "{}", out.trim_end());
    }
}

fn wrap(cell: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in cell.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
