//! The comparison of runtimes, once at a tiny size: every workload on every runtime, in processes
//! of their own, as it is run in earnest. Each run checks its own work and fails if it was not
//! done.
//!
//! Go takes part where it is installed.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "needs std anyway")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn runtimes(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runtimes"));
    command.args(arguments).output().expect("the program can be run")
}

/// The workloads by name, with the contenders that have samples.
fn measured(json: &serde_json::Value) -> Vec<(String, Vec<String>)> {
    let contenders = |row: &serde_json::Value| {
        let all = row["contenders"].as_array().expect("contenders").iter();
        let with_samples =
            all.filter(|one| one["samples"].as_array().is_some_and(|all| !all.is_empty()));
        with_samples.map(|one| format!("{} {}", one["runtime"], one["workers"])).collect()
    };
    let rows = json["rows"].as_array().expect("rows").iter();
    rows.map(|row| (row["workload"].to_string(), contenders(row))).collect()
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("gosched-{name}-{}.json", std::process::id()))
}

#[test]
fn every_runtime_does_every_workload() {
    let file = scratch("runtimes");
    let path = file.to_str().expect("a path that is text");
    let output = runtimes(&["--scale", "0.001", "--rounds", "1", "--limit", "30", "--json", path]);
    let errors = String::from_utf8_lossy(&output.stderr);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{errors}\n{table}");
    let text = fs::read_to_string(&file).expect("the record");
    drop(fs::remove_file(&file));
    let json = serde_json::from_str(&text).expect("JSON");
    let without_go = errors.contains("Go is left out");
    let measured = measured(&json);
    assert_eq!(measured.len(), 8);
    for (workload, contenders) in measured {
        for runtime in ["gosched", "gosched-async", "tokio", "smol", "may"] {
            for workers in [1, 2] {
                let one = format!("\"{runtime}\" {workers}");
                assert!(contenders.contains(&one), "{workload}: {one}");
            }
        }
        assert_ne!(contenders.contains(&"\"go\" 2".to_owned()), without_go, "{workload}");
    }
}

#[test]
fn a_child_that_takes_too_long_is_a_failure_and_no_hang() {
    let arguments =
        ["--only", "blocking", "--runtimes", "smol", "--workers", "1", "--limit", "0.1"];
    let output = runtimes(&[&arguments[..], &["--rounds", "3"]].concat());
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(table.contains("smol with 1 workers: FAILED: not done after 0.1 s"), "{table}");
}

#[test]
fn without_go_one_line_says_so_and_the_others_are_measured() {
    let small = ["--scale", "0.001", "--rounds", "1", "--only", "ring", "--workers", "1"];
    let output = runtimes(&[&small[..], &["--go", "/nowhere/go"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("Go is left out, and with it its ratios: /nowhere/go"), "{errors}");
    assert!(table.contains("| tokio ") && !table.contains("| go "), "{table}");
}
