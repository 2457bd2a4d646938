//! The binary: exit codes, verdicts, and what it prints, on claims made for it.
//!
//! `--selftest` replaces the claims by ones that are false, empty, endless or deadly, so that each
//! kind of bad end is seen to be reported as what it is.

#![cfg(all(feature = "cli", feature = "loom", feature = "shuttle"))]

use std::path::PathBuf;
use std::process::{Command, Output};

fn gosched_verify(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gosched-verify"))
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// Runs one check of the selftests; returns its exit code and what it printed.
fn selftest(id: &str, more: &[&str]) -> (i32, String) {
    let mut arguments = vec!["check", "--selftest", "--exact", "--only", id];
    arguments.extend(more);
    let output = gosched_verify(&arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().expect("it exits"), text)
}

/// Asserts a usage error: exit code 2, and one clear line about `culprit`, nothing run.
fn assert_usage_error(arguments: &[&str], culprit: &str) {
    let output = gosched_verify(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(stderr.contains(culprit), "{arguments:?} should blame {culprit}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?} printed a table");
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
}

/// A path in the directory for tests, which does not exist yet.
fn fresh_path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn bad_usage_exits_with_2_and_names_the_culprit() {
    assert_usage_error(&["--frobnicate"], "--frobnicate");
    assert_usage_error(&["frobnicate"], "frobnicate");
    assert_usage_error(&["check", "--only", "no_such_claim"], "no_such_claim");
    assert_usage_error(&["check", "--exact", "--only", "memory"], "memory");
    assert_usage_error(&["check", "--engine", "no_such_engine"], "no_such_engine");
    assert_usage_error(&["--selftest", "--only", "property", "--engine", "loom"], "loom");
    assert_usage_error(&["check", "-j", "0"], "0");
    assert_usage_error(&["check", "--time-limit", "0"], "0");
    assert_usage_error(&["check", "--json", "/no/such/folder/out.json"], "/no/such/folder");
    assert_usage_error(&["replay", "no::such/check@loom"], "no::such/check@loom");
    assert_usage_error(&["table", "/no/such/file.json"], "/no/such/file.json");
}

#[test]
fn a_schedule_that_is_none_exits_with_2() {
    let shuttle = "selftest::fails/count@shuttle";
    let loom = "selftest::fails/count@loom";
    assert_usage_error(&["replay", "--selftest", shuttle, "--schedule", "rubbish"], "rubbish");
    assert_usage_error(&["replay", "--selftest", shuttle, "--schedule", "9107"], "9107");
    assert_usage_error(&["replay", "--selftest", loom, "--schedule", "9107"], "loom");
}

#[test]
fn help_explains_the_words_and_the_exit_codes() {
    let output = gosched_verify(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    for word in ["claim ", "engine ", "verdict ", "Examples:", "Exit codes:", "--thorough"] {
        assert!(text.contains(word), "--help does not explain {word}");
    }
}

#[test]
fn a_true_claim_passes() {
    for engine in ["loom", "shuttle", "stress"] {
        let id = format!("selftest::passes/count@{engine}");
        let (code, text) = selftest(&id, &["--require-complete"]);
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("1 passed"), "{text}");
    }
}

#[test]
fn a_false_claim_fails_with_its_message_and_a_replay_command() {
    for engine in ["loom", "shuttle", "stress"] {
        let id = format!("selftest::fails/count@{engine}");
        let (code, text) = selftest(&id, &[]);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(&format!("FAILED {id}")), "{text}");
        assert!(text.contains("the selftest's count"), "{text}");
        assert!(text.contains(&format!("replay {id} --selftest")), "{text}");
    }
}

#[test]
fn a_failed_schedule_of_shuttle_can_be_replayed() {
    let (_, text) = selftest("selftest::fails/count@shuttle", &[]);
    let command = text.lines().find_map(|line| line.trim().strip_prefix("replay: "));
    let arguments: Vec<_> = command.expect("a replay command").split(' ').skip(1).collect();
    assert!(arguments.contains(&"--schedule"), "{arguments:?}");
    let output = gosched_verify(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the selftest's count"), "{stderr}");
}

#[test]
fn a_failed_execution_of_the_explorer_is_drawn_and_can_be_replayed() {
    let (code, text) = selftest("selftest::fails/count@explore", &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("thread 0 (main)") && text.contains("✗"), "{text}");
    assert!(text.contains("counterexample.svg"), "{text}");
    let command = text.lines().find_map(|line| line.trim().strip_prefix("replay: "));
    let arguments: Vec<_> = command.expect("a replay command").split(' ').skip(1).collect();
    assert!(arguments.contains(&"--schedule"), "{arguments:?}");
    let output = gosched_verify(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the selftest's count"), "{stderr}");
    let nonsense = ["replay", "selftest::fails/count@explore", "--selftest", "--schedule", "0:x"];
    assert_eq!(gosched_verify(&nonsense).status.code(), Some(2));
}

#[test]
fn only_the_explorer_says_exhaustive() {
    let (code, text) = selftest("selftest::passes/count@explore", &["--require-complete"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("passed, exhaustive"), "{text}");
    let (_, text) = selftest("selftest::passes/count@loom", &[]);
    assert!(!text.contains("passed, exhaustive"), "{text}");
}

/// What does not depend on the time, of a check that was run with so many jobs.
#[cfg(feature = "explore")]
fn found_with(jobs: &str) -> (Vec<serde_json::Value>, String) {
    let json = fresh_path(&format!("jobs{jobs}.json"));
    let path = json.to_str().expect("the path is text");
    let id = "local_queue::no_task_is_lost/two_thieves_next@explore";
    let arguments = ["check", "--exact", "--only", id, jobs, "--json", path];
    let run = gosched_verify(&arguments);
    assert_eq!(run.status.code(), Some(0));
    let file = std::fs::read_to_string(&json).expect("the file was written");
    let report: serde_json::Value = serde_json::from_str(&file).expect("it is JSON");
    let row = &report["rows"][0];
    let found = ["id", "executions", "blocked", "outcomes", "verdict"].map(|key| row[key].clone());
    (found.to_vec(), row["notes"].to_string())
}

#[cfg(feature = "explore")]
#[test]
fn a_single_check_gets_all_jobs_and_finds_the_same_with_any_number_of_them() {
    let (one, notes) = found_with("-j1");
    assert!(!notes.contains("threads searched"), "{notes}");
    for jobs in [2, 3, 8] {
        let (several, notes) = found_with(&format!("-j{jobs}"));
        assert_eq!(one, several, "-j{jobs}");
        assert!(notes.contains(&format!("{jobs} threads searched")), "{notes}");
    }
    assert!(one[1].as_u64() > Some(100) && one[2].as_u64() > Some(0), "{one:?}");
}

#[test]
fn a_replay_of_a_whole_check_shows_the_failure_in_full() {
    let output = gosched_verify(&["replay", "--selftest", "selftest::fails/count@loom"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("the selftest's count"), "{stderr}");
}

#[test]
fn a_model_in_which_nothing_happens_fails_as_vacuous() {
    for engine in ["loom", "shuttle"] {
        let (code, text) = selftest(&format!("selftest::is_vacuous/count@{engine}"), &[]);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("vacuous: never saw \"main was eighth\""), "{text}");
    }
}

#[test]
fn a_sample_that_misses_something_is_only_noted() {
    let (code, text) = selftest("selftest::is_vacuous/count@stress", &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("never saw \"main was eighth\""), "{text}");
}

#[test]
fn a_check_that_aborts_has_crashed() {
    let (code, text) = selftest("selftest::crashes/abort@loom", &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("CRASHED selftest::crashes/abort@loom"), "{text}");
    assert!(text.contains("stderr: the selftest aborts now"), "{text}");
}

#[test]
fn a_check_that_does_not_end_is_killed_and_has_hung() {
    let (code, text) = selftest("selftest::hangs/sleep@stress", &["--time-limit", "1"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("HUNG selftest::hangs/sleep@stress"), "{text}");
}

#[test]
fn a_check_out_of_time_is_incomplete_and_says_how_far_it_came() {
    let id = "selftest::is_incomplete/endless@loom";
    let (code, text) = selftest(id, &["--time-limit", "1"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains(&format!("{id}: incomplete: out of time after")), "{text}");
    assert!(!text.contains("passed"), "{text}");
    let (code, _) = selftest(id, &["--time-limit", "1", "--require-complete"]);
    assert_eq!(code, 3);
}

#[test]
fn what_loom_misses_is_counted_and_named() {
    let id = "selftest::loom_misses/loom_392@loom";
    let (code, text) = selftest(id, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("passed, loom incomplete (1 outcomes missed)"), "{text}");
    assert!(text.contains("shuttle saw, loom did not: `read 1`"), "{text}");
    assert_eq!(selftest(id, &["--require-complete"]).0, 3);
}

#[test]
fn a_property_that_fails_shows_its_input() {
    assert_eq!(selftest("selftest::property/holds@sequential", &["--require-complete"]).0, 0);
    let (code, text) = selftest("selftest::property/fails@sequential", &[]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("minimal failing input: [Push, Pop]"), "{text}");
}

#[test]
fn a_kept_result_prints_the_same_table() {
    let json = fresh_path("kept.json");
    let path = json.to_str().expect("the path is text");
    let run = gosched_verify(&["--selftest", "--only", "selftest::passes", "--json", path]);
    assert_eq!(run.status.code(), Some(0));
    let table = gosched_verify(&["table", path]);
    assert_eq!(table.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&table.stdout), String::from_utf8_lossy(&run.stdout));
    let markdown = gosched_verify(&["table", "--markdown", path]);
    let text = String::from_utf8_lossy(&markdown.stdout);
    assert!(text.starts_with("| claim | says | explore | loom |"), "{text}");
    assert!(text.contains("| `selftest::passes` |"), "{text}");
}

#[test]
fn a_file_that_is_no_result_is_a_usage_error() {
    let path = fresh_path("rubbish.json");
    std::fs::write(&path, "{}").expect("the file can be written");
    let path = path.to_str().expect("the path is text");
    assert_usage_error(&["table", path], path);
}

#[test]
fn the_list_has_a_line_for_each_check_and_obeys_the_selection() {
    let lines = |arguments: &[&str]| {
        let output = gosched_verify(arguments);
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8_lossy(&output.stdout).lines().count()
    };
    let all = lines(&["--list", "--selftest"]);
    let loom = lines(&["--list", "--selftest", "--engine", "loom"]);
    let others = lines(&[
        "--list",
        "--selftest",
        "--engine",
        "explore",
        "--engine",
        "shuttle",
        "--engine",
        "stress",
        "--engine",
        "sequential",
    ]);
    assert_eq!(all, loom + others);
    assert_eq!(lines(&["--list", "--selftest", "--only", "*count@loom"]), 3);
}

/// Ctrl-C, on the systems that have `kill`.
#[cfg(unix)]
mod interrupt {
    use core::time::Duration;
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    /// Starts checks of which the first ends at once and the second never does; returns when the
    /// first has ended.
    fn start(json: &str) -> Child {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gosched-verify"))
            .args(["--selftest", "-j1", "--time-limit", "600", "--json", json])
            .args(["--only", "passes/count@loom", "--only", "hangs/sleep@loom"])
            .args(["--only", "passes/count@stress"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stderr = child.stderr.take().expect("it is a pipe");
        let mut line = String::new();
        BufReader::new(stderr).read_line(&mut line).expect("a line of progress");
        assert!(line.contains("selftest::passes/count@loom: passed"), "{line}");
        child
    }

    #[test]
    fn ctrl_c_ends_with_130_the_partial_table_and_the_partial_file() {
        let json = super::fresh_path("interrupted.json");
        let mut child = start(json.to_str().expect("the path is text"));
        let asked = Instant::now();
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.expect("`kill` exists").success());
        let mut table = String::new();
        let mut stdout = child.stdout.take().expect("it is a pipe");
        stdout.read_to_string(&mut table).expect("a table");
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{table}");
        assert!(asked.elapsed() < Duration::from_secs(5), "it did not end at once");
        assert!(table.contains("1 passed, 1 interrupted, 1 not run"), "{table}");
        let file = std::fs::read_to_string(&json).expect("the file was written");
        assert!(file.contains("\"interrupted\": true"), "{file}");
        assert!(file.contains("\"kind\": \"not_run\""), "{file}");
    }
}
