//! The global queue and batches, held against plain lists.
#![no_main]

use gosched_verify::ops::Program;
use gosched_verify::ops::global::Global;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Global>| program.assert_holds());
