//! Which event is which step.
//!
//! [`MAP`] has a row for each step of the idle word's protocol: the kind of event that the code
//! tells when it takes the step, or none if it never tells, and what there is to say about the two.
//! A step is the event if the kinds agree and so do all facts: the processor, the number of tasks,
//! whether a machine searches, whether it must look, whether the look found something.
//!
//! | | in the code | in the specification |
//! |---|---|---|
//! | a batch (F1, F2) | one event, told when the batch is in the ring | taken, then published |
//! | a steal (F4) | one event, told when the rest is in the ring | taken, then published |
//! | a look (D3, D4) | one event | the fence, then a step for each queue |
//! | a wake (A3, A4) | one event | a look, then the change |
//! | [`Began`](gosched::Event::Began) | an event | no step: the machine *is* where it says |
//! | [`AskedToYield`](gosched::Event::AskedToYield) | an event | no step: slices are policy |
//! | the end of a task | no event | a step |
//! | `enter_long_blocking` | no event, but those of the hand-off | a step |

use super::record::{Kind, Seen};
use crate::specification::state::{At, NONE, State};
use crate::specification::step::{Label, Step};

/// A row: a step, what the code tells when it takes it, and why so.
pub type Row = (Step, Option<Kind>, &'static str);

// ANCHOR: map
/// Every step of the idle word's protocol, and the event that tells it.
pub const MAP: &[Row] = &[
    (Step::End, None, "the task is the host's"),
    (Step::Submit, Some(Kind::SubmittedSlot), "after the store that publishes"),
    (Step::SubmitFull, None, "half a ring in hand: the next step tells"),
    (Step::SubmitOverflow, Some(Kind::SubmittedSlot), "the slot, the ring and the global queue"),
    (Step::Yield, Some(Kind::SubmittedGlobal), "one task"),
    (Step::YieldLocally, Some(Kind::SubmittedRing), "one task, and nobody is woken"),
    (Step::Inject, Some(Kind::SubmittedGlobal), "all its tasks, under one lock"),
    (Step::WakeNot, Some(Kind::NotWoke), "by the load"),
    (Step::WakeNeeded, None, "the load: the next step tells"),
    (Step::WakeLost, Some(Kind::NotWoke), "by the compare-exchange that failed"),
    (Step::WakeTake, Some(Kind::Woke), "the processor"),
    (Step::Start, Some(Kind::Started), "the machine and the processor; or Roused"),
    (Step::StartSearching, Some(Kind::Started), "as above, and that it searches"),
    (Step::Pop, Some(Kind::Popped), "the slot or the ring"),
    (Step::OwnEmpty, None, "only its owner could tell the difference"),
    (Step::GlobalEmpty, None, "a load"),
    (Step::GlobalTake, Some(Kind::TookShare), "one task"),
    (Step::GlobalBatch, Some(Kind::TookShare), "so many tasks; told when they are in the ring"),
    (Step::Publish, None, "told with the batch or the steal"),
    (Step::Join, Some(Kind::Searches), "the count was raised"),
    (Step::JoinNot, None, "a load"),
    (Step::VisitEmpty, None, "a load"),
    (Step::Steal, Some(Kind::Stole), "from whom, and so many tasks"),
    (Step::FoundLast, Some(Kind::Found), "the successor's processor"),
    (Step::Found, Some(Kind::Found), "no successor"),
    (Step::Drop, Some(Kind::PutDown), "the processor, and whether it must look"),
    (Step::Fence, None, "the look is told when it is done"),
    (Step::LookGlobalEmpty, Some(Kind::Looked), "if the look ends here"),
    (Step::LookGlobalWork, Some(Kind::Looked), "there is work"),
    (Step::LookEmpty, Some(Kind::Looked), "if the look ends here"),
    (Step::LookWork, Some(Kind::Looked), "there is work"),
    (Step::RetakeNot, None, "a load, or a compare-exchange that failed"),
    (Step::Retake, Some(Kind::TookForWork), "the processor"),
    (Step::Park, Some(Kind::Parked), "before it can be found in the pool"),
    (Step::HandWork, Some(Kind::HandsOff), "the processor"),
    (Step::HandEmpty, None, "a load"),
    (Step::HandGlobalWork, Some(Kind::HandsOff), "the processor"),
    (Step::HandGlobalEmpty, None, "a load"),
    (Step::HandDrop, Some(Kind::PutDown), "as a drop"),
    (Step::Enter, Some(Kind::Entered), "the processor"),
    (Step::EnterBlocking, None, "the hand-off tells"),
    (Step::MonitorTake, Some(Kind::Retaken), "the processor"),
    (Step::Exit, Some(Kind::Kept), "the processor"),
    (Step::ExitLost, None, "a compare-exchange that failed: the next step tells"),
    (Step::ExitTake, Some(Kind::Got), "the processor"),
    (Step::ExitNone, Some(Kind::NoProcessor), "there is none"),
    (Step::GiveAway, Some(Kind::SubmittedGlobal), "one task"),
];
// ANCHOR_END: map

/// What the code tells when it takes the step `label` from `before` to `after`; `None` if nothing.
///
/// # Panics
///
/// If the step has no row: it is none of the idle word's protocol.
#[must_use]
pub fn told(label: &Label, before: &State, after: &State) -> Option<Seen> {
    let actor = usize::from(label.actor);
    let (was, is) = (&before.actors[actor], &after.actors[actor]);
    let row = MAP.iter().find(|(step, ..)| *step == label.step);
    let (_, kind, _) = row.unwrap_or_else(|| panic!("{:?} has no row", label.step));
    let seen = Seen::new((*kind)?);
    let on = |p: u8| Seen { p, ..seen };
    Some(match seen.kind {
        Kind::Looked if is.at == At::LookQueues => return None,
        Kind::Looked => seen.flag(is.at == At::Retake),
        Kind::SubmittedGlobal if label.step == Step::Inject => seen.of(was.seen.into()),
        Kind::SubmittedSlot | Kind::SubmittedRing | Kind::SubmittedGlobal => seen.of(1),
        Kind::Started => on(label.p).flag(label.step == Step::StartSearching),
        Kind::TookShare => seen.of(1 + is.hand.len()),
        Kind::Stole => on(label.p).of(1 + is.hand.len()),
        Kind::Found if label.step == Step::Found => on(NONE),
        Kind::PutDown => on(was.p).flag(is.at == At::Fence),
        Kind::HandsOff | Kind::Entered => on(was.p),
        Kind::Kept => on(is.p),
        _ => on(label.p),
    })
}

/// Whether `seen` is what a step tells. Which machine was started is told apart.
#[must_use]
pub fn agrees(seen: Seen, told: Seen) -> bool {
    let kind = if seen.kind == Kind::Roused { Kind::Started } else { seen.kind };
    Seen { kind, machine: NONE, ..seen } == told
}
