//! The table as a page of the book.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::families::{FAMILIES, SPECIALS};
use crate::table::{ASYMMETRIC, EXCHANGES, Litmus, MIXED, ORDERINGS, SHAPES, Weak};

const PAGE: &str = "docs/src/verification/litmus.md";

const INTRODUCTION: &str = "\
# Litmus tests of the explorer

Made by `UPDATE=1 cargo test -p gosched-verify --test explore_litmus`; the test fails when this page
is out of date. Every number is asserted, but for those of the last section, which were recorded.

The explorer is right if it finds every execution that RC11 allows, and each once. Three things say
so: this table, a brute-force enumeration of random programs (`verify/tests/explore_oracle`), and the
run-queue scenarios at the end.

*Executions* are graphs: which write each read reads, and in which order the writes to each word
stand. A *blocked* one has a thread that waits for a value which it gets in another.

How to read a program: threads are separated by `‖`; words hold 0 at the start; `W x 1 rel` stores,
`R x acq` loads, `add`, `cas` (expected, new, success and failure ordering), `weak` (a compare-exchange
that may fail spuriously), `await`, `F` (a fence). An outcome is what the threads read, in their order,
then what the words hold: `1 0 ‖ 2 → 3 1`. An exchange reads two numbers, the value and whether it
wrote. `_` is any number.
";

/// The page, made from the tables.
fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    shapes(&mut page);
    rows(&mut page, "Mixed orderings and fences", "", MIXED);
    let text = "Two light fences order nothing between them; nor do a light one and a `SeqCst` one. \
                loom and shuttle take all of them for `SeqCst`.\n\n";
    rows(&mut page, "Asymmetric fences", text, ASYMMETRIC);
    rows(&mut page, "Read-modify-writes and release sequences", "", EXCHANGES);
    families(&mut page);
    specials(&mut page);
    crate::queue::section(&mut page);
    page.push_str(include_str!("mutants.md"));
    page
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string can be written to");
    page.push('\n');
}

/// A program or an outcome in code, with the sign that does not end a table's cell.
fn code(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("`{}`", words.join(" ").replace('|', "‖").replace("->", "→"))
}

fn word(verdict: Weak) -> &'static str {
    match verdict {
        Weak::Allowed => "allowed",
        Weak::Forbidden => "forbidden",
    }
}

fn shapes(page: &mut String) {
    page.push_str(
        "\n## The classic shapes\n\n\
         `$w` and `$r` are the orderings of stores and loads, `$f` is where a fence may stand. Each \
         cell has RC11's verdict on the outcome and the number of executions. Load buffering is \
         forbidden by RC11, and allowed by the language's text: it is the one shape where the \
         explorer looks at less than the standard permits.\n\n| shape | program | outcome |",
    );
    ORDERINGS.iter().for_each(|(name, _)| _ = write!(page, " {name} |"));
    page.push_str("\n|---|---|---|---|---|---|---|\n");
    for shape in SHAPES {
        let cells = shape.expected.map(|(count, verdict)| format!("{} {count}", word(verdict)));
        let (program, weak) = (code(shape.program), code(shape.weak));
        line(page, format_args!("| {} | {program} | {weak} | {} |", shape.name, cells.join(" | ")));
    }
}

fn rows(page: &mut String, title: &str, text: &str, rows: &[Litmus]) {
    line(page, format_args!("\n## {title}\n"));
    page.push_str(text);
    page.push_str("| test | program | outcome | RC11 | complete | blocked |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for row in rows {
        let Litmus { name, complete, blocked, .. } = row;
        let (program, weak, verdict) = (code(row.program), code(row.weak), word(row.verdict));
        line(
            page,
            format_args!("| {name} | {program} | {weak} | {verdict} | {complete} | {blocked} |"),
        );
    }
}

fn families(page: &mut String) {
    page.push_str(
        "\n## Counts with a formula\n\n| family | n = 2 | executions for n = 1, 2, … |\n",
    );
    page.push_str("|---|---|---|\n");
    for family in FAMILIES {
        let counts: Vec<String> = family.complete.iter().map(u64::to_string).collect();
        let example = code(&family.program(2));
        line(page, format_args!("| {} | {example} | {} |", family.name, counts.join(", ")));
    }
}

fn specials(page: &mut String) {
    page.push_str(
        "\n## Locks, parked threads, choices\n\nA waiting thread that nobody can wake is a deadlock, \
         and ends the search as a failure. That is how a lost wake-up shows.\n\n\
         | program | complete | blocked |\n|---|---|---|\n",
    );
    for special in SPECIALS {
        if let Some(fault) = special.fault {
            line(page, format_args!("| {} | found: {fault} | |", special.name));
        } else {
            let (complete, blocked) = (special.complete, special.blocked);
            line(page, format_args!("| {} | {complete} | {blocked} |", special.name));
        }
    }
}

#[test]
fn the_page_of_the_book_is_this_table() {
    let page = page();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "{PAGE} is out of date: UPDATE=1 cargo test -p gosched-verify --test explore_litmus"
    );
}
