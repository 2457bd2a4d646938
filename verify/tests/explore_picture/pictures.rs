//! The diagrams, compared with the files of the folder `expected`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::models;

/// Compares a text with a file of the folder `expected`, or writes it if `UPDATE` is set.
fn compare(name: &str, text: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explore_picture/expected").join(name);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("the file is in a folder")).expect("a folder");
        fs::write(&path, text).expect("the expected file can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        expected == text,
        "{name} has changed; `UPDATE=1 cargo test` accepts it\n--- expected\n{expected}\n--- is\n{text}"
    );
}

fn check(name: &str, model: fn()) {
    let failure = models::failure(model);
    let (columns, listing) = (failure.trace.columns(), failure.trace.listing());
    compare(&format!("{name}.txt"), &format!("{columns}\n{listing}"));
    let svg = failure.trace.svg();
    check_svg(&svg);
    compare(&format!("{name}.svg"), &svg);
    let text = failure.to_string();
    assert!(text.starts_with(&format!("{}: {}\n", failure.kind, failure.message)), "{text}");
    assert!(text.ends_with(&columns), "a failure shows its diagram");
}

/// Every tag that is opened is closed, and no text breaks the markup.
fn check_svg(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags are closed in order");
        } else if !tag.ends_with('/') {
            open.push(tag.split([' ', '\n']).next().expect("a tag has a name"));
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
}

#[test]
fn store_buffering_shows_the_stale_read() {
    check("store_buffering", models::store_buffering);
}

#[test]
fn message_passing_shows_what_was_missed() {
    check("message_passing", models::message_passing);
}

#[test]
fn a_race_shows_both_accesses() {
    check("race", models::race);
}

#[test]
fn a_use_after_free_shows_who_has_freed_it() {
    check("use_after_free", models::use_after_free);
}

#[test]
fn a_deadlock_shows_who_waits_where() {
    check("lock_order", models::lock_order);
}

#[test]
fn a_lost_wake_up_shows_the_sleeper() {
    check("lost_wake_up", models::lost_wake_up);
}

#[test]
fn every_operation_has_its_words() {
    check("operations", models::operations);
}

#[test]
fn eight_threads_have_eight_columns() {
    check("eight_threads", models::eight_threads);
}

#[test]
fn an_endless_loop_is_cut_short() {
    check("endless", models::endless);
}

#[test]
fn a_cycle_of_writes_shows_which_overwrites_which() {
    check("two_plus_two_writes", models::two_plus_two_writes);
}

#[test]
fn the_files_hold_the_diagram_the_listing_and_the_schedule() {
    let trace = models::failure(models::store_buffering).trace;
    let folder: PathBuf = std::env::temp_dir().join(format!("gosched-{}", std::process::id()));
    let [text, picture] = trace.write_to(folder.join("new")).expect("the folder can be written");
    let written = fs::read_to_string(&text).expect("the text was written");
    for part in [trace.columns(), trace.listing(), trace.schedule()] {
        assert!(written.contains(&part), "{written}");
    }
    assert_eq!(fs::read_to_string(&picture).expect("the picture was written"), trace.svg());
    fs::remove_dir_all(&folder).expect("the folder can be removed");
}

#[test]
fn an_interleaving_is_drawn_as_one() {
    check("too_early", models::too_early);
    let columns = models::failure(models::too_early).trace.columns();
    assert!(!columns.contains("stale"), "the order of the rows explains it all: {columns}");
}
