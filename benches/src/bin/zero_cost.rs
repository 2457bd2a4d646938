//! Shows that `Hardware` costs nothing: the same operations, written once, are compiled against
//! `core::sync::atomic` and, through the trait `Memory`, against `Hardware`; then the machine code
//! of the two is compared, instruction by instruction.
//!
//! ```text
//! cargo run -p gosched-benches --bin zero-cost
//! ```
//!
//! The operations are in `core/examples/zero_cost/ops.rs`. One of them, the light fence, is known
//! to cost something: it reads the mode of the process before it does nothing. It stands apart,
//! with its instructions printed. Exit code: 0 when all others are identical, 1 when one differs, 2
//! when the comparison could not be made.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program on std")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The operation whose cost is known and shown apart.
const APART: &str = "op_light_fence";

/// The two programs, as examples of the package `gosched`.
const PLAIN: &str = "zero_cost_plain";
const HARDWARE: &str = "zero_cost_hardware";

/// The instructions of each operation, by its name.
type Operations = BTreeMap<String, Vec<String>>;

fn main() -> ExitCode {
    let compared = compile(PLAIN)
        .and_then(|plain| Ok((plain, compile(HARDWARE)?)))
        .and_then(|(plain, hardware)| compare(&operations(&plain), &operations(&hardware)));
    match compared {
        Ok(comparison) => {
            print!("{}", comparison.table);
            if comparison.differing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(message) => {
            eprintln!("zero-cost: {message}");
            ExitCode::from(2)
        }
    }
}

/// Compiles an example of `gosched` as a release build does, and returns its assembly.
fn compile(example: &str) -> Result<String, String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let assembly = assembly_path(example);
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(workspace)
        .args(["rustc", "--quiet", "--package", "gosched", "--profile", "release"])
        .args(["--example", example, "--"])
        .args(["-C", "codegen-units=1", "-C", "debuginfo=0"])
        .arg(format!("--emit=asm={}", assembly.display()))
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err(format!("cargo could not compile the example {example}"));
    }
    let text = std::fs::read_to_string(&assembly)
        .map_err(|error| format!("no assembly at {}: {error}", assembly.display()))?;
    // A leftover would only waste room.
    drop(std::fs::remove_file(&assembly));
    Ok(text)
}

/// A path of this process alone: cargo does not track what `--emit` writes, so with the path of an
/// earlier run it would find everything fresh and write nothing.
fn assembly_path(example: &str) -> PathBuf {
    std::env::temp_dir().join(format!("gosched-{example}-{}.s", std::process::id()))
}

/// What the comparison showed.
#[derive(Debug)]
struct Comparison {
    table: String,
    differing: Vec<String>,
}

/// Sets the operations side by side.
fn compare(plain: &Operations, hardware: &Operations) -> Result<Comparison, String> {
    if plain.is_empty() {
        return Err("no operation found in the assembly of this target".to_owned());
    }
    if let Some(missing) = plain.keys().find(|name| !hardware.contains_key(*name)) {
        return Err(format!("{missing} is missing in {HARDWARE}"));
    }
    if let Some(missing) = hardware.keys().find(|name| !plain.contains_key(*name)) {
        return Err(format!("{missing} is missing in {PLAIN}"));
    }
    let mut table =
        format!("{:<26} {:>5} {:>9}   identical\n", "instructions", "plain", "hardware");
    let mut differing = Vec::new();
    for (name, ours) in hardware.iter().filter(|(name, _)| *name != APART) {
        let theirs = &plain[name];
        let same = theirs == ours;
        row(&mut table, name, theirs, ours, if same { "yes" } else { "NO" });
        if !same {
            listing(&mut table, "plain", theirs);
            listing(&mut table, "hardware", ours);
            differing.push(name.clone());
        }
    }
    if let (Some(theirs), Some(ours)) = (plain.get(APART), hardware.get(APART)) {
        row(&mut table, APART, theirs, ours, "known cost: reads the process's mode");
        listing(&mut table, "hardware", ours);
    }
    let verdict = match differing.len() {
        0 => "Hardware compiles to what core::sync::atomic compiles to.".to_owned(),
        _ => format!("Hardware costs something in: {}.", differing.join(", ")),
    };
    // Writing to a `String` cannot fail.
    let _ = writeln!(table, "{verdict}");
    Ok(Comparison { table, differing })
}

fn row(table: &mut String, name: &str, theirs: &[String], ours: &[String], verdict: &str) {
    let (theirs, ours) = (count(theirs), count(ours));
    let _ = writeln!(table, "{name:<26} {theirs:>5} {ours:>9}   {verdict}");
}

/// How many of the lines are instructions and not labels.
fn count(lines: &[String]) -> usize {
    lines.iter().filter(|line| !line.ends_with(':')).count()
}

fn listing(table: &mut String, whose: &str, lines: &[String]) {
    for line in lines {
        let _ = writeln!(table, "    {whose:<9} {line}");
    }
}

/// The operations in an assembly listing. A function that the compiler merged with an identical one
/// (`.set name, other`) has the other's instructions.
fn operations(assembly: &str) -> Operations {
    let mut found = Operations::new();
    let mut aliases = Vec::new();
    let mut lines = assembly.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if let Some((alias, target)) = alias(line) {
            aliases.push((alias, target));
        } else if let Some(name) = line.strip_suffix(':').and_then(operation_name) {
            let body = lines.by_ref().take_while(|line| !is_end(line));
            found.insert(name, instructions(body));
        }
    }
    for (alias, target) in aliases {
        if let Some(body) = found.get(&target).cloned() {
            found.insert(alias, body);
        }
    }
    found
}

/// `op_x` out of a mangled symbol that contains it. In every mangling an identifier stands behind
/// its length.
fn operation_name(symbol: &str) -> Option<String> {
    let start = symbol.find("op_")?;
    let before = symbol[..start].trim_end_matches(|c: char| c.is_ascii_digit());
    let length: usize = symbol[before.len()..start].parse().ok()?;
    // The digits may run on from an earlier part: `E12op_`; the name must fit what is left.
    symbol.get(start..start + length).map(str::to_owned)
}

/// `.set alias, target`, when both are operations.
fn alias(line: &str) -> Option<(String, String)> {
    let (alias, target) = line.strip_prefix(".set")?.split_once(',')?;
    Some((operation_name(alias.trim())?, operation_name(target.trim())?))
}

fn is_end(line: &str) -> bool {
    [".cfi_endproc", ".seh_endproc", ".Lfunc_end", "Lfunc_end", ".size"]
        .iter()
        .any(|end| line.starts_with(end))
}

/// The instructions of a function, without directives and comments. Local labels are numbered in
/// the order in which they are met, as their own numbers count the functions before.
fn instructions<'a>(body: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut labels = Vec::new();
    body.map(|line| line.split(['#', ';']).next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty())
        .filter(|line| !line.starts_with('.') || line.starts_with(".LBB"))
        .filter(|line| !line.starts_with("Lfunc_") && !line.starts_with("Ltmp"))
        .map(|line| renumber(&line.replace('\t', " "), &mut labels))
        .collect()
}

fn renumber(line: &str, labels: &mut Vec<String>) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("LBB") {
        let after = &rest[start + 3..];
        let length = after.find(|c: char| !(c.is_ascii_digit() || c == '_'));
        let label = &after[..length.unwrap_or(after.len())];
        let known = labels.iter().position(|other| other == label);
        let number = known.unwrap_or_else(|| {
            labels.push(label.to_owned());
            labels.len() - 1
        });
        let _ = write!(text, "{}L{number}", &rest[..start]);
        rest = &after[label.len()..];
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN_TEXT: &str = "
_ZN5plain7op_load17h0123456789abcdefE:
\t.cfi_startproc
\tmovq\t(%rdi), %rax
\tretq
.Lfunc_end0:
_RNvCs1_5plain7op_loop:
.LBB3_1:
\tpause
\tjmp\t.LBB3_1
\t.cfi_endproc
\t.set _RNvCs1_5plain7op_same, _ZN5plain7op_load17h0123456789abcdefE
";

    #[test]
    fn operations_are_found_under_every_mangling_and_as_aliases() {
        let found = operations(PLAIN_TEXT);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["op_load", "op_loop", "op_same"]);
        assert_eq!(found["op_load"], ["movq (%rdi), %rax", "retq"]);
        assert_eq!(found["op_same"], found["op_load"]);
        assert_eq!(count(&found["op_loop"]), 2);
    }

    #[test]
    fn labels_do_not_make_a_difference() {
        let other = PLAIN_TEXT.replace("LBB3_1", "LBB17_4");
        let comparison = compare(&operations(PLAIN_TEXT), &operations(&other)).expect("same names");
        assert!(comparison.differing.is_empty(), "{}", comparison.table);
    }

    #[test]
    fn one_instruction_more_is_a_difference() {
        let other = PLAIN_TEXT.replace("\tpause", "\tpause\n\tmfence");
        let comparison = compare(&operations(PLAIN_TEXT), &operations(&other)).expect("same names");
        assert_eq!(comparison.differing, ["op_loop"]);
        assert!(comparison.table.contains("mfence"), "{}", comparison.table);
    }

    #[test]
    fn another_register_is_a_difference() {
        let other = PLAIN_TEXT.replace("(%rdi)", "(%rsi)");
        let comparison = compare(&operations(PLAIN_TEXT), &operations(&other)).expect("same names");
        assert_eq!(comparison.differing, ["op_load", "op_same"]);
    }

    #[test]
    fn an_operation_that_is_missing_is_an_error() {
        let other = PLAIN_TEXT.replace("7op_loop", "7op_poll");
        assert!(compare(&operations(PLAIN_TEXT), &operations(&other)).is_err());
        assert!(compare(&Operations::new(), &Operations::new()).is_err());
    }
}
