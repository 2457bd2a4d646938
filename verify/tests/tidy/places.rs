//! What the book says lies in a file of ours lies there.
//!
//! A page names places in two ways: as a path in a span of code, and as a link to the repository's
//! `main` whose text names an item, a function or a type. The file must be there, and the item must
//! be defined in it. So a page cannot outlive what it speaks of.

use std::path::Path;

use crate::source::{File, root, tree};

/// Where a link to a file of ours begins, and one to a folder.
const LINKS: [&str; 2] = [
    "https://github.com/gosched/gosched/blob/main/",
    "https://github.com/gosched/gosched/tree/main/",
];

/// Folders whose name a path of ours begins with.
const FOLDERS: [&str; 6] = ["core/", "verify/", "runtime/", "benches/", "fuzz/", "docs/src/"];

/// What defines an item.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];

/// The paths of ours in a line's spans of code.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|span| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_.-".contains(c);
        FOLDERS.iter().any(|folder| span.starts_with(folder)) && span.chars().all(plain)
    })
}

/// The links of a line to files of ours: what they say, and the path.
fn links(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.match_indices("](").filter_map(|(at, _)| {
        let target = line[at + 2..].split(')').next()?;
        let path = LINKS.iter().find_map(|start| target.strip_prefix(start))?;
        let text = line[..at].rsplit('[').next()?;
        Some((text, path))
    })
}

/// The item that a link's text names: `find` of `` `Machine::find` ``. None if it is no code.
fn item(text: &str) -> Option<&str> {
    let code = text.strip_prefix('`')?.strip_suffix('`')?;
    code.rsplit("::").next()
}

/// Whether a source defines an item of this name.
fn defines(source: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let at = |start: usize| {
        let before = source[..start].trim_end_matches(' ');
        let keyword = KEYWORDS.iter().any(|keyword| {
            before.strip_suffix(keyword).is_some_and(|rest| !rest.ends_with(is_word))
        });
        keyword && before.len() < start && !source[start + name.len()..].starts_with(is_word)
    };
    source.match_indices(name).any(|(start, _)| at(start))
}

/// Objections to the places that a page names; `read` gives the text of a file by its path from the
/// root, empty for a folder.
fn misplaced(file: &File, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let is_a_page = file.is_under("docs/src/") && file.path.ends_with(".md");
    let mut objections = Vec::new();
    for (number, line) in file.lines().filter(|_| is_a_page) {
        for path in paths(line).filter(|path| read(path).is_none()) {
            objections.push(file.objection(number, &format!("there is no `{path}`")));
        }
        for (text, path) in links(line) {
            let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str());
            match (read(path), item(text)) {
                (None, _) => objections.push(file.objection(number, &format!("no file {path}"))),
                (Some(source), Some(item)) if stem != Some(item) && !defines(&source, item) => {
                    objections.push(file.objection(number, &format!("{path} defines no `{item}`")));
                }
                (Some(_), _) => {}
            }
        }
    }
    objections
}

fn read(path: &str) -> Option<String> {
    let path = root().join(path);
    if path.is_dir() { Some(String::new()) } else { std::fs::read_to_string(path).ok() }
}

#[test]
fn what_the_book_names_is_there() {
    let tree = tree();
    let objections: Vec<String> = tree.iter().flat_map(|file| misplaced(file, &read)).collect();
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
    let pages = tree.iter().filter(|file| file.is_under("docs/src/"));
    let count = pages.flat_map(File::lines).flat_map(|(_, line)| links(line)).count();
    assert!(count > 50, "the pages link to more places: {count}");
}

#[test]
fn the_rule_objects_to_what_is_not_there() {
    let read = |path: &str| {
        let text = "impl Machine {\n    pub(super) fn find(&self) {}\n}\npub struct Machine<H>;\n";
        (path == "core/src/a.rs").then(|| text.to_owned())
    };
    let judge = |line: &str| misplaced(&File::new("docs/src/a.md", line), &read).len();
    let link = |text: &str, path: &str| format!("see [{text}]({}{path}), there\n", LINKS[0]);
    assert_eq!(judge("`core/src/a.rs` and `core/src/<name>.rs` and core/src/b.rs\n"), 0);
    assert_eq!(judge("`core/src/b.rs`, `core/src/c.rs`\n"), 2);
    for text in ["`Machine::find`", "`Machine`", "`a`", "the file"] {
        assert_eq!(judge(&link(text, "core/src/a.rs")), 0, "{text}");
    }
    for text in ["`Machine::fin`", "`ind`", "`Mach`", "`self`"] {
        assert_eq!(judge(&link(text, "core/src/a.rs")), 1, "{text}");
    }
    assert_eq!(judge(&link("`Machine`", "core/src/b.rs")), 1);
    assert_eq!(misplaced(&File::new("README.md", "`core/src/b.rs`\n"), &read).len(), 0);
}
