//! The diagram that the book's chapter on the explorer shows is the one that the explorer draws.
//!
//! ```text
//! UPDATE=1 cargo test -p gosched-verify --test explore_examples
//! ```

use std::fs;
use std::path::Path;

use crate::peterson::{Variant, explore};

const PAGE: &str = "docs/src/verification/explorer.md";

/// The page up to the diagram, the diagram, and the page behind it.
fn parts(page: &str) -> Option<[&str; 3]> {
    const BEFORE: &str = "the explorer shows what goes wrong:\n\n```text\n";
    let start = page.find(BEFORE)? + BEFORE.len();
    let end = start + page[start..].find("```\n")?;
    Some([&page[..start], &page[start..end], &page[end..]])
}

/// As `cargo run --example explore_peterson` draws it, whose lines have the example's own path.
fn drawn() -> String {
    let failure = explore(Variant::OneFence).failure.expect("one fence is not enough");
    let here = Path::new(file!()).parent().expect("a file has a folder");
    let seen_from_here = format!("{}/../../examples/", here.display());
    let text = failure.trace.columns().replace(&seen_from_here, "verify/examples/");
    format!("{}\n", text.trim_end())
}

#[test]
fn the_book_shows_the_diagram_that_is_drawn() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    let mut page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    let drawn = drawn();
    if std::env::var_os("UPDATE").is_some() {
        let [before, _, after] = parts(&page).expect("the page has the diagram");
        page = format!("{before}{drawn}{after}");
        fs::write(&path, &page).expect("the page can be written");
    }
    let [_, shown, _] = parts(&page).expect("the page has the diagram");
    assert!(
        shown == drawn,
        "{PAGE} is out of date: UPDATE=1 cargo test -p gosched-verify --test explore_examples\n\
         the page shows\n{shown}\nand the explorer draws\n{drawn}"
    );
}
