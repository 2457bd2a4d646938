//! Two local queues that steal from each other, held against the sequential reference.
#![no_main]

use gosched_verify::ops::Program;
use gosched_verify::ops::local::Local;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Local>| program.assert_holds());
