//! The checkers of gosched.
pub mod claim;
pub mod tasks;
pub mod world;
