//! The models of the fixture, as the audit's cases.

use gosched::memory::{Atomic, Shared};
use gosched_verify::world::World;

use crate::fixture::{Slot, announce, announce_often, announce_rarely};

/// A case of the fixture: its name, and one execution.
pub(crate) type Case = (&'static str, fn() -> String);

/// Every case, for the world `W`.
pub(crate) fn cases<W: World>() -> [Case; 4] {
    [
        ("slot/handed_over", || slot::<W>(Slot::take)),
        ("slot/closed", || slot::<W>(Slot::take_or_close)),
        ("dekker/full", || dekker::<W>(announce::<W>, announce::<W>)),
        ("dekker/asymmetric", || dekker::<W>(announce_often::<W>, announce_rarely::<W>)),
    ]
}

fn slot<W: World>(take: fn(&Slot<W>) -> Option<u64>) -> String {
    let slot = W::Arc::new(Slot::<W>::new());
    let putter = W::spawn({
        let slot = slot.clone();
        move || slot.put(7)
    });
    let taken = take(&slot);
    assert!(taken.is_none_or(|value| value == 7), "the value was not published");
    W::join(putter);
    format!("{taken:?}")
}

type Announce<W> = fn(
    &<W as gosched::memory::Memory>::AtomicU32,
    &<W as gosched::memory::Memory>::AtomicU32,
) -> u32;

fn dekker<W: World>(left: Announce<W>, right: Announce<W>) -> String {
    let words = W::Arc::new((W::AtomicU32::new(0), W::AtomicU32::new(0)));
    let other = W::spawn({
        let words = words.clone();
        move || left(&words.0, &words.1)
    });
    let mine = right(&words.1, &words.0);
    let other = W::join(other);
    assert!(mine + other > 0, "both missed the other");
    format!("{mine} {other}")
}
