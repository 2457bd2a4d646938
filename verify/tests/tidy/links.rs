//! Links of the README, the book and the guides lead somewhere, and every page of the book is in
//! its table of contents.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::source::{File, root, tree};

/// A link and the line it stands in.
type Link = (usize, String);

/// The targets of a text's links, those in blocks of code left out.
fn links(text: &str) -> Vec<Link> {
    let mut in_code = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let targets = line.match_indices("](").filter_map(|(start, _)| {
                let target = line[start + 2..].split(')').next()?;
                target.split_whitespace().next().map(str::to_owned)
            });
            found.extend(targets.map(|target| (index + 1, target)));
        }
    }
    found
}

/// An essay of the core that is a file of its own is documentation: rustdoc resolves its paths.
fn is_rustdocs(file: &File, target: &str) -> bool {
    file.is_under("core/src/") && target.contains("::")
}

fn is_elsewhere(target: &str) -> bool {
    ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// The anchors of a text's headings, as GitHub and mdbook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
            let title: String = line.trim_start_matches('#').trim().chars().filter(kept).collect();
            title.to_lowercase().replace(' ', "-")
        })
        .collect()
}

/// Objections to the links of `file`; `read` gives the text of a file by its path from the root,
/// empty for a folder.
fn dead_links(file: &File, read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let judge = |(line, target): Link| {
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let text = if path.is_empty() {
            Some(file.text.clone())
        } else {
            resolve(folder, path).and_then(|path| read(&path))
        };
        match text {
            None => Some(file.objection(line, &format!("the link {target} leads nowhere"))),
            Some(text) if !anchor.is_empty() && !anchors(&text).contains(anchor) => {
                Some(file.objection(line, &format!("no heading for the link {target}")))
            }
            Some(_) => None,
        }
    };
    links(&file.text)
        .into_iter()
        .filter(|(_, target)| !is_elsewhere(target) && !is_rustdocs(file, target))
        .filter_map(judge)
        .collect()
}

/// `a/b` and `../c` make `a/c`. Nothing when it would leave the repository.
fn resolve(folder: &Path, target: &str) -> Option<String> {
    let mut path = PathBuf::new();
    for component in folder.join(target).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path.to_string_lossy().replace('\\', "/"))
}

/// What is no text, as a picture, has no headings; but it is there.
fn read(path: &str) -> Option<String> {
    let path = root().join(path);
    if path.is_dir() {
        return Some(String::new());
    }
    fs::read(path).ok().map(|bytes| String::from_utf8(bytes).unwrap_or_default())
}

/// Pages of the book that its table of contents does not name.
fn unlisted(pages: &[&str], summary: &str) -> Vec<String> {
    let listed: BTreeSet<String> = links(summary)
        .into_iter()
        .filter_map(|(_, target)| resolve(Path::new("docs/src"), target.split('#').next()?))
        .collect();
    pages
        .iter()
        .filter(|page| **page != "docs/src/SUMMARY.md" && !listed.contains(**page))
        .map(|page| format!("{page}:1: not in docs/src/SUMMARY.md"))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let tree = tree();
    let texts = tree.iter().filter(|file| file.path.ends_with(".md"));
    let objections: Vec<String> = texts.flat_map(|file| dead_links(file, &read)).collect();
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

#[test]
fn every_page_of_the_book_is_in_its_contents() {
    let tree = tree();
    let pages = tree.iter().map(|file| file.path.as_str());
    let pages: Vec<&str> =
        pages.filter(|path| path.starts_with("docs/src/") && path.ends_with(".md")).collect();
    if pages.is_empty() {
        println!("there is no book yet");
        return;
    }
    let summary = read("docs/src/SUMMARY.md").expect("the book has a table of contents");
    let objections = unlisted(&pages, &summary);
    assert!(objections.is_empty(), "\n{}\n", objections.join("\n"));
}

#[test]
fn the_rule_objects_to_a_dead_link() {
    let read = |path: &str| (path == "docs/src/b.md").then(|| "# The `b`, at last\n".to_owned());
    let judge = |text: &str| dead_links(&File::new("docs/src/a.md", text), &read).len();
    assert_eq!(judge("[b](b.md) [b](../src/b.md) [b](b.md#the-b-at-last) [x](https://x.y)\n"), 0);
    assert_eq!(judge("```text\n[c](c.md)\n```\n# Here\n[here](#here)\n"), 0);
    assert_eq!(judge("[c](c.md)\n"), 1);
    assert_eq!(judge("[b](b.md#missing)\n"), 1);
    assert_eq!(judge("[here](#here)\n"), 1);
    assert_eq!(judge("[outside](../../../b.md)\n"), 1);
    assert_eq!(judge("[item](crate::Item)\n"), 1);
    let essay = File::new("core/src/a.md", "[item](crate::Item) [c](c.md)\n");
    assert_eq!(dead_links(&essay, &read).len(), 1);
}

#[test]
fn the_rule_objects_to_a_page_that_is_not_listed() {
    let pages = ["docs/src/SUMMARY.md", "docs/src/a.md", "docs/src/b/c.md"];
    assert_eq!(unlisted(&pages, "- [a](a.md)\n- [c](./b/c.md)\n").len(), 0);
    assert_eq!(
        unlisted(&pages, "- [a](a.md)\n"),
        ["docs/src/b/c.md:1: not in docs/src/SUMMARY.md"]
    );
}
