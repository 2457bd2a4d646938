//! A test in a process of its own: this program again, with the test's name alone.

use std::env;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gosched_runtime::{Builder, Migrating, Runtime, go, yield_now};

/// Set for the child.
const CHILD: &str = "GOSCHED_TEST_CHILD";
/// How long a child may take.
const LONGEST: Duration = Duration::from_secs(240);

/// Runs `test`, which is the one of this name, in a process of its own, with these variables. What
/// that prints is shown when it fails.
#[track_caller]
pub(crate) fn in_a_child(name: &str, variables: &[(&str, &str)], test: impl FnOnce()) {
    if env::var_os(CHILD).is_some() {
        return test();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1").envs(variables.iter().copied()).stdin(Stdio::null());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().cast_signed();
    let (ended, ends) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output().unwrap()));
    let output = ends.recv_timeout(LONGEST).or_else(|_| {
        // SAFETY: it sends a signal to a child that nobody has waited for to its end.
        unsafe { libc::kill(id, libc::SIGKILL) };
        ends.recv()
    });
    let output = output.unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    println!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{name}: {} (and killed, if that took {LONGEST:?})",
        output.status
    );
}

/// Builders of both kinds of runtime.
pub(crate) fn both() -> [Builder; 2] {
    // SAFETY: these tests keep nothing of a thread across a scheduling point.
    let migrating = unsafe { Migrating::promise() };
    [Runtime::builder().migrating(migrating), Runtime::builder()]
}

/// The runtime runs goroutines as ever, and then ends without a rest.
#[track_caller]
pub(crate) fn works_and_ends(runtime: &Runtime) {
    let count = runtime.run(|| {
        let all: Vec<_> = (0..100).map(|_| go(yield_now)).collect();
        all.into_iter().map(|one| one.join().unwrap()).count()
    });
    assert_eq!(count.unwrap(), 100);
    let shutdown = runtime.shutdown(Duration::from_secs(20)).unwrap();
    assert!(shutdown.is_clean(), "{shutdown}");
}
