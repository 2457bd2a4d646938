//! The trace check: a run of the real scheduler is a run of the specification, or it is refused.
//!
//! The [`specification`](crate::specification) knows the protocol and not the code; the models of
//! the other engines know the code, and of the protocol only what shows in the end. This joins the
//! two. The scheduler tells its [events](gosched::Event); a [`Recorder`] keeps them, a list for
//! each machine; and [`replay`] looks for an order of all of them, with steps in between that
//! nobody tells, in which each is a step that the specification allows. If there is none, the code
//! did what the protocol forbids, whether or not anything was lost by it in that run.
//!
//! | module | is |
//! |---|---|
//! | [`record`] | what is kept of an event, and the lists |
//! | [`map`] | which event is which step: the table |
//! | [`beyond`] | what the code does otherwise than the specification, and may |
//! | [`search`] | the search for an order |
//! | [`memory`] | what was replayed before |
//! | [`picture`] | a refusal, drawn |
//!
//! # What is exact and what is not
//!
//! The list of one machine is in the order of its steps. Between the lists there is no order but
//! the one that the specification makes: a machine begins after it was started, a task is taken
//! after it was put. So a run is refused only if *no* order explains it, whatever the true one was.
//! A fault is missed if another order hides it; it is seen in the runs in which none does.
//!
//! The events of threads that are no machines stand in one list. So a program has one such thread,
//! a monitor or an injector.

pub mod beyond;
pub mod map;
pub mod memory;
pub mod picture;
pub mod record;
pub mod search;

pub use self::memory::remembered;
pub use self::record::{Kind, Recorder, Seen};
pub use self::search::{Lists, Refusal, replay};
