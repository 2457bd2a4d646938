//! The operation language of `ops`: its two other forms, bytes and Rust expressions, are faithful,
//! and every committed seed of the fuzzers runs.

use std::fs;
use std::path::{Path, PathBuf};

use gosched_verify::ops::encoding::Operation;
use gosched_verify::ops::global::Global;
use gosched_verify::ops::local::Local;
use gosched_verify::ops::ownership::Ownership;
use gosched_verify::ops::scheduler::Simulation;
use gosched_verify::ops::{Language, Program};

fn seeds<L: Language>() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(L::TARGET)
}

/// Every operation, with every first argument and a few second ones.
fn every_operation<L: Language>() -> impl Iterator<Item = L::Op> {
    (0..L::Op::CODES).flat_map(|code| {
        (0..=u8::MAX).flat_map(move |a| [0, 1, 255].map(move |b| L::Op::decode([code, a, b])))
    })
}

fn every_operation_survives_its_bytes<L: Language>() {
    for op in every_operation::<L>() {
        assert_eq!(L::Op::decode(op.encode()), op);
    }
    let codes: Vec<u8> =
        (0..L::Op::CODES).map(|code| L::Op::decode([code, 0, 0]).encode()[0]).collect();
    assert!(codes.into_iter().eq(0..L::Op::CODES), "each code is an operation of its own");
}

#[test]
fn operations_survive_their_bytes() {
    every_operation_survives_its_bytes::<Local>();
    every_operation_survives_its_bytes::<Global>();
    every_operation_survives_its_bytes::<Ownership>();
    every_operation_survives_its_bytes::<Simulation>();
}

fn every_setup_survives_its_bytes<L: Language>() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            let setup = L::from_bytes([first, second, first, second]);
            assert_eq!(L::from_bytes(setup.to_bytes()), setup);
        }
    }
}

#[test]
fn setups_survive_their_bytes() {
    every_setup_survives_its_bytes::<Local>();
    every_setup_survives_its_bytes::<Global>();
    every_setup_survives_its_bytes::<Ownership>();
    every_setup_survives_its_bytes::<Simulation>();
}

#[test]
fn any_bytes_are_a_program() {
    for length in 0..=64 {
        let bytes: Vec<u8> = (0..length).map(|byte: u8| byte.wrapping_mul(37)).collect();
        let program = Program::<Local>::decode(&bytes);
        assert_eq!(program.ops.len(), bytes.len().saturating_sub(4) / 3);
        assert_eq!(Program::decode(&program.encode()), program);
        program.assert_holds();
        Program::<Global>::decode(&bytes).assert_holds();
        Program::<Ownership>::decode(&bytes).assert_holds();
        Program::<Simulation>::decode(&bytes).assert_holds();
    }
}

/// The `Debug` form of `$program` must be its source text, but for white space and commas.
macro_rules! assert_is_its_own_source {
    ($program:expr) => {
        let plain = |text: &str| text.replace([' ', '\n'], "").replace(",}", "}");
        assert_eq!(plain(&format!("{:?}", $program)), plain(stringify!($program)));
    };
}

#[test]
fn a_printed_local_program_is_the_expression_that_makes_it() {
    use gosched_verify::ops::local::literal::*;
    assert_is_its_own_source!(Program {
        setup: Local {
            capacity: Full,
            left: Start { wrap: Bits64, before: 1 },
            right: Start { wrap: Bits8, before: 200 },
        },
        ops: vec![
            Push(Left),
            PushBatch(Right, 17),
            Steal(Left, Take),
            PopGlobal,
            OwnerLeaves(Left)
        ]
    });
}

#[test]
fn a_printed_global_program_is_the_expression_that_makes_it() {
    use gosched_verify::ops::global::literal::*;
    assert_is_its_own_source!(Program {
        setup: Global { block: 3 },
        ops: vec![Push, PopShare(4, 255), HandIterate(2)]
    });
}

#[test]
fn a_printed_ownership_program_is_the_expression_that_makes_it() {
    use gosched_verify::ops::ownership::literal::*;
    assert_is_its_own_source!(Program {
        setup: Ownership { kind: Pinned, block: 1 },
        ops: vec![Arm, PushBatchThenPanic(3), Steal(Leave), DropOwner]
    });
}

#[test]
fn a_printed_scheduler_program_is_the_expression_that_makes_it() {
    use gosched_verify::ops::scheduler::literal::*;
    assert_is_its_own_source!(Program {
        setup: Simulation { processors: 2, form: Many, polling: Sometimes, numbers: Few },
        ops: vec![Bring, Work(0, 3), Ready(1, 2), Interrupt(4), Inject, ShutDown]
    });
}

/// Every known program is a seed, byte for byte; and every seed, known or found by a fuzzer, runs.
fn the_seeds_are_the_known_programs_and_run<L: Language>() {
    let folder = seeds::<L>();
    for (name, program) in L::known() {
        let bytes = fs::read(folder.join(name)).unwrap_or_default();
        assert!(
            bytes == program.encode(),
            "fuzz/seeds/{}/{name} is stale; in fuzz/: cargo run --example programs -- seeds",
            L::TARGET
        );
    }
    let files = fs::read_dir(&folder).expect("there are seeds");
    for file in files {
        let path = file.expect("a folder that can be read").path();
        let program = Program::<L>::decode(&fs::read(&path).expect("a file that can be read"));
        if let Err(mismatch) = program.run() {
            panic!("{}: {mismatch}\nthe program: {program:?}", path.display());
        }
    }
}

#[test]
fn seeds_of_local_queue_ops_are_fresh_and_run() {
    the_seeds_are_the_known_programs_and_run::<Local>();
}

#[test]
fn seeds_of_global_queue_ops_are_fresh_and_run() {
    the_seeds_are_the_known_programs_and_run::<Global>();
}

#[test]
fn seeds_of_task_ownership_are_fresh_and_run() {
    the_seeds_are_the_known_programs_and_run::<Ownership>();
}

#[test]
fn seeds_of_scheduler_are_fresh_and_run() {
    the_seeds_are_the_known_programs_and_run::<Simulation>();
}
