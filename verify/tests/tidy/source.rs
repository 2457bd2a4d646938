//! The tree, as the rules see it: every text file of ours, with a path relative to the root.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Folders that hold what was built or generated.
const SKIPPED: [&str; 6] = ["target", ".git", "book-out", "corpus", "artifacts", "coverage"];

/// Kinds of file that we write by hand; those without an ending among them.
const KINDS: [&str; 8] = ["rs", "md", "toml", "yml", "yaml", "sh", "json", ""];

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn is_under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// The lines, numbered from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// The lines of code, numbered from 1: without comments, documentation and its examples.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines()
            .map(|(number, line)| (number, code_of(line)))
            .filter(|(_, code)| !code.trim().is_empty())
    }

    /// An objection to a line.
    pub(crate) fn objection(&self, line: usize, message: &str) -> String {
        format!("{}:{line}: {message}", self.path)
    }
}

/// A line without its comment. `//` inside a string (an address) does not begin one.
pub(crate) fn code_of(line: &str) -> &str {
    let starts = line.match_indices("//").map(|(start, _)| start);
    let comment = starts.into_iter().find(|start| !line[..*start].ends_with(':'));
    &line[..comment.unwrap_or(line.len())]
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file of ours, in the order of their paths.
///
/// # Panics
///
/// If the tree cannot be read.
pub(crate) fn tree() -> Vec<File> {
    let mut files = Vec::new();
    collect(&root(), "", &mut files);
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(files.iter().any(|file| file.path == "core/src/lib.rs"), "this is not the repository");
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("the repository can be read") {
        let entry = entry.expect("the repository can be read");
        let name = entry.file_name().into_string().expect("names of files are UTF-8");
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("the repository can be read");
        if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file() && KINDS.contains(&ending(&name)) {
            // What is not text is not ours to judge.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                files.push(File { path, text });
            }
        }
    }
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

#[test]
fn comments_are_no_code() {
    assert_eq!(code_of("    x(); // y"), "    x(); ");
    assert_eq!(code_of("/// y"), "");
    assert_eq!(code_of("let a = \"https://b\"; // c"), "let a = \"https://b\"; ");
}
