//! The whole scheduler on a simulated host, held against plain lists.
#![no_main]

use gosched_verify::ops::Program;
use gosched_verify::ops::scheduler::Simulation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|program: Program<Simulation>| program.assert_holds());
