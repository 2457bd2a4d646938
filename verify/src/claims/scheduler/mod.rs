//! Claims about the scheduler.
//!
//! The models are the smallest that show what can go wrong: two or three machines whose steps
//! interleave in every way, and one to four tasks. [`many`] has the large ones, for shuttle and the
//! hardware.

mod asleep;
mod blocking;
mod dismiss;
mod host;
mod idle;
mod lock;
mod many;
mod monitor;
mod park;
mod poll;
mod simulated;
mod stop;
mod teardown;
mod trace;
mod wake;

use crate::claim::Claim;

pub(crate) fn claims() -> Vec<Claim> {
    [
        idle::claims(),
        wake::claims(),
        blocking::claims(),
        stop::claims(),
        park::claims(),
        lock::claims(),
        poll::claims(),
        asleep::claims(),
        dismiss::claims(),
        monitor::claims(),
        teardown::claims(),
        many::claims(),
        simulated::claims(),
        trace::claims(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
