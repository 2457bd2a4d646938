//! Wrong use: a clear error each, and nothing is lost.

use std::env;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use gosched_runtime::{
    BuildError, Cancelled, JoinError, JoinHandle, MAX_STACK_SIZE, MIN_STACK_SIZE, NoGoroutine,
    NoRuntime, RunError, Runtime, ShutdownError, blocking, checkpoint, current, go, go_future,
    goroutine_local, lock_os_thread, park, set_processors, try_go, yield_now,
};

use crate::kinds::{both, eventually, migrating, watch, works_and_ends};

goroutine_local! {
    static LOCAL: u32 = 3;
}

#[test]
fn outside_of_a_runtime() {
    let captured = Arc::new(());
    let inside = Arc::clone(&captured);
    assert_eq!(try_go(move || drop(inside)).map(|_| ()), Err(NoRuntime));
    assert_eq!(Arc::strong_count(&captured), 1, "the function is dropped");
    let message =
        |panic: fn()| *thread::spawn(panic).join().unwrap_err().downcast::<String>().unwrap();
    assert!(message(|| drop(go(|| ()))).contains("Runtime::go"));
    assert!(message(|| drop(go_future(async {}))).contains("Runtime::go"));
    assert!(message(|| LOCAL.with(|_| ())).contains("no goroutine"));
    assert_eq!(LOCAL.try_with(|_| ()), Err(NoGoroutine));
    assert_eq!(set_processors(1).unwrap_err().to_string(), NoRuntime.to_string());
    assert!(current().is_none());
    // These mean the thread, then.
    yield_now();
    checkpoint();
    drop(lock_os_thread());
    assert_eq!(blocking(|| 5), 5);
    thread::current().unpark();
    park();
}

#[test]
fn run_inside_run() {
    let _watch = watch();
    for runtime in both(2) {
        let runtime = Arc::new(runtime);
        let same = Arc::clone(&runtime);
        let other = Runtime::new().unwrap();
        let inside = runtime.run(move || {
            let same = same.run(|| ());
            let others = blocking(|| other.run(|| ()));
            (matches!(same, Err(RunError::Inside)), matches!(others, Err(RunError::Inside)))
        });
        assert_eq!(inside.unwrap(), (true, true));
        works_and_ends(&runtime);
    }
}

#[test]
fn numbers_that_make_no_runtime() {
    for size in [0, 1, MIN_STACK_SIZE - 1, MAX_STACK_SIZE + 1, usize::MAX] {
        let error = Runtime::builder().stack_size(size).build().unwrap_err();
        assert!(matches!(error, BuildError::StackSize(refused) if refused == size), "{error}");
        assert!(error.to_string().contains(&size.to_string()));
    }
    let error = Runtime::builder().processors(0).build().unwrap_err();
    assert!(matches!(error, BuildError::Config(_)), "{error}");
    assert!(error.to_string().contains("processors"));
    let error = Runtime::builder().processors(5).max_processors(4).build().unwrap_err();
    assert!(matches!(error, BuildError::Config(_)), "{error}");
    let error = Runtime::builder().processors(4).max_machines(3).build().unwrap_err();
    assert!(matches!(error, BuildError::FewMachines { machines: 3, processors: 4 }), "{error}");
    let error = Runtime::builder().processors(0).max_machines(0).build().unwrap_err();
    assert!(matches!(error, BuildError::Config(_)), "{error}");
    for name in ["\0", "a\0b"] {
        let error = Runtime::builder().name(name).build().unwrap_err();
        assert!(matches!(error, BuildError::Name), "{error}");
    }
    let absurd = Runtime::builder().processors(usize::MAX).max_machines(usize::MAX);
    assert!(matches!(absurd.build().unwrap_err(), BuildError::Config(_)));
    let absurd = Runtime::builder().processors(usize::MAX).max_processors(10);
    let error = absurd.build().unwrap_err();
    assert!(error.to_string().contains("from 1 to 10"), "{error}");
    let absurd = Runtime::builder().max_processors(usize::MAX);
    assert!(matches!(absurd.build().unwrap_err(), BuildError::Config(_)));
}

/// In a child, so that a panic there shows where it was whatever the environment says: that takes
/// the most of a stack.
#[test]
fn the_smallest_stack_and_the_largest() {
    const CHILD: &str = "GOSCHED_TEST_STACKS";
    if env::var_os(CHILD).is_none() {
        let mut child = Command::new(env::current_exe().unwrap());
        child.args(["misuse::the_smallest_stack_and_the_largest", "--exact", "--test-threads=1"]);
        let output = child.env(CHILD, "1").env("RUST_BACKTRACE", "full").output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&said);
        assert!(output.status.success() && text.contains("1 passed"), "{}: {text}", output.status);
        return;
    }
    let _watch = watch();
    for size in [MIN_STACK_SIZE, MAX_STACK_SIZE] {
        for builder in [Runtime::builder(), migrating()] {
            let runtime = builder.processors(2).stack_size(size).build().unwrap();
            let error = runtime.run(|| panic!("a message of {} words", 4)).unwrap_err();
            assert!(error.to_string().contains("a message of 4 words"), "{error}");
            works_and_ends(&runtime);
        }
    }
}

#[test]
fn a_goroutine_that_waits_for_itself() {
    let _watch = watch();
    for runtime in both(2) {
        let error = runtime.run(|| {
            let cell = Arc::new(Mutex::new(None::<JoinHandle<bool>>));
            let takes = Arc::clone(&cell);
            let (says, said) = (Arc::new(OnceLock::new()), ());
            let hears = Arc::clone(&says);
            let itself = go(move || {
                while hears.get().is_none() {
                    yield_now();
                }
                let me = takes.lock().unwrap().take().unwrap();
                matches!(me.join(), Err(JoinError::Itself))
            });
            let id = itself.id();
            *cell.lock().unwrap() = Some(itself);
            says.set(said).unwrap();
            id
        });
        error.unwrap();
        works_and_ends(&runtime);
    }
}

#[test]
fn a_second_shutdown_and_what_comes_after_the_first() {
    let _watch = watch();
    for runtime in both(2) {
        runtime.run(|| go(|| ()).join().unwrap()).unwrap();
        assert!(runtime.shutdown(Duration::from_secs(9)).unwrap().is_clean());
        assert_eq!(runtime.shutdown(Duration::ZERO).unwrap_err(), ShutdownError::Already);
        after_its_end(&runtime);
    }
    // One that never ran anything.
    for runtime in both(1) {
        assert!(runtime.shutdown(Duration::ZERO).unwrap().is_clean());
        assert_eq!(runtime.shutdown(Duration::ZERO).unwrap_err(), ShutdownError::Already);
        after_its_end(&runtime);
    }
}

/// What a runtime that has ended answers.
fn after_its_end(runtime: &Runtime) {
    let captured = Arc::new(());
    for _ in 0..3 {
        let inside = Arc::clone(&captured);
        let error = runtime.run(move || drop(inside)).unwrap_err();
        assert!(
            matches!(error, RunError::Main(JoinError::Cancelled(Cancelled::Shutdown))),
            "{error}"
        );
        let inside = Arc::clone(&captured);
        let error = runtime.go(move || drop(inside)).join().unwrap_err();
        assert!(matches!(error, JoinError::Cancelled(Cancelled::Shutdown)), "{error}");
    }
    assert_eq!(Arc::strong_count(&captured), 1, "what was captured is dropped");
    assert!(runtime.set_processors(1).is_err());
    assert!(runtime.dump().goroutines.is_empty());
}

#[test]
fn a_shutdown_from_inside() {
    let _watch = watch();
    for runtime in both(2) {
        let runtime = Arc::new(runtime);
        let inside = Arc::clone(&runtime);
        let error = runtime.run(move || {
            let plainly = inside.shutdown(Duration::ZERO).unwrap_err();
            (plainly, blocking(|| inside.shutdown(Duration::ZERO).unwrap_err()))
        });
        assert_eq!(error.unwrap(), (ShutdownError::Inside, ShutdownError::Inside));
        works_and_ends(&runtime);
    }
}

#[test]
fn a_runtime_that_is_dropped_by_its_own_goroutine() {
    let _watch = watch();
    for runtime in both(2) {
        let runtime = Arc::new(runtime);
        let others = Arc::new(());
        let inside = Arc::clone(&runtime);
        let holds = Arc::clone(&others);
        let (over, is_over) = std::sync::mpsc::channel();
        runtime.go(move || {
            while Arc::strong_count(&inside) > 1 {
                yield_now();
            }
            go(move || drop(holds));
            drop(inside);
            over.send(()).unwrap();
            while go(yield_now).join().is_ok() {
                yield_now();
            }
        });
        drop(runtime);
        is_over.recv().unwrap();
        eventually("the others have ended, or are cancelled", || Arc::strong_count(&others) == 1);
    }
}
