//! Words that must not stay, and words that have their place.

use crate::source::File;
use crate::{assert_accepts, assert_objects, assert_tidy};

/// What says that something is unfinished, or that a check was switched off. In two halves each, so
/// that this file is judged as every other.
const UNFINISHED: [&str; 9] = [
    concat!("to", "do!"),
    concat!("TO", "DO"),
    concat!("unimple", "mented!"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("#[ig", "nore"),
    concat!("allow(dead", "_code"),
    concat!("expect(dead", "_code"),
    concat!("db", "g!("),
];

/// Paths that are right on one machine alone.
const MACHINE: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("C:", "\\")];

fn nothing_is_unfinished(file: &File) -> Vec<String> {
    objections_to(file, &UNFINISHED, "must not stay")
}

fn no_path_of_one_machine(file: &File) -> Vec<String> {
    objections_to(file, &MACHINE, "is a path of one machine")
}

fn objections_to(file: &File, words: &[&str], what: &str) -> Vec<String> {
    file.lines()
        .filter_map(|(number, line)| {
            let word = words.iter().find(|word| line.contains(**word))?;
            Some(file.objection(number, &format!("`{word}` {what}")))
        })
        .collect()
}

/// Code that a feature or a target chooses stands in `memory/`, so that every other file reads the
/// same in every build. (`lib.rs` has the crate's attributes.)
fn cfg_stands_in_memory(file: &File) -> Vec<String> {
    outside_memory(file, &["cfg(", "cfg!(", "cfg_attr("], "stands in memory/ alone")
}

/// The core is `no_std`, starts no thread and reads no clock; and an atomic that does not come from
/// `Memory` is one that no checker sees. Clippy refuses the types; this refuses the names.
fn std_stands_in_memory(file: &File) -> Vec<String> {
    outside_memory(
        file,
        &["std::", "core::sync::", "loom::", "shuttle::", "portable_atomic"],
        "stands in memory/ alone: go through `Memory`",
    )
}

/// A lint that guards the rule above may be lifted where the worlds are made, and nowhere else.
fn guards_stay_on(file: &File) -> Vec<String> {
    outside_memory(file, &["clippy::disallowed_"], "is not for this file to lift")
}

fn outside_memory(file: &File, words: &[&str], what: &str) -> Vec<String> {
    let judged = file.is_rust()
        && file.is_under("core/src/")
        && !file.is_under("core/src/memory/")
        && file.path != "core/src/lib.rs";
    file.code()
        .filter(|_| judged)
        .filter_map(|(number, code)| {
            let word = words.iter().find(|word| code.contains(**word))?;
            Some(file.objection(number, &format!("`{word}` {what}")))
        })
        .collect()
}

#[test]
fn nothing_in_the_tree_is_unfinished() {
    assert_tidy(nothing_is_unfinished);
}

#[test]
fn the_tree_names_no_path_of_one_machine() {
    assert_tidy(no_path_of_one_machine);
}

#[test]
fn cfg_stands_in_memory_alone() {
    assert_tidy(cfg_stands_in_memory);
}

#[test]
fn std_and_atomics_stand_in_memory_alone() {
    assert_tidy(std_stands_in_memory);
}

#[test]
fn the_lints_that_guard_memory_stay_on() {
    assert_tidy(guards_stay_on);
}

#[test]
fn the_rules_object_to_each_word() {
    for word in UNFINISHED {
        assert_objects(nothing_is_unfinished, "core/src/a.rs", 2, &format!("\n// {word}\n"));
    }
    for word in MACHINE {
        assert_objects(no_path_of_one_machine, "docs/src/a.md", 1, &format!("see {word}x\n"));
    }
    let path = "core/src/a.rs";
    assert_objects(cfg_stands_in_memory, path, 1, "#[cfg(feature = \"std\")]\n");
    assert_objects(cfg_stands_in_memory, path, 1, "if cfg!(miri) {\n");
    assert_objects(std_stands_in_memory, path, 1, "use std::thread;\n");
    assert_objects(std_stands_in_memory, path, 1, "use core::sync::atomic::Ordering;\n");
    assert_objects(guards_stay_on, path, 1, "#![allow(clippy::disallowed_types)]\n");
}

#[test]
fn the_rules_accept_each_word_in_its_place() {
    assert_accepts(cfg_stands_in_memory, "core/src/memory/a.rs", "#[cfg(feature = \"std\")]\n");
    assert_accepts(cfg_stands_in_memory, "core/src/lib.rs", "#[cfg(feature = \"std\")]\n");
    assert_accepts(std_stands_in_memory, "core/src/memory/a.rs", "use std::sync::Mutex;\n");
    assert_accepts(std_stands_in_memory, "core/src/a.rs", "/// use std::thread;\n");
    assert_accepts(std_stands_in_memory, "verify/src/a.rs", "use std::thread;\n");
}
