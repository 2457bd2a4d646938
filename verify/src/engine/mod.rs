//! The engines: each runs one model through many executions and collects what became visible.

use crate::claim::{Model, Outcome};
use gosched::memory::Hardware;

/// A model whose type is erased: one execution in each world.
///
/// Every [`Model`] is one. The engines are functions over it, so that they are compiled once and
/// not once for each model.
pub trait AnyModel: Send + Sync {
    /// One execution on the hardware.
    fn on_hardware(&self) -> Outcome;

    /// One execution under loom; it panics outside `loom::model`.
    #[cfg(feature = "loom")]
    fn on_loom(&self) -> Outcome;

    /// One execution under shuttle; it panics outside a shuttle check.
    #[cfg(feature = "shuttle")]
    fn on_shuttle(&self) -> Outcome;
}

impl<M: Model> AnyModel for M {
    fn on_hardware(&self) -> Outcome {
        self.run::<Hardware>()
    }

    #[cfg(feature = "loom")]
    fn on_loom(&self) -> Outcome {
        self.run::<gosched::memory::Loom>()
    }

    #[cfg(feature = "shuttle")]
    fn on_shuttle(&self) -> Outcome {
        self.run::<gosched::memory::Shuttle>()
    }
}
