//! Every kind of task through every structure: who drops it, when, and how often.
#![no_main]

use gosched_verify::ops::Program;
use gosched_verify::ops::ownership::Ownership;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Ownership>| program.assert_holds());
