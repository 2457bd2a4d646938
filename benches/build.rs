//! Writes into the binary what it cannot ask for where it runs: the compiler, the commit, and the
//! versions of the peers. A carried binary has no cargo and no git beside it.

use std::path::Path;
use std::process::Command;

/// What is measured, and what measures it.
const SOURCES: [&str; 6] =
    ["../core/src", "../verify/src/plain_queue.rs", "../runtime/src", "src", "go", "build.rs"];

/// The peers, by their names in `Cargo.lock`.
const PEERS: [&str; 7] =
    ["concurrent-queue", "crossbeam-deque", "hyper", "may", "smol", "st3", "tokio"];

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    set("RUSTC_VERSION", &output(&rustc, &["--version"]).unwrap_or_else(unknown));
    set("COMMIT", &commit().unwrap_or_else(unknown));
    set("PEER_VERSIONS", &peer_versions().unwrap_or_else(unknown));
    println!("cargo::rerun-if-changed=../Cargo.lock");
    // The log of HEAD changes with every commit and every switch.
    for path in ["../.git/HEAD", "../.git/logs/HEAD"].into_iter().chain(SOURCES) {
        if Path::new(path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}

fn set(name: &str, value: &str) {
    println!("cargo::rustc-env=GOSCHED_{name}={value}");
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The commit, with a `+` if the sources that are measured differ from it.
fn commit() -> Option<String> {
    let hash = output("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changed = output("git", &[&["status", "--porcelain", "--"], &SOURCES[..]].concat())?;
    Some(if changed.is_empty() { hash } else { format!("{hash}+") })
}

/// `name version, …` out of the lock file.
fn peer_versions() -> Option<String> {
    let lock = std::fs::read_to_string("../Cargo.lock").ok()?;
    let versions = PEERS.map(|peer| {
        let (_, after) = lock.split_once(&format!("name = \"{peer}\"\nversion = \""))?;
        Some(format!("{peer} {}", after.split('"').next()?))
    });
    Some(versions.into_iter().flatten().collect::<Vec<_>>().join(", "))
}
