//! A test in a process of its own: this program again, with the test's name alone.

use std::env;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gosched_runtime::{Builder, Migrating, Runtime, go, yield_now};

/// Set for the child.
const CHILD: &str = "GOSCHED_TEST_CHILD";
/// How long a child may take.
const LONGEST: Duration = Duration::from_secs(240);

/// Runs `test`, which is the one of this name, in a process of its own, with these variables.
#[track_caller]
pub(crate) fn in_a_child(name: &str, variables: &[(&str, &str)], test: impl FnOnce()) {
    if env::var_os(CHILD).is_some() {
        return test();
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(CHILD, "1").envs(variables.iter().copied()).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begin.elapsed() > LONGEST {
            child.kill().unwrap();
            panic!("{name} hangs");
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{name}: {status}");
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
