//! Panics of a model: part of the report, and of no interest to the error stream.
//!
//! An execution that fails is told in full by the report, so the process's panic hook is not asked:
//! ours stands before it, is silent for code of a model, and hands on the rest. It writes down
//! where the panic was, which a caught panic does not know.
//!
//! One thing it cannot keep quiet: a destructor that panics while its thread is being unwound,
//! which ends the process. Then it says why.

use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use super::fault::message_of;
use super::quarantine;
use super::run::with;

/// A panic of the model that is on its way.
#[derive(Clone, Debug)]
pub(super) struct Panic {
    pub(super) message: String,
    /// File and line.
    pub(super) place: Option<String>,
}

/// Puts the hook before the one there is, once.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if quarantine::in_model() {
                let _engine = quarantine::engine();
                note(info);
            } else {
                before(info);
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let message = message_of(info.payload());
    let place = info.location().map(|at| {
        let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
        format!("{file}:{}", at.line())
    });
    let panic = Panic { message, place };
    let earlier = with(|run| run.note_panic(panic.clone()));
    if let Some(why) = earlier {
        let Panic { message, place } = panic;
        let place = place.unwrap_or_default();
        eprintln!(
            "a destructor of the model panics at {place} while {why}, which ends the process:\n\
             {message}\n\
             (a destructor that asserts should do so only `if !std::thread::panicking()`)"
        );
    }
}
