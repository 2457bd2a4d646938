//! The map from Go's scheduler to ours, collected from the sources into `docs/src/go-map.md`.
//!
//! A comment `//= go1.27:src/runtime/proc.go#runqput` says which function of Go's the code beside
//! it follows (more names may come after it: `, #runqget`); a comment `DIFF:` says where it does
//! something else, to the end of the paragraph. Neither may be missing in the map.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::source::{File, root, tree};

const MAP: &str = "docs/src/go-map.md";

const CITATION: &str = "//= go1.27:";

/// The functions of Go's that a line names, each as `file#function`.
fn citations(line: &str) -> Vec<String> {
    let Some((_, text)) = line.split_once(CITATION) else { return Vec::new() };
    let text = text.replace(['`', ','], " ");
    let mut words = text.split_whitespace();
    let Some((file, first)) = words.next().and_then(|first| first.split_once('#')) else {
        return Vec::new();
    };
    let others = words.filter_map(|word| word.strip_prefix('#'));
    core::iter::once(first).chain(others).map(|name| format!("{file}#{name}")).collect()
}

/// The differences that a file states, each in one line.
fn differences(file: &File) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for (_, line) in file.lines() {
        let prose = file.path.ends_with(".md").then_some(line);
        let comment = prose.or_else(|| line.trim_start().strip_prefix("//"));
        let text = comment.map(|text| text.trim_start_matches(['/', '!']).trim());
        let first = text.and_then(|text| text.split_once("DIFF:"));
        if let Some((_, after)) = first.filter(|(before, _)| is_bullet(before)) {
            found.push(after.trim_start_matches('`').trim().to_owned());
            open = true;
        } else if let (true, Some(text)) = (open, text.filter(|text| !ends_a_paragraph(text))) {
            let last = found.last_mut().expect("a paragraph is open");
            let _ = write!(last, " {text}");
        } else {
            open = false;
        }
    }
    found
}

/// Sources, and the essays that are files of their own.
fn speaks(file: &File) -> bool {
    file.is_rust() || file.path.ends_with(".md")
}

/// What may stand before the word: nothing, or the mark of a list.
fn is_bullet(before: &str) -> bool {
    before.chars().all(|c| " *-`".contains(c))
}

fn ends_a_paragraph(text: &str) -> bool {
    text.is_empty() || text.starts_with(['*', '-', '#', '=', '|']) || text.starts_with("`//=")
}

/// The page, made from the sources of the core.
fn page(files: &[&File]) -> String {
    let mut functions: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut differing = String::new();
    for file in files {
        for name in file.lines().flat_map(|(_, line)| citations(line)) {
            let places = functions.entry(name).or_default();
            if places.last() != Some(&file.path.as_str()) {
                places.push(&file.path);
            }
        }
        let stated = differences(file);
        if !stated.is_empty() {
            let _ = writeln!(differing, "\n### `{}`\n", file.path);
        }
        for difference in stated {
            // rustdoc's links mean nothing in the book.
            let plain = difference.replace("[`", "`").replace("`]", "`");
            let _ = writeln!(differing, "- {plain}");
        }
    }
    let mut page = String::from(
        "# Go's functions and ours\n\n\
         Made from the comments of the sources by `UPDATE=1 cargo test -p gosched-verify --test \
         tidy`; a test fails when it is out of date. Go is 1.27.\n\n\
         ## Where a function of Go's went\n\n\
         | Go's file | function | here |\n|---|---|---|\n",
    );
    for (name, places) in functions {
        let (file, function) = name.split_once('#').expect("a citation has a name");
        let places: Vec<String> = places.iter().map(|path| format!("`{path}`")).collect();
        let _ = writeln!(page, "| `{file}` | `{function}` | {} |", places.join(", "));
    }
    page + "\n## Where we do something else\n" + &differing
}

#[test]
fn the_map_lists_every_citation_and_every_difference() {
    let tree = tree();
    let core: Vec<&File> =
        tree.iter().filter(|file| speaks(file) && file.is_under("core/src/")).collect();
    let page = page(&core);
    if !root().join("docs/src").is_dir() {
        println!("there is no book yet");
        return;
    }
    let path = root().join(MAP);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the map can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "{MAP} is out of date: UPDATE=1 cargo test -p gosched-verify --test tidy"
    );
}

#[test]
fn every_citation_names_a_file_and_a_function() {
    let tree = tree();
    let lines = tree.iter().filter(|file| file.is_rust() && file.is_under("core/src/"));
    let objections: Vec<String> = lines.flat_map(malformed).collect();
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

fn malformed(file: &File) -> Vec<String> {
    file.lines()
        .filter(|(_, line)| line.contains("//= ") && citations(line).is_empty())
        .map(|(number, _)| file.objection(number, "not `//= go1.27:file#function`"))
        .collect()
}

#[test]
fn the_map_is_made_of_citations_and_differences() {
    let file = File::new(
        "core/src/a.rs",
        "//! `//= go1.27:src/runtime/proc.go#runqput`, `#runqget`\n\
         //!\n\
         //! * `DIFF:` the counters are\n\
         //!   64 bits wide.\n\
         //! * Another matter.\n\
         // DIFF: no throw.\n\
         fn f() {}\n\
         // Not one: the word DIFF: in a sentence.\n",
    );
    assert_eq!(differences(&file), ["the counters are 64 bits wide.", "no throw."]);
    let essay = File::new("core/src/a.md", "# A\n\n* `DIFF:` one word\n  for two.\n* `DIFF:` b.\n");
    assert!(speaks(&essay));
    assert_eq!(differences(&essay), ["one word for two.", "b."]);
    let page = page(&[&file]);
    assert!(page.contains("| `src/runtime/proc.go` | `runqput` | `core/src/a.rs` |"), "{page}");
    assert!(page.contains("| `src/runtime/proc.go` | `runqget` | `core/src/a.rs` |"), "{page}");
    assert!(page.contains("\n- no throw.\n"), "{page}");
}

#[test]
fn the_rule_objects_to_a_citation_without_a_function() {
    let judge = |line: &str| malformed(&File::new("core/src/a.rs", line)).len();
    assert_eq!(judge("//= go1.27:src/runtime/proc.go#runqput\n"), 0);
    assert_eq!(judge("//= go1.27:src/runtime/proc.go\n"), 1);
    assert_eq!(judge("//= go1.22:src/runtime/proc.go#runqput\n"), 1);
}
