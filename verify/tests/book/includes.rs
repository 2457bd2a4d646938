//! What a page includes is there, and the guide has no code of its own.
//!
//! mdbook only warns when a file is missing, and says nothing of an anchor that is. Here both are
//! errors; and so is an anchor that no page shows, or code in the guide that no program has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::root;

const STEPS: &str = "core/examples/host_steps";

/// The programs that the guide ends with, beside the steps.
const PROGRAMS: [&str; 2] = ["core/examples/executor.rs", "core/examples/fork_join.rs"];

/// A part of a file that a page includes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Include {
    path: PathBuf,
    anchor: Option<String>,
}

/// The include of a line.
fn include(page: &Path, line: &str) -> Option<Include> {
    let target = line.trim().strip_prefix("{{#include ")?.strip_suffix("}}")?;
    let (path, anchor) = match target.split_once(':') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (target, None),
    };
    let folder = page.parent().expect("a page lies in a folder");
    let path = folder.join(path).canonicalize().unwrap_or_else(|_| folder.join(path));
    Some(Include { path, anchor })
}

/// The text between the marks of an anchor.
fn anchored(text: &str, anchor: &str) -> Option<String> {
    let marks = |line: &str, mark: &str| {
        let name =
            line.split_once(mark).map(|(_, name)| name.trim().trim_end_matches("-->").trim());
        name == Some(anchor)
    };
    let mut lines = text.lines().skip_while(|line| !marks(line, "ANCHOR: ")).skip(1);
    let mut inside = String::new();
    loop {
        let line = lines.next()?;
        if marks(line, "ANCHOR_END: ") {
            return Some(inside);
        }
        inside = inside + line + "\n";
    }
}

/// The names of a file's anchors.
fn anchors(text: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.split_once("ANCHOR: "));
    names.map(|(_, name)| name.trim().trim_end_matches("-->").trim().to_owned()).collect()
}

/// What is wrong with an include.
fn missing(include: &Include) -> Option<String> {
    let Ok(text) = fs::read_to_string(&include.path) else {
        return Some(format!("there is no {}", include.path.display()));
    };
    let anchor = include.anchor.as_ref()?;
    let shown = anchored(&text, anchor).unwrap_or_default();
    shown.trim().is_empty().then(|| format!("{} has no `{anchor}`", include.path.display()))
}

/// Lines of Rust on a page that are no include.
fn own_code(page: &Path, text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut own = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            in_code = line.starts_with("```rust");
        } else if in_code && include(page, line).is_none() {
            own.push(format!("{}: {line}", page.display()));
        }
    }
    own
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for path in entries.map(|entry| entry.expect("a folder of ours can be read").path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|own| own == ending) {
            found.push(path.canonicalize().expect("it is there"));
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn included(folder: &str) -> BTreeSet<Include> {
    let pages = files(&root().join(folder), "md");
    let of_a_page = |page: &PathBuf| -> Vec<Include> {
        read(page).lines().filter_map(|line| include(page, line)).collect()
    };
    pages.iter().flat_map(of_a_page).collect()
}

#[test]
fn what_the_book_includes_is_there() {
    let included = included("docs/src");
    let missing: Vec<_> = included.iter().filter_map(missing).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(included.len() > 20, "the guide includes more: {}", included.len());
}

#[test]
fn the_guide_has_no_code_of_its_own() {
    let pages = files(&root().join("docs/src/guide"), "md");
    let own: Vec<_> = pages.iter().flat_map(|page| own_code(page, &read(page))).collect();
    assert!(own.is_empty(), "{own:#?}");
}

#[test]
fn the_guide_shows_every_anchor_of_every_step() {
    let included = included("docs/src/guide");
    let programs = PROGRAMS.map(|path| root().join(path).canonicalize().expect("it is there"));
    for step in files(&root().join(STEPS), "rs").into_iter().chain(programs) {
        if step.ends_with("main.rs") {
            continue;
        }
        let shown = included.iter().filter(|include| include.path == step);
        let shown: BTreeSet<_> = shown.filter_map(|include| include.anchor.clone()).collect();
        assert!(!shown.is_empty(), "no page shows {step:?}");
        assert_eq!(shown, anchors(&read(&step)), "{step:?}");
    }
}

#[test]
fn the_rules_object() {
    let page = root().join("docs/src/guide/index.md");
    let at = |line: &str| include(&page, line).expect("an include");
    let good = at("{{#include ../../../core/examples/host_steps/threads.rs:host}}");
    assert_eq!(missing(&good), None);
    for bad in ["host_steps/none.rs", "host_steps/threads.rs:none", "host_steps/threads.rs:hos"] {
        let bad = at(&format!("{{{{#include ../../../core/examples/{bad}}}}}"));
        assert!(missing(&bad).is_some(), "{bad:?}");
    }
    let own = own_code(&page, "```rust,ignore\n{{#include a.rs}}\nlet a = 1;\n```\n`b`\n");
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(anchored("// ANCHOR: a\nb\n", "a"), None, "it has no end");
}
