//! The tables of claims in the README and in the book list the claims that there are.
//!
//! Both were written by the binary. Their counts are those of one run and may grow old; their
//! claims must not. And every example of the README is compiled and run, as a test of this crate's
//! documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gosched_verify::claim::registry;

/// The claims that the table of a document lists, with their sentences.
fn listed(document: &str) -> BTreeSet<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(document);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        let (sentence, _) = rest.split_once(" | ")?;
        name.contains("::").then(|| (name.to_owned(), sentence.to_owned()))
    });
    rows.collect()
}

#[test]
fn the_documents_list_the_claims_that_there_are() {
    let claims: BTreeSet<_> =
        registry().iter().map(|claim| (claim.name.into(), claim.sentence.into())).collect();
    for document in ["README.md", "docs/src/verification/what-is-checked.md"] {
        let listed = listed(document);
        let missing: Vec<_> = claims.difference(&listed).collect();
        let unknown: Vec<_> = listed.difference(&claims).collect();
        assert!(
            missing.is_empty() && unknown.is_empty(),
            "{document}: write its table anew, as CONTRIBUTING.md says; \
             missing: {missing:?}; unknown: {unknown:?}"
        );
    }
}

#[test]
fn no_example_of_the_readme_is_left_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(path).expect("the README is there");
    let fences = text.lines().filter(|line| line.starts_with("```") && *line != "```");
    let kinds: Vec<&str> = fences.collect();
    assert!(kinds.iter().filter(|kind| **kind == "```rust").count() >= 2, "{kinds:?}");
    let others: Vec<_> =
        kinds.iter().filter(|kind| !["```rust", "```text"].contains(kind)).collect();
    assert!(others.is_empty(), "examples that nobody compiles: {others:?}");
}
