//! The style of the repository, checked as everything else is: by tests that read the tree.
//!
//! What rustfmt, clippy and rustdoc can check stands in their configuration. Here is the rest: an
//! argument above every atomic operation, an essay at the top of every file, sizes, words that must
//! not stay, links, and the map from Go's functions to ours. A rule is a function from a file to
//! its objections, and each has a test that shows it something bad.
//!
//! ```text
//! cargo test -p gosched-verify --test tidy               checks
//! UPDATE=1 cargo test -p gosched-verify --test tidy      also rewrites docs/src/go-map.md
//! ```

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "reads files")]

mod go_map;
mod layout;
mod links;
mod orders;
mod places;
mod source;
mod words;

use source::{File, tree};

/// Asserts that no file of the tree breaks `rule`.
#[track_caller]
fn assert_tidy(rule: fn(&File) -> Vec<String>) {
    let objections: Vec<String> = tree().iter().flat_map(rule).collect();
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

/// Asserts that `rule` objects to a file at `path` with this text, once, and that the objection
/// names the line.
#[track_caller]
fn assert_objects(rule: fn(&File) -> Vec<String>, path: &str, line: usize, text: &str) {
    let objections = rule(&File::new(path, text));
    assert_eq!(objections.len(), 1, "{objections:?}");
    let place = format!("{path}:{line}: ");
    assert!(objections[0].starts_with(&place), "{place}{objections:?}");
}

/// Asserts that `rule` has nothing against a file at `path` with this text.
#[track_caller]
fn assert_accepts(rule: fn(&File) -> Vec<String>, path: &str, text: &str) {
    assert_eq!(rule(&File::new(path, text)), Vec::<String>::new());
}
