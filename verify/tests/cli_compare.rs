//! `gosched-verify compare`: the table, its bounds, and what it says of what was missed.

#![cfg(all(feature = "cli", feature = "explore", feature = "loom", feature = "shuttle"))]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test has std")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gosched_verify::compare::report::{Comparison, End};
use gosched_verify::compare::subject::Contestant;

/// A model of two threads of which loom misses an outcome.
const SMALL: &str = "plain_queue::no_task_is_lost/next_get_put";

/// A model that loom without a bound does not finish in a second.
const LARGE: &str = "local_queue::no_task_is_lost/two_thieves";

fn compare(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gosched-verify"))
        .arg("compare")
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// A path in the directory for tests, which does not exist yet.
fn fresh_path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn read(path: &Path) -> Comparison {
    let text = std::fs::read_to_string(path).expect("the file was written");
    serde_json::from_str(&text).expect("it is a comparison")
}

fn succeed(arguments: &[&str]) -> String {
    let output = compare(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn each_engine_has_a_row_and_what_loom_misses_is_counted() {
    let json = fresh_path("compared.json");
    let path = json.to_str().expect("the path is text");
    let text = succeed(&[SMALL, "--rounds", "2", "--markdown", "--json", path]);
    assert!(text.starts_with("| model | engine | executions |"), "{text}");
    let rows = read(&json).rows;
    let of = |contestant| {
        let row = rows.iter().find(|row| row.contestant == contestant);
        row.unwrap_or_else(|| panic!("no row of {contestant}: {text}"))
    };
    let [explorer, loom, shuttle] =
        [Contestant::Explorer, Contestant::Loom(None), Contestant::Shuttle].map(of);
    assert_eq!((explorer.executions, explorer.blocked, explorer.outcomes), (22, 7, 6));
    assert_eq!((loom.outcomes, loom.missed, loom.beyond), (5, Some(1), Some(0)), "{text}");
    assert_eq!((shuttle.executions, shuttle.missed), (10_000, Some(0)), "{text}");
    for row in [explorer, loom, shuttle] {
        assert_eq!(row.end, End::Through, "{text}");
        let ratio = row.ratio.expect("the explorer was through");
        assert!((ratio - row.seconds / explorer.seconds).abs() < 1e-6 * ratio, "{text}");
    }
    assert!(text.contains("misses 1"), "{text}");
}

#[test]
fn a_run_that_needs_more_than_the_budget_is_stopped_and_its_ratio_is_a_bound() {
    let text = succeed(&[LARGE, "--budget", "1", "--rounds", "1"]);
    let row = text.lines().find(|line| line.contains("loom, no bound")).expect("a row of loom");
    assert!(row.contains("≥") && row.contains("stopped at budget"), "{text}");
    let explorer = text.lines().find(|line| line.contains("explorer ")).expect("the explorer's");
    assert!(!explorer.contains("stopped"), "{text}");
}

#[test]
fn bad_usage_exits_with_2_and_names_the_culprit() {
    let unwritable = "/no/such/folder/out.json";
    let wrong: [&[&str]; 5] = [
        &["no_such_model"],
        &[SMALL, "--budget", "0"],
        &[SMALL, "--rounds", "0"],
        &[SMALL, "--json", unwritable],
        &["--child", "rubbish"],
    ];
    for (arguments, culprit) in
        wrong.into_iter().zip(["no_such_model", "--budget", "--rounds", unwritable, "no job"])
    {
        let output = compare(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(culprit) && output.stdout.is_empty(), "{arguments:?}: {stderr}");
    }
}

/// The names of the models in the first column of a table, or of a list.
fn names<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.filter_map(|line| line.split(['`', ' ']).find(|word| word.contains('/'))).collect()
}

#[test]
fn the_page_of_the_book_has_the_models_that_are_compared() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path.join("../docs/src/verification/comparison.md"));
    let page = page.expect("the page is there");
    let listed = succeed(&["--list"]);
    let shown = names(page.lines().filter(|line| line.starts_with("| `")));
    assert_eq!(shown, names(listed.lines()), "write the page's table anew, as the page says");
}

/// Ctrl-C, on the systems that have `kill`.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_with_130_and_the_partial_table() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    let json = fresh_path("interrupted_comparison.json");
    let path = json.to_str().expect("the path is text");
    let mut child = Command::new(env!("CARGO_BIN_EXE_gosched-verify"))
        .args(["compare", LARGE, SMALL, "--budget", "600", "--rounds", "1", "--json", path])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("it is a pipe"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line of progress");
    assert!(line.contains("explorer"), "{line}");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("`kill` exists").success());
    let mut table = String::new();
    let mut stdout = child.stdout.take().expect("it is a pipe");
    stdout.read_to_string(&mut table).expect("a table");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "{table}");
    assert!(table.contains("interrupted") && table.contains(LARGE), "{table}");
    let comparison = read(&json);
    assert!(comparison.interrupted && comparison.rows[0].end == End::Through, "{table}");
    assert!(!table.contains(SMALL), "the second model was not begun: {table}");
}
