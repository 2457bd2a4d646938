//! A file is one idea, small enough to hold in the head, and says at its top what it is.

use std::collections::BTreeMap;

use crate::source::{File, tree};
use crate::{assert_accepts, assert_objects, assert_tidy};

const LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 100;

fn files_are_short(file: &File) -> Vec<String> {
    let count = file.text.lines().count();
    let long = file.is_rust() && count > LINES;
    long.then(|| file.objection(count, "more than 500 lines: one idea a file"))
        .into_iter()
        .collect()
}

/// Comments, that is: code is rustfmt's business, and a table's row cannot be wrapped.
fn lines_are_short(file: &File) -> Vec<String> {
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    let is_row = |line: &str| line.trim_start_matches(['/', '!', ' ']).starts_with('|');
    file.lines()
        .filter(|(_, line)| file.is_rust() && is_comment(line) && !is_row(line))
        .filter(|(_, line)| line.chars().count() > COLUMNS)
        .map(|(number, _)| file.objection(number, "more than 100 columns"))
        .collect()
}

/// Counts from `fn` to the brace in the same column, which is where rustfmt puts it.
fn functions_are_short(file: &File) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let starts = (0..lines.len()).filter(|index| begins_a_function(lines[*index]));
    starts
        .filter(|start| {
            let end = format!("{}}}", indentation(lines[*start]));
            let length = lines[*start..].iter().position(|line| *line == end);
            let declaration = lines[*start].trim_end().ends_with(';');
            !declaration && length.is_some_and(|length| length >= FUNCTION_LINES)
        })
        .map(|start| file.objection(start + 1, "a function of more than 70 lines"))
        .collect()
}

fn begins_a_function(line: &str) -> bool {
    let code = line.trim_start();
    [
        "fn ",
        "pub fn ",
        "pub(crate) fn ",
        "pub(super) fn ",
        "unsafe fn ",
        "const fn ",
        "pub const fn ",
    ]
    .iter()
    .any(|start| code.starts_with(start))
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn files_begin_with_an_essay(file: &File) -> Vec<String> {
    let ours = ["core/src/", "core/tests/", "verify/src/", "verify/tests/", "benches/src/"];
    if !file.is_rust() || !ours.iter().any(|folder| file.is_under(folder)) {
        return Vec::new();
    }
    let first = file.text.lines().find(|line| {
        let attribute = line.starts_with("#![") && !line.starts_with("#![doc");
        !line.trim().is_empty() && !attribute
    });
    let essay = first.is_some_and(|line| line.starts_with("//!") || line.starts_with("#![doc"));
    if essay { Vec::new() } else { vec![file.objection(1, "no `//!` essay at the top")] }
}

/// rustc reads only what is declared: a source file that no `mod` names is checked by nobody.
fn undeclared(files: &BTreeMap<&str, &str>) -> Vec<String> {
    files
        .keys()
        .filter(|path| path.contains("/src/") && !path.contains("/src/bin/"))
        .filter(|path| !path.ends_with("/lib.rs") && !path.ends_with("/main.rs"))
        .filter(|path| {
            let module = path.trim_end_matches(".rs").trim_end_matches("/mod");
            let (folder, name) = module.rsplit_once('/').expect("a path with a folder");
            let parents = ["/mod.rs", "/lib.rs", "/main.rs", ".rs"];
            let declared = format!("mod {name};");
            let in_a_block = format!("mod {name} {{");
            !parents
                .iter()
                .filter_map(|end| files.get(format!("{folder}{end}").as_str()))
                .any(|parent| parent.contains(&declared) || parent.contains(&in_a_block))
        })
        .map(|path| format!("{path}:1: no `mod` declares this file"))
        .collect()
}

#[test]
fn files_have_at_most_500_lines() {
    assert_tidy(files_are_short);
}

#[test]
fn lines_have_at_most_100_columns() {
    assert_tidy(lines_are_short);
}

#[test]
fn functions_have_at_most_70_lines() {
    assert_tidy(functions_are_short);
}

#[test]
fn every_file_begins_with_an_essay() {
    assert_tidy(files_begin_with_an_essay);
}

#[test]
fn every_source_file_is_declared() {
    let tree = tree();
    let rust = tree.iter().filter(|file| file.is_rust());
    let objections = undeclared(&rust.map(|file| (&*file.path, &*file.text)).collect());
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

#[test]
fn the_rules_object_to_what_is_too_long() {
    assert_objects(files_are_short, "core/src/a.rs", 501, &"\n".repeat(501));
    assert_accepts(files_are_short, "core/src/a.rs", &"\n".repeat(500));
    let comment = |columns: usize| format!("\n// {}\n", "…".repeat(columns - 3));
    assert_objects(lines_are_short, "core/src/a.rs", 2, &comment(101));
    assert_accepts(lines_are_short, "core/src/a.rs", &comment(100));
    assert_accepts(lines_are_short, "core/src/a.rs", &format!("//! | {} |", "…".repeat(100)));
    let long = format!("    fn f() {{\n{}    }}\n", "        x();\n".repeat(69));
    assert_objects(functions_are_short, "core/src/a.rs", 1, &long);
    let fits = format!("    fn f() {{\n{}    }}\n", "        x();\n".repeat(68));
    assert_accepts(functions_are_short, "core/src/a.rs", &fits);
}

#[test]
fn the_rule_objects_to_a_file_without_an_essay() {
    let rule = files_begin_with_an_essay;
    assert_objects(rule, "core/src/a.rs", 1, "use a::b;\n//! Late.\n");
    assert_objects(rule, "core/src/a.rs", 1, "");
    assert_accepts(rule, "core/src/a.rs", "#![no_std]\n\n//! What it is.\n");
    assert_accepts(rule, "core/src/lib.rs", "#![doc = include_str!(\"../../README.md\")]\n");
}

#[test]
fn the_rule_objects_to_a_file_that_nobody_declares() {
    let mut files = BTreeMap::from([
        ("core/src/lib.rs", "mod queue;\n"),
        ("core/src/queue/mod.rs", "mod owner;\n"),
        ("core/src/queue/owner.rs", ""),
    ]);
    assert_eq!(undeclared(&files), Vec::<String>::new());
    files.insert("core/src/queue/thief.rs", "");
    assert_eq!(undeclared(&files).len(), 1);
}
