//! A refusal, for a reader: the longest explanation as a picture, and what came next instead.

use core::fmt::Write;

use super::record::{Kind, Seen};
use super::search::Refusal;
use crate::specification::Model;
use crate::specification::picture::{queues, steps};
use crate::specification::state::NONE;

/// What an event says: `PutDown P2, true`.
#[must_use]
pub fn words(seen: Seen) -> String {
    let mut text = format!("{:?}", seen.kind);
    if seen.machine != NONE {
        let _ = write!(text, " machine {}", seen.machine);
    }
    if seen.p != NONE {
        let _ = write!(text, " P{}", seen.p + 1);
    }
    if seen.count != 0 {
        let _ = write!(text, ", {} tasks", seen.count);
    }
    let says = match (seen.kind, seen.flag) {
        (Kind::PutDown, true) => ", must look",
        (Kind::PutDown, false) => ", need not look",
        (Kind::Looked, true) => ": work",
        (Kind::Looked, false) => ": nothing",
        (Kind::Roused | Kind::Started | Kind::Began, true) => ", searching",
        _ => "",
    };
    text + says
}

/// The picture.
#[must_use]
pub fn draw(model: &Model, refusal: &Refusal) -> String {
    let Refusal { explained, events, stuck, steps: way, undecided } = refusal;
    let why = if *undecided { "the search gave up" } else { "no order explains the others" };
    let program = model.program.describe();
    let mut text = format!("no run of the specification: {program}\n");
    let _ = writeln!(text, "{explained} of {events} events are explained; {why}.");
    text += &steps(model.design, &model.initial(), way, None);
    let last = way.last().map_or_else(|| model.initial(), |(_, state)| *state);
    let _ = writeln!(text, "{}", queues(&last, model.program.processors));
    for list in stuck {
        let who = list.machine.map_or("the thread outside".into(), |id| format!("machine {id}"));
        let _ = writeln!(text, "then {who} told: {}", words(list.told));
        let allowed: Vec<_> = list.allowed.iter().map(|seen| words(*seen)).collect();
        let allowed =
            if allowed.is_empty() { "nothing, yet".into() } else { allowed.join("; or ") };
        let _ = writeln!(text, "     allowed: {allowed}");
    }
    text
}
