//! The table: each litmus test with what RC11 says about it.
//!
//! The verdicts are the published ones. The counts are facts about the axioms: the brute force of
//! `explore_oracle` finds the same.

/// Whether RC11 allows the outcome that a test is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weak {
    Allowed,
    Forbidden,
}

use Weak::{Allowed, Forbidden};

/// A litmus test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Litmus {
    pub(crate) name: &'static str,
    pub(crate) program: &'static str,
    /// The outcome in question.
    pub(crate) weak: &'static str,
    pub(crate) verdict: Weak,
    pub(crate) complete: u64,
    pub(crate) blocked: u64,
}

/// A shape that is tried with several orderings. In `program`, `$w` and `$r` stand for the
/// orderings of stores and loads, and `$f` for a fence where the shape has room for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) program: &'static str,
    pub(crate) weak: &'static str,
    /// Executions, and the verdict: relaxed, release and acquire, `SeqCst`, relaxed with `SeqCst`
    /// fences.
    pub(crate) expected: [(u64, Weak); 4],
}

/// What the columns of [`Shape::expected`] put for `$w`, `$r` and `$f`.
pub(crate) const ORDERINGS: [(&str, [&str; 3]); 4] = [
    ("relaxed", ["rlx", "rlx", ""]),
    ("release, acquire", ["rel", "acq", ""]),
    ("SeqCst", ["sc", "sc", ""]),
    ("SeqCst fences", ["rlx", "rlx", "F sc;"]),
];

pub(crate) const SHAPES: &[Shape] = &[
    Shape {
        name: "SB, store buffering",
        program: "W x 1 $w; $f R y $r | W y 1 $w; $f R x $r",
        weak: "0 | 0",
        expected: [(4, Allowed), (4, Allowed), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "MP, message passing",
        program: "W x 1 $w; $f W y 1 $w | R y $r; $f R x $r",
        weak: "| 1 0",
        expected: [(4, Allowed), (3, Forbidden), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "LB, load buffering",
        program: "R x $r; $f W y 1 $w | R y $r; $f W x 1 $w",
        weak: "1 | 1",
        expected: [(3, Forbidden), (3, Forbidden), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "IRIW, independent readers",
        program: "W x 1 $w | W y 1 $w | R x $r; $f R y $r | R y $r; $f R x $r",
        weak: "| | 1 0 | 1 0",
        expected: [(16, Allowed), (16, Allowed), (15, Forbidden), (15, Forbidden)],
    },
    Shape {
        name: "2+2W",
        program: "W x 1 $w; $f W y 2 $w | W y 1 $w; $f W x 2 $w",
        weak: "| -> 1 1",
        expected: [(4, Allowed), (4, Allowed), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "WRC, write to read causality",
        program: "W x 1 $w | R x $r; $f W y 1 $w | R y $r; $f R x $r",
        weak: "| 1 | 1 0",
        expected: [(8, Allowed), (7, Forbidden), (7, Forbidden), (7, Forbidden)],
    },
    Shape {
        name: "RWC, read to write causality",
        program: "W x 1 $w | R x $r; $f R y $r | W y 1 $w; $f R x $r",
        weak: "| 1 0 | 0",
        expected: [(8, Allowed), (8, Allowed), (7, Forbidden), (7, Forbidden)],
    },
    Shape {
        name: "W+RWC",
        program: "W x 1 $w; $f W y 1 $w | R y $r; $f R z $r | W z 1 $w; $f R x $r",
        weak: "| 1 0 | 0",
        expected: [(8, Allowed), (8, Allowed), (7, Forbidden), (7, Forbidden)],
    },
    Shape {
        name: "ISA2",
        program: "W x 1 $w; $f W y 1 $w | R y $r; $f W z 1 $w | R z $r; $f R x $r",
        weak: "| 1 | 1 0",
        expected: [(8, Allowed), (7, Forbidden), (7, Forbidden), (7, Forbidden)],
    },
    Shape {
        name: "Z6",
        program: "W x 1 $w; $f W y 1 $w | W y 2 $w; $f W z 1 $w | R z $r; $f R x $r",
        weak: "| | 1 0 -> 1 2 1",
        expected: [(8, Allowed), (8, Allowed), (7, Forbidden), (7, Forbidden)],
    },
    Shape {
        name: "S",
        program: "W x 2 $w; $f W y 1 $w | R y $r; $f W x 1 $w",
        weak: "| 1 -> 2 1",
        expected: [(4, Allowed), (3, Forbidden), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "R",
        program: "W x 1 $w; $f W y 1 $w | W y 2 $w; $f R x $r",
        weak: "| 0 -> 1 2",
        expected: [(4, Allowed), (4, Allowed), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "CoRR, two reads",
        program: "W x 1 $w | W x 2 $w | R x $r; R x $r | R x $r; R x $r",
        weak: "| | 1 2 | 2 1",
        expected: [(72, Forbidden), (72, Forbidden), (72, Forbidden), (72, Forbidden)],
    },
    Shape {
        name: "CoWR, write then read",
        program: "W x 1 $w; R x $r | W x 2 $w",
        weak: "2 | -> 1",
        expected: [(3, Forbidden), (3, Forbidden), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "CoRW, read then write",
        program: "R x $r; W x 1 $w | W x 2 $w",
        weak: "2 | -> 2",
        expected: [(3, Forbidden), (3, Forbidden), (3, Forbidden), (3, Forbidden)],
    },
    Shape {
        name: "CoWW, two writes",
        program: "W x 1 $w; W x 2 $w",
        weak: "-> 1",
        expected: [(1, Forbidden), (1, Forbidden), (1, Forbidden), (1, Forbidden)],
    },
];

/// A row of one of the lists below.
const fn row(
    name: &'static str,
    program: &'static str,
    weak: &'static str,
    verdict: Weak,
    complete: u64,
) -> Litmus {
    Litmus { name, program, weak, verdict, complete, blocked: 0 }
}

/// Shapes with fences or orderings that differ between the threads.
pub(crate) const MIXED: &[Litmus] = &[
    row("SB, SeqCst stores alone", "W x 1 sc; R y rlx | W y 1 sc; R x rlx", "0 | 0", Allowed, 4),
    row(
        "SB, a fence on one side",
        "W x 1 rlx; F sc; R y rlx | W y 1 rlx; R x rlx",
        "0 | 0",
        Allowed,
        4,
    ),
    row(
        "SB, acquire-release fences",
        "W x 1 rlx; F ar; R y rlx | W y 1 rlx; F ar; R x rlx",
        "0 | 0",
        Allowed,
        4,
    ),
    row(
        "SB, read-modify-writes that add 0",
        "W x 1 sc; add y 0 sc | W y 1 sc; add x 0 sc",
        "0 | 0",
        Forbidden,
        3,
    ),
    row("MP, release alone", "W x 1 rlx; W y 1 rel | R y rlx; R x rlx", "| 1 0", Allowed, 4),
    row("MP, acquire alone", "W x 1 rlx; W y 1 rlx | R y acq; R x rlx", "| 1 0", Allowed, 4),
    row(
        "MP, release and acquire fences",
        "W x 1 rlx; F rel; W y 1 rlx | R y rlx; F acq; R x rlx",
        "| 1 0",
        Forbidden,
        3,
    ),
    Litmus {
        blocked: 1,
        ..row(
            "MP, the reader waits",
            "W x 1 rlx; W y 1 rel | await y 1 acq; R x rlx",
            "| 1 0",
            Forbidden,
            1,
        )
    },
    Litmus {
        blocked: 1,
        ..row("MP, the reader parks", "W x 1 rlx; unpark | park; R x rlx", "| 0", Forbidden, 1)
    },
    row(
        "two maxima: the word never falls",
        "max x 2 rlx; R x rlx | max x 1 rlx",
        "_ 1 | _",
        Forbidden,
        3,
    ),
    row(
        "W+RWC, release and acquire, fences in two threads",
        "W x 1 rlx; W y 1 rel | R y acq; F sc; R z rlx | W z 1 rlx; F sc; R x rlx",
        "| 1 0 | 0",
        Forbidden,
        7,
    ),
    row(
        "Z6.U: SeqCst and weaker accesses of one word",
        "W x 1 sc; W y 1 rel | add y 1 sc; R y rlx | W y 3 sc; R x sc",
        "| 1 3 | 0",
        Allowed,
        24,
    ),
];

/// Light and heavy fences.
pub(crate) const ASYMMETRIC: &[Litmus] = &[
    row(
        "SB, light and light",
        "W x 1 rlx; light; R y rlx | W y 1 rlx; light; R x rlx",
        "0 | 0",
        Allowed,
        4,
    ),
    row(
        "SB, light and heavy",
        "W x 1 rlx; light; R y rlx | W y 1 rlx; heavy; R x rlx",
        "0 | 0",
        Forbidden,
        3,
    ),
    row(
        "SB, heavy and heavy",
        "W x 1 rlx; heavy; R y rlx | W y 1 rlx; heavy; R x rlx",
        "0 | 0",
        Forbidden,
        3,
    ),
    row(
        "SB, light and SeqCst",
        "W x 1 rlx; light; R y rlx | W y 1 rlx; F sc; R x rlx",
        "0 | 0",
        Allowed,
        4,
    ),
    row(
        "SB, heavy and SeqCst",
        "W x 1 rlx; heavy; R y rlx | W y 1 rlx; F sc; R x rlx",
        "0 | 0",
        Forbidden,
        3,
    ),
    row(
        "MP, light then heavy",
        "W x 1 rlx; light; W y 1 rlx | R y rlx; heavy; R x rlx",
        "| 1 0",
        Forbidden,
        3,
    ),
    row(
        "MP, heavy then light",
        "W x 1 rlx; heavy; W y 1 rlx | R y rlx; light; R x rlx",
        "| 1 0",
        Forbidden,
        3,
    ),
    row(
        "MP, light and light",
        "W x 1 rlx; light; W y 1 rlx | R y rlx; light; R x rlx",
        "| 1 0",
        Allowed,
        4,
    ),
    row(
        "a light fence synchronises with a heavy one: seen by a third thread",
        "W x 1 rlx; light; W y 1 rlx | R y rlx; heavy; W z 1 rel | R z acq; R x rlx",
        "| 1 | 1 0",
        Forbidden,
        7,
    ),
    row(
        "a heavy fence synchronises with a light one: seen by a third thread",
        "W x 1 rlx; heavy; W y 1 rlx | R y rlx; light; W z 1 rel | R z acq; R x rlx",
        "| 1 | 1 0",
        Forbidden,
        7,
    ),
    row(
        "a light fence does not synchronise with a light one",
        "W x 1 rlx; light; W y 1 rlx | R y rlx; light; W z 1 rel | R z acq; R x rlx",
        "| 1 | 1 0",
        Allowed,
        8,
    ),
    row(
        "a light fence orders what another thread published by a heavy one",
        "R x rlx; light; R y rlx | W y 1 rlx; light; R z rlx | W z 1 rlx; heavy; W x 1 rlx",
        "1 0 | 0 |",
        Forbidden,
        7,
    ),
    row(
        "the same, through a read-modify-write",
        "R x rlx; light; R y rlx | W y 1 rlx; light; R z rlx | W z 1 rlx; heavy; W x 1 rlx | add x 1 rlx",
        "2 0 | 0 | | 1",
        Forbidden,
        21,
    ),
];

/// Read-modify-writes and release sequences.
pub(crate) const EXCHANGES: &[Litmus] = &[
    row(
        "release sequence through a read-modify-write",
        "W x 1 rlx; W y 1 rel | add y 1 rlx | R y acq; R x rlx",
        "| 1 | 2 0",
        Forbidden,
        9,
    ),
    row(
        "release sequence: no later store of the same thread",
        "W x 1 rlx; W y 1 rel; W y 2 rlx | R y acq; R x rlx",
        "| 2 0",
        Allowed,
        5,
    ),
    row(
        "release sequence broken by another store",
        "W x 1 rlx; W y 1 rel | W y 2 rlx | R y acq; R x rlx",
        "| | 2 0",
        Allowed,
        10,
    ),
    row(
        "a failing exchange reads a stale value",
        "W x 1 rlx; W x 2 rlx; W y 1 rlx | R y rlx; cas x 9 5 sc rlx",
        "| 1 0 0",
        Allowed,
        6,
    ),
    row(
        "a failing exchange has its failure ordering",
        "W x 1 rlx; W y 1 rel | cas y 9 5 acq rlx; R x rlx",
        "| 1 0 0",
        Allowed,
        4,
    ),
    row(
        "two exchanges 0 for 1",
        "cas x 0 1 rlx rlx | cas x 0 1 rlx rlx",
        "0 1 | 0 1",
        Forbidden,
        2,
    ),
    row("a weak exchange alone", "weak x 0 1 rlx rlx", "0 0", Allowed, 2),
    row("two weak exchanges", "weak x 0 1 rlx rlx | weak x 0 1 rlx rlx", "0 0 | 0 0", Allowed, 5),
    row(
        "load; exchange, twice (the shape of tokio-rs/loom#392)",
        "R x rlx; cas x 0 1 rlx rlx | R x rlx; cas x 0 2 rlx rlx",
        "0 0 1 | 0 1 0",
        Allowed,
        4,
    ),
    row(
        "load beside load; store (tokio-rs/loom#392)",
        "R x rlx | R x rlx; W x 1 rlx",
        "1 | 0",
        Allowed,
        2,
    ),
];
