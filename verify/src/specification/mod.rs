//! The wake-up and parking protocol as a specification whose states are explored, all of them.
//!
//! The protocol decides when a machine is woken for new work, and when one may give its P up and
//! sleep. It is small, and every version of it that anybody wrote had a schedule in which a task
//! waits beside an idle P. So it stands here apart from the code, as states (plain bytes) and
//! atomic steps, and a search visits every state that a small program can reach.
//!
//! | module | is |
//! |---|---|
//! | [`program`] | what the tasks do, and how many Ps and machines there are |
//! | [`state`] | a state: what is shared, and what each actor remembers |
//! | [`settings`] | the designs, and the changes to them: mutants, and what is redundant |
//! | [`step`] | the steps by name: A1 to A5, F1 to F5, D1 to D6, O1, O2, X1 to X3, T1 to T5, Go's |
//! | `common`, `word`, `go` | the steps, shared, of the idle word, of Go |
//! | `refuse`, `stop`, `locks` | a host that refuses; stopping the world; locked machines |
//! | `slices`, `fairness` | programs that never end, and whether a task waits for ever |
//! | [`properties`] | what must hold at every state and at the end |
//! | `symmetry`, `fingerprint` | which states count as one, and what is kept of a state |
//! | [`search`] | breadth first for the shortest schedule, depth first for cycles |
//! | [`schedule`], [`picture`] | the way to a violation, with stable names, drawn |
//! | [`timers`] | timers and the poller, in a small model of their own |
//! | [`trace`] | whether steps that were observed are a run |
//! | [`catalogue`] | what is expected: suites, mutants, what is redundant |
//! | `claims` | the catalogue as checks |
//!
//! The steps are sequentially consistent: orderings are the other engines' business. Where a fence
//! or an ordering matters, a change names the delay that its absence allows.

pub mod catalogue;
mod claims;
mod common;
mod fairness;
mod fingerprint;
mod go;
mod go_handoff;
mod go_recheck;
mod locks;
pub mod picture;
pub mod program;
pub mod properties;
mod refuse;
pub mod schedule;
pub mod search;
pub mod settings;
mod slices;
pub mod state;
pub mod step;
mod stop;
mod symmetry;
pub mod system;
pub mod timers;
pub mod trace;
mod word;

pub(crate) use self::claims::claims;
pub use self::common::{Model, Successors};
pub use self::fingerprint::Fingerprint;
